// What is found for one query: documents by falling score beside whether each is relevant. Functions on the host; the mean
// over queries is the metric of a set of queries (MAP, MRR, ...). nDCG: ranking.ts.
import { ValueError } from '@nabla/engine'
import { byFallingValue, hostPair, meanOf, sumOf } from './host.ts'
import type { MetricInput } from './metric.ts'

/** How many of the best documents are looked at. */
export interface CutOff {
  /** Default: all. */
  k?: number
}

/** Settings of {@link retrievalAveragePrecision}. */
export interface AveragePrecisionOptions extends CutOff {
  /** Documents with this score or less are not found. Default: all are found. (torchmetrics has 0 here.) */
  above?: number
}

/**
 * Mean over the relevant documents found of the precision down to each.
 * Shape: scores [N], relevances [N]. @throws ShapeError, ValueError
 */
export async function retrievalAveragePrecision(
  scores: MetricInput,
  relevances: MetricInput,
  { k, above }: AveragePrecisionOptions = {},
): Promise<number> {
  const { best } = await ordered('retrievalAveragePrecision', scores, relevances, k, above)
  const precisions: number[] = []
  for (const [place, relevant] of best.entries()) {
    if (relevant === 1) precisions.push((precisions.length + 1) / (place + 1))
  }
  return precisions.length === 0 ? 0 : meanOf(precisions)
}

/**
 * 1 / the place of the first relevant document; 0 without one.
 * Shape: scores [N], relevances [N]. @throws ShapeError, ValueError
 */
export async function retrievalReciprocalRank(
  scores: MetricInput,
  relevances: MetricInput,
  { k }: CutOff = {},
): Promise<number> {
  const { best } = await ordered('retrievalReciprocalRank', scores, relevances, k)
  const place = best.indexOf(1)
  return place < 0 ? 0 : 1 / (place + 1)
}

/**
 * Precision among the first R documents, where R are relevant.
 * Shape: scores [N], relevances [N]. @throws ShapeError, ValueError
 */
export async function retrievalRPrecision(scores: MetricInput, relevances: MetricInput): Promise<number> {
  const { best, relevant } = await ordered('retrievalRPrecision', scores, relevances, undefined)
  return relevant === 0 ? 0 : sumOf(best.slice(0, relevant)) / relevant
}

/**
 * Of the first k documents, the share that is relevant.
 * Shape: scores [N], relevances [N]. @throws ShapeError, ValueError
 */
export async function retrievalPrecision(
  scores: MetricInput,
  relevances: MetricInput,
  { k }: CutOff = {},
): Promise<number> {
  const { best, all } = await ordered('retrievalPrecision', scores, relevances, k)
  return sumOf(best) / (k ?? all)
}

/**
 * Of the relevant documents, the share that is among the first k.
 * Shape: scores [N], relevances [N]. @throws ShapeError, ValueError
 */
export async function retrievalRecall(
  scores: MetricInput,
  relevances: MetricInput,
  { k }: CutOff = {},
): Promise<number> {
  const { best, relevant } = await ordered('retrievalRecall', scores, relevances, k)
  return relevant === 0 ? 0 : sumOf(best) / relevant
}

/**
 * 1 where a relevant document is among the first k, else 0.
 * Shape: scores [N], relevances [N]. @throws ShapeError, ValueError
 */
export async function retrievalHitRate(
  scores: MetricInput,
  relevances: MetricInput,
  { k }: CutOff = {},
): Promise<number> {
  const { best } = await ordered('retrievalHitRate', scores, relevances, k)
  return best.includes(1) ? 1 : 0
}

/**
 * Of the irrelevant documents, the share that is among the first k.
 * Shape: scores [N], relevances [N]. @throws ShapeError, ValueError
 */
export async function retrievalFallOut(
  scores: MetricInput,
  relevances: MetricInput,
  { k }: CutOff = {},
): Promise<number> {
  const { best, relevant, all } = await ordered('retrievalFallOut', scores, relevances, k)
  return relevant === all ? 0 : (best.length - sumOf(best)) / (all - relevant)
}

interface Found {
  /** 1 where relevant, by falling score, of the first k. */
  readonly best: number[]
  /** How many are relevant at all. */
  readonly relevant: number
  readonly all: number
}

async function ordered(
  metric: string,
  scores: MetricInput,
  relevances: MetricInput,
  k: number | undefined,
  above: number = -Infinity,
): Promise<Found> {
  if (k !== undefined && (!Number.isInteger(k) || k < 1)) {
    throw new ValueError(`${metric}: k must be a positive integer; got ${String(k)}`)
  }
  const [score, relevance] = await hostPair(metric, scores, relevances)
  const yes = byFallingValue(score.data).map((i) =>
    relevance.data[i]! > 0 && score.data[i]! > above ? 1 : 0,
  )
  return { best: yes.slice(0, k ?? yes.length), relevant: sumOf(yes), all: yes.length }
}
