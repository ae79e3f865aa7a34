// Taking elements by index and adding them back: two routines, each the other's gradient. Not public: indexing.ts and
// scatter.ts check what users give. Indices are int32 tensors; one outside of its range is a ValueError, said when the
// op is called if the indices are on the host, and otherwise when the routine runs, before it writes anything.
import {
  DTypeError,
  formatShape,
  rowMajorStrides,
  ShapeError,
  sizeOf,
  ValueError,
  type Layout,
  type RoutineCall,
  type Shape,
} from '@nabla/engine'
import { createOp, toTensor, type TensorLike, type TensorOp } from '../op.ts'
import { makeNode, type Tensor } from '../tensor.ts'

const gatherOp: TensorOp = createOp(
  'gather',
  {
    kind: 'routine',
    operands: ['strided', 'strided'],
    specify: ({ inputs, shape, dtype, attributes, slots }: RoutineCall) => {
      const [source, index] = inputs as readonly [Layout, Layout]
      const axis = attributes['axis'] as number
      return {
        name: 'gather',
        dtype,
        op: attributes['op'] as string,
        sizes: shape,
        source: { offset: source.offset, strides: without(source.strides, axis) },
        index: { offset: index.offset, strides: index.strides },
        out: { offset: 0, strides: rowMajorStrides(shape) },
        step: source.strides[axis]!,
        limit: source.shape[axis]!,
        slots: [slots[0]!, slots[1]!, slots[2]!],
      }
    },
  },
  ({ inputs: [source, index], attributes }, upstream) => [
    scatterAlong(upstream, index, attributes['axis'] as number, source.shape, attributes['op'] as string),
    null,
  ],
  ({ example: { attributes }, all }) => {
    const [source, index] = all()
    return gatherAlong(source, index, (attributes['axis'] as number) + 1, attributes['op'] as string)
  },
)

const scatterAddOp: TensorOp = createOp(
  'scatterAdd',
  {
    kind: 'routine',
    operands: ['strided', 'strided'],
    specify: ({ inputs, shape, dtype, attributes, slots }: RoutineCall) => {
      const [source, index] = inputs as readonly [Layout, Layout]
      const axis = attributes['axis'] as number
      const strides = rowMajorStrides(shape)
      return {
        name: 'scatterAdd',
        dtype,
        op: attributes['op'] as string,
        sizes: source.shape,
        source: { offset: source.offset, strides: source.strides },
        index: { offset: index.offset, strides: index.strides },
        out: { offset: 0, strides: without(strides, axis) },
        step: strides[axis]!,
        limit: shape[axis]!,
        length: sizeOf(shape),
        slots: [slots[0]!, slots[1]!, slots[2]!],
      }
    },
  },
  ({ inputs: [, index], attributes }, upstream) => [
    gatherAlong(upstream, index, attributes['axis'] as number, attributes['op'] as string),
    null,
  ],
  ({ example: { attributes, shape }, all, size }) => {
    const [source, index] = all()
    const axis = (attributes['axis'] as number) + 1
    return scatterAlong(source, index, axis, [size, ...shape], attributes['op'] as string)
  },
)

/**
 * out[i] = source[i with `index[i]` at dimension `axis`], in the shape of `index`; source and index have equally many
 * dimensions, and but for `axis` those of the index are not larger. Nothing is checked.
 */
export function gatherAlong(source: Tensor, index: Tensor, axis: number, op: string): Tensor {
  return makeNode(gatherOp, [source, index], { axis, op }, index.shape, source.dtype)
}

/** Zeros of `shape` to which source[i] is added at [i with `index[i]` at dimension `axis`]. Nothing is checked. */
export function scatterAlong(source: Tensor, index: Tensor, axis: number, shape: Shape, op: string): Tensor {
  return makeNode(scatterAddOp, [source, index], { axis, op }, shape, source.dtype)
}

/**
 * Indices as a tensor.
 * @param limit what indices must be smaller than; checked at once where they are on the host
 */
export function indicesOf(op: string, value: TensorLike, limit: number): Tensor {
  const index = typeof value === 'number' ? toTensor(op, value).to('int32') : toTensor(op, value)
  if (index.dtype !== 'int32') {
    throw new DTypeError(`${op}: indices must be int32; got ${index.dtype}. Convert with .to('int32')`)
  }
  if (index.host !== null) checkHostIndices(op, index.host, index.shape, limit)
  return index
}

/** The positions of a list along `axis` as an index for every element of `shape` (whose size there is the list's). */
export function indexAcross(index: Tensor, axis: number, shape: Shape): Tensor {
  return index.reshape(shape.map((_, dim) => (dim === axis ? index.size : 1))).expand(shape)
}

/** Refuses indices outside of [0, limit). */
export function checkHostIndices(op: string, indices: ArrayLike<number>, shape: Shape, limit: number): void {
  for (let i = 0; i < indices.length; i++) {
    const value = indices[i]!
    if (value >= 0 && value < limit) continue
    const position = rowMajorStrides(shape).map((stride, dim) => Math.floor(i / stride) % shape[dim]!)
    throw new ValueError(
      `${op}: index ${value} at position [${position.join(', ')}] of indices ${formatShape(shape)} is outside of [0, ${limit}). ` +
        'Indices count from 0 and must be smaller than the size they select from.',
    )
  }
}

/** Refuses an index that does not fit between or into the dimensions of x. */
export function checkIndexShape(op: string, x: Shape, index: Shape, axis: number): void {
  const fits = index.length === x.length && index.every((size, dim) => dim === axis || size <= x[dim]!)
  if (fits) return
  throw new ShapeError(
    `${op}: index ${formatShape(index)} does not fit x ${formatShape(x)}: it needs ${x.length} dimensions, none but ` +
      `dimension ${axis} larger than that of x`,
  )
}

/** Strides with no step along an axis. */
function without(strides: readonly number[], axis: number): number[] {
  return strides.map((stride, dim) => (dim === axis ? 0 : stride))
}
