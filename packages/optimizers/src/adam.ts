// Adam, and AdamW: the same rule with weight decay taken apart from the gradient.
import { formula, type Tensor } from '@nabla/tensor'
import { withoutUndefined, type Groups } from './groups.ts'
import { momentDefaults, MomentOptimizer, type MomentOptions } from './moments.ts'
import { weightedSum, withDecay, type Memory, type Update } from './optimizer.ts'

/** Hyperparameters of {@link Adam} and {@link AdamW}. */
export interface AdamOptions extends MomentOptions {
  /** Whether to divide by the largest average of squares so far (Reddi et al. 2018, algorithm 2). Default false. */
  amsgrad: boolean
}

/** What all parameters of a group have in common in a step. */
type AdamScalars = Readonly<
  Record<'beta1' | 'rest1' | 'beta2' | 'rest2' | 'rate' | 'inverseRoot' | 'eps' | 'shrinking', number>
>

const defaults: AdamOptions = { ...momentDefaults, amsgrad: false }

/** Adam (Kingma and Ba 2015, algorithm 1). Weight decay, where asked for, is part of the gradient. */
export class Adam extends MomentOptimizer<AdamOptions> {
  constructor(parameters: Groups<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(parameters, { ...defaults, ...withoutUndefined(options) })
  }

  protected override slots({ amsgrad }: AdamOptions): Readonly<Record<string, number>> {
    return amsgrad ? { expAvg: 0, expAvgSq: 0, maxExpAvgSq: 0 } : { expAvg: 0, expAvgSq: 0 }
  }

  // The corrections depend on the step's number alone: they are numbers, so no step needs a new plan.
  protected override scalars({ lr, weightDecay, betas, eps }: AdamOptions, step: number): AdamScalars {
    const [beta1, beta2] = betas
    return {
      beta1,
      rest1: 1 - beta1,
      beta2,
      rest2: 1 - beta2,
      rate: lr / (1 - beta1 ** step),
      inverseRoot: 1 / Math.sqrt(1 - beta2 ** step),
      eps,
      shrinking: 1 - lr * weightDecay,
    }
  }

  protected override update(
    parameter: Tensor,
    gradient: Tensor,
    memory: Memory,
    options: AdamOptions,
  ): Update {
    return adamRule(parameter, withDecay(gradient, parameter, options.weightDecay), memory)
  }
}

/** AdamW (Loshchilov and Hutter 2019, algorithm 2): weights shrink apart from the gradient. Decay by default 0.01. */
export class AdamW extends Adam {
  constructor(parameters: Groups<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(parameters, { weightDecay: 0.01, ...withoutUndefined(options) })
  }

  protected override update(
    parameter: Tensor,
    gradient: Tensor,
    memory: Memory,
    options: AdamOptions,
  ): Update {
    const shrunk = options.weightDecay === 0 ? parameter : parameter.mul(memory.scalars['shrinking']!)
    return adamRule(shrunk, gradient, memory)
  }
}

const averageOfSquares = formula('averageOfSquares', ([v, beta2, g, rest2]) =>
  v.mul(beta2).add(g.square().mul(rest2)),
)
const adamStep = formula('adamStep', ([p, m, v, rate, inverseRoot, eps]) =>
  p.sub(m.mul(rate!).div(v.sqrt().mul(inverseRoot!).add(eps!))),
)

/**
 * m = β₁m + (1 - β₁)g; v = β₂v + (1 - β₂)g²; p = p - lr · m̂ / (√v̂ + eps), where m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ).
 */
function adamRule(parameter: Tensor, gradient: Tensor, { scalars, slots }: Memory): Update {
  const { beta1, rest1, beta2, rest2, rate, inverseRoot, eps } = scalars as Readonly<
    Record<keyof AdamScalars, Tensor>
  >
  const expAvg = weightedSum([slots['expAvg']!, beta1, gradient, rest1], parameter)
  const expAvgSq = averageOfSquares([slots['expAvgSq']!, beta2, gradient, rest2], parameter)
  const maxExpAvgSq = slots['maxExpAvgSq']?.maximum(expAvgSq)
  const largest = maxExpAvgSq ?? expAvgSq
  return {
    parameter: adamStep([parameter, expAvg, largest, rate, inverseRoot, eps], parameter),
    slots: maxExpAvgSq === undefined ? { expAvg, expAvgSq } : { expAvg, expAvgSq, maxExpAvgSq },
  }
}
