// Deep learning for TypeScript: all of Nabla behind one import. Everything that users of a model need is here under its own
// name; a name that two packages export for different things would be an error of the type checker and of the test beside
// this file, never a silent choice. The two floors below tensors are for authors of ops, backends and tools, and some of
// their names mean something else there (Variable, for one), so they come as namespaces.
export * as backendWasm from '@nabla/backend-wasm'
export * as distributions from '@nabla/distributions'
export * as engine from '@nabla/engine'
export * from '@nabla/autograd'
export * from '@nabla/data'
export * from '@nabla/layers'
export * from '@nabla/losses'
export * from '@nabla/metrics'
export * from '@nabla/optimizers'
export * from '@nabla/tensor'
export * from '@nabla/training'
