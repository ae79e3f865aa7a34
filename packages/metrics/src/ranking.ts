// Orders beside relevances: nDCG, and the ranking metrics of many labels. Functions on the host over all rows at once.
// Read next: retrieval.ts, for one query with yes-or-no relevances.
import { formatShape, sameShape, ShapeError, ValueError } from '@nabla/engine'
import { byFallingValue, hostValues, meanOf, rowsOf, sumOf, type HostValues } from './host.ts'
import type { MetricInput } from './metric.ts'

/** Settings of {@link ndcg}. */
export interface NdcgOptions {
  /** How many of the best are looked at. Default: all. */
  k?: number
}

/**
 * Discounted cumulative gain divided by that of the best order (Järvelin and Kekäläinen 2002); of equal scores each place
 * is as likely. Gains are the relevances themselves. A row in which nothing is relevant counts as 0.
 * Shape: scores [N, C] or [C], relevances in the same shape. @throws ShapeError, ValueError
 */
export async function ndcg(
  scores: MetricInput,
  relevances: MetricInput,
  { k }: NdcgOptions = {},
): Promise<number> {
  if (k !== undefined && (!Number.isInteger(k) || k < 1)) {
    throw new ValueError(`ndcg: k must be a positive integer; got ${String(k)}`)
  }
  const rows = await rankedRows('ndcg', scores, relevances)
  const shares = rows.map(({ score, relevance }) => {
    const best = gainOf(relevance, relevance, k ?? Infinity)
    return best === 0 ? 0 : gainOf(score, relevance, k ?? Infinity) / best
  })
  return meanOf(shares)
}

/**
 * Mean over relevant labels of the share of relevant ones among those ranked as high or higher (Tsoumakas et al. 2010).
 * Shape: scores [N, C], labels [N, C] of 0 and 1. @throws ShapeError
 */
export async function labelRankingAveragePrecision(
  scores: MetricInput,
  labels: MetricInput,
): Promise<number> {
  const rows = await rankedRows('labelRankingAveragePrecision', scores, labels)
  const precisions = rows.map(({ score, relevance }) => {
    const relevant = positionsWhere(relevance, (value) => value > 0)
    // Where all or none are relevant, any order is right.
    if (relevant.length === 0 || relevant.length === score.length) return 1
    const shares = relevant.map((i) => {
      const asHigh = (j: number): boolean => score[j]! >= score[i]!
      return relevant.filter(asHigh).length / Array.from(score.keys()).filter(asHigh).length
    })
    return meanOf(shares)
  })
  return meanOf(precisions)
}

/**
 * The share of pairs of a relevant and an irrelevant label that are in the wrong order.
 * Shape: scores [N, C], labels [N, C] of 0 and 1. @throws ShapeError
 */
export async function labelRankingLoss(scores: MetricInput, labels: MetricInput): Promise<number> {
  const rows = await rankedRows('labelRankingLoss', scores, labels)
  const losses = rows.map(({ score, relevance }) => {
    const relevant = positionsWhere(relevance, (value) => value > 0)
    const others = positionsWhere(relevance, (value) => value <= 0)
    if (relevant.length === 0 || others.length === 0) return 0
    const wrong = relevant.map((i) => others.filter((j) => score[j]! >= score[i]!).length)
    return sumOf(wrong) / (relevant.length * others.length)
  })
  return meanOf(losses)
}

/**
 * How far down the order one has to go to find all relevant labels, on average.
 * Shape: scores [N, C], labels [N, C] of 0 and 1. @throws ShapeError
 */
export async function coverageError(scores: MetricInput, labels: MetricInput): Promise<number> {
  const rows = await rankedRows('coverageError', scores, labels)
  const depths = rows.map(({ score, relevance }) => {
    const relevant = positionsWhere(relevance, (value) => value > 0)
    if (relevant.length === 0) return 0
    const lowest = Math.min(...relevant.map((i) => score[i]!))
    return positionsWhere(score, (value) => value >= lowest).length
  })
  return meanOf(depths)
}

interface RankedRow {
  readonly score: Float64Array
  readonly relevance: Float64Array
}

async function rankedRows(
  metric: string,
  scores: MetricInput,
  relevances: MetricInput,
): Promise<RankedRow[]> {
  const [a, b] = await Promise.all([hostValues(scores), hostValues(relevances)])
  if (!sameShape(a.shape, b.shape) || a.data.length === 0) {
    throw new ShapeError(
      `${metric}: scores ${formatShape(a.shape)} and relevances ${formatShape(b.shape)} must have one shape [N, C]`,
    )
  }
  const asMatrix = (values: HostValues): HostValues =>
    values.shape.length === 1 ? { data: values.data, shape: [1, values.data.length] } : values
  const relevance = rowsOf(metric, asMatrix(b))
  return rowsOf(metric, asMatrix(a)).map((score, i) => ({ score, relevance: relevance[i]! }))
}

/** Σ relevance / log₂(place + 1) over the first k places; equal scores share their places. */
function gainOf(score: Float64Array, relevance: Float64Array, k: number): number {
  const order = byFallingValue(score)
  let gain = 0
  for (let begin = 0; begin < order.length;) {
    let end = begin + 1
    while (end < order.length && score[order[end]!] === score[order[begin]!]) end += 1
    const places = Array.from({ length: end - begin }, (_, i) => begin + i).filter((place) => place < k)
    const discounts = places.map((place) => 1 / Math.log2(place + 2))
    gain += meanOf(order.slice(begin, end).map((i) => relevance[i]!)) * sumOf(discounts)
    begin = end
  }
  return gain
}

function positionsWhere(values: Float64Array, holds: (value: number) => boolean): number[] {
  return Array.from(values.keys()).filter((i) => holds(values[i]!))
}
