// What follows from decompositions: pseudoinverses, least squares, rank, norms, and the exponential of a matrix. Those that
// need a decomposition compute when called (computed.ts); the other norms are reductions. Read before: decompositions.ts.
import { checkDim, formatShape, lookUp, noAttributes, ShapeError, ValueError } from '@nabla/engine'
import { exponential } from '../dense/exponential.ts'
import { singularValues } from '../dense/jacobi.ts'
import { defineFunction, defineOp, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import { noGrad, type Tensor } from '../tensor.ts'
import { floating, type Dims, type ReduceOptions } from './common.ts'
import {
  adjoint,
  computed,
  computedLowering,
  eachMatrix,
  identityLike,
  sampleSquare,
  toMatrices,
  toSquare,
} from './computed.ts'

/** What decides which singular values count as 0. */
export interface RankOptions {
  /** Those up to this share of the largest. Default: max(M, N) times the precision of the type. */
  rtol?: number
}

function thresholdOf(op: string, a: Tensor, options: RankOptions): number {
  const [rows, columns] = a.shape.slice(-2) as [number, number]
  const precision = a.dtype === 'float64' ? 2 ** -52 : 2 ** -23
  const rtol = options.rtol ?? Math.max(rows, columns) * precision
  if (!(rtol >= 0)) throw new ValueError(`${op}: rtol must be a number from 0; got ${String(rtol)}`)
  return rtol
}

/**
 * The pseudoinverse (Moore 1920, Penrose 1955) of matrices [..., M, N] -> [..., N, M]. Computes when called. The derivative
 * (Golub & Pereyra 1973) holds while the rank stays the same.
 * @throws ShapeError, ValueError
 */
export const pinv: OpFunction<(a: TensorLike, options?: RankOptions) => Tensor> = defineOp({
  name: 'pinv',
  lowering: computedLowering,
  gradient: ({ inputs: [a], output: y }, upstream) => {
    const turned = adjoint(y)
    const given = adjoint(upstream)
    const [rows, columns] = a.shape.slice(-2) as [number, number]
    const outside = identityLike(a, rows).sub(a.matmul(y))
    const within = identityLike(a, columns).sub(y.matmul(a))
    const direct = turned.matmul(upstream).matmul(turned)
    const first = outside.matmul(given).matmul(y).matmul(turned)
    const second = turned.matmul(y).matmul(given).matmul(within)
    return [first.add(second).sub(direct)]
  },
  call:
    (op) =>
    (value: TensorLike, options: RankOptions = {}) => {
      const a = toMatrices('pinv', value)
      const rtol = thresholdOf('pinv', a, options)
      const [rows, columns] = a.shape.slice(-2) as [number, number]
      const values = eachMatrix('pinv', a, rows * columns, (matrix) =>
        pseudoinverse(matrix, rows, columns, rtol),
      )
      return computed(op, [a], noAttributes, [...a.shape.slice(0, -2), columns, rows], values)
    },
  samples: (make) => [
    [sampleSquare(make, [3, 3])],
    [make.values([3, 0.5, -0.25, 1, 0.75, -0.5, 0.125, 2], [4, 2])],
    [make.values([3, 0.5, -0.25, 1, 0.75, -0.5, 0.125, 2], [2, 4])],
    [sampleSquare(make, [2, 3, 3])],
    { args: [make.values([1, 2, 2, 4], [2, 2])], gradient: false },
  ],
  wrong: [
    { args: (make) => [make.real([3])], error: 'ShapeError', message: /pinv: needs a matrix/ },
    { args: (make) => [make.real([2, 2]), { rtol: -1 }], error: 'ValueError', message: /pinv: rtol must be/ },
  ],
})

function pseudoinverse(matrix: Float64Array, rows: number, columns: number, rtol: number): Float64Array {
  const { u, values, v } = singularValues(matrix, rows, columns)
  const rank = values.length
  const result = new Float64Array(columns * rows)
  for (let k = 0; k < rank; k++) {
    const value = values[k]!
    if (value === 0 || value <= rtol * values[0]!) continue
    for (let i = 0; i < columns; i++) {
      const factor = v[i * rank + k]! / value
      for (let j = 0; j < rows; j++) result[i * rows + j]! += factor * u[j * rank + k]!
    }
  }
  return result
}

/**
 * The X of least |A X - B| for each column of B, and of those the shortest: A [..., M, N], B [..., M, K] or a vector [M] ->
 * [..., N, K] or [N]. By the pseudoinverse, so A may have any rank. Computes when called.
 * @throws ShapeError, ValueError
 */
export const lstsq: OpFunction<(a: TensorLike, b: TensorLike, options?: RankOptions) => Tensor> =
  defineFunction({
    name: 'lstsq',
    call: (left: TensorLike, right: TensorLike, options: RankOptions = {}) => {
      const a = toMatrices('lstsq', left)
      const b = floating(toTensor('lstsq', right))
      const rows = a.shape[a.rank - 2]!
      if (b.rank === 0 || b.shape[Math.max(b.rank - 2, 0)] !== rows) {
        throw new ShapeError(
          `lstsq: A ${formatShape(a.shape)} needs a right side [..., ${rows}, K] or a vector [${rows}]; got ${formatShape(b.shape)}`,
        )
      }
      return pinv(a, options).matmul(b)
    },
    tolerance: { relative: 1e-4, absolute: 1e-5 },
    samples: (make) => [
      [make.values([3, 0.5, -0.25, 1, 0.75, -0.5, 0.125, 2], [4, 2]), make.real([4, 2])],
      [sampleSquare(make, [3, 3]), make.real([3])],
    ],
    wrong: [
      {
        args: (make) => [make.real([4, 2]), make.real([3])],
        error: 'ShapeError',
        message: /lstsq: A \[4, 2\] needs a right side/,
      },
    ],
  })

/** Number of singular values that are not 0 (int32): [..., M, N] -> [...]. Computes when called. @throws ShapeError, ValueError */
export const matrixRank: OpFunction<(a: TensorLike, options?: RankOptions) => Tensor> = defineFunction({
  name: 'matrixRank',
  call: (value: TensorLike, options: RankOptions = {}) => {
    const a = toMatrices('matrixRank', value).detach()
    const rtol = thresholdOf('matrixRank', a, options)
    return noGrad(() => {
      const values = a.svdvals()
      return values
        .gt(values.narrow(-1, 0, 1).mul(rtol))
        .to('int32')
        .sum(-1)
    })
  },
  samples: (make) => [[sampleSquare(make, [3, 3])], [make.values([1, 2, 2, 4, 3, 6], [3, 2])]],
  wrong: [{ args: (make) => [make.real([3])], error: 'ShapeError', message: /matrixRank: needs a matrix/ }],
})

/** Norms of matrices by name: Frobenius, nuclear (the sum of singular values). */
export type MatrixNormOrder = 'fro' | 'nuc' | 1 | -1 | 2 | -2 | number

/** What {@link matrixNorm} takes last. */
export interface MatrixNormOptions extends ReduceOptions {
  /** Rows and columns. Default: the last two dimensions. */
  dims?: readonly [number, number]
}

const matrixNorms: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  fro: (x) => x.norm([-2, -1]),
  nuc: (x) => x.svdvals().sum(-1),
  1: (x) => x.abs().sum(-2).amax(-1),
  '-1': (x) => x.abs().sum(-2).amin(-1),
  2: (x) => x.svdvals().amax(-1),
  '-2': (x) => x.svdvals().amin(-1),
  Infinity: (x) => x.abs().sum(-1).amax(-1),
  '-Infinity': (x) => x.abs().sum(-1).amin(-1),
}

/**
 * Norms of matrices [..., M, N] -> [...]: 'fro' (default), 'nuc', 1 and -1 (largest and smallest column sum), Infinity and
 * -Infinity (row sum), 2 and -2 (largest and smallest singular value). 'nuc', 2 and -2 compute when called.
 * @throws ShapeError, ValueError
 */
export const matrixNorm: OpFunction<
  (x: TensorLike, order?: MatrixNormOrder, options?: MatrixNormOptions) => Tensor
> = defineFunction({
  name: 'matrixNorm',
  call: (value: TensorLike, order: MatrixNormOrder = 'fro', options: MatrixNormOptions = {}) => {
    const x = toMatrices('matrixNorm', value)
    const norm = lookUp('order of matrixNorm', String(order), matrixNorms)
    const dims = (options.dims ?? [-2, -1]).map((dim) => checkDim('matrixNorm', dim, x.rank))
    if (dims.length !== 2 || dims[0] === dims[1]) {
      throw new ValueError(`matrixNorm: dims are two different dimensions; got [${String(options.dims)}]`)
    }
    const result = norm(x.movedim(dims, [-2, -1]))
    if (options.keepdim !== true) return result
    return result.reshape(x.shape.map((size, dim) => (dims.includes(dim) ? 1 : size)))
  },
  tolerance: { relative: 1e-4, absolute: 1e-5 },
  samples: (make) => [
    [make.real([3, 4])],
    [make.real([2, 3, 4]), 1],
    [make.real([3, 2, 4]), Infinity, { dims: [0, 2], keepdim: true }],
    [sampleSquare(make, [3, 3]), 'nuc'],
    [sampleSquare(make, [2, 3, 3]), 2],
    [sampleSquare(make, [3, 3]), -2],
    [make.real([3, 4]), -1],
    [make.real([3, 4]), -Infinity],
  ],
  wrong: [
    {
      args: (make) => [make.real([2, 2]), 3],
      error: 'ValueError',
      message: /unknown order of matrixNorm '3'/,
    },
    { args: (make) => [make.real([2])], error: 'ShapeError', message: /matrixNorm: needs a matrix/ },
    {
      args: (make) => [make.real([2, 2]), 'fro', { dims: [0, 0] }],
      error: 'ValueError',
      message: /matrixNorm: dims are two different dimensions/,
    },
  ],
})

/** The vector norm of order p (default 2) over some dimensions, or all: `x.norm(dims, { p })`. @throws ShapeError, ValueError */
export const vectorNorm: OpFunction<
  (x: TensorLike, order?: number, dims?: Dims, options?: ReduceOptions) => Tensor
> = defineFunction({
  name: 'vectorNorm',
  call: (value: TensorLike, order: number = 2, dims?: Dims, options?: ReduceOptions) =>
    toTensor('vectorNorm', value).norm(dims, { ...options, p: order }),
  samples: (make) => [[make.real([3, 4])], [make.real([3, 4], { avoid: [0] }), 1.5, 1, { keepdim: true }]],
  wrong: [
    {
      args: (make) => [make.real([2]), NaN],
      error: 'ValueError',
      message: /norm: p must be a number; got NaN/,
    },
  ],
})

/** exp(A) = I + A + A² / 2 + ... of square matrices [..., N, N]. Computes when called. @throws ShapeError */
export const matrixExp: OpFunction<(a: TensorLike) => Tensor> = defineOp({
  name: 'matrixExp',
  lowering: computedLowering,
  gradient: ({ inputs: [a] }, upstream) => {
    // exp of [[A', G], [0, A']] holds the derivative at A' along G in its corner (Van Loan 1978), for A' the transpose.
    const size = a.shape[a.rank - 1]!
    const turned = adjoint(a)
    const upper = turned.pad([0, size, 0, size]).add(upstream.pad([size, 0, 0, size]))
    const block = upper.add(turned.pad([size, 0, size, 0]))
    return [matrixExp(block).narrow(-2, 0, size).narrow(-1, size, size)]
  },
  call: (op) => (value: TensorLike) => {
    const a = toSquare('matrixExp', value)
    const size = a.shape[a.rank - 1]!
    const values = eachMatrix('matrixExp', a, size * size, (matrix) => exponential(matrix, size))
    return computed(op, [a], noAttributes, a.shape, values)
  },
  samples: (make) => [
    [make.real([3, 3])],
    [make.real([2, 2, 2], { low: -1, high: 1 })],
    [make.values([0], [1, 1])],
  ],
  wrong: [
    { args: (make) => [make.real([2, 3])], error: 'ShapeError', message: /matrixExp: needs square matrices/ },
  ],
})
