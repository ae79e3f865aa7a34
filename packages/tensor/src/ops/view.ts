// Views: the same elements under other shapes, orders and steps. None of them computes anything; a copy is made only
// where a later op needs one. Not here: parts of a tensor (slicing.ts), sliding windows (window.ts).
import {
  checkDim,
  checkDims,
  checkShape,
  formatShape,
  noAttributes,
  sameShape,
  ShapeError,
  sizeOf,
  ValueError,
  type AffineMap,
  type Shape,
} from '@nabla/engine'
import { defineFunction, defineOp, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import { makeNode, type Tensor } from '../tensor.ts'
import type { Dims } from './common.ts'
import { reverse } from './pieces.ts'

/**
 * The same elements in row-major order under another shape. One size may be -1: it is found from the others.
 * @throws ShapeError when the sizes do not multiply to the number of elements
 */
export const reshape: OpFunction<(x: TensorLike, shape: Shape) => Tensor> = defineOp({
  name: 'reshape',
  lowering: { kind: 'view', view: () => ({ kind: 'reshape' }) },
  gradient: ({ inputs: [x] }, upstream) => [upstream.reshape(x.shape)],
  call: (op) => (value, shape) => {
    const x = toTensor('reshape', value)
    const target = inferShape(x.shape, shape)
    if (sameShape(target, x.shape)) return x
    // A copy: the caller may go on to change the array.
    return makeNode(op, [x], noAttributes, target === shape ? shape.slice() : target, x.dtype)
  },
  samples: (make) => [
    [make.real([2, 3]), [3, 2]],
    [make.strided([4, 6]), [2, -1, 3]],
    [make.real([1]), []],
    [make.real([0, 3]), [3, 0]],
    [make.real([]), [1, 1]],
  ],
  wrong: [
    {
      args: (make) => [make.real([2, 3]), [4, 4]],
      error: 'ShapeError',
      message: /reshape: shape \[2, 3\] with 6 elements/,
    },
    {
      args: (make) => [make.real([2, 3]), [-1, -1]],
      error: 'ValueError',
      message: /reshape: only one size may be -1/,
    },
    { args: (make) => [make.real([2, 3]), [4, -1]], error: 'ShapeError', message: /reshape/ },
  ],
})

/** The dimensions in another order: dimension i of the result is dimension `dims[i]` of `x`. */
export const permute: OpFunction<(x: TensorLike, dims: readonly number[]) => Tensor> = defineOp({
  name: 'permute',
  lowering: {
    kind: 'view',
    view: (input, attributes): AffineMap => ({
      kind: 'affine',
      start: input.map(() => 0),
      moves: (attributes['dims'] as readonly number[]).map((dim) => [[dim, 1]]),
    }),
  },
  gradient: ({ attributes }, upstream) => {
    const dims = attributes['dims'] as readonly number[]
    const inverse = dims.slice()
    for (let i = 0; i < dims.length; i++) inverse[dims[i]!] = i
    return [upstream.permute(inverse)]
  },
  call: (op) => (value, dims) => {
    const x = toTensor('permute', value)
    if (!Array.isArray(dims) || dims.length !== x.rank) {
      throw new ShapeError(
        `permute: a tensor of shape ${formatShape(x.shape)} needs ${x.rank} dimensions in order; got [${String(dims)}]`,
      )
    }
    const order = dims.slice() as number[]
    const shape = x.shape.slice()
    let moved = false
    for (let i = 0; i < dims.length; i++) {
      const dim = checkDim('permute', dims[i]!, x.rank)
      if (dim !== i) moved = true
      order[i] = dim
      shape[i] = x.shape[dim]!
      // Names the dimension that appears twice.
      if (order.indexOf(dim) < i) checkDims('permute', dims, x.rank)
    }
    return moved ? makeNode(op, [x], { dims: order }, shape, x.dtype) : x
  },
  samples: (make) => [
    [make.real([2, 3, 4]), [2, 0, 1]],
    [make.strided([2, 3, 4]), [-1, 1, 0]],
    [make.real([0, 2]), [1, 0]],
    [make.real([]), []],
  ],
  wrong: [
    {
      args: (make) => [make.real([2, 3]), [0]],
      error: 'ShapeError',
      message: /permute: a tensor of shape \[2, 3\] needs 2/,
    },
    {
      args: (make) => [make.real([2, 3]), [0, 0]],
      error: 'ValueError',
      message: /permute: dimension 0 appears twice/,
    },
    {
      args: (make) => [make.real([2, 3]), [0, 5]],
      error: 'ShapeError',
      message: /permute: dimension 5 does not exist/,
    },
  ],
})

/**
 * Two dimensions exchanged; without arguments the last two.
 * @throws ShapeError for dimensions that do not exist
 */
export const transpose: OpFunction<(x: TensorLike, dim0?: number, dim1?: number) => Tensor> = defineFunction({
  name: 'transpose',
  call: (value: TensorLike, dim0 = -2, dim1 = -1) => {
    const x = toTensor('transpose', value)
    const first = checkDim('transpose', dim0, x.rank)
    const second = checkDim('transpose', dim1, x.rank)
    const order = x.shape.slice()
    for (let dim = 0; dim < x.rank; dim++) order[dim] = dim === first ? second : dim === second ? first : dim
    return permute(x, order)
  },
  samples: (make) => [[make.real([2, 3])], [make.strided([2, 3, 4]), 0, -1]],
  wrong: [
    {
      args: (make) => [make.real([3])],
      error: 'ShapeError',
      message: /transpose: dimension -2 does not exist/,
    },
  ],
})

/** Another name of {@link transpose} with both dimensions given, as in NumPy. */
export const swapaxes: OpFunction<(x: TensorLike, axis0: number, axis1: number) => Tensor> = defineFunction({
  name: 'swapaxes',
  call: (x: TensorLike, axis0: number, axis1: number) => transpose(x, axis0, axis1),
  samples: (make) => [[make.real([2, 3, 4]), 0, 2]],
})

/** Dimensions `source` moved to the places `destination`; the others keep their order. */
export const movedim: OpFunction<(x: TensorLike, source: Dims, destination: Dims) => Tensor> = defineFunction(
  {
    name: 'movedim',
    call: (value: TensorLike, source: Dims, destination: Dims) => {
      const x = toTensor('movedim', value)
      const from = listOf(source).map((dim) => checkDim('movedim', dim, x.rank))
      const to = listOf(destination).map((dim) => checkDim('movedim', dim, x.rank))
      if (from.length !== to.length || new Set(from).size !== from.length || new Set(to).size !== to.length) {
        throw new ValueError(
          `movedim: source [${from.join(', ')}] and destination [${to.join(', ')}] must be equally many distinct dimensions`,
        )
      }
      const rest = x.shape.map((_, dim) => dim).filter((dim) => !from.includes(dim))
      const order = x.shape.map((_, place) => {
        const moved = to.indexOf(place)
        return moved >= 0 ? from[moved]! : rest.shift()!
      })
      return permute(x, order)
    },
    samples: (make) => [
      [make.real([2, 3, 4]), 0, -1],
      [make.real([2, 3, 4]), [0, 1], [2, 0]],
    ],
    wrong: [
      { args: (make) => [make.real([2, 3]), [0, 1], 0], error: 'ValueError', message: /movedim: source/ },
    ],
  },
)

/**
 * Repeats dimensions of size 1, and adds new ones in front, without copying. A size of -1 keeps the dimension.
 * @throws ShapeError when a size other than 1 would change
 */
export const expand: OpFunction<(x: TensorLike, shape: Shape) => Tensor> = defineOp({
  name: 'expand',
  lowering: {
    kind: 'view',
    view: (input, _attributes, output): AffineMap => {
      const added = output.length - input.length
      return {
        kind: 'affine',
        start: input.map(() => 0),
        moves: output.map((size, dim) =>
          dim < added || input[dim - added] !== size ? [] : [[dim - added, 1]],
        ),
      }
    },
  },
  gradient: ({ inputs: [x] }, upstream) => [upstream.sumTo(x.shape)],
  call: (op) => (value, shape) => {
    const x = toTensor('expand', value)
    const added = shape.length - x.rank
    // A copy: the caller may go on to change the array.
    const target = shape.slice()
    for (let dim = Math.max(added, 0); dim < target.length; dim++)
      if (target[dim] === -1) target[dim] = x.shape[dim - added]!
    checkShape('expand', target)
    let fits = added >= 0
    for (let dim = 0; fits && dim < x.rank; dim++) {
      const size = x.shape[dim]!
      fits = size === 1 || size === target[dim + added]
    }
    if (!fits) {
      throw new ShapeError(
        `expand: shape ${formatShape(x.shape)} does not expand to ${formatShape(target)}: only dimensions of size 1 can be ` +
          'repeated, and new ones come first',
      )
    }
    return sameShape(target, x.shape) ? x : makeNode(op, [x], noAttributes, target, x.dtype)
  },
  samples: (make) => [
    [make.real([4, 1]), [2, 4, 5]],
    [make.real([]), [3]],
    [make.real([1, 3]), [0, 3]],
    [make.strided([3, 1]), [-1, 2]],
  ],
  wrong: [
    {
      args: (make) => [make.real([3]), [4]],
      error: 'ShapeError',
      message: /expand: shape \[3\] does not expand to \[4\]/,
    },
    { args: (make) => [make.real([2, 3]), [3]], error: 'ShapeError', message: /expand: shape \[2, 3\]/ },
  ],
})

/** Another name of {@link expand}. */
export const broadcastTo: OpFunction<(x: TensorLike, shape: Shape) => Tensor> = defineFunction({
  name: 'broadcastTo',
  call: (x: TensorLike, shape: Shape) => expand(x, shape),
  samples: (make) => [[make.real([4, 1]), [2, 4, 5]]],
})

/** Removes dimensions of size 1: all of them, or those given (which stay when their size is not 1). */
export const squeeze: OpFunction<(x: TensorLike, dims?: Dims) => Tensor> = defineFunction({
  name: 'squeeze',
  call: (value: TensorLike, dims?: Dims) => {
    const x = toTensor('squeeze', value)
    const removed = new Set(checkDims('squeeze', dims, x.rank))
    return reshape(
      x,
      x.shape.filter((size, dim) => size !== 1 || !removed.has(dim)),
    )
  },
  samples: (make) => [[make.real([2, 1, 5, 1])], [make.real([2, 1, 5]), 1], [make.real([2, 3]), 0]],
  wrong: [
    {
      args: (make) => [make.real([2, 3]), 2],
      error: 'ShapeError',
      message: /squeeze: dimension 2 does not exist/,
    },
  ],
})

/** A new dimension of size 1 before dimension `dim` (-1: at the end). */
export const unsqueeze: OpFunction<(x: TensorLike, dim: number) => Tensor> = defineFunction({
  name: 'unsqueeze',
  call: (value: TensorLike, dim: number) => {
    const x = toTensor('unsqueeze', value)
    const place = checkDim('unsqueeze', dim, x.rank + 1)
    return reshape(x, [...x.shape.slice(0, place), 1, ...x.shape.slice(place)])
  },
  samples: (make) => [
    [make.real([2, 3]), 1],
    [make.real([2, 3]), -1],
    [make.real([]), 0],
  ],
  wrong: [{ args: (make) => [make.real([2]), 3], error: 'ShapeError', message: /unsqueeze: dimension 3/ }],
})

/** Dimensions `start` to `end` (inclusive) as one. */
export const flatten: OpFunction<(x: TensorLike, start?: number, end?: number) => Tensor> = defineFunction({
  name: 'flatten',
  call: (value: TensorLike, start = 0, end = -1) => {
    const x = toTensor('flatten', value)
    if (x.rank === 0) return reshape(x, [1])
    const first = checkDim('flatten', start, x.rank)
    const last = checkDim('flatten', end, x.rank)
    if (first > last) throw new ValueError(`flatten: start ${start} lies behind end ${end}`)
    return reshape(x, [
      ...x.shape.slice(0, first),
      sizeOf(x.shape.slice(first, last + 1)),
      ...x.shape.slice(last + 1),
    ])
  },
  samples: (make) => [[make.real([2, 3, 4])], [make.real([2, 3, 4]), 1], [make.real([])]],
  wrong: [
    {
      args: (make) => [make.real([2, 3]), 1, 0],
      error: 'ValueError',
      message: /flatten: start 1 lies behind end 0/,
    },
  ],
})

/** Dimension `dim` as several of the given sizes, one of which may be -1. */
export const unflatten: OpFunction<(x: TensorLike, dim: number, sizes: Shape) => Tensor> = defineFunction({
  name: 'unflatten',
  call: (value: TensorLike, dim: number, sizes: Shape) => {
    const x = toTensor('unflatten', value)
    const place = checkDim('unflatten', dim, x.rank)
    const inferred = inferShape([x.shape[place]!], sizes, 'unflatten')
    return reshape(x, [...x.shape.slice(0, place), ...inferred, ...x.shape.slice(place + 1)])
  },
  samples: (make) => [
    [make.real([2, 6]), 1, [2, 3]],
    [make.real([6, 2]), 0, [-1, 2]],
  ],
  wrong: [
    {
      args: (make) => [make.real([2, 6]), 1, [4, 2]],
      error: 'ShapeError',
      message: /unflatten: shape \[6\]/,
    },
  ],
})

/** Backwards along the given dimensions (all of them without). */
export const flip: OpFunction<(x: TensorLike, dims?: Dims) => Tensor> = defineFunction({
  name: 'flip',
  call: (value: TensorLike, dims?: Dims) => {
    const x = toTensor('flip', value)
    return reverse(x, checkDims('flip', dims, x.rank))
  },
  samples: (make) => [
    [make.real([4, 5]), [0, 1]],
    [make.strided([3, 4]), -1],
    [make.real([0, 2])],
    [make.real([])],
  ],
  wrong: [
    { args: (make) => [make.real([2]), 1], error: 'ShapeError', message: /flip: dimension 1 does not exist/ },
  ],
})

function listOf(dims: Dims): readonly number[] {
  return typeof dims === 'number' ? [dims] : dims
}

function inferShape(from: Shape, shape: Shape, op = 'reshape'): Shape {
  if (!Array.isArray(shape))
    throw new ValueError(`${op}: a shape is an array of sizes, for example [2, -1]; got ${String(shape)}`)
  const unknown = shape.indexOf(-1)
  const total = sizeOf(from)
  let target: Shape = shape
  if (unknown >= 0) {
    if (shape.indexOf(-1, unknown + 1) >= 0)
      throw new ValueError(`${op}: only one size may be -1; got ${formatShape(shape)}`)
    const known = shape.reduce(
      (product: number, size: number, i: number) => (i === unknown ? product : product * size),
      1,
    )
    target = shape.map((size: number, i: number) =>
      i === unknown ? (known === 0 ? 0 : total / known) : size,
    )
    if (!Number.isInteger(target[unknown])) {
      throw new ShapeError(
        `${op}: shape ${formatShape(from)} with ${total} elements does not divide into ${formatShape(shape)}`,
      )
    }
  }
  checkShape(op, target)
  if (sizeOf(target) !== total) {
    throw new ShapeError(
      `${op}: shape ${formatShape(from)} with ${total} elements cannot become ${formatShape(shape)} with ${sizeOf(target)}`,
    )
  }
  return target
}
