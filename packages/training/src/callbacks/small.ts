// Callbacks of a few lines each.
import { ValueError } from '@nabla/engine'
import type { Callback, TrainingRun } from '../callback.ts'
import type { Logs } from '../history.ts'

/** A callback from functions; the same as writing the object, for those who know the name from Keras. */
export class LambdaCallback implements Callback {
  constructor(methods: Callback) {
    Object.assign(this, methods)
  }
}

/** Ends training as soon as the loss is seen to be NaN or infinite: at the next redraw of the progress, a few batches later. */
export class TerminateOnNaN implements Callback {
  onProgress(run: TrainingRun, logs: Logs): void {
    const { loss } = logs
    if (loss !== undefined && !Number.isFinite(loss)) {
      run.stop(`TerminateOnNaN: the loss is ${loss} (epoch ${run.epoch + 1}, step ${run.step + 1})`)
    }
  }
}

/** Sets the learning rate at the beginning of each epoch. No kernel is compiled anew for it. */
export class LearningRateScheduler implements Callback {
  #schedule: (epoch: number, lr: number) => number

  /** @param schedule from the epoch (from 0) and the present rate to the new one */
  constructor(schedule: (epoch: number, lr: number) => number) {
    this.#schedule = schedule
  }

  /** @throws ValueError when the schedule gives anything but a finite number */
  onEpochBegin(run: TrainingRun): void {
    const lr = this.#schedule(run.epoch, run.optimizer.lr)
    if (!Number.isFinite(lr)) {
      throw new ValueError(`LearningRateScheduler: the schedule gave ${String(lr)} for epoch ${run.epoch}`)
    }
    run.optimizer.lr = lr
  }
}
