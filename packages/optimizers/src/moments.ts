// What the optimizers of Adam's family share: the decay of two running averages, and what keeps a denominator from zero.
// Not here: their rules, each in a file of its own. Read next: adam.ts.
import { checkBetas, checkNonNegative } from './groups.ts'
import { Optimizer, type OptimizerOptions } from './optimizer.ts'

/** Hyperparameters of optimizers that follow the first moment of a gradient and a second one. */
export interface MomentOptions extends OptimizerOptions {
  /** Decay of the average of gradients, and of the second average (of squares; Adamax: of magnitudes). Default [0.9, 0.999]. */
  betas: readonly [number, number]
  /** Keeps the denominator from zero. Default 1e-8. */
  eps: number
}

/** The usual hyperparameters, as in PyTorch. */
export const momentDefaults: MomentOptions = {
  lr: 1e-3,
  weightDecay: 0,
  maximize: false,
  betas: [0.9, 0.999],
  eps: 1e-8,
}

/** The base of Adam's family: checks what {@link MomentOptions} adds. */
export abstract class MomentOptimizer<Options extends MomentOptions> extends Optimizer<Options> {
  protected override checkGroup(group: Options): void {
    super.checkGroup(group)
    checkBetas(this.constructor.name, group.betas)
    checkNonNegative(this.constructor.name, 'eps', group.eps)
  }
}
