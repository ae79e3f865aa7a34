// How a contraction is cut into parts that different threads may do: over batches, and into a grid over M and N. The sum
// over k is never cut, so each element of C is computed in one part by the very operations that would compute it whole:
// the cut cannot change a bit. It depends on sizes alone all the same. Read next: parts.ts for the code of a part.
import { tileColumns, type ContractPlan } from './plan.ts'

/** A range of a contraction, in the words of its parameter block. */
export interface ContractPart {
  readonly batchFrom: number
  readonly batchTo: number
  readonly mFrom: number
  readonly mTo: number
  readonly nFrom: number
  readonly nTo: number
}

/** Parts at most: each packs operands anew that a whole product would have packed once. */
const mostParts = 16

/** A part should take at least this many nanoseconds. */
const shortestPart = 2_000

/** Rows and columns that a part should have: packing both its operands takes a few per cent of its time then. */
const shortestSide = 128

/** Rough time of a contraction on one thread. */
export function nanosecondsOf(plan: ContractPlan): number {
  const { batch, m, n, k, path } = plan
  // Few rows are limited by reading memory; tiles of other types than float32 are half as wide or copied more often.
  const perMultiplication = {
    dot: 0.2,
    row: 0.2,
    direct: 0.04,
    packed: 0.04,
    strip: 0.08,
    nothing: 0,
    zeros: 0,
  }[path]
  return batch * m * n * k * perMultiplication
}

/** The whole of a contraction as one part. */
export function wholeOf(plan: ContractPlan): ContractPart {
  return { batchFrom: 0, batchTo: plan.batch, mFrom: 0, mTo: plan.m, nFrom: 0, nTo: plan.n }
}

/** The parts of a contraction; one if it is too small to cut. */
export function partsOf(plan: ContractPlan): readonly ContractPart[] {
  const most = Math.min(mostParts, Math.floor(nanosecondsOf(plan) / shortestPart))
  if (most < 2) return [wholeOf(plan)]
  const parts: ContractPart[] = []
  const batches = cut(plan.batch, Math.min(plan.batch, most), 1)
  const [rowRanges, columnRanges] = grid(plan.m, plan.n, Math.floor(most / batches.length))
  for (const [batchFrom, batchTo] of batches) {
    for (const [mFrom, mTo] of rowRanges) {
      for (const [nFrom, nTo] of columnRanges) {
        parts.push({ batchFrom, batchTo, mFrom, mTo, nFrom, nTo })
      }
    }
  }
  return parts
}

/**
 * Cuts rows and columns into a grid of a power of two of parts, so that few threads get equal shares: of the grids with as
 * many parts as there can be, the one that packs least. A product with no long side is still cut in two.
 */
function grid(m: number, n: number, most: number): readonly [readonly Range[], readonly Range[]] {
  for (let parts = 2 ** Math.floor(Math.log2(Math.max(1, most))); parts > 1; parts /= 2) {
    let best: { readonly rows: number; readonly columns: number } | null = null
    const packed = (rows: number, columns: number): number => m * columns + n * rows
    for (let rows = 1; rows <= parts; rows *= 2) {
      const columns = parts / rows
      const fits = parts === 2 || (isLong(m, rows) && isLong(n, columns))
      if (!fits || (best !== null && packed(rows, columns) >= packed(best.rows, best.columns))) continue
      best = { rows, columns }
    }
    if (best !== null) return [cut(m, best.rows, tileColumns), cut(n, best.columns, tileColumns)]
  }
  return [[[0, m]], [[0, n]]]
}

/** Whether a side is long enough to be cut in so many. */
function isLong(length: number, parts: number): boolean {
  return parts === 1 || length >= parts * shortestSide
}

type Range = readonly [from: number, to: number]

/** At most `parts` ranges of equal length, a multiple of `unit`, but for the last one. */
function cut(length: number, parts: number, unit: number): readonly Range[] {
  const step = Math.ceil(length / parts / unit) * unit
  const ranges: Range[] = []
  for (let from = 0; from < length; from += step) ranges.push([from, Math.min(length, from + step)])
  return ranges
}
