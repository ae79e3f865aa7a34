// Shapes and the checks on them that every op shares. A shape is a frozen-by-convention array of sizes; [] is a scalar.
// Checks name the op and both shapes (R1). Read next: view.ts, where shapes become positions in memory.
import { ShapeError, ValueError } from './errors.ts'

/** Sizes of a tensor's dimensions, outermost first. */
export type Shape = readonly number[]

/** The most elements a tensor may have: positions must stay exact in a 32-bit integer. */
export const maxElements: number = 2 ** 31 - 1

/** Number of elements of a shape; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  let size = 1
  for (let i = 0; i < shape.length; i++) size *= shape[i]!
  return size
}

/** Whether two shapes are equal. */
export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** A shape as messages show it: `[32, 10]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`
}

/** Steps, in elements, between neighbours along each dimension of a row-major array. */
export function rowMajorStrides(shape: Shape): number[] {
  const strides: number[] = Array.from({ length: shape.length }, () => 1)
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!
  return strides
}

/**
 * The shape two operands broadcast to by NumPy's rule: aligned at the last dimension, sizes equal or 1.
 * @throws ShapeError naming `op`, both shapes and the pair that disagrees.
 */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  // Nearly always one of the two is the result itself, and is returned as it is.
  if (contains(a, b)) return a
  if (contains(b, a)) return b
  const rank = Math.max(a.length, b.length)
  const result = Array.from({ length: rank }, () => 1)
  for (let i = 1; i <= rank; i++) {
    const x = i <= a.length ? a[a.length - i]! : 1
    const y = i <= b.length ? b[b.length - i]! : 1
    if (x !== y && x !== 1 && y !== 1) {
      throw new ShapeError(
        `${op}: shapes ${formatShape(a)} and ${formatShape(b)} do not broadcast: sizes ${x} and ${y} ` +
          `disagree in dimension ${i === 1 ? '-1' : -i}. Sizes must be equal or 1, counted from the last dimension.`,
      )
    }
    result[rank - i] = x === 1 ? y : x
  }
  return result
}

/** Whether `inner` broadcasts to exactly `outer`. */
function contains(outer: Shape, inner: Shape): boolean {
  const missing = outer.length - inner.length
  if (missing < 0) return false
  for (let i = 0; i < inner.length; i++) {
    const size = inner[i]!
    if (size !== outer[i + missing] && size !== 1) return false
  }
  return true
}

/** Checks a list of sizes given by a user. @throws ShapeError, ValueError */
export function checkShape(op: string, shape: Shape): Shape {
  if (!Array.isArray(shape))
    throw new ValueError(`${op}: a shape is an array of sizes, for example [2, 3]; got ${String(shape)}`)
  for (let i = 0; i < shape.length; i++) {
    const size = shape[i] as number
    if (!Number.isInteger(size) || size < 0) {
      throw new ValueError(`${op}: sizes must be non-negative integers; got ${formatShape(shape)}`)
    }
  }
  if (sizeOf(shape) > maxElements) {
    throw new ShapeError(
      `${op}: a tensor of shape ${formatShape(shape)} has more than ${maxElements} elements`,
    )
  }
  return shape
}

/** Turns a possibly negative dimension into its index. @throws ShapeError when it is out of range */
export function checkDim(op: string, dim: number, rank: number): number {
  if (!Number.isInteger(dim))
    throw new ValueError(`${op}: a dimension must be an integer; got ${String(dim)}`)
  const index = dim < 0 ? dim + rank : dim
  if (index < 0 || index >= rank) {
    const range = rank === 0 ? 'a scalar has none' : `it must lie in [${-rank}, ${rank - 1}]`
    throw new ShapeError(`${op}: dimension ${dim} does not exist in a tensor of rank ${rank}: ${range}`)
  }
  return index
}

/** Turns one dimension, a list, or `undefined` (all) into sorted distinct indices. @throws ShapeError, ValueError */
export function checkDims(op: string, dims: number | readonly number[] | undefined, rank: number): number[] {
  if (typeof dims === 'number') return [checkDim(op, dims, rank)]
  const indices: number[] = []
  if (dims === undefined) {
    for (let dim = 0; dim < rank; dim++) indices.push(dim)
    return indices
  }
  for (let i = 0; i < dims.length; i++) {
    const index = checkDim(op, dims[i]!, rank)
    // Mostly in order already, so each goes to the end.
    let at = i
    for (; at > 0 && indices[at - 1]! > index; at--) indices[at] = indices[at - 1]!
    if (at > 0 && indices[at - 1] === index)
      throw new ValueError(`${op}: dimension ${index} appears twice in [${dims.join(', ')}]`)
    indices[at] = index
  }
  return indices
}
