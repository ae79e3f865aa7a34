// RAdam: Adam that waits with adaptive steps until its estimate of the variance can be trusted.
import type { Tensor } from '@nabla/tensor'
import { withoutUndefined, type Groups } from './groups.ts'
import { momentDefaults, MomentOptimizer, type MomentOptions } from './moments.ts'
import { runningAverage, withDecay, type Memory, type Update } from './optimizer.ts'

/** Hyperparameters of {@link RAdam}. */
export type RAdamOptions = MomentOptions

const defaults: RAdamOptions = momentDefaults

/** RAdam (Liu et al. 2020, algorithm 2). */
export class RAdam extends MomentOptimizer<RAdamOptions> {
  constructor(parameters: Groups<RAdamOptions>, options: Partial<RAdamOptions> = {}) {
    super(parameters, { ...defaults, ...withoutUndefined(options) })
  }

  protected override slots(): Readonly<Record<string, number>> {
    return { expAvg: 0, expAvgSq: 0 }
  }

  /** As Adam, times the rectification r while the length ρ of the average exceeds 5; before that p = p - lr · m̂. */
  protected override update(
    parameter: Tensor,
    gradient: Tensor,
    { step, slots }: Memory,
    options: RAdamOptions,
  ): Update {
    const { lr, eps, weightDecay } = options
    const [beta1, beta2] = options.betas
    const g = withDecay(gradient, parameter, weightDecay)
    const expAvg = runningAverage(slots['expAvg']!, g, beta1)
    const expAvgSq = runningAverage(slots['expAvgSq']!, g.square(), beta2)
    const corrected = expAvg.mul(lr / (1 - beta1 ** step))
    const rectification = rectificationAt(step, beta2)
    // This changes the structure, so the step that crosses over needs one new plan.
    if (rectification === null) return { parameter: parameter.sub(corrected), slots: { expAvg, expAvgSq } }
    const scale = rectification * Math.sqrt(1 - beta2 ** step)
    return {
      parameter: parameter.sub(corrected.mul(scale).div(expAvgSq.sqrt().add(eps))),
      slots: { expAvg, expAvgSq },
    }
  }
}

function rectificationAt(step: number, beta2: number): number | null {
  const limit = 2 / (1 - beta2) - 1
  const length = limit - (2 * step * beta2 ** step) / (1 - beta2 ** step)
  if (length <= 5) return null
  return Math.sqrt(((length - 4) * (length - 2) * limit) / ((limit - 4) * (limit - 2) * length))
}
