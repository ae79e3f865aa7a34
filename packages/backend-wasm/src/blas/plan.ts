// Decides which contractions a library computes and how, from sizes and layouts alone: which form operands take (forms.ts),
// how much one call does and which parts there are (blocks.ts). The parts are always made, also on one thread: a library
// may give other bits for other sizes. Read next: contraction.ts, which runs a plan; code.ts for the loops.
import { bytesOf, type ContractSpec } from '@nabla/engine'
import { extentsOf, swapExtents, type ContractExtents } from '../contract/plan.ts'
import type { ContractPart } from '../contract/split.ts'
import { blocksOf, type Blocks } from './blocks.ts'
import { formsOf, groupsOf, runOf, type Groups, type OperandForm, type OperandName } from './forms.ts'

/** Everything about a contraction by a library that follows from its specification. */
export interface BlasPlan {
  /** Whether the transposed product is computed: A and B change places. */
  readonly swapped: boolean
  readonly batch: number
  readonly sizes: Groups
  readonly extents: ContractExtents
  /** Bytes to add to the places of A, B and C (after the swap). */
  readonly offsets: { readonly a: number; readonly b: number; readonly c: number }
  readonly forms: Readonly<Record<OperandName, OperandForm>>
  readonly blocks: Blocks
  readonly parts: readonly ContractPart[]
  /** Rough time on one thread. */
  readonly nanoseconds: number
}

/** Products of fewer multiplications are faster in WebAssembly: a call costs as much as some thousands of them. */
export const smallestByDefault: number = 24 ** 3
/** Fewer rows or columns than this leave most of the library's vectors empty. */
const fewestRows = 4
/** An operand is worth copying into slabs if each element is then used so often. */
const fewestUses = 16

/**
 * Plans a contraction; null where WebAssembly should do it.
 * @param smallest calls with fewer multiplications are not made; 0 leaves nothing to WebAssembly that can be handed over
 */
export function planBlas(given: ContractSpec, smallest: number = smallestByDefault): BlasPlan | null {
  if (given.dtype !== 'float32' && given.dtype !== 'float64') return null
  const [rows, columns] = [lengthOf(given.m), lengthOf(given.n)]
  const depth = lengthOf(given.k)
  const batch = lengthOf(given.batch)
  const calls = rows * columns * depth
  if (batch * calls === 0 || calls < smallest) return null
  if (smallest > 0 && Math.min(rows, columns) < fewestRows) return null

  const spec = turned(given, rows <= columns ? 'a' : 'b')
  const straight = extentsOf(spec)
  const swapped = runOf(straight.cM) > runOf(straight.cN)
  const extents = swapped ? swapExtents(straight) : straight
  const sizes: Groups = swapped ? { m: columns, n: rows, k: depth } : { m: rows, n: columns, k: depth }
  const { forms, granularity } = formsOf(extents, sizes)
  const isCopiedForLittle = (['a', 'b'] as const).some(
    (name) => forms[name].isSlab && sizes[groupsOf[name].other] < fewestUses,
  )
  if (smallest > 0 && isCopiedForLittle) return null
  const cut = blocksOf({ batch, sizes, extents, forms, granularity, elementBytes: bytesOf(spec.dtype) })
  if (cut === null) return null
  const { blocks, parts } = cut
  if (blocks.m * blocks.n * blocks.k < smallest) return null
  const bytes = bytesOf(spec.dtype)
  const [a, b, c] = [spec.a, spec.b, spec.c].map(({ offset }) => offset * bytes) as [number, number, number]
  return {
    swapped,
    batch,
    sizes,
    extents,
    offsets: swapped ? { a: b, b: a, c } : { a, b, c },
    forms,
    blocks,
    parts,
    nanoseconds: batch * calls * 0.01,
  }
}

function lengthOf(sizes: readonly number[]): number {
  return sizes.reduce((left, right) => left * right, 1)
}

/** Axes of k that one operand reads backwards, read forwards: the order of a sum is free. The other may go backwards. */
function turned(spec: ContractSpec, operand: 'a' | 'b'): ContractSpec {
  let [aOffset, bOffset] = [spec.a.offset, spec.b.offset]
  const [aK, bK] = [[...spec.a.k], [...spec.b.k]]
  for (const [axis, size] of spec.k.entries()) {
    if (spec[operand].k[axis]! >= 0) continue
    aOffset += aK[axis]! * (size - 1)
    bOffset += bK[axis]! * (size - 1)
    aK[axis] = -aK[axis]!
    bK[axis] = -bK[axis]!
  }
  return { ...spec, a: { ...spec.a, offset: aOffset, k: aK }, b: { ...spec.b, offset: bOffset, k: bK } }
}
