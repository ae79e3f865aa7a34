// Putting tensors together and taking them apart: concatenation, stacking, splitting. Built on assemblies (pieces.ts),
// which the planner writes straight into one buffer. Padding: padding.ts. Repetition: repeat.ts.
import { checkDim, formatShape, promote, ShapeError, ValueError, type DType } from '@nabla/engine'
import {
  defineFree,
  defineFunction,
  notATensor,
  toTensor,
  type FreeFunction,
  type OpFunction,
  type TensorLike,
} from '../op.ts'
import type { Tensor } from '../tensor.ts'
import { concatenate } from './pieces.ts'

// Joining

function listOfTensors(op: string, list: readonly TensorLike[]): Tensor[] {
  if (!Array.isArray(list)) throw notATensor(`${op} (which takes an array of tensors)`, list)
  if (list.length === 0) throw new ValueError(`${op}: the array of tensors is empty`)
  const tensors = list.map((value: TensorLike) => toTensor(op, value))
  const dtype = tensors.reduce((type: DType, tensor) => promote(type, tensor.dtype), 'bool')
  return tensors.map((tensor) => tensor.to(dtype))
}

/** Tensors one after the other along `dim` (default 0). Their other dimensions must agree. */
export const cat: FreeFunction<(tensors: readonly TensorLike[], dim?: number) => Tensor> = defineFree({
  name: 'cat',
  call: (list: readonly TensorLike[], dim = 0) => {
    const tensors = listOfTensors('cat', list)
    const first = tensors[0]!
    const place = checkDim('cat', dim, first.rank)
    for (const tensor of tensors) {
      const fits =
        tensor.rank === first.rank && tensor.shape.every((size, i) => i === place || size === first.shape[i])
      if (!fits) {
        throw new ShapeError(
          `cat: shapes ${formatShape(first.shape)} and ${formatShape(tensor.shape)} differ outside of dimension ${dim}; ` +
            'to make a new dimension, use stack',
        )
      }
    }
    return tensors.length === 1 ? first : concatenate(tensors, place)
  },
  samples: (make) => [
    [[make.real([4, 5]), make.real([4, 5])], -1],
    [[make.real([4, 1]), make.strided([4, 3]), make.real([4, 0])], 1],
    [[make.real([2]), make.real([3])]],
  ],
  wrong: [
    {
      args: (make) => [[make.real([2, 3]), make.real([3, 3])], 1],
      error: 'ShapeError',
      message: /cat: shapes \[2, 3\] and \[3, 3\] differ/,
    },
    { args: () => [[]], error: 'ValueError', message: /cat: the array of tensors is empty/ },
    {
      args: (make) => [make.real([2])],
      error: 'ValueError',
      message: /cat \(which takes an array of tensors\)/,
    },
  ],
})

/** Tensors of one shape side by side along a new dimension (default 0). */
export const stack: FreeFunction<(tensors: readonly TensorLike[], dim?: number) => Tensor> = defineFree({
  name: 'stack',
  call: (list: readonly TensorLike[], dim = 0) => {
    const tensors = listOfTensors('stack', list)
    const first = tensors[0]!
    const place = checkDim('stack', dim, first.rank + 1)
    for (const tensor of tensors) {
      if (formatShape(tensor.shape) !== formatShape(first.shape)) {
        throw new ShapeError(
          `stack: shapes ${formatShape(first.shape)} and ${formatShape(tensor.shape)} differ; all must be equal`,
        )
      }
    }
    return concatenate(
      tensors.map((tensor) => tensor.unsqueeze(place)),
      place,
    )
  },
  samples: (make) => [
    [[make.real([4, 5]), make.strided([4, 5])], -1],
    [[make.real([]), make.real([])]],
    [[make.real([2])], 1],
  ],
  wrong: [
    {
      args: (make) => [[make.real([2]), make.real([3])]],
      error: 'ShapeError',
      message: /stack: shapes \[2\] and \[3\] differ/,
    },
  ],
})

// Taking apart

/** Parts of the given size along `dim` (the last may be smaller), or of the given sizes. */
export const split: OpFunction<(x: TensorLike, sizes: number | readonly number[], dim?: number) => Tensor[]> =
  defineFunction({
    name: 'split',
    call: (value: TensorLike, sizes: number | readonly number[], dim = 0) => {
      const x = toTensor('split', value)
      const place = checkDim('split', dim, x.rank)
      const total = x.shape[place]!
      const list = typeof sizes === 'number' ? equalParts('split', total, sizes) : sizes
      const sum = list.reduce((a, b) => a + b, 0)
      if (!list.every((size) => Number.isInteger(size) && size >= 0) || sum !== total) {
        throw new ShapeError(
          `split: sizes [${list.join(', ')}] do not add up to ${total}, the size of dimension ${dim}`,
        )
      }
      let start = 0
      return list.map((size) => {
        start += size
        return x.narrow(place, start - size, size)
      })
    },
    samples: (make) => [
      [make.real([7, 3]), 3],
      [make.real([2, 6]), [1, 5], 1],
      [make.strided([4, 2]), 2],
    ],
    wrong: [
      {
        args: (make) => [make.real([7]), [3, 3]],
        error: 'ShapeError',
        message: /split: sizes \[3, 3\] do not add up to 7/,
      },
      {
        args: (make) => [make.real([7]), 0],
        error: 'ValueError',
        message: /split: parts must have a whole size above 0/,
      },
    ],
  })

/** `count` parts of equal size along `dim`, fewer or a smaller last one where it does not divide. */
export const chunk: OpFunction<(x: TensorLike, count: number, dim?: number) => Tensor[]> = defineFunction({
  name: 'chunk',
  call: (value: TensorLike, count: number, dim = 0) => {
    const x = toTensor('chunk', value)
    if (!Number.isInteger(count) || count < 1)
      throw new ValueError(`chunk: the count must be a whole number above 0; got ${count}`)
    return split(x, Math.max(1, Math.ceil(x.shape[checkDim('chunk', dim, x.rank)]! / count)), dim)
  },
  samples: (make) => [
    [make.real([7, 3]), 3],
    [make.real([2, 6]), 2, -1],
  ],
  wrong: [{ args: (make) => [make.real([7]), 0], error: 'ValueError', message: /chunk: the count must be/ }],
})

/** All parts along `dim`, which disappears. */
export const unbind: OpFunction<(x: TensorLike, dim?: number) => Tensor[]> = defineFunction({
  name: 'unbind',
  call: (value: TensorLike, dim = 0) => {
    const x = toTensor('unbind', value)
    const place = checkDim('unbind', dim, x.rank)
    return Array.from({ length: x.shape[place]! }, (_, i) => x.select(place, i))
  },
  samples: (make) => [[make.real([4, 5])], [make.strided([2, 3]), 1]],
  wrong: [
    { args: (make) => [make.real([])], error: 'ShapeError', message: /unbind: dimension 0 does not exist/ },
  ],
})

function equalParts(op: string, total: number, size: number): number[] {
  if (!Number.isInteger(size) || size < 1)
    throw new ValueError(`${op}: parts must have a whole size above 0; got ${size}`)
  const parts = Array.from({ length: Math.ceil(total / size) }, (_, i) => Math.min(size, total - i * size))
  return parts.length === 0 ? [0] : parts
}
