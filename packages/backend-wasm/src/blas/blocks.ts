// How much of a contraction one call of the library does, and how the whole is cut into parts for threads: as much as
// possible where all operands lie as matrices, and as much as slabs should hold (the caches decide) where they do not.
// Neither depends on how many threads there are. Read before: plan.ts, forms.ts.
import type { ContractExtents } from '../contract/plan.ts'
import type { ContractPart } from '../contract/split.ts'
import type { Extent } from '../contract/tables.ts'
import { groupsOf, sidesOf, type Groups, type OperandForm, type OperandName } from './forms.ts'

/** What one call does at most, and what its slabs take. */
export interface Blocks extends Groups {
  /** Of each slab: elements from one of its rows to the next, and how many elements there are in all; else 0. */
  readonly slabs: Readonly<Record<OperandName, Slab>>
  /** As in the forms, but no longer than a block. */
  readonly runs: Readonly<Record<OperandName, number>>
}

/** Room for a block of an operand. */
export interface Slab {
  readonly stride: number
  readonly elements: number
}

/** What {@link blocksOf} works with. */
export interface BlockQuestion {
  readonly batch: number
  readonly sizes: Groups
  readonly extents: ContractExtents
  readonly forms: Readonly<Record<OperandName, OperandForm>>
  /** For each group how long a call may be at most. */
  readonly granularity: Groups
  readonly elementBytes: number
}

/** Bytes of a slab at most. Those of B are read again for every few rows of A, so they should stay in a second-level cache. */
const slabBytes = { a: 2 ** 20, b: 640 * 1024, c: 2 ** 20 } as const
/** Columns of a block where B is a slab: enough to use what the library packs of A, few enough for long sums. */
const slabColumns = 512
/** What parts begin at multiples of: whole vectors of the library where there are many of them, else whole tiles. */
const partUnit = (size: number): number => (size >= 256 ? 16 : 4)
/** Rows or columns of a part. */
const shortestPart = 16
/** Slabs hold rows of whole cache lines and one more, or rows at equal places of pages would compete for cache lines. */
const lineElements = 16

/** Blocks and parts; null if runs of a slab fit no reasonable block. */
export function blocksOf(question: BlockQuestion): { blocks: Blocks; parts: readonly ContractPart[] } | null {
  const { sizes, forms, granularity, elementBytes } = question
  const limit = (name: OperandName): number => Math.floor(slabBytes[name] / elementBytes)
  const units = unitsOf(question)
  if (units === null) return null

  // Columns first: they decide how long sums can be, and how many rows a slab of C has room for.
  let n = granularity.n
  if (n === sizes.n && forms.b.isSlab) n = Math.min(n, slabColumns)
  if (forms.c.isSlab) n = Math.min(n, Math.floor(limit('c') / sizes.m))
  n = wholeRuns(n, sizes.n, granularity.n, units.n)
  let k = granularity.k
  if (forms.b.isSlab) k = Math.min(k, Math.floor(limit('b') / n))
  k = wholeRuns(equalParts(k, granularity.k), sizes.k, granularity.k, units.k)
  let m = granularity.m
  if (forms.a.isSlab) m = Math.min(m, Math.floor(limit('a') / k))
  m = wholeRuns(m, sizes.m, granularity.m, units.m)
  const blocks: Groups = { m, n, k }
  const tooMuch = (['a', 'b', 'c'] as const).some((name) => {
    const { rows, columns } = groupsOf[name]
    const height = name === 'c' ? sizes.m : blocks[rows]
    return forms[name].isSlab && height * blocks[columns] > 4 * limit(name)
  })
  if (tooMuch) return null
  return {
    blocks: { ...blocks, slabs: slabsOf(question, blocks), runs: runsOf(question, blocks) },
    parts: partsOf(question, units),
  }
}

/** Equal parts of a length, of at most so much each. */
function equalParts(most: number, length: number): number {
  return most >= length ? length : Math.ceil(length / Math.ceil(length / Math.max(1, most)))
}

/** A block of about this length that begins and ends where runs do. */
function wholeRuns(wanted: number, size: number, granularity: number, unit: number): number {
  if (wanted >= granularity) return granularity
  const rounded = Math.max(unit, Math.floor(wanted / unit) * unit)
  // Pieces of operands that lie apart are not cut unevenly.
  if (granularity < size) return largestDivisor(granularity, rounded, unit)
  return Math.min(rounded, size)
}

/** The largest divisor of `length` that is a multiple of `unit` and at most `most`; `length` itself if there is none. */
function largestDivisor(length: number, most: number, unit: number): number {
  for (let divisor = most; divisor >= unit; divisor -= unit) if (length % divisor === 0) return divisor
  return length
}

/** What blocks and parts begin at multiples of, by group: the common multiple of the runs of slabs that have several. */
function unitsOf({ extents, forms, granularity }: BlockQuestion): Groups | null {
  const units = { m: 1, n: 1, k: 1 }
  for (const name of ['a', 'b', 'c'] as const) {
    const { isSlab, isTransposed, run } = forms[name]
    if (!isSlab) continue
    const group = groupsOf[name][isTransposed ? 'rows' : 'columns']
    if (fastSide(extents, name, isTransposed).sizes.length < 2) continue
    units[group] = leastCommonMultiple(units[group], run)
  }
  const isPossible = (['m', 'n', 'k'] as const).every((group) => granularity[group] % units[group] === 0)
  return isPossible ? units : null
}

function fastSide(extents: ContractExtents, name: OperandName, isTransposed: boolean): Extent {
  const { rows, columns } = sidesOf(extents, name)
  return isTransposed ? rows : columns
}

function leastCommonMultiple(x: number, y: number): number {
  let [a, b] = [x, y]
  while (b > 0) [a, b] = [b, a % b]
  return (x / a) * y
}

function slabsOf({ sizes, forms }: BlockQuestion, blocks: Groups): Record<OperandName, Slab> {
  const slabs = {} as Record<OperandName, Slab>
  for (const name of ['a', 'b', 'c'] as const) {
    const { isSlab, isTransposed } = forms[name]
    const { rows, columns } = groupsOf[name]
    const height = name === 'c' ? sizes.m : blocks[isTransposed ? columns : rows]
    const width = blocks[isTransposed ? rows : columns]
    const stride = Math.ceil(width / lineElements) * lineElements + lineElements
    slabs[name] = isSlab ? { stride, elements: stride * height } : { stride: 0, elements: 0 }
  }
  return slabs
}

function runsOf({ extents, forms }: BlockQuestion, blocks: Groups): Record<OperandName, number> {
  const runs = {} as Record<OperandName, number>
  for (const name of ['a', 'b', 'c'] as const) {
    const { isSlab, isTransposed, run } = forms[name]
    const group = groupsOf[name][isTransposed ? 'rows' : 'columns']
    const isOneRun = fastSide(extents, name, isTransposed).sizes.length < 2
    runs[name] = isSlab ? (isOneRun ? blocks[group] : run) : 0
  }
  return runs
}

/** How many parts a product is worth: each packs operands anew, which the shorter the part the more it costs. */
function worthwhileParts(multiplications: number): number {
  if (multiplications < 2 ** 19) return 1
  if (multiplications < 2 ** 22) return 2
  return multiplications < 2 ** 26 ? 4 : 8
}

/** The parts: over batches, and over rows or columns. */
function partsOf(question: BlockQuestion, units: Groups): readonly ContractPart[] {
  const { batch, sizes, forms, granularity } = question
  const { m, n, k } = sizes
  const whole: ContractPart = { batchFrom: 0, batchTo: batch, mFrom: 0, mTo: m, nFrom: 0, nTo: n }
  const most = worthwhileParts(batch * m * n * k)
  const batches = cut(batch, Math.min(batch, most), 1)
  const each = Math.floor(most / batches.length)
  const rangesOf = (group: 'm' | 'n'): readonly Range[] => {
    const size = sizes[group]
    const unit =
      granularity[group] < size ? granularity[group] : leastCommonMultiple(units[group], partUnit(size))
    return cut(size, Math.max(1, Math.min(each, Math.floor(size / shortestPart))), unit)
  }
  const rows = rangesOf('m')
  const columns = rangesOf('n')
  // A slab is best copied by one part alone: that of B when columns are cut, that of A when rows are.
  const isEqual = forms.a.isSlab === forms.b.isSlab
  const wantsColumns = isEqual ? n >= m : forms.b.isSlab
  const canColumns = 2 * columns.length > Math.min(each, 4)
  const canRows = 2 * rows.length > Math.min(each, 4)
  const byColumns = wantsColumns ? canColumns || !canRows : !canRows && canColumns
  const parts: ContractPart[] = []
  for (const [batchFrom, batchTo] of batches) {
    for (const [from, to] of byColumns ? columns : rows) {
      const range = byColumns ? { nFrom: from, nTo: to } : { mFrom: from, mTo: to }
      parts.push({ ...whole, batchFrom, batchTo, ...range })
    }
  }
  return parts
}

type Range = readonly [from: number, to: number]

/** At most `parts` ranges of equal length, a multiple of `unit`, but for the last one. */
function cut(length: number, parts: number, unit: number): readonly Range[] {
  const step = Math.ceil(length / parts / unit) * unit
  const ranges: Range[] = []
  for (let from = 0; from < length; from += step) ranges.push([from, Math.min(length, from + step)])
  return ranges
}
