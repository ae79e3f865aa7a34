// The engine's public face: what packages above build on. Users of tensors rarely need it; authors of ops, backends and
// tools do.
export * from './backend.ts'
export * from './dtype.ts'
export {
  backendInfo,
  configure,
  engine,
  longestChain,
  flush,
  inSlices,
  setBackend,
  startProfile,
  type EngineOptions,
  type EngineStatistics,
} from './engine.ts'
export * from './errors.ts'
export * from './expr.ts'
export { createInterpreter } from './interpreter/index.ts'
export * from './kernel.ts'
export * from './lowering.ts'
export * from './node.ts'
export { explainNodes } from './plan/explain.ts'
export type { Profile, TraceEvent } from './profile/events.ts'
export * from './reference/philox.ts'
export * from './routine.ts'
export * from './scalar.ts'
export * from './shape.ts'
export { breathe } from './slices.ts'
export * from './variable.ts'
export * from './view.ts'
