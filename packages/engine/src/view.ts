// Views: index arithmetic without work. Every view op is one of two things: a reshape, or an affine map from output
// positions to input positions (permute, expand, slice, flip, sliding windows, diagonals and any mixture). A Layout says
// where the elements of a value lie in a buffer; applying a view to it gives another Layout, or null where the elements
// no longer lie at constant strides and a copy is needed. Read next: kernel.ts, whose arguments are such layouts.
import { rowMajorStrides, sizeOf, type Shape } from './shape.ts'

/** What a view op does to positions. */
export type ViewMap = ReshapeMap | AffineMap

/** The same elements in the same row-major order under another shape. */
export interface ReshapeMap {
  readonly kind: 'reshape'
}

/** Input position along axis a = `start[a]` + the sum over output axes j of `index[j] * coefficient`. */
export interface AffineMap {
  readonly kind: 'affine'
  /** One number per input axis. */
  readonly start: readonly number[]
  /** Per output axis, the input axes it moves along: pairs of (input axis, coefficient). Empty: a broadcast axis. */
  readonly moves: readonly (readonly (readonly [axis: number, coefficient: number])[])[]
}

/** Elements of a value in a buffer: the one at index i lies at `offset` + the sum of `i[d] * strides[d]` elements. */
export interface Layout {
  readonly shape: Shape
  readonly strides: readonly number[]
  readonly offset: number
}

/** The layout of a freshly written row-major buffer. */
export function rowMajor(shape: Shape): Layout {
  return { shape, strides: rowMajorStrides(shape), offset: 0 }
}

/** Whether the elements lie in row-major order without gaps. Strides of axes of size 1 do not matter. */
export function isRowMajor(layout: Layout): boolean {
  let expected = 1
  for (let i = layout.shape.length - 1; i >= 0; i--) {
    const size = layout.shape[i]!
    if (size !== 1 && layout.strides[i] !== expected) return false
    expected *= size
  }
  return true
}

/** Applies a view. Null when the result has no constant strides (only a reshape can fail). */
export function applyView(layout: Layout, map: ViewMap, shape: Shape): Layout | null {
  return map.kind === 'reshape' ? reshapeLayout(layout, shape) : affineLayout(layout, map, shape)
}

/** NumPy broadcasting as a layout: missing and size-1 axes get stride 0. */
export function broadcastLayout(layout: Layout, shape: Shape): Layout {
  const missing = shape.length - layout.shape.length
  const strides = shape.map((size, i) => {
    if (i < missing) return 0
    return layout.shape[i - missing] === 1 && size !== 1 ? 0 : layout.strides[i - missing]!
  })
  return { shape, strides, offset: layout.offset }
}

function affineLayout(layout: Layout, map: AffineMap, shape: Shape): Layout {
  let offset = layout.offset
  for (let axis = 0; axis < map.start.length; axis++) offset += map.start[axis]! * layout.strides[axis]!
  const strides = map.moves.map((moves) => {
    let stride = 0
    for (const [axis, coefficient] of moves) stride += coefficient * layout.strides[axis]!
    return stride
  })
  return { shape, strides, offset }
}

/**
 * Strides of a reshaped layout. Both shapes are cut into the shortest runs of equal size; inside a run the old axes must
 * be contiguous with one another, and the new axes then take row-major strides over them.
 */
export function reshapeLayout(layout: Layout, shape: Shape): Layout | null {
  if (sizeOf(shape) === 0) return { shape, strides: rowMajorStrides(shape), offset: layout.offset }
  const sizes: number[] = []
  const steps: number[] = []
  for (let i = 0; i < layout.shape.length; i++) {
    if (layout.shape[i] === 1) continue
    sizes.push(layout.shape[i]!)
    steps.push(layout.strides[i]!)
  }
  const strides = Array.from({ length: shape.length }, () => 0)
  let from = 0
  let to = 0
  while (to < shape.length) {
    let newSize = shape[to]!
    let newEnd = to + 1
    if (newSize === 1) {
      // The stride of an axis of size 1 is never used; one that continues the row keeps row-major checks simple.
      to = newEnd
      continue
    }
    let oldSize = sizes[from]!
    let oldEnd = from + 1
    while (newSize !== oldSize) {
      if (newSize < oldSize) newSize *= shape[newEnd++]!
      else oldSize *= sizes[oldEnd++]!
    }
    for (let i = from; i + 1 < oldEnd; i++) if (steps[i] !== steps[i + 1]! * sizes[i + 1]!) return null
    let stride = steps[oldEnd - 1]!
    for (let i = newEnd - 1; i >= to; i--) {
      strides[i] = stride
      stride *= shape[i]!
    }
    from = oldEnd
    to = newEnd
  }
  return { shape, strides, offset: layout.offset }
}
