// Adamax: Adam with the largest recent gradient in place of the root of the mean square.
import type { Tensor } from '@nabla/tensor'
import { checkBetas, checkNonNegative, withoutUndefined, type Groups } from './groups.ts'
import {
  Optimizer,
  runningAverage,
  withDecay,
  type Memory,
  type OptimizerOptions,
  type Update,
} from './optimizer.ts'

/** Hyperparameters of {@link Adamax}. */
export interface AdamaxOptions extends OptimizerOptions {
  /** Decay of the average of gradients, and of the largest one. Default [0.9, 0.999]. */
  betas: readonly [number, number]
  /** Keeps the denominator from zero. Default 1e-8. */
  eps: number
}

const defaults: AdamaxOptions = { lr: 2e-3, weightDecay: 0, maximize: false, betas: [0.9, 0.999], eps: 1e-8 }

/** Adamax (Kingma and Ba 2015, algorithm 2). */
export class Adamax extends Optimizer<AdamaxOptions> {
  constructor(parameters: Groups<AdamaxOptions>, options: Partial<AdamaxOptions> = {}) {
    super(parameters, { ...defaults, ...withoutUndefined(options) })
  }

  protected override checkGroup(group: AdamaxOptions): void {
    super.checkGroup(group)
    checkBetas('Adamax', group.betas)
    checkNonNegative('Adamax', 'eps', group.eps)
  }

  protected override slots(): Readonly<Record<string, number>> {
    return { expAvg: 0, expInf: 0 }
  }

  /** m = β₁m + (1 - β₁)g; u = max(β₂u, |g| + eps); p = p - lr / (1 - β₁ᵗ) · m / u. */
  protected override update(
    parameter: Tensor,
    gradient: Tensor,
    { step, slots }: Memory,
    options: AdamaxOptions,
  ): Update {
    const [beta1, beta2] = options.betas
    const g = withDecay(gradient, parameter, options.weightDecay)
    const expAvg = runningAverage(slots['expAvg']!, g, beta1)
    const expInf = slots['expInf']!.mul(beta2).maximum(g.abs().add(options.eps))
    const rate = options.lr / (1 - beta1 ** step)
    return { parameter: parameter.sub(expAvg.mul(rate).div(expInf)), slots: { expAvg, expInf } }
  }
}
