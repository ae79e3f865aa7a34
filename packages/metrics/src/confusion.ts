// The confusion matrix: which classes are taken for which.
import { lookUp, ValueError } from '@nabla/engine'
import { checkOptions, classify, oneHot, type LabelOptions } from './labels.ts'
import { Metric, type MetricInput, type PredictionMetric } from './metric.ts'

/** Settings of {@link ConfusionMatrix}. */
export interface ConfusionOptions extends LabelOptions {
  /** What becomes shares that add up to 1: each row, each column, or the whole. Default: nothing, these are counts. */
  normalize?: 'none' | 'actual' | 'predicted' | 'all'
}

/** How often each class (row) was predicted as each class (column). */
export class ConfusionMatrix extends Metric<number[][]> implements PredictionMetric<number[][]> {
  readonly name: string = 'confusionMatrix'
  readonly #options: ConfusionOptions
  #classes: number | null = null

  /** @throws ValueError for options out of range */
  constructor(options: ConfusionOptions = {}) {
    super()
    checkOptions(this.name, options)
    lookUp('normalization', options.normalize ?? 'none', {
      none: true,
      actual: true,
      predicted: true,
      all: true,
    })
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

  /** The matrix by rows: `[actual][predicted]`. Where there is nothing to share, shares are 0. */
  override async compute(): Promise<number[][]> {
    const { counts } = await this.read()
    const classes = this.#classes!
    const rows = Array.from({ length: classes }, (_, row) => [
      ...counts!.subarray(row * classes, (row + 1) * classes),
    ])
    return normalized(rows, this.#options.normalize ?? 'none')
  }

  override reset(): void {
    super.reset()
    this.#classes = null
  }
}

function normalized(rows: number[][], by: 'none' | 'actual' | 'predicted' | 'all'): number[][] {
  if (by === 'none') return rows
  const rowSums = rows.map(sumOf)
  const columnSums = rows.map((_, column) => sumOf(rows.map((row) => row[column]!)))
  const all = sumOf(rowSums)
  return rows.map((row, i) =>
    row.map((count, j) => {
      const whole = { actual: rowSums[i]!, predicted: columnSums[j]!, all }[by]
      return whole === 0 ? 0 : count / whole
    }),
  )
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
