// WebAssembly SIMD kernels, generated at run time, for the Nabla engine.
// The public face of @nabla/backend-wasm: everything exported here is API, everything else is not.
export {}
