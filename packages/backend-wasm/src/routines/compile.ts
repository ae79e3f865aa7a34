// From functions to something that can be called: assembles a routine's module and instantiates it on the backend's
// memory. Routines call this at first use, so what a program does not need is never compiled.
import type { DeviceMemory } from '../memory.ts'
import { assemble } from '../wat/assembler.ts'
import type { FunctionBuilder } from '../wat/builder.ts'
import { buildModule } from '../wat/module.ts'

/** The exports of a module made of `functions`. */
export function compileRoutine<Exports>(memory: DeviceMemory, functions: readonly FunctionBuilder[]): Exports {
  const module = buildModule({ minimum: 1, maximum: 65_536, shared: memory.shared }, functions)
  const instance = new WebAssembly.Instance(new WebAssembly.Module(assemble(module)), {
    host: { memory: memory.memory },
  })
  return instance.exports as Exports
}
