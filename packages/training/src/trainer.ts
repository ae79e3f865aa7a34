// Trainer: fit, evaluate and predict. It puts together what the other files of this package do, one thing each: batches of
// any data (batches.ts), one step (step.ts), the loop (fit.ts), values (meters.ts), what is shown (progress.ts).
import type { DataLoader } from '@nabla/data'
import { ValueError } from '@nabla/engine'
import { Module, type Layer } from '@nabla/layers'
import { loss as lossByName } from '@nabla/losses'
import { Optimizer, optimizer as optimizerByName, type AnyOptimizer } from '@nabla/optimizers'
import type { Tensor } from '@nabla/tensor'
import { splitOff, toInputLoader, toLoader, validationLoader } from './batches.ts'
import { fit } from './fit.ts'
import type { History } from './history.ts'
import { measure } from './measure.ts'
import { Meters } from './meters.ts'
import {
  checkEvaluateOptions,
  checkFitOptions,
  checkPredictOptions,
  checkTrainerOptions,
  type EvaluateOptions,
  type FitOptions,
  type PredictionData,
  type PredictOptions,
  type TrainerOptions,
  type TrainingData,
} from './options.ts'
import { defaultOutput } from './output.ts'
import { predictAll } from './predict.ts'
import { ProgressBar } from './progress.ts'
import { Pulse } from './pulse.ts'
import type { StepParts } from './step.ts'

/** A model with all that it takes to train it. */
export class Trainer {
  readonly model: Layer
  readonly optimizer: AnyOptimizer
  readonly #options: TrainerOptions
  readonly #parts: StepParts
  // One for all calls: many short ones in a row have to breathe as well.
  readonly #pulse: Pulse = new Pulse()
  #fitting = false

  /** @throws ValueError for what is no model, no loss or no optimizer, and for unknown names and options */
  constructor(model: Layer, options: TrainerOptions) {
    if (!(model instanceof Module)) {
      throw new ValueError(
        `Trainer: the model must be a Module, for example new Sequential(...); got ${String(model)}`,
      )
    }
    checkTrainerOptions(options)
    const { loss, metrics = [], clipGradNorm = null } = options
    this.model = model
    this.optimizer = makeOptimizer(model, options)
    this.#options = options
    this.#parts = {
      model,
      optimizer: this.optimizer,
      loss: typeof loss === 'string' ? lossByName(loss) : loss,
      meters: new Meters(metrics, loss),
      maxNorm: clipGradNorm,
    }
  }

  /**
   * Trains: goes through the data for some epochs, with one step per batch. The rest of the program gets its turn several
   * times a second. A step that fails changes nothing: the model is what it was before that step, and the error says which
   * epoch and step it was.
   * @returns loss and metrics of each epoch
   * @throws ValueError, ShapeError for data and options that do not fit, and what the model, loss and metrics throw
   */
  async fit(data: TrainingData, options: FitOptions = {}): Promise<History> {
    checkFitOptions(options)
    if (this.#fitting)
      throw new ValueError('fit: this trainer is training already; await its fit before the next one')
    this.#fitting = true
    try {
      const { training, validation } = await loadersFor(data, options)
      const { callbacks: general = [], accumulate = 1 } = this.#options
      const { epochs = 1, callbacks = [], verbose = 1, output = defaultOutput() } = options
      const plan = {
        training,
        validation,
        epochs,
        accumulate,
        callbacks: [...general, ...callbacks],
        verbose,
        output,
        pulse: this.#pulse,
      }
      return await keepingModes(this.model, () => fit(this.#parts, plan))
    } finally {
      this.#fitting = false
    }
  }

  /**
   * Measures the model on data, in evaluation mode.
   * @returns the loss and the metrics by name
   * @throws ValueError, ShapeError for data and options that do not fit, and what the model, loss and metrics throw
   */
  async evaluate(data: TrainingData, options: EvaluateOptions = {}): Promise<Record<string, number>> {
    checkEvaluateOptions(options)
    const { batchSize, verbose = 1, output = defaultOutput() } = options
    const loader = await toLoader('evaluate', data, { batchSize })
    const bar = new ProgressBar(output, verbose, '', loader.length)
    return keepingModes(this.model, () => measure(this.#parts, loader, this.#pulse, 'evaluation', bar))
  }

  /**
   * The model's outputs for all rows of x, in evaluation mode.
   * @returns a tensor with a row for each row of x
   * @throws ValueError, ShapeError for data and options that do not fit, and what the model throws
   */
  async predict(x: PredictionData, options: PredictOptions = {}): Promise<Tensor> {
    checkPredictOptions(options)
    const loader = await toInputLoader(x, options.batchSize)
    return keepingModes(this.model, () => predictAll(this.model, loader, this.#pulse))
  }
}

function makeOptimizer(model: Layer, { optimizer, lr }: TrainerOptions): AnyOptimizer {
  if (typeof optimizer === 'string') {
    return optimizerByName(optimizer)(model.parameters(), lr === undefined ? {} : { lr })
  }
  const made = typeof optimizer === 'function' ? optimizer(model.parameters()) : optimizer
  if (!(made instanceof Optimizer)) {
    throw new ValueError(
      `Trainer: the optimizer must be a name, an Optimizer or a function that makes one; got ${String(made)}`,
    )
  }
  if (lr !== undefined) made.lr = lr
  return made
}

async function loadersFor(
  data: TrainingData,
  options: FitOptions,
): Promise<{ training: DataLoader; validation: DataLoader | null }> {
  const { batchSize, shuffle, seed, validationSplit, validationData } = options
  const [kept, split] =
    validationSplit === undefined ? [data, validationData] : await splitOff(data, validationSplit)
  const training = await toLoader('fit', kept, { batchSize, shuffle, seed }, true)
  if (split === undefined) return { training, validation: null }
  return { training, validation: await validationLoader(split, training.batchSize) }
}

/** Runs something that changes the modes of a model, then gives each of its modules its own mode back. */
async function keepingModes<T>(model: Layer, work: () => Promise<T>): Promise<T> {
  const modes = model.namedModules().map(([, module]) => ({ module, training: module.training }))
  try {
    return await work()
  } finally {
    for (const { module, training } of modes) module.training = training
  }
}
