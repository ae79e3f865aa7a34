// Lookahead: an optimizer runs ahead for some steps, and then goes back a part of the way. Works with any optimizer.
import { ValueError } from '@nabla/engine'
import { flush, noGrad, Variable, type Parameter } from '@nabla/tensor'
import type { Optimizer, OptimizerOptions } from './optimizer.ts'
import { assignSlots, type OptimizerState, type SlotValue } from './state.ts'

/** Settings of {@link Lookahead}. */
export interface LookaheadOptions {
  /** How many steps the optimizer runs ahead. Default 5. */
  every?: number
  /** Which part of the way is kept. Default 0.5. */
  alpha?: number
}

/** What `state()` gives and `loadState()` takes. */
export interface LookaheadState<Options> {
  optimizer: OptimizerState<Options>
  steps: number
  slow: SlotValue[]
}

/** Lookahead (Zhang et al. 2019, algorithm 1): every so many steps slow += alpha · (fast - slow), and fast = slow. */
export class Lookahead<Options extends OptimizerOptions> {
  readonly #optimizer: Optimizer<Options>
  readonly #every: number
  readonly #alpha: number
  readonly #slow: Variable[]
  #steps: number = 0

  /** @throws ValueError for settings out of range */
  constructor(optimizer: Optimizer<Options>, { every = 5, alpha = 0.5 }: LookaheadOptions = {}) {
    if (!Number.isInteger(every) || every < 1) {
      throw new ValueError(`Lookahead: every must be a positive integer; got ${String(every)}`)
    }
    if (!(alpha > 0 && alpha <= 1))
      throw new ValueError(`Lookahead: alpha must lie in (0, 1]; got ${String(alpha)}`)
    this.#optimizer = optimizer
    this.#every = every
    this.#alpha = alpha
    this.#slow = noGrad(() =>
      this.#parameters().map(
        (parameter) => new Variable(parameter.value, { name: `${parameter.name}.slow` }),
      ),
    )
    flush()
  }

  /** The groups of the optimizer, for schedules. */
  get groups(): Optimizer<Options>['groups'] {
    return this.#optimizer.groups
  }

  /** The learning rate of the optimizer. */
  get lr(): number {
    return this.#optimizer.lr
  }

  set lr(value: number) {
    this.#optimizer.lr = value
  }

  /** One step of the optimizer, and every so many steps the way back. */
  step(): void {
    this.#optimizer.step()
    this.#steps += 1
    if (this.#steps % this.#every !== 0) return
    noGrad(() => {
      for (const [i, parameter] of this.#parameters().entries()) {
        const slow = this.#slow[i]!
        const kept = slow.value.mul(1 - this.#alpha).add(parameter.value.mul(this.#alpha))
        slow.value = kept
        parameter.value = kept
      }
    })
    flush()
  }

  /** Forgets all gradients. */
  zeroGrad(): void {
    this.#optimizer.zeroGrad()
  }

  /** Everything needed to go on later. The Variables are those in use: read them to store them. */
  state(): LookaheadState<Options> {
    return { optimizer: this.#optimizer.state(), steps: this.#steps, slow: [...this.#slow] }
  }

  /**
   * Goes on where another one was.
   * @throws ValueError, ShapeError when optimizer or parameters are not the same
   */
  loadState(state: LookaheadState<Options>): void {
    assignSlots('Lookahead', this.#slow, state.slow)
    this.#optimizer.loadState(state.optimizer)
    this.#steps = state.steps
  }

  #parameters(): Parameter[] {
    return this.groups.flatMap(({ params }) => params)
  }
}
