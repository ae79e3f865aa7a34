// A Trainer for Nabla models: fit, evaluate and predict, with callbacks and a progress bar, and weights in files.
// The public face of @nabla/training: everything exported here is API, everything else is not.
export type { Callback, TrainingRun } from './callback.ts'
export { CSVLogger, type CSVLoggerOptions } from './callbacks/csvLogger.ts'
export { EarlyStopping, type EarlyStoppingOptions } from './callbacks/earlyStopping.ts'
export { ModelCheckpoint, type ModelCheckpointOptions } from './callbacks/modelCheckpoint.ts'
export type { MonitorOptions } from './callbacks/monitor.ts'
export { LambdaCallback, LearningRateScheduler, TerminateOnNaN } from './callbacks/small.ts'
export {
  classificationReport,
  type ClassificationReport,
  type ClassScores,
  type ReportOptions,
} from './report.ts'
export { History, type Logs } from './history.ts'
export type {
  EvaluateOptions,
  FitOptions,
  PredictionData,
  PredictOptions,
  TrainerOptions,
  TrainingData,
  VerboseOptions,
} from './options.ts'
export type { ProgressOutput } from './output.ts'
export type { Verbosity } from './progress.ts'
export {
  decodeSafetensors,
  encodeSafetensors,
  type HostTensor,
  type SafetensorsContent,
} from './safetensors.ts'
export { Trainer } from './trainer.ts'
export { copyState, loadWeights, saveWeights } from './weights.ts'
