// Adamax: Adam with the largest recent gradient in place of the root of the mean square.
import type { Tensor } from '@nabla/tensor'
import { withoutUndefined, type Groups } from './groups.ts'
import { momentDefaults, MomentOptimizer, type MomentOptions } from './moments.ts'
import { runningAverage, withDecay, type Memory, type Update } from './optimizer.ts'

/** Hyperparameters of {@link Adamax}. */
export type AdamaxOptions = MomentOptions

const defaults: AdamaxOptions = { ...momentDefaults, lr: 2e-3 }

/** Adamax (Kingma and Ba 2015, algorithm 2). */
export class Adamax extends MomentOptimizer<AdamaxOptions> {
  constructor(parameters: Groups<AdamaxOptions>, options: Partial<AdamaxOptions> = {}) {
    super(parameters, { ...defaults, ...withoutUndefined(options) })
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
