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

/** The mean of an error over all elements of all updates, collected in float64. A metric of its own says which error. */
export abstract class MeanError extends Metric implements PredictionMetric {
  /**
   * Shape: predictions and targets [...], equal up to dimensions of size 1; so is `sampleWeight`, where it is given: how
   * much each element counts.
   * @throws ShapeError
   */
  override update(predictions: MetricInput, targets: MetricInput, sampleWeight?: MetricInput): void {
    const { x, y } = sameElements(this.name, predictions, targets)
    const weight = sampleWeight === undefined ? null : sameElements(this.name, predictions, sampleWeight).y
    this.add('float64', () => {
      const error = this.error(x, y)
      if (weight === null) return { total: error.sum(), weight: full([], x.size, { dtype: 'float64' }) }
      return { total: error.mul(weight).sum(), weight: weight.sum() }
    })
  }

  override async compute(): Promise<number> {
    const { total, weight } = await this.read()
    return total![0]! / weight![0]!
  }

  /** The error of each element, from predictions and targets in float64 and of one shape. */
  protected abstract error(prediction: Tensor, target: Tensor): Tensor
}

/** Mean of the squared differences. */
export class MeanSquaredError extends MeanError {
  readonly name: string = 'meanSquaredError'

  protected override error(prediction: Tensor, target: Tensor): Tensor {
    return prediction.sub(target).square()
  }
}

/** Mean of the absolute differences. */
export class MeanAbsoluteError extends MeanError {
  readonly name: string = 'meanAbsoluteError'

  protected override error(prediction: Tensor, target: Tensor): Tensor {
    return prediction.sub(target).abs()
  }
}

/**
 * Both inputs in float64 and in the shape of the first.
 * @throws ShapeError unless they are equal up to sizes of 1
 */
export function sameElements(
  metric: string,
  predictions: MetricInput,
  targets: MetricInput,
): { x: Tensor; y: Tensor } {
  const [x, y] = [toInput(predictions), toInput(targets)]
  const ones = (size: number): boolean => size !== 1
  if (!sameShape(x.shape.filter(ones), y.shape.filter(ones))) {
    throw new ShapeError(
      `${metric}: predictions ${formatShape(x.shape)} and targets ${formatShape(y.shape)} differ in shape`,
    )
  }
  return { x: x.to('float64'), y: y.reshape(x.shape).to('float64') }
}
