// The JavaScript functions that generated code may import, by the names it imports them under: the engine's references of
// the scalar functions, and the products of a native library where one is in use. Every thread builds its own import
// objects from these names, so a module means the same on all of them. Read next: math/lanewise.ts, which writes the calls.
import { BackendError, int32References, scalarFunctions, type ScalarFunction } from '@nabla/engine'
import { isGemm, makeGemm, type BlasPlace } from './blas/gemm.ts'

/** Begins the name of a function on int32 operands, which wraps around; without it, the function is the one in float64. */
export const integerPrefix = 'int32.'

/**
 * The imports of a module that calls these functions and works on `memory`.
 * @param blas where the library is that computes products, for modules that call it
 * @throws BackendError for an unknown name
 */
export function importsOf(
  memory: WebAssembly.Memory,
  names: Iterable<string>,
  blas?: BlasPlace,
): WebAssembly.Imports {
  const host: WebAssembly.ModuleImports = { memory }
  for (const name of names) {
    host[name] = blas !== undefined && isGemm(name) ? makeGemm(memory, blas, name) : hostFunction(name)
  }
  return { host }
}

function hostFunction(name: string): (a: number, b: number, c: number) => number {
  const integer = name.startsWith(integerPrefix)
  const fn = (integer ? name.slice(integerPrefix.length) : name) as ScalarFunction
  const reference = integer ? int32References[fn] : scalarFunctions[fn]?.reference
  if (reference === undefined) throw new BackendError(`code calls '${name}', which is no scalar function`)
  return reference
}
