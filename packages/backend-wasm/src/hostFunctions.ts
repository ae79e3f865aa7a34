// The JavaScript functions that generated code may import, by the names it imports them under: the engine's references of
// the scalar functions. Every thread builds its own import objects from these names, so a module means the same on all of
// them. Read next: math/lanewise.ts, which writes the calls.
import { BackendError, int32References, scalarFunctions, type ScalarFunction } from '@nabla/engine'

/** Begins the name of a function on int32 operands, which wraps around; without it, the function is the one in float64. */
export const integerPrefix = 'int32.'

/** The imports of a module that calls these functions and works on `memory`. @throws BackendError for an unknown name */
export function importsOf(memory: WebAssembly.Memory, names: Iterable<string>): WebAssembly.Imports {
  const host: WebAssembly.ModuleImports = { memory }
  for (const name of names) host[name] = hostFunction(name)
  return { host }
}

function hostFunction(name: string): (a: number, b: number, c: number) => number {
  const integer = name.startsWith(integerPrefix)
  const fn = (integer ? name.slice(integerPrefix.length) : name) as ScalarFunction
  const reference = integer ? int32References[fn] : scalarFunctions[fn]?.reference
  if (reference === undefined) throw new BackendError(`code calls '${name}', which is no scalar function`)
  return reference
}
