// Native products in Node: `useBlas()` has an installed OpenBLAS, or Accelerate, compute matrix products and convolutions
// in the very memory that everything else of the WebAssembly backend works in. The public face of
// @nabla/backend-wasm/blas. Read next: blas/library.ts (which library), blas/contraction.ts (what it is given).
import { BackendError, engine, type Backend } from '@nabla/engine'
import type { WasmBackend } from './backend.ts'
import { openLibrary } from './blas/library.ts'

/** Options of {@link useBlas}. */
export interface BlasOptions {
  /**
   * Path of the library, or its name where the system's loader finds it. Default: `NABLA_BLAS`, or what is usual on the
   * platform. Anything with `cblas_sgemm` and `cblas_dgemm` will do.
   */
  readonly library?: string
  /** Pass false to go on in WebAssembly where no library can be used; `backendInfo().notes` then says why. */
  readonly required?: boolean
  /**
   * Products of fewer multiplications stay in WebAssembly. Default: 13,824, where libraries begin to be faster; 0 hands over
   * all there are.
   */
  readonly smallest?: number
  /** The backend that shall use it. Default: the one in use. */
  readonly backend?: Backend
}

/**
 * Hands products to a native library from here on: those of float32 and float64 that are large enough to gain. Takes the
 * optional package `koffi`. The calls run on this backend's own threads (`configure({ threads })`), each part of a product
 * on one, and parts depend on sizes alone: the bits are the same for any number of threads, though not those of
 * WebAssembly, nor of another library or processor.
 * @returns what `backendInfo().library` says from now on; null where there is none and none is required
 * @throws BackendError where koffi or the library is missing or cannot be used, or the backend is not WebAssembly
 */
export function useBlas(options: BlasOptions = {}): string | null {
  const { library: path, required = true, smallest, backend = engine.backend } = options
  if (!isWasm(backend)) {
    throw new BackendError(`useBlas: only the backend 'wasm' can use a native library, not '${backend.name}'`)
  }
  try {
    const library = openLibrary(path)
    backend.useProducts({ ...library, smallest })
    // Plans that were made before have their products computed in WebAssembly.
    if (engine.hasBackend && engine.backend === backend) engine.cache.clear()
    return library.description
  } catch (error) {
    if (required || !(error instanceof BackendError)) throw error
    backend.missProducts(error.message)
    return null
  }
}

function isWasm(backend: Backend): backend is WasmBackend {
  return 'useProducts' in backend
}
