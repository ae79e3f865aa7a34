// RMSprop: gradients divided by the root of a running average of their squares.
import type { Tensor } from '@nabla/tensor'
import { checkDecay, checkNonNegative, withoutUndefined, type Groups } from './groups.ts'
import {
  Optimizer,
  runningAverage,
  withDecay,
  type Memory,
  type OptimizerOptions,
  type Update,
} from './optimizer.ts'

/** Hyperparameters of {@link RMSprop}. */
export interface RMSpropOptions extends OptimizerOptions {
  /** Decay of the average of squares. Default 0.99. */
  alpha: number
  /** Keeps the denominator from zero. Default 1e-8. */
  eps: number
  /** How much of the last direction stays. Default 0. */
  momentum: number
  /** Whether to divide by an estimate of the variance instead of the mean square (Graves 2013, equation 40). Default false. */
  centered: boolean
}

const defaults: RMSpropOptions = {
  lr: 0.01,
  weightDecay: 0,
  maximize: false,
  alpha: 0.99,
  eps: 1e-8,
  momentum: 0,
  centered: false,
}

/** RMSprop (Tieleman and Hinton 2012, lecture 6.5). */
export class RMSprop extends Optimizer<RMSpropOptions> {
  constructor(parameters: Groups<RMSpropOptions>, options: Partial<RMSpropOptions> = {}) {
    super(parameters, { ...defaults, ...withoutUndefined(options) })
  }

  protected override checkGroup(group: RMSpropOptions): void {
    super.checkGroup(group)
    checkDecay('RMSprop', 'alpha', group.alpha)
    checkNonNegative('RMSprop', 'eps', group.eps)
    checkNonNegative('RMSprop', 'momentum', group.momentum)
  }

  protected override slots({ momentum, centered }: RMSpropOptions): Readonly<Record<string, number>> {
    return {
      squareAvg: 0,
      ...(momentum === 0 ? {} : { momentumBuffer: 0 }),
      ...(centered ? { gradAvg: 0 } : {}),
    }
  }

  /** v = α · v + (1 - α) · g²; p = p - lr · g / (√v + eps), or the same through a momentum. */
  protected override update(
    parameter: Tensor,
    gradient: Tensor,
    { slots }: Memory,
    options: RMSpropOptions,
  ): Update {
    const { lr, alpha, eps, momentum, weightDecay } = options
    const g = withDecay(gradient, parameter, weightDecay)
    const squareAvg = runningAverage(slots['squareAvg']!, g.square(), alpha)
    const news: Record<string, Tensor> = { squareAvg }
    let spread = squareAvg
    if (slots['gradAvg'] !== undefined) {
      const gradAvg = runningAverage(slots['gradAvg'], g, alpha)
      news['gradAvg'] = gradAvg
      spread = squareAvg.sub(gradAvg.square())
    }
    let direction = g.div(spread.sqrt().add(eps))
    if (slots['momentumBuffer'] !== undefined) {
      direction = slots['momentumBuffer'].mul(momentum).add(direction)
      news['momentumBuffer'] = direction
    }
    return { parameter: parameter.sub(direction.mul(lr)), slots: news }
  }
}
