// LARS and LAMB: the rate of each parameter in proportion to its norm, so that large batches with large rates do not
// blow up small layers. LARS is momentum with that, LAMB is Adam with that.
import { where, type Tensor } from '@nabla/tensor'
import { checkNonNegative, withoutUndefined, type Groups } from './groups.ts'
import { momentDefaults, MomentOptimizer, type MomentOptions } from './moments.ts'
import { Optimizer, runningAverage, type Memory, type OptimizerOptions, type Update } from './optimizer.ts'

/** Hyperparameters of {@link LARS}. */
export interface LARSOptions extends OptimizerOptions {
  /** How much of the last direction stays. Default 0.9. */
  momentum: number
  /** The length of a step as a share of the parameter's norm. Default 0.001. */
  trustCoefficient: number
  /** Keeps the denominator from zero. Default 1e-8. */
  eps: number
}

const larsDefaults: LARSOptions = {
  lr: 0.1,
  weightDecay: 0,
  maximize: false,
  momentum: 0.9,
  trustCoefficient: 0.001,
  eps: 1e-8,
}

/** LARS (You et al. 2017, algorithm 1). */
export class LARS extends Optimizer<LARSOptions> {
  constructor(parameters: Groups<LARSOptions>, options: Partial<LARSOptions> = {}) {
    super(parameters, { ...larsDefaults, ...withoutUndefined(options) })
  }

  protected override checkGroup(group: LARSOptions): void {
    super.checkGroup(group)
    checkNonNegative('LARS', 'momentum', group.momentum)
    checkNonNegative('LARS', 'trustCoefficient', group.trustCoefficient)
    checkNonNegative('LARS', 'eps', group.eps)
  }

  protected override slots(): Readonly<Record<string, number>> {
    return { momentumBuffer: 0 }
  }

  /**
   * λ = trust · ‖p‖ / (‖g‖ + weightDecay · ‖p‖ + eps), 1 where a norm is 0;
   * v = momentum · v + lr · λ · (g + weightDecay · p); p = p - v.
   */
  protected override update(
    parameter: Tensor,
    gradient: Tensor,
    { slots }: Memory,
    options: LARSOptions,
  ): Update {
    const { lr, weightDecay, momentum, trustCoefficient, eps } = options
    const size = norm(parameter)
    const slope = norm(gradient)
    const trust = size.mul(trustCoefficient).div(slope.add(size.mul(weightDecay)).add(eps))
    const rate = orOne(trust, size, slope).mul(lr)
    const velocity = slots['momentumBuffer']!.mul(momentum).add(
      gradient.add(parameter.mul(weightDecay)).mul(rate),
    )
    return { parameter: parameter.sub(velocity), slots: { momentumBuffer: velocity } }
  }
}

/** Hyperparameters of {@link LAMB}; `eps` is 1e-6 by default, `weightDecay` 0.01. */
export type LAMBOptions = MomentOptions

const lambDefaults: LAMBOptions = { ...momentDefaults, weightDecay: 0.01, eps: 1e-6 }

/** LAMB (You et al. 2020, algorithm 2). */
export class LAMB extends MomentOptimizer<LAMBOptions> {
  constructor(parameters: Groups<LAMBOptions>, options: Partial<LAMBOptions> = {}) {
    super(parameters, { ...lambDefaults, ...withoutUndefined(options) })
  }

  protected override slots(): Readonly<Record<string, number>> {
    return { expAvg: 0, expAvgSq: 0 }
  }

  /** r = m̂ / (√v̂ + eps) + weightDecay · p; p = p - lr · ‖p‖ / ‖r‖ · r, the ratio being 1 where a norm is 0. */
  protected override update(
    parameter: Tensor,
    gradient: Tensor,
    { step, slots }: Memory,
    options: LAMBOptions,
  ): Update {
    const { lr, weightDecay, betas, eps } = options
    const expAvg = runningAverage(slots['expAvg']!, gradient, betas[0])
    const expAvgSq = runningAverage(slots['expAvgSq']!, gradient.square(), betas[1])
    const denominator = expAvgSq
      .mul(1 / (1 - betas[1] ** step))
      .sqrt()
      .add(eps)
    const direction = expAvg
      .mul(1 / (1 - betas[0] ** step))
      .div(denominator)
      .add(parameter.mul(weightDecay))
    const size = norm(parameter)
    const length = norm(direction)
    const rate = orOne(size.div(length), size, length).mul(lr)
    return { parameter: parameter.sub(direction.mul(rate)), slots: { expAvg, expAvgSq } }
  }
}

function norm(x: Tensor): Tensor {
  return x.square().sum().sqrt()
}

function orOne(ratio: Tensor, first: Tensor, second: Tensor): Tensor {
  return where(first.gt(0).logicalAnd(second.gt(0)), ratio, 1)
}
