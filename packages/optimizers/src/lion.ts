// Lion: steps of one size, in the direction of the sign of a momentum.
import type { Tensor } from '@nabla/tensor'
import { checkBetas, withoutUndefined, type Groups } from './groups.ts'
import { Optimizer, runningAverage, type Memory, type OptimizerOptions, type Update } from './optimizer.ts'

/** Hyperparameters of {@link Lion}. */
export interface LionOptions extends OptimizerOptions {
  /** Weight of the momentum in the direction, and its decay. Default [0.9, 0.99]. */
  betas: readonly [number, number]
}

const defaults: LionOptions = { lr: 1e-4, weightDecay: 0, maximize: false, betas: [0.9, 0.99] }

/** Lion (Chen et al. 2023, algorithm 2). Wants a rate three to ten times smaller than Adam's. */
export class Lion extends Optimizer<LionOptions> {
  constructor(parameters: Groups<LionOptions>, options: Partial<LionOptions> = {}) {
    super(parameters, { ...defaults, ...withoutUndefined(options) })
  }

  protected override checkGroup(group: LionOptions): void {
    super.checkGroup(group)
    checkBetas('Lion', group.betas)
  }

  protected override slots(): Readonly<Record<string, number>> {
    return { expAvg: 0 }
  }

  /** p = p(1 - lr · weightDecay) - lr · sign(β₁m + (1 - β₁)g); m = β₂m + (1 - β₂)g. */
  protected override update(
    parameter: Tensor,
    gradient: Tensor,
    { slots }: Memory,
    { lr, weightDecay, betas }: LionOptions,
  ): Update {
    const before = slots['expAvg']!
    const direction = runningAverage(before, gradient, betas[0]).sign()
    const shrunk = weightDecay === 0 ? parameter : parameter.mul(1 - lr * weightDecay)
    return {
      parameter: shrunk.sub(direction.mul(lr)),
      slots: { expAvg: runningAverage(before, gradient, betas[1]) },
    }
  }
}
