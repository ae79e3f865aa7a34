// Curves over all thresholds, and the areas below them; calibration. These need all scores at once, so they are functions
// on the host instead of streaming metrics: collect scores and labels of the whole set, and call them once.
// Scores come first and labels second, as everywhere here. Read before: host.ts.
import { ShapeError, ValueError } from '@nabla/engine'
import { byFallingValue, hostPair, hostValues, hostWeights, meanOf, rowsOf, sumOf } from './host.ts'
import type { MetricInput } from './metric.ts'

/** Settings of curves. */
export interface CurveOptions {
  /** How much each answer counts. */
  sampleWeight?: MetricInput
}

/** Rates at each threshold: an answer is yes where its score is at least that. */
export interface RocCurve {
  readonly falsePositiveRate: number[]
  readonly truePositiveRate: number[]
  /** Falling; the first is infinite: nothing is yes. */
  readonly thresholds: number[]
}

/** Precision and recall at each threshold. */
export interface PrecisionRecallCurve {
  readonly precision: number[]
  readonly recall: number[]
  /** Falling. */
  readonly thresholds: number[]
}

/** Weights of right and wrong yeses at each distinct threshold. */
interface Cumulated {
  readonly hits: number[]
  readonly falseAlarms: number[]
  readonly thresholds: number[]
}

/**
 * The receiver operating characteristic. Shape: scores [N], labels [N] of 0 and 1.
 * @throws ShapeError; ValueError when labels are all the same
 */
export async function rocCurve(
  scores: MetricInput,
  labels: MetricInput,
  options: CurveOptions = {},
): Promise<RocCurve> {
  const { values, truth, weights } = await read('rocCurve', scores, labels, options)
  return rocOf('rocCurve', cumulate(values, truth, weights))
}

/**
 * Precision and recall over thresholds.
 * Shape: scores [N], labels [N] of 0 and 1. @throws ShapeError, ValueError
 */
export async function precisionRecallCurve(
  scores: MetricInput,
  labels: MetricInput,
  options: CurveOptions = {},
): Promise<PrecisionRecallCurve> {
  const { values, truth, weights } = await read('precisionRecallCurve', scores, labels, options)
  return precisionRecallOf('precisionRecallCurve', cumulate(values, truth, weights))
}

/** Settings of {@link rocAuc}. */
export interface RocAucOptions extends CurveOptions {
  /** How classes become one number: their mean, or the mean weighted by how often each occurs. Default `macro`. */
  average?: 'macro' | 'weighted'
}

/**
 * The area below the receiver operating characteristic: the probability that a yes has a higher score than a no.
 * Shape: scores [N] beside labels [N] of 0 and 1; or scores [N, C] beside labels [N], each class against the rest.
 * @throws ShapeError; ValueError when a class never occurs, or nothing else does
 */
export async function rocAuc(
  scores: MetricInput,
  labels: MetricInput,
  options: RocAucOptions = {},
): Promise<number> {
  const values = await hostValues(scores)
  if (values.shape.length < 2 || values.shape[1] === 1) {
    const { values: flat, truth, weights } = await read('rocAuc', scores, labels, options)
    return areaOf(rocOf('rocAuc', cumulate(flat, truth, weights)))
  }
  const rows = rowsOf('rocAuc', values)
  const { data: truth } = await hostValues(labels)
  if (truth.length !== rows.length) {
    throw new ShapeError(`rocAuc: there are ${rows.length} rows of scores and ${truth.length} labels`)
  }
  const weights = await hostWeights('rocAuc', truth.length, options.sampleWeight)
  const classes = Array.from({ length: values.shape[1]! }, (_, name) => {
    const isOne = truth.map((label) => (label === name ? 1 : 0))
    const own = Float64Array.from(rows, (row) => row[name]!)
    const area = areaOf(rocOf(`rocAuc, class ${name}`, cumulate(own, isOne, weights)))
    return { area, frequency: sumOf(isOne.map((yes, i) => yes * weights[i]!)) }
  })
  if ((options.average ?? 'macro') === 'macro') return meanOf(classes.map(({ area }) => area))
  const all = sumOf(classes.map(({ frequency }) => frequency))
  return sumOf(classes.map(({ area, frequency }) => area * frequency)) / all
}

/**
 * Average precision: Σ (Rₙ - Rₙ₋₁) · Pₙ over falling thresholds, without interpolation.
 * Shape: scores [N], labels [N] of 0 and 1. @throws ShapeError, ValueError
 */
export async function averagePrecision(
  scores: MetricInput,
  labels: MetricInput,
  options: CurveOptions = {},
): Promise<number> {
  const { precision, recall } = await precisionRecallCurve(scores, labels, options)
  return sumOf(precision.map((value, i) => (recall[i]! - (i === 0 ? 0 : recall[i - 1]!)) * value))
}

/** What was said and what was the case, for each bin of probabilities that is not empty. */
export interface CalibrationCurve {
  /** The share of yes in each bin. */
  readonly actual: number[]
  /** The mean probability in each bin. */
  readonly predicted: number[]
  /** How many answers are in each bin. */
  readonly counts: number[]
}

/**
 * Whether probabilities mean what they say, in `bins` bins of equal width.
 * Shape: probabilities [N], labels [N] of 0 and 1. @throws ShapeError; ValueError for probabilities outside of [0, 1]
 */
export async function calibrationCurve(
  probabilities: MetricInput,
  labels: MetricInput,
  { bins = 5 }: { bins?: number } = {},
): Promise<CalibrationCurve> {
  if (!Number.isInteger(bins) || bins < 1) {
    throw new ValueError(`calibrationCurve: bins must be a positive integer; got ${String(bins)}`)
  }
  const [values, truth] = await hostPair('calibrationCurve', probabilities, labels)
  const sums = Array.from({ length: bins }, () => ({ actual: 0, predicted: 0, count: 0 }))
  for (const [i, value] of values.data.entries()) {
    if (!(value >= 0 && value <= 1)) {
      throw new ValueError(`calibrationCurve: element ${i} is ${value}, which is no probability`)
    }
    // A probability on the border of two bins belongs to the lower one.
    const bin = sums[Math.max(Math.ceil(value * bins) - 1, 0)]!
    bin.actual += truth.data[i]! > 0 ? 1 : 0
    bin.predicted += value
    bin.count += 1
  }
  const filled = sums.filter(({ count }) => count > 0)
  return {
    actual: filled.map(({ actual, count }) => actual / count),
    predicted: filled.map(({ predicted, count }) => predicted / count),
    counts: filled.map(({ count }) => count),
  }
}

/** Expected calibration error: the mean distance of the two in each bin, weighted by its answers (Naeini et al. 2015). */
export async function calibrationError(
  probabilities: MetricInput,
  labels: MetricInput,
  { bins = 15 }: { bins?: number } = {},
): Promise<number> {
  const { actual, predicted, counts } = await calibrationCurve(probabilities, labels, { bins })
  const distances = counts.map((count, i) => count * Math.abs(actual[i]! - predicted[i]!))
  return sumOf(distances) / sumOf(counts)
}

interface Answers {
  readonly values: Float64Array
  readonly truth: Float64Array
  readonly weights: Float64Array
}

async function read(
  metric: string,
  scores: MetricInput,
  labels: MetricInput,
  { sampleWeight }: CurveOptions,
): Promise<Answers> {
  const [values, truth] = await hostPair(metric, scores, labels)
  const weights = await hostWeights(metric, values.data.length, sampleWeight)
  return { values: values.data, truth: truth.data.map((label) => (label > 0 ? 1 : 0)), weights }
}

function cumulate(values: Float64Array, truth: Float64Array, weights: Float64Array): Cumulated {
  const found: Cumulated = { hits: [], falseAlarms: [], thresholds: [] }
  let hits = 0
  let falseAlarms = 0
  const order = byFallingValue(values)
  for (const [position, i] of order.entries()) {
    hits += weights[i]! * truth[i]!
    falseAlarms += weights[i]! * (1 - truth[i]!)
    // Equal scores are one threshold.
    if (position + 1 < order.length && values[order[position + 1]!] === values[i]) continue
    found.hits.push(hits)
    found.falseAlarms.push(falseAlarms)
    found.thresholds.push(values[i]!)
  }
  return found
}

function rocOf(metric: string, { hits, falseAlarms, thresholds }: Cumulated): RocCurve {
  const [positives, negatives] = [hits.at(-1)!, falseAlarms.at(-1)!]
  if (positives === 0 || negatives === 0) {
    throw new ValueError(`${metric}: labels are all the same; there must be some of both`)
  }
  return {
    falsePositiveRate: [0, ...falseAlarms.map((amount) => amount / negatives)],
    truePositiveRate: [0, ...hits.map((amount) => amount / positives)],
    thresholds: [Infinity, ...thresholds],
  }
}

function precisionRecallOf(
  metric: string,
  { hits, falseAlarms, thresholds }: Cumulated,
): PrecisionRecallCurve {
  const positives = hits.at(-1)!
  if (positives === 0) throw new ValueError(`${metric}: there is no label 1, so nothing can be found`)
  return {
    precision: hits.map((amount, i) => amount / (amount + falseAlarms[i]!)),
    recall: hits.map((amount) => amount / positives),
    thresholds: [...thresholds],
  }
}

/** By trapezoids. */
function areaOf({ falsePositiveRate: x, truePositiveRate: y }: RocCurve): number {
  return sumOf(x.slice(1).map((right, i) => ((right - x[i]!) * (y[i + 1]! + y[i]!)) / 2))
}
