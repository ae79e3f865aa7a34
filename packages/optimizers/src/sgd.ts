// Stochastic gradient descent, with momentum. The shortest optimizer: read it to write one.
import { ValueError } from '@nabla/engine'
import { formula, type Tensor } from '@nabla/tensor'
import { checkNonNegative, withoutUndefined, type Groups } from './groups.ts'
import {
  Optimizer,
  weightedSum,
  withDecay,
  type Memory,
  type OptimizerOptions,
  type Update,
} from './optimizer.ts'

/** Hyperparameters of {@link SGD}. */
export interface SGDOptions extends OptimizerOptions {
  /** How much of the last direction stays. Default 0. */
  momentum: number
  /** How much the new gradient counts less for it. Default 0. */
  dampening: number
  /** Whether to look ahead along the momentum (Sutskever et al. 2013, equations 3 and 4). Default false. */
  nesterov: boolean
}

/** What all parameters of a group have in common in a step; `fresh` is the share of the new gradient. */
type SGDScalars = Readonly<Record<'lr' | 'momentum' | 'fresh', number>>

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

  protected override scalars({ lr, momentum, dampening }: SGDOptions, step: number): SGDScalars {
    return { lr, momentum, fresh: step === 1 ? 1 : 1 - dampening }
  }

  /**
   * v = momentum · v + (1 - dampening) · g, the first v being g itself; p = p - lr · v.
   * With nesterov, p = p - lr · (g + momentum · v).
   */
  protected override update(
    parameter: Tensor,
    gradient: Tensor,
    { scalars, slots }: Memory,
    { nesterov, weightDecay }: SGDOptions,
  ): Update {
    const { lr, momentum, fresh } = scalars as Readonly<Record<keyof SGDScalars, Tensor>>
    const g = withDecay(gradient, parameter, weightDecay)
    const before = slots['momentumBuffer']
    if (before === undefined) return { parameter: descend([parameter, g, lr], parameter) }
    const velocity = weightedSum([before, momentum, g, fresh], parameter)
    const direction = nesterov ? g.add(velocity.mul(momentum)) : velocity
    return { parameter: descend([parameter, direction, lr], parameter), slots: { momentumBuffer: velocity } }
  }
}

const descend = formula('descend', ([p, direction, lr]) => p.sub(direction.mul(lr)))
