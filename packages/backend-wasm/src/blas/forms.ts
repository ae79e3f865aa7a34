// In which form a library gets the operands of a contraction. An operand is handed over where it lies if it is a matrix
// there; one with several axes in a group (the images of a batch) may be one matrix after another, and then a call does no
// more than one of them. What is no matrix (windows of an image, say) goes through a slab: a block is copied into the
// thread's scratch space, or from there into the result. Read before: plan.ts. Read next: blocks.ts.
import type { ContractExtents } from '../contract/plan.ts'
import type { Extent } from '../contract/tables.ts'

/** How the library finds an operand. */
export interface OperandForm {
  /** Whether it goes through a slab. */
  readonly isSlab: boolean
  /** Whether rows of the operand are columns of what the library sees. */
  readonly isTransposed: boolean
  /** Elements from one row of what the library sees to the next; of a slab it follows from the blocks. */
  readonly stride: number
  /** Of a slab: how many elements follow one another at equal distances, and that distance in elements. */
  readonly run: number
  readonly step: number
}

/** Sizes by group. */
export interface Groups {
  readonly m: number
  readonly n: number
  readonly k: number
}

/** The name of an operand. */
export type OperandName = 'a' | 'b' | 'c'

/** The groups that an operand's rows and columns lie along, and the group that it does not have. */
export const groupsOf = {
  a: { rows: 'm', columns: 'k', other: 'n' },
  b: { rows: 'k', columns: 'n', other: 'm' },
  c: { rows: 'm', columns: 'n', other: 'k' },
} as const

/** Shorter blocks are not worth a call each: copying the operand joins them. */
const shortestBlock = 16
/** An operand is left as many small matrices unless the size it does not have is so many times theirs. */
const mostRepetition = 4

/** How many elements lie next to one another. */
export function runOf(extent: Extent): number {
  const { sizes, strides } = extent
  if (sizes.length === 0) return 1
  return strides.at(-1) === 1 ? sizes.at(-1)! : 1
}

/** Where an operand lies along its rows and its columns. */
export function sidesOf(extents: ContractExtents, name: OperandName): { rows: Extent; columns: Extent } {
  const { aM, aK, bK, bN, cM, cN } = extents
  return { a: { rows: aM, columns: aK }, b: { rows: bK, columns: bN }, c: { rows: cM, columns: cN } }[name]
}

/** The last axis of a group, within which an operand can be a matrix. */
function lastAxis({ sizes, strides }: Extent): { size: number; stride: number } {
  return { size: sizes.at(-1) ?? 1, stride: strides.at(-1) ?? 1 }
}

/** The form of each operand, and for each group how long a call may be at most: no longer than any operand's last axis. */
export function formsOf(
  extents: ContractExtents,
  sizes: Groups,
): { forms: Record<OperandName, OperandForm>; granularity: Groups } {
  const forms = {} as Record<OperandName, OperandForm>
  for (const name of ['a', 'b', 'c'] as const) {
    const { rows, columns } = sidesOf(extents, name)
    forms[name] = matrixForm(lastAxis(rows), lastAxis(columns), name === 'c') ?? slabForm(name, rows, columns)
  }
  for (;;) {
    const granularity: Record<keyof Groups, number> = { ...sizes }
    let tooShort: OperandName | null = null
    for (const name of ['a', 'b', 'c'] as const) {
      if (forms[name].isSlab) continue
      const sides = sidesOf(extents, name)
      for (const side of ['rows', 'columns'] as const) {
        const extent = sides[side]
        if (extent.sizes.length < 2) continue
        const { size } = lastAxis(extent)
        const isShort = size < shortestBlock || sizes[groupsOf[name].other] > mostRepetition * size
        // Two operands whose pieces end at different places cannot both stay where they are.
        const group = groupsOf[name][side]
        const present = granularity[group]
        if (isShort || (present % size !== 0 && size % present !== 0)) tooShort ??= name
        else granularity[group] = Math.min(present, size)
      }
    }
    if (tooShort === null) return { forms, granularity }
    const { rows, columns } = sidesOf(extents, tooShort)
    forms[tooShort] = slabForm(tooShort, rows, columns)
  }
}

/** As a row-major matrix or, except for C, a transposed one; null if it is neither. */
function matrixForm(
  rows: { size: number; stride: number },
  columns: { size: number; stride: number },
  isResult: boolean,
): OperandForm | null {
  const matrix = (outer: typeof rows, inner: typeof rows, isTransposed: boolean): OperandForm | null => {
    const stride = outer.size === 1 ? inner.size : outer.stride
    const isMatrix = (inner.size === 1 || inner.stride === 1) && stride >= inner.size
    return isMatrix ? { isSlab: false, isTransposed, stride, run: 0, step: 0 } : null
  }
  return matrix(rows, columns, false) ?? (isResult ? null : matrix(columns, rows, true))
}

/** As a slab, whose rows run along the side on which more elements lie next to one another. */
function slabForm(name: OperandName, rows: Extent, columns: Extent): OperandForm {
  const isTransposed = name !== 'c' && prefers(rows, columns)
  const { size, stride } = lastAxis(isTransposed ? rows : columns)
  return { isSlab: true, isTransposed, stride: 0, run: size, step: stride }
}

/** Whether copying along `x` is better than along `y`. */
function prefers(x: Extent, y: Extent): boolean {
  if (runOf(x) !== runOf(y)) return runOf(x) > runOf(y)
  return runOf(x) === 1 && Math.abs(lastAxis(x).stride) < Math.abs(lastAxis(y).stride)
}
