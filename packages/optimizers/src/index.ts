// Optimizers for Nabla parameters, schedules of their rates, averages of weights, and gradient clipping.
// The public face of @nabla/optimizers: everything exported here is API, everything else is not.
export { Adadelta, type AdadeltaOptions } from './adadelta.ts'
export { Adafactor, type AdafactorOptions } from './adafactor.ts'
export { Adagrad, type AdagradOptions } from './adagrad.ts'
export { Adam, AdamW, type AdamOptions } from './adam.ts'
export { Adamax, type AdamaxOptions } from './adamax.ts'
export { ASGD, type ASGDOptions } from './asgd.ts'
export { Averaged, EMA, WeightAverage, type AverageState, type EMAOptions } from './averaging.ts'
export { clipGradNorm, clipGradValue, type ClipOptions } from './clip.ts'
export type { Group, GroupInput, Groups } from './groups.ts'
export { LAMB, LARS, type LAMBOptions, type LARSOptions } from './largeBatch.ts'
export { LBFGS, type Closure, type LBFGSOptions, type LBFGSState } from './lbfgs.ts'
export { Lion, type LionOptions } from './lion.ts'
export { Lookahead, type LookaheadOptions, type LookaheadState } from './lookahead.ts'
export type { MomentOptions } from './moments.ts'
export { NAdam, type NAdamOptions } from './nadam.ts'
export {
  Optimizer,
  runningAverage,
  withDecay,
  type Memory,
  type OptimizerOptions,
  type SlotStart,
  type Update,
} from './optimizer.ts'
export { RAdam, type RAdamOptions } from './radam.ts'
export { RMSprop, type RMSpropOptions } from './rmsprop.ts'
export { Rprop, type RpropOptions } from './rprop.ts'
export { SGD, type SGDOptions } from './sgd.ts'
export type { OptimizerState, ParameterState, SlotValue } from './state.ts'
export { optimizer, type AnyOptimizer, type OptimizerFactory, type OptimizerName } from './table.ts'
export { ChainedScheduler, SequentialLR, WarmupLR, type WarmupLROptions } from './schedules/composed.ts'
export {
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  CyclicLR,
  OneCycleLR,
  type CycleMode,
  type CyclicLROptions,
  type OneCycleLROptions,
  type WarmRestartOptions,
} from './schedules/cycles.ts'
export {
  ConstantLR,
  ExponentialLR,
  InverseSquareRootLR,
  LambdaLR,
  LinearLR,
  MultiplicativeLR,
  MultiStepLR,
  PolynomialLR,
  StepLR,
  type Factor,
  type LinearLROptions,
} from './schedules/decay.ts'
export { ReduceLROnPlateau, type PlateauOptions, type PlateauState } from './schedules/plateau.ts'
export type { PlotOptions } from './schedules/plot.ts'
export {
  Schedule,
  type Curve,
  type LearningRateSchedule,
  type Scheduled,
  type ScheduledGroup,
  type ScheduleState,
} from './schedules/schedule.ts'
