// Stochastic gradient descent, with momentum. The shortest optimizer: read it to write one.
import { ValueError } from '@nabla/engine'
import type { Tensor } from '@nabla/tensor'
import { checkNonNegative, withoutUndefined, type Groups } from './groups.ts'
import { Optimizer, withDecay, type Memory, type OptimizerOptions, type Update } from './optimizer.ts'

/** Hyperparameters of {@link SGD}. */
export interface SGDOptions extends OptimizerOptions {
  /** How much of the last direction stays. Default 0. */
  momentum: number
  /** How much the new gradient counts less for it. Default 0. */
  dampening: number
  /** Whether to look ahead along the momentum (Sutskever et al. 2013, equations 3 and 4). Default false. */
  nesterov: boolean
}

const defaults: Omit<SGDOptions, 'lr'> = {
  weightDecay: 0,
  maximize: false,
  momentum: 0,
  dampening: 0,
  nesterov: false,
}

/** Stochastic gradient descent. Learning rate by default 0.01. */
export class SGD extends Optimizer<SGDOptions> {
  constructor(parameters: Groups<SGDOptions>, options: Partial<SGDOptions> = {}) {
    super(parameters, { lr: 0.01, ...defaults, ...withoutUndefined(options) })
  }

  protected override checkGroup(group: SGDOptions): void {
    super.checkGroup(group)
    checkNonNegative('SGD', 'momentum', group.momentum)
    if (group.nesterov && (group.momentum === 0 || group.dampening !== 0)) {
      throw new ValueError('SGD: nesterov needs a momentum, and a dampening of 0')
    }
  }

  protected override slots({ momentum }: SGDOptions): Readonly<Record<string, number>> {
    return momentum === 0 ? {} : { momentumBuffer: 0 }
  }

  /**
   * v = momentum · v + (1 - dampening) · g, the first v being g itself; p = p - lr · v.
   * With nesterov, p = p - lr · (g + momentum · v).
   */
  protected override update(
    parameter: Tensor,
    gradient: Tensor,
    { step, slots }: Memory,
    options: SGDOptions,
  ): Update {
    const { lr, momentum, dampening, nesterov, weightDecay } = options
    const g = withDecay(gradient, parameter, weightDecay)
    const before = slots['momentumBuffer']
    if (before === undefined) return { parameter: parameter.sub(g.mul(lr)) }
    const velocity = before.mul(momentum).add(g.mul(step === 1 ? 1 : 1 - dampening))
    const direction = nesterov ? g.add(velocity.mul(momentum)) : velocity
    return { parameter: parameter.sub(direction.mul(lr)), slots: { momentumBuffer: velocity } }
  }
}
