// Products of tensors over chosen dimensions, Kronecker products, and powers of matrices. Read before: linalg.ts.
import { checkDim, DTypeError, formatShape, ShapeError, ValueError, type Shape } from '@nabla/engine'
import { defineFunction, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import type { Tensor } from '../tensor.ts'
import { contract, operandsOf, type Labels } from './contract.ts'
import { matmul } from './linalg.ts'
import { columnMinusRow } from './position.ts'

/**
 * Sums of products over chosen dimensions: `dims` pairs of them, or a number: that many last ones of `a` with as many first
 * ones of `b`. The result has the other dimensions of `a`, then those of `b`.
 * @throws ShapeError, ValueError
 */
export const tensordot: OpFunction<
  (a: TensorLike, b: TensorLike, dims?: number | readonly [readonly number[], readonly number[]]) => Tensor
> = defineFunction({
  name: 'tensordot',
  call: (
    left: TensorLike,
    right: TensorLike,
    dims: number | readonly [readonly number[], readonly number[]] = 2,
  ) => {
    const [a, b] = operandsOf('tensordot', left, right)
    const [dimsA, dimsB] = summedDims(a, b, dims)
    const labelsA = a.shape.map((_, dim) => dim)
    const labelsB = b.shape.map((_, dim) => {
      const pair = dimsB.indexOf(dim)
      return pair >= 0 ? dimsA[pair]! : a.rank + dim
    })
    const kept = (labels: Labels, summed: readonly number[]): Labels =>
      labels.filter((_, dim) => !summed.includes(dim))
    return contract(a, b, labelsA, labelsB, [...kept(labelsA, dimsA), ...kept(labelsB, dimsB)])
  },
  samples: (make) => [
    [make.real([2, 3, 4]), make.real([3, 4, 5])],
    [
      make.real([2, 3, 4]),
      make.real([4, 3, 5]),
      [
        [1, 2],
        [1, 0],
      ],
    ],
    [make.real([2, 3]), make.real([4]), 0],
  ],
  wrong: [
    {
      args: (make) => [make.real([2, 3]), make.real([4, 3]), 1],
      error: 'ShapeError',
      message: /tensordot: dimension 1 of \[2, 3\]/,
    },
    {
      args: (make) => [make.real([2, 3]), make.real([4, 3]), [[0], [0, 1]]],
      error: 'ValueError',
      message: /tensordot: as many/,
    },
    {
      args: (make) => [make.real([2]), make.real([2]), 2],
      error: 'ValueError',
      message: /tensordot: cannot sum over 2/,
    },
  ],
})

function summedDims(
  a: Tensor,
  b: Tensor,
  dims: number | readonly [readonly number[], readonly number[]],
): [readonly number[], readonly number[]] {
  let left: readonly number[]
  let right: readonly number[]
  if (typeof dims === 'number') {
    if (!Number.isInteger(dims) || dims < 0 || dims > Math.min(a.rank, b.rank)) {
      throw new ValueError(
        `tensordot: cannot sum over ${dims} dimensions of ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
      )
    }
    left = a.shape.map((_, dim) => dim).slice(a.rank - dims)
    right = b.shape.map((_, dim) => dim).slice(0, dims)
  } else {
    if (!Array.isArray(dims) || !Array.isArray(dims[0]) || !Array.isArray(dims[1])) {
      throw new ValueError(`tensordot: dims is a number or two lists of dimensions; got ${String(dims)}`)
    }
    left = dims[0].map((dim) => checkDim('tensordot', dim, a.rank))
    right = dims[1].map((dim) => checkDim('tensordot', dim, b.rank))
  }
  if (
    left.length !== right.length ||
    new Set(left).size !== left.length ||
    new Set(right).size !== right.length
  ) {
    throw new ValueError(
      `tensordot: as many distinct dimensions of a as of b are needed; got [${left.join(', ')}] and [${right.join(', ')}]`,
    )
  }
  left.forEach((dim, i) => {
    const other = right[i]!
    if (a.shape[dim] === b.shape[other]) return
    throw new ShapeError(
      `tensordot: dimension ${dim} of ${formatShape(a.shape)} and dimension ${other} of ${formatShape(b.shape)} differ in size ` +
        `(${a.shape[dim]} != ${b.shape[other]})`,
    )
  })
  return [left, right]
}

/**
 * Kronecker product: every element of `a` times the whole of `b`; sizes multiply, missing leading ones are 1.
 */
export const kron: OpFunction<(a: TensorLike, b: TensorLike) => Tensor> = defineFunction({
  name: 'kron',
  call: (left: TensorLike, right: TensorLike) => {
    const [a, b] = operandsOf('kron', left, right)
    const rank = Math.max(a.rank, b.rank)
    const padded = (shape: Shape): number[] => [
      ...Array.from({ length: rank - shape.length }, () => 1),
      ...shape,
    ]
    const x = padded(a.shape)
    const y = padded(b.shape)
    const product = a.reshape(x.flatMap((size) => [size, 1])).mul(b.reshape(y.flatMap((size) => [1, size])))
    return product.reshape(x.map((size, dim) => size * y[dim]!))
  },
  samples: (make) => [
    [make.real([2, 3]), make.real([3, 2])],
    [make.real([2]), make.real([2, 2])],
  ],
})

/**
 * A square matrix (or batch of them) multiplied with itself `exponent` times; 0 gives the identity.
 * @throws ShapeError when it is not square, ValueError for exponents that are no whole number >= 0
 */
export const matrixPower: OpFunction<(x: TensorLike, exponent: number) => Tensor> = defineFunction({
  name: 'matrixPower',
  call: (value: TensorLike, exponent: number) => {
    const x = toTensor('matrixPower', value)
    const size = x.shape[x.rank - 1]
    if (x.rank < 2 || x.shape[x.rank - 2] !== size) {
      throw new ShapeError(`matrixPower: needs square matrices; got shape ${formatShape(x.shape)}`)
    }
    if (!Number.isInteger(exponent) || exponent < 0) {
      throw new ValueError(`matrixPower: the exponent must be a whole number >= 0; got ${exponent}`)
    }
    if (x.dtype === 'bool')
      throw new DTypeError("matrixPower: bools have no powers; convert with .to('int32')")
    let result: Tensor | null = null
    let square = x
    for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
      if (rest % 2 === 1) result = result === null ? square : matmul(result, square)
      if (rest > 1) square = matmul(square, square)
    }
    return result ?? identityLike(x)
  },
  samples: (make) => [
    [make.real([3, 3]), 3],
    [make.real([2, 3, 3]), 2],
    [make.real([3, 3]), 1],
    { args: [make.real([3, 3]), 0], gradient: false },
  ],
  wrong: [
    {
      args: (make) => [make.real([2, 3]), 2],
      error: 'ShapeError',
      message: /matrixPower: needs square matrices/,
    },
    { args: (make) => [make.real([3, 3]), -1], error: 'ValueError', message: /matrixPower: the exponent/ },
  ],
})

function identityLike(x: Tensor): Tensor {
  return columnMinusRow(x.shape).eq(0).to(x.dtype).expand(x.shape)
}

/**
 * Cross products of vectors of three elements along a dimension; the other dimensions broadcast.
 * @throws ShapeError
 */
export const cross: OpFunction<(a: TensorLike, b: TensorLike, dim?: number) => Tensor> = defineFunction({
  name: 'cross',
  call: (left: TensorLike, right: TensorLike, dim: number = -1) => {
    const [a, b] = operandsOf('cross', left, right)
    const axis = checkDim('cross', dim, a.rank)
    if (a.rank !== b.rank || a.shape[axis] !== 3 || b.shape[axis] !== 3) {
      throw new ShapeError(
        `cross: needs 3 elements along dimension ${axis} of both, and equally many dimensions; got ` +
          `${formatShape(a.shape)} x ${formatShape(b.shape)}`,
      )
    }
    const next = (x: Tensor, steps: number): Tensor => x.roll(-steps, axis)
    return next(a, 1)
      .mul(next(b, 2))
      .sub(next(a, 2).mul(next(b, 1)))
  },
  samples: (make) => [
    [make.real([2, 3]), make.real([2, 3])],
    [make.real([3, 4]), make.real([3, 1]), 0],
    [make.real([3]), make.real([3])],
  ],
  wrong: [
    {
      args: (make) => [make.real([2, 4]), make.real([2, 4])],
      error: 'ShapeError',
      message: /cross: needs 3 elements along dimension 1/,
    },
  ],
})
