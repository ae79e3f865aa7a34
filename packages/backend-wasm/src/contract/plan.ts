// Decides how a contraction is done, from its sizes and layouts alone: never from timing, the number of threads or the
// machine, so that equal specifications give equal bits everywhere. Paths: `dot` for a few rows against columns that are
// contiguous along k, `row` for a few rows against contiguous rows of B, `direct` for small products whose B needs no
// packing, `strip` for a few columns (and for types without other paths), and `packed` for all else. Read next:
// contract.ts, which runs a plan.
import type { ContractSpec, DType } from '@nabla/engine'
import { bytesOf } from '@nabla/engine'
import { extentOf, hasRunsOfFour, isContiguous, type Extent } from './tables.ts'

/** How a contraction is done. `nothing`: no element to compute. `zeros`: every sum is empty. */
export type ContractPath = 'nothing' | 'zeros' | 'dot' | 'row' | 'direct' | 'packed' | 'strip'

/** Where the two factors and the result lie along each group of axes. */
export interface ContractExtents {
  readonly aBatch: Extent
  readonly aM: Extent
  readonly aK: Extent
  readonly bBatch: Extent
  readonly bK: Extent
  readonly bN: Extent
  readonly cBatch: Extent
  readonly cM: Extent
  readonly cN: Extent
}

/** Everything about a contraction that follows from its specification. */
export interface ContractPlan {
  readonly path: ContractPath
  /** Whether the transposed product is computed: rows of C are then its columns, and A and B change places. */
  readonly swapped: boolean
  readonly batch: number
  readonly m: number
  readonly n: number
  readonly k: number
  /** Length of the parts a sum is taken in. It fixes the order of additions and so the bits of the result. */
  readonly kBlock: number
  /** After the swap, if any. */
  readonly extents: ContractExtents
  /** Bytes to add to the places of A, B and C (after the swap). */
  readonly offsets: { readonly a: number; readonly b: number; readonly c: number }
}

/** Rows and columns of a tile of float32, and how many rows and columns are packed at a time. */
export const tileRows = 4
export const tileColumns = 8
export const rowBlock = 120
export const columnBlock = 512

/** The longest part of a sum: that much of eight packed columns (12 KB) leaves room in the first-level cache. */
export const longestKBlock = 384

/** A product with at most this many multiplications is over before packing would have paid. */
const smallProduct = 64 ** 3
/** From this many rows on, packing B is paid for by using it often. */
const fewRows = 8
/** Up to this many rows, tiles of four would waste their lanes. */
const veryFewRows = 3
/** A tile stored element by element costs about as much as this many steps of its k-loop. */
const scatteredStoreCost = 12
/** A swap that saves less is not worth a change of access order. */
const worthwhileSwap = 0.97

/** Where the operands and the result of a contraction lie. */
export function extentsOf(spec: ContractSpec): ContractExtents {
  return {
    aBatch: extentOf(spec.batch, spec.a.batch),
    aM: extentOf(spec.m, spec.a.m),
    aK: extentOf(spec.k, spec.a.k),
    bBatch: extentOf(spec.batch, spec.b.batch),
    bK: extentOf(spec.k, spec.b.k),
    bN: extentOf(spec.n, spec.b.n),
    cBatch: extentOf(spec.batch, spec.c.batch),
    cM: extentOf(spec.m, spec.c.m),
    cN: extentOf(spec.n, spec.c.n),
  }
}

/** Those of the transposed product: C[n, m] = sum over k of B[n, k] * A[k, m]. */
export function swapExtents({
  aBatch,
  aM,
  aK,
  bBatch,
  bK,
  bN,
  cBatch,
  cM,
  cN,
}: ContractExtents): ContractExtents {
  return { aBatch: bBatch, aM: bN, aK: bK, bBatch: aBatch, bK: aK, bN: aM, cBatch, cM: cN, cN: cM }
}

/** Plans a contraction. */
export function planContract(spec: ContractSpec): ContractPlan {
  const extents = extentsOf(spec)
  const bytes = bytesOf(spec.dtype)
  const straight: ContractPlan = {
    path: 'nothing',
    swapped: false,
    batch: extents.cBatch.length,
    m: extents.aM.length,
    n: extents.bN.length,
    k: extents.aK.length,
    kBlock: kBlockOf(extents.aK.length),
    extents,
    offsets: { a: spec.a.offset * bytes, b: spec.b.offset * bytes, c: spec.c.offset * bytes },
  }
  if (straight.batch * straight.m * straight.n === 0) return straight
  if (straight.k === 0) return { ...straight, path: 'zeros' }
  return spec.dtype === 'float32'
    ? planFloat32(straight)
    : { ...cheaper(straight, spec.dtype), path: 'strip' }
}

/** The part length: all of a short sum, otherwise equal parts, rounded up to four. */
export function kBlockOf(k: number): number {
  if (k <= longestKBlock) return k
  const parts = Math.ceil(k / longestKBlock)
  return Math.ceil(k / parts / 4) * 4
}

function planFloat32(straight: ContractPlan): ContractPlan {
  const swapped = swap(straight)
  for (const plan of [straight, swapped]) {
    const alongK = isContiguous(plan.extents.aK) && isContiguous(plan.extents.bK)
    if (plan.m <= veryFewRows && plan.k >= 16 && alongK) return { ...plan, path: 'dot' }
  }
  for (const plan of [straight, swapped]) {
    if (plan.m <= veryFewRows && isContiguous(plan.extents.bN)) return { ...plan, path: 'row' }
  }
  const plan = cheaper(straight, 'float32')
  const small = plan.m * plan.n * plan.k <= smallProduct && plan.n % tileColumns === 0
  const direct = isContiguous(plan.extents.bN) && (small || plan.m <= fewRows)
  if (direct) return { ...plan, path: 'direct' }
  // Where all columns fit a tile, each element of A is used once: to pack it would be to read it twice.
  const narrow = [plan, swap(plan)].find(({ m, n }) => m > fewRows && n > tileRows && n <= tileColumns)
  return narrow === undefined ? { ...plan, path: 'packed' } : { ...narrow, path: 'strip' }
}

/** The product or its transposed form, whichever fills whole tiles better. Both give the same bits. */
function cheaper(straight: ContractPlan, dtype: DType): ContractPlan {
  const columns = dtype === 'float64' ? tileColumns / 2 : tileColumns
  const cost = (plan: ContractPlan): number => {
    const area = Math.ceil(plan.m / tileRows) * tileRows * Math.ceil(plan.n / columns) * columns
    return hasRunsOfFour(plan.extents.cN) ? area : area * (1 + scatteredStoreCost / plan.k)
  }
  const swapped = swap(straight)
  return cost(swapped) < worthwhileSwap * cost(straight) ? swapped : straight
}

/** The transposed product: C[n, m] = sum over k of B[n, k] * A[k, m]. */
function swap(plan: ContractPlan): ContractPlan {
  return {
    ...plan,
    swapped: !plan.swapped,
    m: plan.n,
    n: plan.m,
    extents: swapExtents(plan.extents),
    offsets: { a: plan.offsets.b, b: plan.offsets.a, c: plan.offsets.c },
  }
}
