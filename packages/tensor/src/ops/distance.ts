// Distances between all pairs of vectors of two sets.
import { formatShape, ShapeError, ValueError } from '@nabla/engine'
import { defineFunction, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import type { Tensor } from '../tensor.ts'
import { floating } from './common.ts'

/**
 * Distances by the p-norm (2 by default) between the rows of a [..., P, M] and b [..., R, M] -> [..., P, R]; leading dimensions
 * broadcast. Differences are taken before they are squared, so near points lose no digits. At distance 0 the derivative
 * is taken as 0.
 * @throws ShapeError, ValueError
 */
export const cdist: OpFunction<(a: TensorLike, b: TensorLike, p?: number) => Tensor> = defineFunction({
  name: 'cdist',
  call: (left: TensorLike, right: TensorLike, p = 2) => {
    const a = floating(toTensor('cdist', left))
    const b = floating(toTensor('cdist', right))
    if (a.rank < 2 || b.rank < 2 || a.shape.at(-1) !== b.shape.at(-1)) {
      throw new ShapeError(
        `cdist: needs rows of equal length; got a ${formatShape(a.shape)} and b ${formatShape(b.shape)}`,
      )
    }
    if (typeof p !== 'number' || !(p >= 0))
      throw new ValueError(`cdist: p must be a number >= 0; got ${String(p)}`)
    return a.unsqueeze(-2).sub(b.unsqueeze(-3)).norm(-1, { p })
  },
  samples: (make) => [
    [make.real([3, 4]), make.real([5, 4])],
    [make.real([2, 3, 4]), make.real([2, 4]), 1],
    [make.real([3, 2]), make.real([4, 2]), 3],
  ],
  wrong: [
    {
      args: (make) => [make.real([3, 4]), make.real([5, 3])],
      error: 'ShapeError',
      message: /cdist: needs rows of equal length/,
    },
    { args: (make) => [make.real([3, 4]), make.real([5, 4]), -1], error: 'ValueError', message: /cdist: p/ },
  ],
})
