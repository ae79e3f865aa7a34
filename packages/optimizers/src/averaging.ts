// Averages of weights beside training: models that are better than the last step's, at the cost of one copy. The averages
// are Variables: keeping them is part of the next plan and reads nothing back.
import { flush, noGrad, Variable, type Parameter, type Tensor } from '@nabla/tensor'
import { checkDecay, makeGroups } from './groups.ts'
import { assignSlots, type SlotValue } from './state.ts'

/** What `state()` gives and `loadState()` takes. */
export interface AverageState {
  updates: number
  averages: SlotValue[]
}

/** What averages of weights have in common. Use {@link EMA} or {@link WeightAverage}. */
export abstract class Averaged {
  /** The averages, in the order of the parameters. */
  readonly averages: readonly Variable[]
  readonly #parameters: readonly Parameter[]
  #updates: number = 0

  constructor(parameters: Iterable<Parameter>) {
    this.#parameters = makeGroups(this.constructor.name, parameters, {})[0]!.params
    this.averages = noGrad(() =>
      this.#parameters.map(
        (parameter) => new Variable(parameter.value, { name: `${parameter.name}.average` }),
      ),
    )
    flush()
  }

  /** Takes in the present parameters. Call it after the optimizer's step. */
  update(): void {
    noGrad(() => {
      for (const [i, parameter] of this.#parameters.entries()) {
        const average = this.averages[i]!
        average.value = this.next(average.value, parameter.value, this.#updates)
      }
    })
    flush()
    this.#updates += 1
  }

  /**
   * Exchanges the parameters and their averages: once to evaluate with the averages, and once more to go on training.
   * Keep the averages for good by not changing back.
   */
  swap(): void {
    noGrad(() => {
      const pairs = this.#parameters.map(
        (parameter, i) => [parameter.value, this.averages[i]!.value] as const,
      )
      for (const [i, [parameter, average]] of pairs.entries()) {
        this.#parameters[i]!.value = average
        this.averages[i]!.value = parameter
      }
    })
    flush()
  }

  /** Everything needed to go on later. The Variables are those in use: read them to store them. */
  state(): AverageState {
    return { updates: this.#updates, averages: [...this.averages] }
  }

  /** Goes on where another one was. @throws ValueError, ShapeError when the parameters are not the same */
  loadState({ updates, averages }: AverageState): void {
    assignSlots(this.constructor.name, this.averages, averages)
    this.#updates = updates
  }

  /** From the average and the parameter to the new average, after so many updates. */
  protected abstract next(average: Tensor, parameter: Tensor, updates: number): Tensor
}

/** Settings of {@link EMA}. */
export interface EMAOptions {
  /** How much of the average stays at each update. Default 0.999. */
  decay?: number
  /** Whether the first updates count more: the decay is at most (1 + n) / (10 + n). Default false. */
  warmup?: boolean
}

/** The exponential moving average of parameters: average = decay · average + (1 - decay) · parameter. */
export class EMA extends Averaged {
  readonly #decay: number
  readonly #warmup: boolean

  /** It starts from the present parameters. @throws ValueError for a decay outside of [0, 1) */
  constructor(parameters: Iterable<Parameter>, { decay = 0.999, warmup = false }: EMAOptions = {}) {
    super(parameters)
    checkDecay('EMA', 'decay', decay)
    this.#decay = decay
    this.#warmup = warmup
  }

  protected override next(average: Tensor, parameter: Tensor, updates: number): Tensor {
    const decay = this.#warmup ? Math.min(this.#decay, (1 + updates) / (10 + updates)) : this.#decay
    return average.mul(decay).add(parameter.mul(1 - decay))
  }
}

/**
 * The mean of the parameters of all updates (Polyak averaging; stochastic weight averaging, Izmailov et al. 2018: one
 * update per epoch, at a constant or cyclic rate). Running statistics of batch normalisation are not averaged: run the
 * model in training mode over the data once after `swap()`.
 */
export class WeightAverage extends Averaged {
  protected override next(average: Tensor, parameter: Tensor, updates: number): Tensor {
    const weight = 1 / (updates + 1)
    return average.mul(1 - weight).add(parameter.mul(weight))
  }
}
