// From functions to something that can be called: assembles a routine's module and instantiates it on the backend's
// memory. Routines call this at first use, so what a program does not need is never compiled.
import type { BlasPlace } from '../blas/gemm.ts'
import { importsOf } from '../hostFunctions.ts'
import type { DeviceMemory } from '../memory.ts'
import type { SharedCode } from '../pool/threads.ts'
import type { RunItems } from '../pool/words.ts'
import { assemble } from '../wat/assembler.ts'
import type { FunctionBuilder } from '../wat/builder.ts'
import { buildModule } from '../wat/module.ts'

/** The exports of a module made of `functions`. Host functions they call are the engine's scalar references. */
export function compileRoutine<Exports>(
  memory: DeviceMemory,
  functions: readonly FunctionBuilder[],
): Exports {
  return compile(memory, functions).exports as Exports
}

/** Code for all threads: a module whose export `k` does items of some work. `blas`: the library it calls, if it does. */
export function compileShared(
  memory: DeviceMemory,
  functions: readonly FunctionBuilder[],
  blas?: BlasPlace,
): SharedCode {
  const { exports, bytes } = compile(memory, functions, blas)
  return { run: exports['k'] as RunItems, bytes }
}

function compile(
  memory: DeviceMemory,
  functions: readonly FunctionBuilder[],
  blas?: BlasPlace,
): { readonly exports: WebAssembly.Exports; readonly bytes: Uint8Array } {
  const module = buildModule({ minimum: 1, maximum: 65_536, shared: memory.shared }, functions)
  const names = functions.flatMap(({ hostFunctions }) => [...hostFunctions.keys()])
  const bytes = assemble(module)
  const imports = importsOf(memory.memory, names, blas)
  return { exports: new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports, bytes }
}
