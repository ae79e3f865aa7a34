// From functions to something that can be called: assembles a routine's module and instantiates it on the backend's
// memory. Routines call this at first use, so what a program does not need is never compiled.
import { scalarFunctions, type ScalarFunction } from '@nabla/engine'
import type { DeviceMemory } from '../memory.ts'
import { assemble } from '../wat/assembler.ts'
import type { FunctionBuilder } from '../wat/builder.ts'
import { buildModule } from '../wat/module.ts'

/** The exports of a module made of `functions`. Host functions they call are the engine's scalar references. */
export function compileRoutine<Exports>(
  memory: DeviceMemory,
  functions: readonly FunctionBuilder[],
): Exports {
  const module = buildModule({ minimum: 1, maximum: 65_536, shared: memory.shared }, functions)
  const host: Record<string, WebAssembly.ImportValue> = { memory: memory.memory }
  for (const { hostFunctions } of functions) {
    for (const name of hostFunctions.keys()) host[name] = scalarFunctions[name as ScalarFunction].reference
  }
  const instance = new WebAssembly.Instance(new WebAssembly.Module(assemble(module)), { host })
  return instance.exports as Exports
}
