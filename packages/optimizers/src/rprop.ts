// Rprop: each element has a step size of its own, which grows while the sign of its gradient stays and shrinks when it
// turns. Only signs matter. For whole data sets, not for batches.
import { ValueError } from '@nabla/engine'
import { where, type Tensor } from '@nabla/tensor'
import { withoutUndefined, type Groups } from './groups.ts'
import { Optimizer, withDecay, type Memory, type OptimizerOptions, type Update } from './optimizer.ts'

/** Hyperparameters of {@link Rprop}. */
export interface RpropOptions extends OptimizerOptions {
  /** By what steps shrink and grow. Default [0.5, 1.2]. */
  etas: readonly [number, number]
  /** The smallest and the largest step. Default [1e-6, 50]. */
  stepSizes: readonly [number, number]
}

const defaults: RpropOptions = {
  lr: 0.01,
  weightDecay: 0,
  maximize: false,
  etas: [0.5, 1.2],
  stepSizes: [1e-6, 50],
}

/** Resilient backpropagation (Riedmiller and Braun 1993). The learning rate is the first step size. */
export class Rprop extends Optimizer<RpropOptions> {
  constructor(parameters: Groups<RpropOptions>, options: Partial<RpropOptions> = {}) {
    super(parameters, { ...defaults, ...withoutUndefined(options) })
  }

  protected override checkGroup(group: RpropOptions): void {
    super.checkGroup(group)
    const [shrink, grow] = group.etas
    if (!(shrink > 0 && shrink < 1 && grow > 1)) {
      throw new ValueError(
        `Rprop: etas must be a number in (0, 1) and one above 1; got ${group.etas.join(', ')}`,
      )
    }
    const [least, most] = group.stepSizes
    if (!(least >= 0 && most >= least)) {
      throw new ValueError(
        `Rprop: stepSizes must be a smallest and a largest; got ${group.stepSizes.join(', ')}`,
      )
    }
  }

  protected override slots({ lr }: RpropOptions): Readonly<Record<string, number>> {
    return { previous: 0, stepSize: lr }
  }

  /** s = clamp(s · η₊ or η₋ or 1, by the sign of g · g₋₁); where the sign turned g = 0; p = p - s · sign(g). */
  protected override update(
    parameter: Tensor,
    gradient: Tensor,
    { slots }: Memory,
    options: RpropOptions,
  ): Update {
    const [shrink, grow] = options.etas
    const [least, most] = options.stepSizes
    const g = withDecay(gradient, parameter, options.weightDecay)
    const agreement = g.mul(slots['previous']!)
    const turned = agreement.lt(0)
    const before = slots['stepSize']!
    const grown = where(agreement.gt(0), before.mul(grow), before)
    const stepSize = where(turned, before.mul(shrink), grown).clamp({ min: least, max: most })
    // A gradient that turned means that the minimum was passed: stay, and forget the direction.
    const kept = where(turned, 0, g)
    return { parameter: parameter.sub(kept.sign().mul(stepSize)), slots: { previous: kept, stepSize } }
  }
}
