// Adafactor: gradients divided by the root of their mean square, of which only the means over rows and columns are kept.
// For a matrix [n, m] it remembers n + m numbers, where Adam remembers 2nm.
import type { Shape } from '@nabla/engine'
import type { Tensor } from '@nabla/tensor'
import { checkNonNegative, withoutUndefined, type Groups } from './groups.ts'
import { Optimizer, type Memory, type OptimizerOptions, type SlotStart, type Update } from './optimizer.ts'

/** Hyperparameters of {@link Adafactor}. */
export interface AdafactorOptions extends OptimizerOptions {
  /** The averages decay by 1 - step^beta2Decay. Default -0.8. */
  beta2Decay: number
  /** Least mean square of a row, and least root mean square of a parameter. Default [2^-23, 1e-3]. */
  eps: readonly [number, number]
  /** Largest root mean square of an update. Default 1. */
  clipThreshold: number
}

const defaults: AdafactorOptions = {
  lr: 0.01,
  weightDecay: 0,
  maximize: false,
  beta2Decay: -0.8,
  eps: [2 ** -23, 1e-3],
  clipThreshold: 1,
}

/** Adafactor (Shazeer and Stern 2018, algorithms 4 and 5), with steps in proportion to the size of the parameter. */
export class Adafactor extends Optimizer<AdafactorOptions> {
  constructor(parameters: Groups<AdafactorOptions>, options: Partial<AdafactorOptions> = {}) {
    super(parameters, { ...defaults, ...withoutUndefined(options) })
  }

  protected override checkGroup(group: AdafactorOptions): void {
    super.checkGroup(group)
    checkNonNegative('Adafactor', 'eps[0]', group.eps[0])
    checkNonNegative('Adafactor', 'eps[1]', group.eps[1])
    checkNonNegative('Adafactor', 'clipThreshold', group.clipThreshold)
  }

  protected override slots(_: AdafactorOptions, shape: Shape): Readonly<Record<string, SlotStart>> {
    if (shape.length < 2) return { variance: 0 }
    const batch = shape.slice(0, -2)
    const [rows, columns] = shape.slice(-2) as [number, number]
    return {
      rowVariance: { value: 0, shape: [...batch, rows, 1] },
      columnVariance: { value: 0, shape: [...batch, 1, columns] },
    }
  }

  /**
   * V = row · column / mean(row), each an average of g² that weighs the new value by step^beta2Decay;
   * u = g / √V; p = p - max(eps₂, rms(p)) · min(lr, 1/√step) · u / max(1, rms(u) / clipThreshold).
   */
  protected override update(
    parameter: Tensor,
    gradient: Tensor,
    { step, slots }: Memory,
    options: AdafactorOptions,
  ): Update {
    const { lr, weightDecay, beta2Decay, eps, clipThreshold } = options
    const weight = step ** beta2Decay
    const squares = gradient.square()
    const average = (old: Tensor, value: Tensor): Tensor => old.add(value.sub(old).mul(weight))
    let variance: Tensor
    let news: Record<string, Tensor>
    if (slots['variance'] === undefined) {
      const rowVariance = average(slots['rowVariance']!, squares.mean(-1, { keepdim: true })) // [..., n, 1]
      const columnVariance = average(slots['columnVariance']!, squares.mean(-2, { keepdim: true })) // [..., 1, m]
      const scale = rowVariance.mean(-2, { keepdim: true }).clamp({ min: eps[0] }) // [..., 1, 1]
      variance = rowVariance.mul(columnVariance).div(scale) // [..., n, m]
      news = { rowVariance, columnVariance }
    } else {
      variance = average(slots['variance'], squares)
      news = { variance }
    }
    const direction = gradient.mul(variance.clamp({ min: eps[0] ** 2 }).rsqrt())
    const clip = rootMeanSquare(direction).div(clipThreshold).clamp({ min: 1 })
    const size = rootMeanSquare(parameter).clamp({ min: eps[1] })
    const rate = size.mul(Math.min(lr, 1 / Math.sqrt(step))).div(clip)
    const shrunk = weightDecay === 0 ? parameter : parameter.mul(1 - lr * weightDecay)
    return { parameter: shrunk.sub(direction.mul(rate)), slots: news }
  }
}

function rootMeanSquare(x: Tensor): Tensor {
  return x.square().mean().sqrt()
}
