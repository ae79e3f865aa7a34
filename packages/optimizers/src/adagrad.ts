// Adagrad: gradients divided by the root of the sum of all their squares so far.
import type { Tensor } from '@nabla/tensor'
import { checkNonNegative, withoutUndefined, type Groups } from './groups.ts'
import { Optimizer, withDecay, type Memory, type OptimizerOptions, type Update } from './optimizer.ts'

/** Hyperparameters of {@link Adagrad}. */
export interface AdagradOptions extends OptimizerOptions {
  /** How fast the learning rate falls. Default 0. */
  lrDecay: number
  /** What the sum of squares starts from. Default 0. */
  initialAccumulatorValue: number
  /** Keeps the denominator from zero. Default 1e-10. */
  eps: number
}

const defaults: AdagradOptions = {
  lr: 0.01,
  weightDecay: 0,
  maximize: false,
  lrDecay: 0,
  initialAccumulatorValue: 0,
  eps: 1e-10,
}

/** Adagrad (Duchi, Hazan and Singer 2011, figure 1). */
export class Adagrad extends Optimizer<AdagradOptions> {
  constructor(parameters: Groups<AdagradOptions>, options: Partial<AdagradOptions> = {}) {
    super(parameters, { ...defaults, ...withoutUndefined(options) })
  }

  protected override checkGroup(group: AdagradOptions): void {
    super.checkGroup(group)
    checkNonNegative('Adagrad', 'lrDecay', group.lrDecay)
    checkNonNegative('Adagrad', 'initialAccumulatorValue', group.initialAccumulatorValue)
    checkNonNegative('Adagrad', 'eps', group.eps)
  }

  protected override slots({ initialAccumulatorValue }: AdagradOptions): Readonly<Record<string, number>> {
    return { sum: initialAccumulatorValue }
  }

  /** s = s + g²; p = p - lr / (1 + (t - 1) · lrDecay) · g / (√s + eps). */
  protected override update(
    parameter: Tensor,
    gradient: Tensor,
    { step, slots }: Memory,
    options: AdagradOptions,
  ): Update {
    const g = withDecay(gradient, parameter, options.weightDecay)
    const sum = slots['sum']!.add(g.square())
    const rate = options.lr / (1 + (step - 1) * options.lrDecay)
    return { parameter: parameter.sub(g.mul(rate).div(sum.sqrt().add(options.eps))), slots: { sum } }
  }
}
