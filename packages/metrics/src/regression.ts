// Metrics of predicted quantities: means of errors, the largest one, and shares of explained variance. All stream; sums
// are collected in float64. Read before: mean.ts, which has the squared and the absolute error.
import { ValueError } from '@nabla/engine'
import { full, type Tensor } from '@nabla/tensor'
import { MeanError, MeanSquaredError, sameElements } from './mean.ts'
import { Metric, type MetricInput, type PredictionMetric } from './metric.ts'

/** Root of the mean of the squared differences. */
export class RootMeanSquaredError extends MeanSquaredError {
  override readonly name: string = 'rootMeanSquaredError'

  override async compute(): Promise<number> {
    return Math.sqrt(await super.compute())
  }
}

/** Mean of |prediction - target| / |target|. Not in percent: 0.1 means ten of a hundred. */
export class MeanAbsolutePercentageError extends MeanError {
  readonly name: string = 'meanAbsolutePercentageError'

  protected override error(prediction: Tensor, target: Tensor): Tensor {
    // The least divisor is scikit-learn's: a target of 0 gives a very large error, not an infinite one.
    return prediction
      .sub(target)
      .abs()
      .div(target.abs().clamp({ min: Number.EPSILON }))
  }
}

/** Mean of 2 · |prediction - target| / (|prediction| + |target|), 0 to 2 (Armstrong 1985). */
export class SymmetricMeanAbsolutePercentageError extends MeanError {
  readonly name: string = 'symmetricMeanAbsolutePercentageError'

  protected override error(prediction: Tensor, target: Tensor): Tensor {
    const size = prediction.abs().add(target.abs()).clamp({ min: 1.17e-6 })
    return prediction.sub(target).abs().mul(2).div(size)
  }
}

/** Mean of the squared differences of log(1 + x). Predictions and targets must be larger than -1. */
export class MeanSquaredLogError extends MeanError {
  readonly name: string = 'meanSquaredLogError'

  protected override error(prediction: Tensor, target: Tensor): Tensor {
    return prediction.log1p().sub(target.log1p()).square()
  }
}

/** Mean of 2 · (y · log(y / ŷ) - y + ŷ): for counts. Predictions must be positive. */
export class PoissonDeviance extends MeanError {
  readonly name: string = 'poissonDeviance'

  protected override error(prediction: Tensor, target: Tensor): Tensor {
    // A target of 0 has no logarithm, and needs none.
    const logarithm = target.gt(0).where(target.div(prediction).log().mul(target), 0)
    return logarithm.sub(target).add(prediction).mul(2)
  }
}

/** Mean of 2 · (log(ŷ / y) + y / ŷ - 1): for positive amounts. Predictions must be positive. */
export class GammaDeviance extends MeanError {
  readonly name: string = 'gammaDeviance'

  protected override error(prediction: Tensor, target: Tensor): Tensor {
    const ratio = target.div(prediction)
    return ratio.sub(ratio.log()).sub(1).mul(2)
  }
}

/** Mean pinball loss of a predicted quantile: α · (y - ŷ) above, (1 - α) · (ŷ - y) below (Koenker and Bassett 1978). */
export class PinballLoss extends MeanError {
  readonly name: string = 'pinballLoss'
  readonly #alpha: number

  /** @throws ValueError unless alpha lies in [0, 1] */
  constructor(alpha: number = 0.5) {
    super()
    if (!(alpha >= 0 && alpha <= 1)) {
      throw new ValueError(`${this.name}: alpha must lie in [0, 1]; got ${String(alpha)}`)
    }
    this.#alpha = alpha
  }

  protected override error(prediction: Tensor, target: Tensor): Tensor {
    const difference = target.sub(prediction)
    return difference.mul(this.#alpha).maximum(difference.mul(this.#alpha - 1))
  }
}

/** The largest absolute difference. */
export class MaxError extends Metric implements PredictionMetric {
  readonly name: string = 'maxError'

  /** Shape: predictions and targets [...], equal up to dimensions of size 1. @throws ShapeError */
  override update(predictions: MetricInput, targets: MetricInput): void {
    const { x, y } = sameElements(this.name, predictions, targets)
    this.collect(
      'float64',
      () => ({ largest: x.sub(y).abs().amax() }),
      (state, amount) => state.maximum(amount),
    )
  }

  override async compute(): Promise<number> {
    return (await this.read())['largest']![0]!
  }
}

/** Sums from which means, variances and the covariance of predictions and targets follow. */
interface Moments {
  readonly count: number
  readonly prediction: number
  readonly target: number
  readonly predictionSquared: number
  readonly targetSquared: number
  readonly product: number
}

abstract class MomentMetric extends Metric implements PredictionMetric {
  /**
   * Shape: predictions and targets [...], equal up to dimensions of size 1: all are values of one quantity.
   * @throws ShapeError
   */
  override update(predictions: MetricInput, targets: MetricInput): void {
    const { x, y } = sameElements(this.name, predictions, targets)
    this.add('float64', () => ({
      count: full([], x.size, { dtype: 'float64' }),
      prediction: x.sum(),
      target: y.sum(),
      predictionSquared: x.square().sum(),
      targetSquared: y.square().sum(),
      product: x.mul(y).sum(),
    }))
  }

  override async compute(): Promise<number> {
    const sums = Object.entries(await this.read()).map(([name, value]) => [name, value[0]!])
    return this.score(Object.fromEntries(sums) as Moments)
  }

  protected abstract score(moments: Moments): number
}

/** The share of the targets' variance that predictions leave no error in: 1 - Σ(y - ŷ)² / Σ(y - ȳ)². */
export class R2Score extends MomentMetric {
  readonly name: string = 'r2Score'

  protected override score(m: Moments): number {
    const left = m.targetSquared - 2 * m.product + m.predictionSquared
    return explained(left, m.targetSquared - m.target ** 2 / m.count)
  }
}

/** 1 - Var(y - ŷ) / Var(y): as {@link R2Score}, but a constant error does not count. */
export class ExplainedVariance extends MomentMetric {
  readonly name: string = 'explainedVariance'

  protected override score(m: Moments): number {
    const squares = m.targetSquared - 2 * m.product + m.predictionSquared
    const left = squares - (m.target - m.prediction) ** 2 / m.count
    return explained(left, m.targetSquared - m.target ** 2 / m.count)
  }
}

/** Linear correlation of predictions and targets, -1 to 1 (Pearson 1895). */
export class PearsonCorrelation extends MomentMetric {
  readonly name: string = 'pearsonCorrelation'

  protected override score(m: Moments): number {
    const covariance = m.product - (m.prediction * m.target) / m.count
    const ofPrediction = m.predictionSquared - m.prediction ** 2 / m.count
    const ofTarget = m.targetSquared - m.target ** 2 / m.count
    return covariance / Math.sqrt(ofPrediction * ofTarget)
  }
}

// Targets that are all the same have no variance to explain: 1 when they are met, 0 otherwise, as in scikit-learn.
function explained(left: number, whole: number): number {
  if (whole === 0) return left === 0 ? 1 : 0
  return 1 - left / whole
}
