// Comparing two ways of dividing the same things into groups; how groups are called does not matter. Functions on the host
// over all labels at once. Read next: clusterShape.ts, for groups without known truth.
import { hostPair, sumOf } from './host.ts'
import type { MetricInput } from './metric.ts'

/** Counts of the things that are in a group of the one and a group of the other division. */
interface Contingency {
  readonly counts: number[]
  readonly first: number[]
  readonly second: number[]
  readonly all: number
  /** Of each count, the positions of its groups. */
  readonly cells: readonly (readonly [number, number])[]
}

/** Pairs of things, by whether both divisions put them together. */
interface Pairs {
  readonly both: number
  readonly first: number
  readonly second: number
  readonly all: number
}

/** Mutual information of two divisions, in nats. Shape: labels [N] and [N]. @throws ShapeError, ValueError */
export async function mutualInformation(predicted: MetricInput, actual: MetricInput): Promise<number> {
  return informationOf(await contingency('mutualInformation', predicted, actual))
}

/**
 * Mutual information divided by the mean of both entropies, 0 to 1.
 * Shape: labels [N] and [N]. @throws ShapeError, ValueError
 */
export async function normalizedMutualInformation(
  predicted: MetricInput,
  actual: MetricInput,
): Promise<number> {
  const table = await contingency('normalizedMutualInformation', predicted, actual)
  const mean = (entropyOf(table.first) + entropyOf(table.second)) / 2
  return mean === 0 ? 1 : informationOf(table) / mean
}

/** How far groups hold things of one class only (Rosenberg and Hirschberg 2007). @throws ShapeError, ValueError */
export async function homogeneity(predicted: MetricInput, actual: MetricInput): Promise<number> {
  const table = await contingency('homogeneity', predicted, actual)
  const entropy = entropyOf(table.second)
  return entropy === 0 ? 1 : informationOf(table) / entropy
}

/** How far classes lie in one group each (Rosenberg and Hirschberg 2007). @throws ShapeError, ValueError */
export function completeness(predicted: MetricInput, actual: MetricInput): Promise<number> {
  return homogeneity(actual, predicted)
}

/** Weighted harmonic mean of homogeneity and completeness; `beta` says how much completeness counts. Default 1. */
export async function vMeasure(
  predicted: MetricInput,
  actual: MetricInput,
  { beta = 1 }: { beta?: number } = {},
): Promise<number> {
  const [h, c] = await Promise.all([homogeneity(predicted, actual), completeness(predicted, actual)])
  return h + c === 0 ? 0 : ((1 + beta) * h * c) / (beta * h + c)
}

/** The share of pairs that both divisions treat alike (Rand 1971). @throws ShapeError, ValueError */
export async function randIndex(predicted: MetricInput, actual: MetricInput): Promise<number> {
  const { both, first, second, all } = pairsOf(await contingency('randIndex', predicted, actual))
  return all === 0 ? 1 : (all + 2 * both - first - second) / all
}

/** The Rand index beyond what chance gives (Hubert and Arabie 1985). @throws ShapeError, ValueError */
export async function adjustedRandIndex(predicted: MetricInput, actual: MetricInput): Promise<number> {
  const { both, first, second, all } = pairsOf(await contingency('adjustedRandIndex', predicted, actual))
  const expected = all === 0 ? 0 : (first * second) / all
  const most = (first + second) / 2
  return most === expected ? 1 : (both - expected) / (most - expected)
}

/** Geometric mean of precision and recall over pairs (Fowlkes and Mallows 1983). @throws ShapeError, ValueError */
export async function fowlkesMallows(predicted: MetricInput, actual: MetricInput): Promise<number> {
  const { both, first, second } = pairsOf(await contingency('fowlkesMallows', predicted, actual))
  return both === 0 ? 0 : both / Math.sqrt(first * second)
}

async function contingency(metric: string, first: MetricInput, second: MetricInput): Promise<Contingency> {
  const [a, b] = await hostPair(metric, first, second)
  const rows = positionsOf(a.data)
  const columns = positionsOf(b.data)
  const counts = new Map<number, number>()
  for (const [i, label] of a.data.entries()) {
    const cell = rows.get(label)! * columns.size + columns.get(b.data[i]!)!
    counts.set(cell, (counts.get(cell) ?? 0) + 1)
  }
  const table = {
    counts: [...counts.values()],
    cells: [...counts.keys()].map((cell) => [Math.floor(cell / columns.size), cell % columns.size] as const),
    first: Array.from({ length: rows.size }, () => 0),
    second: Array.from({ length: columns.size }, () => 0),
    all: a.data.length,
  }
  for (const [i, [row, column]] of table.cells.entries()) {
    table.first[row]! += table.counts[i]!
    table.second[column]! += table.counts[i]!
  }
  return table
}

function positionsOf(labels: Float64Array): Map<number, number> {
  return new Map([...new Set(labels)].map((label, i) => [label, i]))
}

function informationOf({ counts, cells, first, second, all }: Contingency): number {
  const parts = counts.map((count, i) => {
    const [row, column] = cells[i]!
    return (count / all) * Math.log((count * all) / (first[row]! * second[column]!))
  })
  return Math.max(sumOf(parts), 0)
}

function entropyOf(counts: readonly number[]): number {
  const all = sumOf(counts)
  return -sumOf(counts.map((count) => (count / all) * Math.log(count / all)))
}

function pairsOf({ counts, first, second, all }: Contingency): Pairs {
  const pairs = (list: readonly number[]): number => sumOf(list.map((count) => (count * (count - 1)) / 2))
  return { both: pairs(counts), first: pairs(first), second: pairs(second), all: pairs([all]) }
}
