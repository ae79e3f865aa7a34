// Accuracy: the share of right answers, of wrong ones, and of those among the best few.
import { formatShape, isFloating, sameShape, ShapeError, ValueError } from '@nabla/engine'
import { full } from '@nabla/tensor'
import { checkOptions, classify, type LabelOptions } from './labels.ts'
import { Metric, toInput, type MetricInput, type PredictionMetric } from './metric.ts'

/** The share of predictions that are right. */
export class Accuracy extends Metric implements PredictionMetric {
  readonly name: string = 'accuracy'
  readonly #options: LabelOptions

  /** @throws ValueError for options out of range */
  constructor(options: LabelOptions = {}) {
    super()
    checkOptions(this.name, options)
    this.#options = options
  }

  /**
   * Shape: scores [N, C, ...] beside labels [N, ...] or probabilities [N, C, ...]; or probabilities of yes, or labels, in
   * the shape of the targets. `sampleWeight`, where it is given, has as many elements: how much each answer counts.
   * @throws ShapeError, ValueError
   */
  override update(predictions: MetricInput, targets: MetricInput, sampleWeight?: MetricInput): void {
    const { predicted, actual } = classify(this.name, predictions, targets, this.#options)
    const right = predicted.eq(actual)
    if (sampleWeight === undefined) {
      this.add('float64', () => ({ right: right.sum(), total: full([], actual.size, { dtype: 'int32' }) }))
      return
    }
    const weight = toInput(sampleWeight).to('float64')
    if (weight.size !== right.size) {
      throw new ShapeError(
        `${this.name}: sampleWeight ${formatShape(weight.shape)} does not fit targets ${formatShape(actual.shape)}`,
      )
    }
    this.add('float64', () => ({
      right: weight.reshape(right.shape).mul(right.to('float64')).sum(),
      total: weight.sum(),
    }))
  }

  override async compute(): Promise<number> {
    const { right, total } = await this.read()
    return right![0]! / total![0]!
  }
}

/** The share of predictions that are wrong. */
export class ZeroOneLoss extends Accuracy {
  override readonly name: string = 'zeroOneLoss'

  override async compute(): Promise<number> {
    return 1 - (await super.compute())
  }
}

/** The share of answers that are among the `k` classes with the highest scores. */
export class TopKAccuracy extends Metric implements PredictionMetric {
  readonly name: string = 'topKAccuracy'
  readonly #k: number

  /** @throws ValueError unless `k` is a positive integer */
  constructor(k: number = 5) {
    super()
    if (!Number.isInteger(k) || k < 1) {
      throw new ValueError(`${this.name}: k must be a positive integer; got ${String(k)}`)
    }
    this.#k = k
  }

  /**
   * Shape: scores [N, C, ...], labels [N, ...]. Of classes with equal scores all count as the best.
   * @throws ShapeError
   */
  override update(predictions: MetricInput, targets: MetricInput): void {
    const [scores, labels] = [toInput(predictions), toInput(targets)]
    const expected = scores.shape.filter((_, dim) => dim !== 1)
    if (scores.rank < 2 || !isFloating(scores.dtype) || !sameShape(expected, labels.shape)) {
      throw new ShapeError(
        `${this.name}: predictions ${formatShape(scores.shape)} do not fit targets ${formatShape(labels.shape)}: ` +
          'expected scores [N, C] beside labels [N]',
      )
    }
    this.add('float64', () => {
      const own = scores.gather(1, labels.to('int32').unsqueeze(1)) // [N, 1, ...]
      const better = scores.gt(own).sum(1) // [N, ...]
      return { right: better.lt(this.#k).sum(), total: full([], labels.size, { dtype: 'int32' }) }
    })
  }

  override async compute(): Promise<number> {
    const { right, total } = await this.read()
    return right![0]! / total![0]!
  }
}
