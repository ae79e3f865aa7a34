// What can be hung into a training run: the Callback interface and the run that callbacks see. Read next: callbacks/, and
// fit.ts, which calls them.
import type { Module } from '@nabla/layers'
import type { AnyOptimizer } from '@nabla/optimizers'
import type { History, Logs } from './history.ts'

/** A training run in progress, as callbacks see it. Epochs and steps count from 0, as in Keras. */
export interface TrainingRun {
  readonly model: Module
  readonly optimizer: AnyOptimizer
  /** How many epochs were asked for. */
  readonly epochs: number
  /** Batches of an epoch. */
  readonly steps: number
  readonly epoch: number
  /** The batch that was trained last. */
  readonly step: number
  /** Epochs completed so far. */
  readonly history: History
  /** Ends training after the present batch; an epoch cut short still reports what it reached. */
  stop(reason: string): void
}

/**
 * Any of these methods may be there; each may be asynchronous, and training waits for it.
 *
 * @example { onEpochEnd: (run, logs) => console.log(run.epoch, logs.loss) }
 */
export interface Callback {
  /** Before the first epoch. */
  onTrainBegin?(run: TrainingRun): void | Promise<void>
  onEpochBegin?(run: TrainingRun): void | Promise<void>
  /** After each batch. No values: reading them after every batch would make the device wait. */
  onBatchEnd?(run: TrainingRun): void | Promise<void>
  /** Whenever running values have been read: several times a second, and at the end of an epoch before validation. */
  onProgress?(run: TrainingRun, logs: Logs): void | Promise<void>
  /** With the losses and metrics of the epoch, those of the validation data under `val_`. */
  onEpochEnd?(run: TrainingRun, logs: Logs): void | Promise<void>
  /** After the last epoch, also when training was stopped early; not when it failed. */
  onTrainEnd?(run: TrainingRun): void | Promise<void>
}

/** Calls one method of several callbacks, in order. */
export async function callAll(
  callbacks: readonly Callback[],
  method: 'onTrainBegin' | 'onEpochBegin' | 'onBatchEnd' | 'onTrainEnd',
  run: TrainingRun,
): Promise<void> {
  for (const callback of callbacks) await callback[method]?.(run)
}

/** Like {@link callAll}, for the methods that take values. */
export async function callAllWith(
  callbacks: readonly Callback[],
  method: 'onProgress' | 'onEpochEnd',
  run: TrainingRun,
  logs: Logs,
): Promise<void> {
  for (const callback of callbacks) await callback[method]?.(run, logs)
}
