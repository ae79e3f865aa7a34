// Single numbers from the confusion matrix: balanced accuracy, Matthews' correlation, Cohen's kappa.
// Read before: confusion.ts.
import { ConfusionMatrix } from './confusion.ts'
import type { LabelOptions } from './labels.ts'
import { Metric, type MetricInput, type PredictionMetric } from './metric.ts'

abstract class ConfusionScore extends Metric implements PredictionMetric {
  readonly #matrix: ConfusionMatrix

  /** @throws ValueError for options out of range */
  constructor(options: LabelOptions = {}) {
    super()
    this.#matrix = new ConfusionMatrix(options)
  }

  /** Takes what {@link ConfusionMatrix} takes. @throws ShapeError, ValueError */
  override update(predictions: MetricInput, targets: MetricInput): void {
    this.#matrix.update(predictions, targets)
  }

  override async compute(): Promise<number> {
    return this.score(await this.#matrix.compute())
  }

  override reset(): void {
    this.#matrix.reset()
  }

  /** From the matrix `[actual][predicted]` to the score. */
  protected abstract score(matrix: number[][]): number
}

/** The mean over classes of the share that is found; classes that are not there do not count (Brodersen et al. 2010). */
export class BalancedAccuracy extends ConfusionScore {
  readonly name: string = 'balancedAccuracy'

  protected override score(matrix: number[][]): number {
    const shares = matrix
      .map((row, i) => ({ hits: row[i]!, all: sumOf(row) }))
      .filter(({ all }) => all > 0)
      .map(({ hits, all }) => hits / all)
    return sumOf(shares) / shares.length
  }
}

/** Correlation of predicted and actual classes, -1 to 1 (Matthews 1975; for many classes Gorodkin 2004). */
export class MatthewsCorrelation extends ConfusionScore {
  readonly name: string = 'matthewsCorrelation'

  protected override score(matrix: number[][]): number {
    const { actual, predicted, hits, all } = marginsOf(matrix)
    const covariance = hits * all - dot(actual, predicted)
    const ofActual = all ** 2 - dot(actual, actual)
    const ofPredicted = all ** 2 - dot(predicted, predicted)
    return ofActual * ofPredicted === 0 ? 0 : covariance / Math.sqrt(ofActual * ofPredicted)
  }
}

/** Agreement beyond what chance gives, (p₀ - pₑ) / (1 - pₑ) (Cohen 1960). */
export class CohenKappa extends ConfusionScore {
  readonly name: string = 'cohenKappa'

  protected override score(matrix: number[][]): number {
    const { actual, predicted, hits, all } = marginsOf(matrix)
    const byChance = dot(actual, predicted) / all ** 2
    return (hits / all - byChance) / (1 - byChance)
  }
}

interface Margins {
  readonly actual: number[]
  readonly predicted: number[]
  readonly hits: number
  readonly all: number
}

function marginsOf(matrix: number[][]): Margins {
  const actual = matrix.map(sumOf)
  const predicted = matrix.map((_, column) => sumOf(matrix.map((row) => row[column]!)))
  return { actual, predicted, hits: sumOf(matrix.map((row, i) => row[i]!)), all: sumOf(actual) }
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0)
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
