// Precision, recall, F-beta and Jaccard: how far a class that is predicted is right, how far a class that is there is found,
// means of both, and intersection over union. All follow from three counts per class.
import { lookUp, ValueError } from '@nabla/engine'
import { checkOptions, classify, oneHot, type LabelOptions } from './labels.ts'
import { Metric, type MetricInput, type PredictionMetric } from './metric.ts'

/**
 * How classes become one number. `binary`: class 1 alone. `micro`: all answers counted together. `macro`: the mean over
 * classes. `weighted`: the mean weighted by how often each class occurs.
 */
export type Average = 'binary' | 'micro' | 'macro' | 'weighted'

/** Settings of {@link Precision}, {@link Recall} and {@link F1}. */
export interface ClassMetricOptions extends LabelOptions {
  /** Default: `binary` for two classes, else `macro`. */
  average?: Average
}

/** Counts of one class: answers that name it rightly, answers that name it, and how often it is there. */
interface Counts {
  hits: number
  predicted: number
  actual: number
}

abstract class ClassMetric extends Metric implements PredictionMetric {
  readonly #options: ClassMetricOptions
  #classes: number | null = null

  /** @throws ValueError for an unknown average and for options out of range */
  constructor(options: ClassMetricOptions = {}) {
    super()
    checkOptions(new.target.name, options)
    lookUp('average', options.average ?? 'macro', { binary: true, micro: true, macro: true, weighted: true })
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
    const named = oneHot(predicted, classes) // [n, C]
    const there = oneHot(actual, classes) // [n, C]
    this.add('int32', () => ({
      hits: named.logicalAnd(there).sum(0), // [C]
      predicted: named.sum(0),
      actual: there.sum(0),
    }))
  }

  override async compute(): Promise<number> {
    const counts = await this.#counts()
    const average = this.#options.average ?? (counts.length === 2 ? 'binary' : 'macro')
    if (average === 'micro') return this.score(total(counts))
    if (average === 'binary') {
      if (counts.length === 2) return this.score(counts[1]!)
      throw new ValueError(`${this.name}: average 'binary' needs two classes; there are ${counts.length}`)
    }
    // A class that is neither there nor predicted says nothing, and does not count.
    const present = counts.filter(({ predicted, actual }) => predicted + actual > 0)
    const weights = present.map(({ actual }) => (average === 'macro' ? 1 : actual))
    const sum = present.reduce((all, count, i) => all + weights[i]! * this.score(count), 0)
    return ratio(
      sum,
      weights.reduce((all, weight) => all + weight, 0),
    )
  }

  /** The metric of each class by itself. */
  async perClass(): Promise<number[]> {
    return (await this.#counts()).map((count) => this.score(count))
  }

  override reset(): void {
    super.reset()
    this.#classes = null
  }

  protected abstract score(counts: Counts): number

  async #counts(): Promise<Counts[]> {
    const { hits, predicted, actual } = await this.read()
    return Array.from(hits!, (count, i) => ({ hits: count, predicted: predicted![i]!, actual: actual![i]! }))
  }
}

/** Of the answers that name a class, the share that are right; 0 where no answer does. */
export class Precision extends ClassMetric {
  readonly name: string = 'precision'

  protected override score({ hits, predicted }: Counts): number {
    return ratio(hits, predicted)
  }
}

/** Of the examples of a class, the share that are found; 0 where there is none. */
export class Recall extends ClassMetric {
  readonly name: string = 'recall'

  protected override score({ hits, actual }: Counts): number {
    return ratio(hits, actual)
  }
}

/** Harmonic mean of precision and recall; 0 where a class is neither there nor named. */
export class F1 extends ClassMetric {
  readonly name: string = 'f1'

  protected override score({ hits, predicted, actual }: Counts): number {
    return ratio(2 * hits, predicted + actual)
  }
}

/** Settings of {@link FBeta}. */
export interface FBetaOptions extends ClassMetricOptions {
  /** How many times as much recall counts. */
  beta: number
}

/** Weighted harmonic mean of precision and recall (van Rijsbergen 1979): (1 + β²) · P · R / (β² · P + R). */
export class FBeta extends ClassMetric {
  readonly name: string = 'fBeta'
  readonly #square: number

  /** @throws ValueError for a beta that is no positive number, an unknown average, and options out of range */
  constructor({ beta, ...options }: FBetaOptions) {
    super(options)
    if (!(beta > 0 && Number.isFinite(beta))) {
      throw new ValueError(`${this.name}: beta must be a positive number; got ${String(beta)}`)
    }
    this.#square = beta ** 2
  }

  protected override score({ hits, predicted, actual }: Counts): number {
    return ratio((1 + this.#square) * hits, this.#square * actual + predicted)
  }
}

/**
 * Intersection over union of what is predicted as a class and what is there (Jaccard 1901): the IoU of label maps, whose
 * mean over classes is the average `macro`.
 */
export class Jaccard extends ClassMetric {
  readonly name: string = 'jaccard'

  protected override score({ hits, predicted, actual }: Counts): number {
    return ratio(hits, predicted + actual - hits)
  }
}

function total(counts: readonly Counts[]): Counts {
  return counts.reduce(
    (all, { hits, predicted, actual }) => ({
      hits: all.hits + hits,
      predicted: all.predicted + predicted,
      actual: all.actual + actual,
    }),
    { hits: 0, predicted: 0, actual: 0 },
  )
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}
