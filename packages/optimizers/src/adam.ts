// Adam, and AdamW: the same rule with weight decay taken apart from the gradient.
import type { Tensor } from '@nabla/tensor'
import { withoutUndefined, type Groups } from './groups.ts'
import { momentDefaults, MomentOptimizer, type MomentOptions } from './moments.ts'
import { runningAverage, withDecay, type Memory, type Update } from './optimizer.ts'

/** Hyperparameters of {@link Adam} and {@link AdamW}. */
export interface AdamOptions extends MomentOptions {
  /** Whether to divide by the largest average of squares so far (Reddi et al. 2018, algorithm 2). Default false. */
  amsgrad: boolean
}

const defaults: AdamOptions = { ...momentDefaults, amsgrad: false }

/** Adam (Kingma and Ba 2015, algorithm 1). Weight decay, where asked for, is part of the gradient. */
export class Adam extends MomentOptimizer<AdamOptions> {
  constructor(parameters: Groups<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(parameters, { ...defaults, ...withoutUndefined(options) })
  }

  protected override slots({ amsgrad }: AdamOptions): Readonly<Record<string, number>> {
    return amsgrad ? { expAvg: 0, expAvgSq: 0, maxExpAvgSq: 0 } : { expAvg: 0, expAvgSq: 0 }
  }

  protected override update(
    parameter: Tensor,
    gradient: Tensor,
    memory: Memory,
    options: AdamOptions,
  ): Update {
    return adamRule(parameter, withDecay(gradient, parameter, options.weightDecay), memory, options)
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
    const shrunk = options.weightDecay === 0 ? parameter : parameter.mul(1 - options.lr * options.weightDecay)
    return adamRule(shrunk, gradient, memory, options)
  }
}

/**
 * m = β₁m + (1 - β₁)g; v = β₂v + (1 - β₂)g²; p = p - lr · m̂ / (√v̂ + eps), where m̂ = m / (1 - β₁ᵗ) and v̂ = v / (1 - β₂ᵗ).
 * The corrections depend on the step's number alone: they are numbers, so no step needs a new plan.
 */
function adamRule(
  parameter: Tensor,
  gradient: Tensor,
  { step, slots }: Memory,
  options: AdamOptions,
): Update {
  const [beta1, beta2] = options.betas
  const expAvg = runningAverage(slots['expAvg']!, gradient, beta1)
  const expAvgSq = runningAverage(slots['expAvgSq']!, gradient.square(), beta2)
  const maxExpAvgSq = slots['maxExpAvgSq']?.maximum(expAvgSq)
  const rootOfCorrection = Math.sqrt(1 - beta2 ** step)
  const denominator = (maxExpAvgSq ?? expAvgSq)
    .sqrt()
    .mul(1 / rootOfCorrection)
    .add(options.eps)
  const rate = options.lr / (1 - beta1 ** step)
  return {
    parameter: parameter.sub(expAvg.mul(rate).div(denominator)),
    slots: maxExpAvgSq === undefined ? { expAvg, expAvgSq } : { expAvg, expAvgSq, maxExpAvgSq },
  }
}
