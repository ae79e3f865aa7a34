// WebAssembly kernels for the Nabla engine, generated at run time. The public face of @nabla/backend-wasm: everything
// exported here is API, everything else is not. Read next: backend.ts.
export { workerSource } from './pool/pool.worker.inlined.ts'
export { createWasmBackend, type WasmBackendOptions } from './backend.ts'
