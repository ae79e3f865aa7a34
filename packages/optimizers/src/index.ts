// Optimizers for Nabla parameters, one file each, and gradient clipping.
// The public face of @nabla/optimizers: everything exported here is API, everything else is not.
export { Adadelta, type AdadeltaOptions } from './adadelta.ts'
export { Adagrad, type AdagradOptions } from './adagrad.ts'
export { Adam, AdamW, type AdamOptions } from './adam.ts'
export { Adamax, type AdamaxOptions } from './adamax.ts'
export { clipGradNorm, clipGradValue, type ClipOptions } from './clip.ts'
export type { Group, GroupInput, Groups } from './groups.ts'
export { NAdam, type NAdamOptions } from './nadam.ts'
export {
  Optimizer,
  runningAverage,
  withDecay,
  type Memory,
  type OptimizerOptions,
  type Update,
} from './optimizer.ts'
export { RAdam, type RAdamOptions } from './radam.ts'
export { RMSprop, type RMSpropOptions } from './rmsprop.ts'
export { SGD, type SGDOptions } from './sgd.ts'
export type { OptimizerState, ParameterState, SlotValue } from './state.ts'
export { optimizer, type AnyOptimizer, type OptimizerFactory, type OptimizerName } from './table.ts'
