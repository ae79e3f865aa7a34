// What Trainer, fit, evaluate and predict take, and the checks of it. Read next: trainer.ts.
import { lookUp, ValueError } from '@nabla/engine'
import type { DataLoader, Dataset, FieldInput } from '@nabla/data'
import type { Loss, LossName } from '@nabla/losses'
import type { MetricName, PredictionMetric } from '@nabla/metrics'
import type { AnyOptimizer, OptimizerName } from '@nabla/optimizers'
import type { Parameter } from '@nabla/tensor'
import type { Callback } from './callback.ts'
import type { ProgressOutput } from './output.ts'
import type { Verbosity } from './progress.ts'

/** Inputs `x` and targets `y`, a row each: arrays of any kind, a dataset, or a loader with its own batch size and order. */
export type TrainingData = { readonly x: FieldInput; readonly y: FieldInput } | Dataset | DataLoader

/** Inputs to predict from: arrays of any kind, or the field `x` of a dataset or loader. */
export type PredictionData = FieldInput | Dataset | DataLoader

/** Settings of a Trainer. */
export interface TrainerOptions {
  /** A name (`'adam'`), an optimizer of the model's parameters, or a function that makes one of them. */
  optimizer: OptimizerName | AnyOptimizer | ((parameters: Parameter[]) => AnyOptimizer)
  /** Learning rate, where the optimizer is given by name. Default: the algorithm's own. */
  lr?: number
  /** A name (`'crossEntropy'`) or a function from predictions and targets to a scalar tensor. */
  loss: LossName | Loss
  /** Names (`'accuracy'`) or metrics, measured along with the loss. */
  metrics?: readonly (MetricName | PredictionMetric)[]
  /** Hung into every run of fit, before those given to fit itself. */
  callbacks?: readonly Callback[]
  /** The largest norm that the gradients of a step may have together; see `clipGradNorm`. */
  clipGradNorm?: number
  /** Batches whose gradients are averaged into one step: for batches larger than memory. Default: 1. */
  accumulate?: number
}

/** Where and how much is shown. */
export interface VerboseOptions {
  /** 0: nothing. 1 (default): a progress bar. 2: one line for each epoch. */
  verbose?: Verbosity
  /** Where it is shown. Default: standard output, or the console. */
  output?: ProgressOutput
}

/** Settings of `fit`. */
export interface FitOptions extends VerboseOptions {
  /** How often all data are gone through. Default: 1. */
  epochs?: number
  /** Rows of a batch. Default: 32. A loader has its own. */
  batchSize?: number
  /** Measured after each epoch. */
  validationData?: TrainingData
  /** The part of the rows, taken from the end, that is kept for validation: between 0 and 1. */
  validationSplit?: number
  /** Whether the rows come in another order each epoch. Default: true. A loader has its own order. */
  shuffle?: boolean
  /** What the orders follow from. Default: 0. */
  seed?: number
  callbacks?: readonly Callback[]
}

/** Settings of `evaluate`. */
export interface EvaluateOptions extends VerboseOptions {
  /** Rows of a batch. Default: 32. */
  batchSize?: number
}

/** Settings of `predict`. */
export interface PredictOptions {
  /** Rows of a batch. Default: 32. */
  batchSize?: number
}

const trainerOptions: Record<keyof TrainerOptions, true> = {
  optimizer: true,
  lr: true,
  loss: true,
  metrics: true,
  callbacks: true,
  clipGradNorm: true,
  accumulate: true,
}

const predictOptions: Record<keyof PredictOptions, true> = { batchSize: true }

const evaluateOptions: Record<keyof EvaluateOptions, true> = { verbose: true, output: true, batchSize: true }

const fitOptions: Record<keyof FitOptions, true> = {
  ...evaluateOptions,
  epochs: true,
  validationData: true,
  validationSplit: true,
  shuffle: true,
  seed: true,
  callbacks: true,
}

/** @throws ValueError for unknown names and for numbers out of range */
export function checkTrainerOptions(options: TrainerOptions): void {
  checkNames('Trainer', options, trainerOptions)
  const { accumulate, clipGradNorm, loss, metrics } = options
  if (typeof loss !== 'string' && typeof loss !== 'function') {
    throw new ValueError(`Trainer: the loss must be a name or a function; got ${String(loss)}`)
  }
  if (metrics !== undefined && !Array.isArray(metrics)) {
    throw new ValueError(`Trainer: metrics must be a list, for example ['accuracy']; got ${String(metrics)}`)
  }
  if (accumulate !== undefined) checkCount('Trainer', 'accumulate', accumulate)
  if (clipGradNorm !== undefined && !(clipGradNorm > 0)) {
    throw new ValueError(`Trainer: clipGradNorm must be a positive number; got ${String(clipGradNorm)}`)
  }
}

/** @throws ValueError for unknown names and for numbers out of range */
export function checkFitOptions(options: FitOptions): void {
  checkNames('fit', options, fitOptions)
  if (options.epochs !== undefined) checkCount('fit', 'epochs', options.epochs)
  checkVerbose('fit', options.verbose)
  const { validationSplit, validationData } = options
  if (validationSplit === undefined) return
  if (!(validationSplit > 0 && validationSplit < 1)) {
    throw new ValueError(`fit: validationSplit must lie between 0 and 1; got ${String(validationSplit)}`)
  }
  if (validationData !== undefined)
    throw new ValueError('fit: give validationData or a validationSplit, not both')
}

/** @throws ValueError for unknown names and for numbers out of range */
export function checkEvaluateOptions(options: EvaluateOptions): void {
  checkNames('evaluate', options, evaluateOptions)
  checkVerbose('evaluate', options.verbose)
}

/** @throws ValueError for unknown names */
export function checkPredictOptions(options: PredictOptions): void {
  checkNames('predict', options, predictOptions)
}

// TypeScript finds a misspelt option by itself; in plain JavaScript it would quietly do nothing.
function checkNames(caller: string, options: object, known: Readonly<Record<string, true>>): void {
  for (const name of Object.keys(options)) lookUp(`option of ${caller}`, name, known)
}

function checkCount(caller: string, name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) {
    throw new ValueError(`${caller}: ${name} must be a positive integer; got ${String(value)}`)
  }
}

function checkVerbose(caller: string, verbose: Verbosity | undefined): void {
  if (verbose === undefined || verbose === 0 || verbose === 1 || verbose === 2) return
  throw new ValueError(
    `${caller}: verbose must be 0 (nothing), 1 (a bar) or 2 (a line); got ${String(verbose)}`,
  )
}
