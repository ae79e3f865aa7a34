// Accuracy: the share of right answers.
import { full } from '@nabla/tensor'
import { checkOptions, classify, type LabelOptions } from './labels.ts'
import { Metric, type MetricInput, type PredictionMetric } from './metric.ts'

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
   * the shape of the targets.
   * @throws ShapeError, ValueError
   */
  override update(predictions: MetricInput, targets: MetricInput): void {
    const { predicted, actual } = classify(this.name, predictions, targets, this.#options)
    this.add('int32', () => ({
      right: predicted.eq(actual).sum(),
      total: full([], actual.size, { dtype: 'int32' }),
    }))
  }

  override async compute(): Promise<number> {
    const { right, total } = await this.read()
    return right![0]! / total![0]!
  }
}
