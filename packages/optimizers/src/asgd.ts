// ASGD: gradient descent that also keeps the average of all parameters it has passed.
import type { Tensor } from '@nabla/tensor'
import { checkNonNegative, withoutUndefined, type Groups } from './groups.ts'
import { Optimizer, withDecay, type Memory, type OptimizerOptions, type Update } from './optimizer.ts'

/** Hyperparameters of {@link ASGD}. */
export interface ASGDOptions extends OptimizerOptions {
  /** How fast the rate falls, and how strongly weights shrink. Default 1e-4. */
  lambd: number
  /** The power by which the rate falls. Default 0.75. */
  alpha: number
  /** From which step on parameters are averaged. Default 1e6. */
  t0: number
}

const defaults: ASGDOptions = { lr: 0.01, weightDecay: 0, maximize: false, lambd: 1e-4, alpha: 0.75, t0: 1e6 }

/** Averaged stochastic gradient descent (Polyak and Juditsky 1992). The averages are the slot `average` of `state()`. */
export class ASGD extends Optimizer<ASGDOptions> {
  constructor(parameters: Groups<ASGDOptions>, options: Partial<ASGDOptions> = {}) {
    super(parameters, { ...defaults, ...withoutUndefined(options) })
  }

  protected override checkGroup(group: ASGDOptions): void {
    super.checkGroup(group)
    checkNonNegative('ASGD', 'lambd', group.lambd)
    checkNonNegative('ASGD', 'alpha', group.alpha)
    checkNonNegative('ASGD', 't0', group.t0)
  }

  protected override slots(): Readonly<Record<string, number>> {
    return { average: 0 }
  }

  /** p = p(1 - λη) - ηg with η = lr / (1 + λ · lr · (t - 1))^α; average += (p - average) / max(1, t - 1 - t0). */
  protected override update(
    parameter: Tensor,
    gradient: Tensor,
    { step, slots }: Memory,
    options: ASGDOptions,
  ): Update {
    const { lr, lambd, alpha, t0, weightDecay } = options
    // Rate and weight are those that the step before left; so the first step has the full rate.
    const eta = lr / (1 + lambd * lr * (step - 1)) ** alpha
    const weight = 1 / Math.max(1, step - 1 - t0)
    const g = withDecay(gradient, parameter, weightDecay)
    const moved = parameter.mul(1 - lambd * eta).sub(g.mul(eta))
    const before = slots['average']!
    return { parameter: moved, slots: { average: before.add(moved.sub(before).mul(weight)) } }
  }
}
