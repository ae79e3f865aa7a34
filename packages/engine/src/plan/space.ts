// The iteration space of a kernel under construction: the sizes it walks, and which of them a reduction folds. Members
// may have different shapes as long as they list the same elements in the same order ([64, 10, 10] and [640, 10]); the
// space is their common refinement. Read next: fuse.ts.
import { sizeOf, type Shape } from '../shape.ts'
import { isRowMajor, reshapeLayout, type Layout } from '../view.ts'

/** Sizes (none of them 1) and, once a reduction has joined, which axes it reduces. */
export interface Space {
  readonly sizes: readonly number[]
  readonly reduced: readonly boolean[] | null
}

/** The level a member lives at: an element for every position, or one per row (kept axes only). */
export type Level = 'element' | 'row'

/** The space of a map over `shape`. */
export function mapSpace(shape: Shape): Space {
  return { sizes: shape.filter((size) => size !== 1), reduced: null }
}

/** The space of a reduction of `shape` over `dims`. */
export function reduceSpace(shape: Shape, dims: readonly number[]): Space {
  const kept = shape.map((size, d) => ({ size, reduced: dims.includes(d) })).filter((axis) => axis.size !== 1)
  return { sizes: kept.map((axis) => axis.size), reduced: kept.map((axis) => axis.reduced) }
}

/** Number of elements. */
export function elementCount(space: Space): number {
  return sizeOf(space.sizes)
}

/** Number of rows: the product of the kept axes. */
export function rowCount(space: Space): number {
  return sizeOf(keptSizes(space))
}

/** Sizes of the axes that are not reduced. */
export function keptSizes(space: Space): readonly number[] {
  const { sizes, reduced } = space
  return reduced === null ? sizes : sizes.filter((_, i) => !reduced[i])
}

/** Whether the innermost axis is reduced, so that rows are contiguous. */
export function isTrailing(space: Space): boolean {
  return space.reduced === null || space.reduced.length === 0 || space.reduced.at(-1) === true
}

/** The common refinement of two lists of sizes with equal products: every boundary of both. Null if they cross. */
export function refine(a: Shape, b: Shape): number[] | null {
  const left = a.filter((size) => size !== 1)
  const right = b.filter((size) => size !== 1)
  const result: number[] = []
  let i = 0
  let j = 0
  let x = left[0] ?? 1
  let y = right[0] ?? 1
  while (i < left.length && j < right.length) {
    if (x === y) {
      result.push(x)
      x = left[++i] ?? 1
      y = right[++j] ?? 1
    } else if (x < y) {
      if (y % x !== 0) return null
      result.push(x)
      y /= x
      x = left[++i] ?? 1
    } else {
      if (x % y !== 0) return null
      result.push(y)
      x /= y
      y = right[++j] ?? 1
    }
  }
  return i === left.length && j === right.length ? result : null
}

/** The space cut so that `shape` (of an element- or row-level member) is a grouping of its axes. Null if impossible. */
export function refineSpace(space: Space, shape: Shape, level: Level): Space | null {
  if (level === 'element') {
    const sizes = refine(space.sizes, shape)
    return sizes === null ? null : { sizes, reduced: inherit(space, sizes) }
  }
  const kept = refine(keptSizes(space), shape)
  if (kept === null) return null
  // Put the finer kept axes back among the reduced ones.
  const sizes: number[] = []
  const reduced: boolean[] = []
  let next = 0
  space.sizes.forEach((size, i) => {
    if (space.reduced?.[i] === true) {
      sizes.push(size)
      reduced.push(true)
      return
    }
    for (let product = 1; product < size; next++) {
      product *= kept[next]!
      sizes.push(kept[next]!)
      reduced.push(false)
    }
  })
  return { sizes, reduced: space.reduced === null ? null : reduced }
}

/** Two spaces as one, when they list the same elements and reduce the same axes (or one of them reduces none). */
export function mergeSpaces(a: Space, b: Space): Space | null {
  const sizes = refine(a.sizes, b.sizes)
  if (sizes === null) return null
  const left = inherit(a, sizes)
  const right = inherit(b, sizes)
  if (left === null) return { sizes, reduced: right }
  if (right === null) return { sizes, reduced: left }
  return left.every((flag, i) => flag === right[i]) ? { sizes, reduced: left } : null
}

/** The flags of a space's axes, for the axes of a refinement of it. */
function inherit(space: Space, sizes: readonly number[]): boolean[] | null {
  if (space.reduced === null) return null
  const flags: boolean[] = []
  let next = 0
  space.sizes.forEach((size, i) => {
    for (let product = 1; product < size; next++) {
      product *= sizes[next]!
      flags.push(space.reduced![i]!)
    }
  })
  return flags
}

/** Whether the elements of a layout come one after the other from the start of their buffer. */
export function isSame(layout: Layout): boolean {
  return layout.offset === 0 && isRowMajor(layout)
}

/** Whether a layout (over a shape of the space) repeats each row's single value over the whole row. */
export function isRowBroadcast(space: Space, layout: Layout): boolean {
  if (space.reduced === null || layout.offset !== 0) return false
  const fine = reshapeLayout(layout, space.sizes)
  if (fine === null) return false
  let expected = 1
  for (let i = space.sizes.length - 1; i >= 0; i--) {
    if (space.reduced[i]) {
      if (fine.strides[i] !== 0) return false
    } else {
      if (fine.strides[i] !== expected) return false
      expected *= space.sizes[i]!
    }
  }
  return true
}

/** A layout over a member's shape as strides over the axes of the space. Null when it has none. */
export function overSpace(space: Space, layout: Layout, level: Level): Layout | null {
  if (level === 'element') return reshapeLayout(layout, space.sizes)
  const fine = reshapeLayout(layout, keptSizes(space))
  if (fine === null) return null
  let next = 0
  const strides = space.sizes.map((_, i) => (space.reduced?.[i] === true ? 0 : fine.strides[next++]!))
  return { shape: space.sizes, strides, offset: fine.offset }
}
