// The backend that computes when nobody has chosen one: WebAssembly, and the reference interpreter where a platform has no
// WebAssembly SIMD, which is said aloud because it is slow (R10).
import { createWasmBackend } from '@nabla/backend-wasm'
import { BackendError, createInterpreter, engine } from '@nabla/engine'

/** Installs the default backend unless one is there. */
export function installDefaultBackend(): void {
  if (engine.hasBackend) return
  try {
    engine.setBackend(createWasmBackend())
  } catch (error) {
    if (!(error instanceof BackendError)) throw error
    console.warn(`@nabla/tensor: ${error.message}. Computing with the slow reference interpreter instead.`)
    engine.setBackend(createInterpreter())
  }
}
