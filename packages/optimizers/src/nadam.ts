// NAdam: Adam that looks ahead along its momentum.
import type { Tensor } from '@nabla/tensor'
import { checkNonNegative, withoutUndefined, type Groups } from './groups.ts'
import { momentDefaults, MomentOptimizer, type MomentOptions } from './moments.ts'
import { runningAverage, withDecay, type Memory, type Update } from './optimizer.ts'

/** Hyperparameters of {@link NAdam}. */
export interface NAdamOptions extends MomentOptions {
  /** How fast the momentum reaches its full size. Default 0.004. */
  momentumDecay: number
}

const defaults: NAdamOptions = { ...momentDefaults, lr: 2e-3, momentumDecay: 4e-3 }

/** NAdam (Dozat 2016, algorithm 2). */
export class NAdam extends MomentOptimizer<NAdamOptions> {
  constructor(parameters: Groups<NAdamOptions>, options: Partial<NAdamOptions> = {}) {
    super(parameters, { ...defaults, ...withoutUndefined(options) })
  }

  protected override checkGroup(group: NAdamOptions): void {
    super.checkGroup(group)
    checkNonNegative('NAdam', 'momentumDecay', group.momentumDecay)
  }

  protected override slots(): Readonly<Record<string, number>> {
    return { expAvg: 0, expAvgSq: 0 }
  }

  /**
   * μₜ = β₁(1 - 0.96^(t · momentumDecay) / 2); m and v as in Adam;
   * p = p - lr · ((1 - μₜ) / (1 - ∏μ) · g + μₜ₊₁ / (1 - ∏μ · μₜ₊₁) · m) / (√(v / (1 - β₂ᵗ)) + eps).
   */
  protected override update(
    parameter: Tensor,
    gradient: Tensor,
    memory: Memory,
    options: NAdamOptions,
  ): Update {
    const { step, slots, numbers } = memory
    const { lr, eps, momentumDecay, weightDecay } = options
    const [beta1, beta2] = options.betas
    const g = withDecay(gradient, parameter, weightDecay)
    const momentumAt = (t: number): number => beta1 * (1 - 0.5 * 0.96 ** (t * momentumDecay))
    const now = momentumAt(step)
    const next = momentumAt(step + 1)
    const product = (numbers['momentumProduct'] ?? 1) * now
    const expAvg = runningAverage(slots['expAvg']!, g, beta1)
    const expAvgSq = runningAverage(slots['expAvgSq']!, g.square(), beta2)
    const denominator = expAvgSq
      .mul(1 / (1 - beta2 ** step))
      .sqrt()
      .add(eps)
    const ahead = g.mul((lr * (1 - now)) / (1 - product)).add(expAvg.mul((lr * next) / (1 - product * next)))
    return {
      parameter: parameter.sub(ahead.div(denominator)),
      slots: { expAvg, expAvgSq },
      numbers: { momentumProduct: product },
    }
  }
}
