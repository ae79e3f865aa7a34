// The WebAssembly backend that conformance tests are run on. With NABLA_TEST_BLAS (vitest's project `blas`) every product
// that can be handed to a native library is, however small, so that the same tests hold that path to the same answers.
import { createWasmBackend } from '@nabla/backend-wasm'
import { useBlas } from '@nabla/backend-wasm/blas'
import type { Backend } from '@nabla/engine'

/** Whether products go to a native library. */
export const withBlas: boolean = globalThis.process?.env?.['NABLA_TEST_BLAS'] === '1'

/** A backend of its own. */
export function wasmBackend(): Backend {
  const backend = createWasmBackend()
  if (withBlas) useBlas({ backend, smallest: 0 })
  return backend
}
