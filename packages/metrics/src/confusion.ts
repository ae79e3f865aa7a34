// The confusion matrix: which classes are taken for which.
import { ValueError } from '@nabla/engine'
import { checkOptions, classify, oneHot, type LabelOptions } from './labels.ts'
import { Metric, type MetricInput, type PredictionMetric } from './metric.ts'

/** How often each class (row) was predicted as each class (column). */
export class ConfusionMatrix extends Metric<number[][]> implements PredictionMetric<number[][]> {
  readonly name: string = 'confusionMatrix'
  readonly #options: LabelOptions
  #classes: number | null = null

  /** @throws ValueError for options out of range */
  constructor(options: LabelOptions = {}) {
    super()
    checkOptions(this.name, options)
    this.#options = options
  }

  /**
   * Shape: scores [N, C, ...] beside labels [N, ...] or probabilities [N, C, ...]; or probabilities of yes, or labels, in
   * the shape of the targets.
   * @throws ShapeError, ValueError; the latter also when the number of classes is not known
   */
  override update(predictions: MetricInput, targets: MetricInput): void {
    const { predicted, actual, classes } = classify(this.name, predictions, targets, this.#options)
    if (classes === null) {
      throw new ValueError(
        `${this.name}: how many classes there are does not follow from labels; give { classes }`,
      )
    }
    if (this.#classes !== null && this.#classes !== classes) {
      throw new ValueError(
        `${this.name}: this batch is about ${classes} classes, the ones before about ${this.#classes}`,
      )
    }
    this.#classes = classes
    this.add('int32', () => {
      // A product of one-hot rows counts all pairs at once. Real numbers are exact here: a batch is far below 2^24.
      const there = oneHot(actual, classes).to('float32') // [n, C]
      const named = oneHot(predicted, classes).to('float32') // [n, C]
      return { counts: there.transpose().matmul(named) } // [C, C]
    })
  }

  /** The matrix by rows: `[actual][predicted]`. */
  override async compute(): Promise<number[][]> {
    const { counts } = await this.read()
    const classes = this.#classes!
    return Array.from({ length: classes }, (_, row) => [
      ...counts!.subarray(row * classes, (row + 1) * classes),
    ])
  }

  override reset(): void {
    super.reset()
    this.#classes = null
  }
}
