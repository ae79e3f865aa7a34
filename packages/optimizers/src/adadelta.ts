// Adadelta: the size of a step follows from the sizes of the last steps, with no learning rate of its own.
import type { Tensor } from '@nabla/tensor'
import { checkDecay, checkNonNegative, withoutUndefined, type Groups } from './groups.ts'
import {
  Optimizer,
  runningAverage,
  withDecay,
  type Memory,
  type OptimizerOptions,
  type Update,
} from './optimizer.ts'

/** Hyperparameters of {@link Adadelta}. */
export interface AdadeltaOptions extends OptimizerOptions {
  /** Decay of both averages. Default 0.9. */
  rho: number
  /** Keeps the first steps from being zero. Default 1e-6. */
  eps: number
}

const defaults: AdadeltaOptions = { lr: 1, weightDecay: 0, maximize: false, rho: 0.9, eps: 1e-6 }

/** Adadelta (Zeiler 2012, algorithm 1). */
export class Adadelta extends Optimizer<AdadeltaOptions> {
  constructor(parameters: Groups<AdadeltaOptions>, options: Partial<AdadeltaOptions> = {}) {
    super(parameters, { ...defaults, ...withoutUndefined(options) })
  }

  protected override checkGroup(group: AdadeltaOptions): void {
    super.checkGroup(group)
    checkDecay('Adadelta', 'rho', group.rho)
    checkNonNegative('Adadelta', 'eps', group.eps)
  }

  protected override slots(): Readonly<Record<string, number>> {
    return { squareAvg: 0, accDelta: 0 }
  }

  /** v = ρv + (1 - ρ)g²; d = √(u + eps) / √(v + eps) · g; u = ρu + (1 - ρ)d²; p = p - lr · d. */
  protected override update(
    parameter: Tensor,
    gradient: Tensor,
    { slots }: Memory,
    options: AdadeltaOptions,
  ): Update {
    const { lr, rho, eps, weightDecay } = options
    const g = withDecay(gradient, parameter, weightDecay)
    const squareAvg = runningAverage(slots['squareAvg']!, g.square(), rho)
    const delta = slots['accDelta']!.add(eps).sqrt().div(squareAvg.add(eps).sqrt()).mul(g)
    const accDelta = runningAverage(slots['accDelta']!, delta.square(), rho)
    return { parameter: parameter.sub(delta.mul(lr)), slots: { squareAvg, accDelta } }
  }
}
