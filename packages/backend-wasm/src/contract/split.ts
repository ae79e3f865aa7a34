// How a contraction is cut into parts that different threads may do: over batches, and along the longer of M and N. The sum
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

/** Parts at most. Each packs operands anew that a whole product would have packed once. */
const mostParts = 8

/** A part should take at least this many nanoseconds. */
const shortestPart = 2_000

/** Rows or columns of a part from which on packing the other operand again costs a few per cent at most. */
const worthwhileLength = 128

/** Rows and columns that packing moves fastest. */
const packedTogether = 32

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
  const whole = wholeOf(plan)
  if (most < 2) return [whole]
  const parts: ContractPart[] = []
  const batches = cut(plan.batch, Math.min(plan.batch, most), 1)
  const alongN = plan.n >= plan.m
  const ranges = cutAxis(alongN ? plan.n : plan.m, Math.floor(most / batches.length))
  for (const [batchFrom, batchTo] of batches) {
    for (const [from, to] of ranges) {
      const range = alongN ? { nFrom: from, nTo: to } : { mFrom: from, mTo: to }
      parts.push({ ...whole, batchFrom, batchTo, ...range })
    }
  }
  return parts
}

/** Cuts rows or columns in two, four or eight, so that few threads get equal shares, between whole panels. */
function cutAxis(length: number, most: number): readonly Range[] {
  if (most < 2) return [[0, length]]
  const wanted = Math.min(most, Math.max(2, Math.floor(length / worthwhileLength)))
  const unit = length >= 2 * worthwhileLength ? packedTogether : tileColumns
  return cut(length, 2 ** Math.floor(Math.log2(wanted)), unit)
}

type Range = readonly [from: number, to: number]

/** At most `parts` ranges of equal length, a multiple of `unit`, but for the last one. */
function cut(length: number, parts: number, unit: number): readonly Range[] {
  const step = Math.ceil(length / parts / unit) * unit
  const ranges: Range[] = []
  for (let from = 0; from < length; from += step) ranges.push([from, Math.min(length, from + step)])
  return ranges
}
