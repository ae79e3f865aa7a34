// Means of numbers: of losses while training, and of the distances between predictions and targets.
import { formatShape, sameShape, ShapeError, ValueError } from '@nabla/engine'
import { full, type Tensor } from '@nabla/tensor'
import { Metric, toInput, type MetricInput, type PredictionMetric } from './metric.ts'

/** The mean of all elements of all updates, collected in float64. */
export class Mean extends Metric {
  readonly name: string

  constructor(name: string = 'mean') {
    super()
    this.name = name
  }

  /**
   * @param value a number or a tensor of any shape
   * @param weight how much each of its elements counts: the size of the batch, where the value is a batch's mean already
   * @throws ValueError for a weight that is negative or not finite
   */
  override update(value: MetricInput, weight: number = 1): void {
    if (!Number.isFinite(weight) || weight < 0) {
      throw new ValueError(`${this.name}: the weight must be a number, zero or larger; got ${String(weight)}`)
    }
    const x = toInput(value)
    this.add('float64', () => ({
      total: x.to('float64').sum().mul(weight),
      weight: full([], x.size * weight, { dtype: 'float64' }),
    }))
  }

  override async compute(): Promise<number> {
    const { total, weight } = await this.read()
    return total![0]! / weight![0]!
  }
}

abstract class MeanDistance extends Metric implements PredictionMetric {
  /** Shape: predictions and targets [...], equal up to dimensions of size 1. @throws ShapeError */
  override update(predictions: MetricInput, targets: MetricInput): void {
    const [x, y] = [toInput(predictions), toInput(targets)]
    const ones = (size: number): boolean => size !== 1
    if (!sameShape(x.shape.filter(ones), y.shape.filter(ones))) {
      throw new ShapeError(
        `${this.name}: predictions ${formatShape(x.shape)} and targets ${formatShape(y.shape)} differ in shape`,
      )
    }
    this.add('float64', () => ({
      total: this.distance(x.to('float64').sub(y.reshape(x.shape).to('float64'))).sum(),
      count: full([], x.size, { dtype: 'float64' }),
    }))
  }

  override async compute(): Promise<number> {
    const { total, count } = await this.read()
    return total![0]! / count![0]!
  }

  protected abstract distance(difference: Tensor): Tensor
}

/** Mean of the squared differences. */
export class MeanSquaredError extends MeanDistance {
  readonly name: string = 'meanSquaredError'

  protected override distance(difference: Tensor): Tensor {
    return difference.square()
  }
}

/** Mean of the absolute differences. */
export class MeanAbsoluteError extends MeanDistance {
  readonly name: string = 'meanAbsoluteError'

  protected override distance(difference: Tensor): Tensor {
    return difference.abs()
  }
}
