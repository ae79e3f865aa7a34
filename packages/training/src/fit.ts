// The training loop: epochs, and batches within them. Read before: step.ts (one batch), measure.ts (validation).
import type { DataLoader } from '@nabla/data'
import { breathe } from '@nabla/engine'
import type { Layer } from '@nabla/layers'
import type { AnyOptimizer } from '@nabla/optimizers'
import { callAll, callAllWith, type Callback, type TrainingRun } from './callback.ts'
import { sayWhere } from './failure.ts'
import { History, type Logs } from './history.ts'
import { measure } from './measure.ts'
import type { ProgressOutput } from './output.ts'
import { ProgressBar, type Verbosity } from './progress.ts'
import type { Pulse } from './pulse.ts'
import { trainStep, type StepParts } from './step.ts'

/** What is to be done. */
export interface FitPlan {
  readonly training: DataLoader
  readonly validation: DataLoader | null
  readonly epochs: number
  /** Batches that make one step together. */
  readonly accumulate: number
  readonly callbacks: readonly Callback[]
  readonly verbose: Verbosity
  readonly output: ProgressOutput
  /** When to look at running values, and to let the rest of the program run. */
  readonly pulse: Pulse
}

/** Trains as planned. */
export async function fit(parts: StepParts, plan: FitPlan): Promise<History> {
  const { callbacks, validation, verbose, output } = plan
  const run = new Run(parts, plan)
  await callAll(callbacks, 'onTrainBegin', run)
  for (run.epoch = 0; run.epoch < run.epochs && run.history.stopReason === null; run.epoch++) {
    await callAll(callbacks, 'onEpochBegin', run)
    const bar = new ProgressBar(output, verbose, `Epoch ${run.epoch + 1}/${run.epochs}`, run.steps)
    const logs = await trainEpoch(parts, plan, run, bar)
    if (validation !== null)
      Object.assign(logs, await validate(parts, validation, plan.pulse, run, bar, logs))
    bar.finish(logs)
    run.warnUnlessFinite(logs)
    run.history.add(run.epoch, logs)
    await callAllWith(callbacks, 'onEpochEnd', run, logs)
  }
  await callAll(callbacks, 'onTrainEnd', run)
  if (run.history.stopReason !== null && verbose > 0) output.write(`${run.history.stopReason}\n`)
  return run.history
}

async function trainEpoch(
  parts: StepParts,
  { training, accumulate, callbacks, pulse }: FitPlan,
  run: Run,
  bar: ProgressBar,
): Promise<Record<string, number>> {
  parts.meters.reset()
  // What somebody else's backward, or an epoch that was cut short, has left behind.
  parts.optimizer.zeroGrad()
  let next = 0
  for await (const batch of training) {
    run.step = next++
    try {
      const { share, updates } = placeInStep(run.step, run.steps, accumulate)
      await trainStep(parts, batch, share, updates)
    } catch (error) {
      bar.breakLine()
      throw sayWhere(error, `epoch ${run.epoch + 1} of ${run.epochs}, step ${run.step + 1} of ${run.steps}`)
    }
    bar.advance(next)
    await callAll(callbacks, 'onBatchEnd', run)
    if (pulse.beats()) {
      const logs = await parts.meters.read()
      bar.update(logs)
      await callAllWith(callbacks, 'onProgress', run, logs)
      await breathe()
    }
    if (run.history.stopReason !== null) break
  }
  const logs = await parts.meters.read()
  await callAllWith(callbacks, 'onProgress', run, logs)
  return logs
}

async function validate(
  parts: StepParts,
  data: DataLoader,
  pulse: Pulse,
  run: Run,
  bar: ProgressBar,
  logs: Logs,
): Promise<Logs> {
  // The bar is full while this runs.
  bar.update(logs)
  try {
    const measured = await measure(parts, data, pulse, `validation of epoch ${run.epoch + 1}`)
    return Object.fromEntries(Object.entries(measured).map(([name, value]) => [`val_${name}`, value]))
  } catch (error) {
    bar.breakLine()
    throw error
  }
}

/** Where a batch stands among those that make one step: the last ones of an epoch may be fewer. */
function placeInStep(
  batch: number,
  batches: number,
  accumulate: number,
): { share: number; updates: boolean } {
  const first = batch - (batch % accumulate)
  const together = Math.min(accumulate, batches - first)
  return { share: 1 / together, updates: batch === first + together - 1 }
}

class Run implements TrainingRun {
  readonly model: Layer
  readonly optimizer: AnyOptimizer
  readonly epochs: number
  readonly steps: number
  readonly history: History = new History()
  epoch = 0
  step = 0
  #warned = false

  constructor({ model, optimizer }: StepParts, { epochs, training }: FitPlan) {
    this.model = model
    this.optimizer = optimizer
    this.epochs = epochs
    this.steps = training.length
  }

  stop(reason: string): void {
    this.history.stopReason ??= reason
  }

  warnUnlessFinite({ loss }: Logs): void {
    if (this.#warned || this.history.stopReason !== null || loss === undefined || Number.isFinite(loss))
      return
    this.#warned = true
    console.warn(
      `fit: the loss of epoch ${this.epoch + 1} is ${loss}, and the weights are most likely no better. Common causes: a ` +
        'learning rate that is too high (try a tenth, or clipGradNorm: 1), inputs that were not scaled, NaN among the ' +
        'data. With new TerminateOnNaN() among the callbacks training stops when this happens',
    )
  }
}
