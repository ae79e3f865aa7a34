// Products of vectors, matrices and batches of matrices. Each is one contraction (contract.ts) whatever its ranks and
// transpositions; operands are never copied to be transposed or repeated. Not here: einsum.ts; diagonals and traces
// (diagonal.ts).
import { checkDim, DTypeError, formatShape, ShapeError, ValueError, type Shape } from '@nabla/engine'
import { defineFunction, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import type { Tensor } from '../tensor.ts'
import { contract, operandsOf, type Labels } from './contract.ts'
import { columnMinusRow } from './position.ts'

/**
 * Matrix product by NumPy's rules: a [..., M, K] x b [..., K, N] -> [..., M, N], leading dimensions broadcast. A 1-D `a`
 * is a row, a 1-D `b` a column, and the dimension so added disappears from the result.
 * @throws ShapeError when the inner sizes differ or the leading ones do not broadcast
 */
export const matmul: OpFunction<(a: TensorLike, b: TensorLike) => Tensor> = defineFunction({
  name: 'matmul',
  call: (left: TensorLike, right: TensorLike) => {
    const [a, b] = operandsOf('matmul', left, right)
    if (a.rank === 0 || b.rank === 0) {
      throw new ShapeError(
        `matmul: operands need at least one dimension; got ${formatShape(a.shape)} x ${formatShape(b.shape)}. Use mul for scalars`,
      )
    }
    checkInner('matmul', a.shape, b.shape)
    return batchedProduct('matmul', a, b)
  },
  samples: (make) => [
    [make.real([3, 4]), make.real([4, 5])],
    [make.real([4]), make.real([4])],
    [make.real([4]), make.real([4, 3])],
    [make.real([2, 3, 4]), make.real([4])],
    [make.real([2, 3, 4]), make.real([2, 4, 2])],
    [make.real([2, 1, 3, 4]), make.real([5, 4, 2])],
    [make.strided([3, 4]), make.strided([4, 5])],
    [make.real([2, 3, 4]), make.real([4, 2])],
    [make.real([0, 4]), make.real([4, 2])],
    [make.real([2, 0]), make.real([0, 3])],
    [make.integers([3, 4], -5, 5), make.integers([4, 2], -5, 5)],
  ],
  wrong: [
    {
      args: (make) => [make.real([32, 64]), make.real([128, 10])],
      error: 'ShapeError',
      message: /matmul: inner sizes differ: a \[32, 64\] x b \[128, 10\] \(64 != 128\)/,
    },
    {
      args: (make) => [make.real([3, 4]), make.real([5, 4])],
      error: 'ShapeError',
      message: /Did you mean b\.transpose\(\)\?/,
    },
    {
      args: (make) => [make.real([2, 3, 4]), make.real([3, 4, 5])],
      error: 'ShapeError',
      message: /matmul: leading dimensions/,
    },
    {
      args: (make) => [make.real([]), make.real([3])],
      error: 'ShapeError',
      message: /matmul: operands need at least one dimension/,
    },
  ],
})

function checkInner(op: string, a: Shape, b: Shape): void {
  const left = a[a.length - 1]!
  const right = b[Math.max(b.length - 2, 0)]!
  if (left === right) return
  let hint = ''
  if (b.length > 1 && left === b[b.length - 1]) hint = ' Did you mean b.transpose()?'
  else if (a.length > 1 && a[a.length - 2] === right) hint = ' Did you mean a.transpose()?'
  throw new ShapeError(
    `${op}: inner sizes differ: a ${formatShape(a)} x b ${formatShape(b)} (${left} != ${right}).${hint}`,
  )
}

/**
 * The product of checked operands. A leading dimension that only one of them has (or that has size 1 in the other) is
 * no batch but more rows or columns: one large product instead of many small ones, and nothing is repeated.
 */
function batchedProduct(op: string, a: Tensor, b: Tensor): Tensor {
  const leadingA = a.shape.slice(0, -2)
  const leadingB = b.shape.slice(0, -2)
  const rank = Math.max(leadingA.length, leadingB.length)
  const labelsA: number[] = []
  const labelsB: number[] = []
  const labelsC: number[] = []
  const keptA: number[] = []
  const keptB: number[] = []
  const shape: number[] = []
  for (let dim = 0; dim < rank; dim++) {
    const x = leadingA[dim - rank + leadingA.length] ?? 1
    const y = leadingB[dim - rank + leadingB.length] ?? 1
    if (x !== y && x !== 1 && y !== 1) {
      throw new ShapeError(
        `${op}: leading dimensions of ${formatShape(a.shape)} and ${formatShape(b.shape)} do not broadcast (${x} and ${y})`,
      )
    }
    shape.push(x === 1 ? y : x)
    if (x !== 1) {
      labelsA.push(dim)
      keptA.push(x)
    }
    if (y !== 1) {
      labelsB.push(dim)
      keptB.push(y)
    }
    if (x !== 1 || y !== 1) labelsC.push(dim)
  }
  const [row, inner, column] = [rank, rank + 1, rank + 2]
  if (a.rank > 1) {
    labelsA.push(row)
    labelsC.push(row)
    shape.push(a.shape[a.rank - 2]!)
  }
  if (b.rank > 1) {
    labelsC.push(column)
    shape.push(b.shape[b.rank - 1]!)
  }
  labelsA.push(inner)
  labelsB.push(inner)
  if (b.rank > 1) labelsB.push(column)
  const left = a.reshape([...keptA, ...a.shape.slice(-2)])
  const right = b.reshape([...keptB, ...b.shape.slice(-2)])
  return contract(left, right, labelsA, labelsB, labelsC).reshape(shape)
}

/**
 * Products of two batches of matrices: a [B, M, K] x b [B, K, N] -> [B, M, N]. Nothing is broadcast.
 * @throws ShapeError for other ranks or sizes
 */
export const bmm: OpFunction<(a: TensorLike, b: TensorLike) => Tensor> = defineFunction({
  name: 'bmm',
  call: (left: TensorLike, right: TensorLike) => {
    const [a, b] = operandsOf('bmm', left, right)
    if (a.rank !== 3 || b.rank !== 3 || a.shape[0] !== b.shape[0]) {
      throw new ShapeError(
        `bmm: needs two batches [B, M, K] x [B, K, N]; got ${formatShape(a.shape)} x ${formatShape(b.shape)}. matmul broadcasts`,
      )
    }
    checkInner('bmm', a.shape, b.shape)
    return contract(a, b, [0, 1, 2], [0, 2, 3], [0, 1, 3])
  },
  samples: (make) => [
    [make.real([2, 3, 4]), make.real([2, 4, 5])],
    [make.strided([2, 3, 4]), make.real([2, 4, 1])],
  ],
  wrong: [
    {
      args: (make) => [make.real([3, 4]), make.real([4, 5])],
      error: 'ShapeError',
      message: /bmm: needs two batches/,
    },
    {
      args: (make) => [make.real([2, 3, 4]), make.real([2, 3, 4])],
      error: 'ShapeError',
      message: /bmm: inner sizes differ/,
    },
  ],
})

/** Factors of a sum with a product: beta * x + alpha * a @ b. */
export interface ProductScales {
  /** Default 1. */
  beta?: number
  /** Default 1. */
  alpha?: number
}

function addProduct(
  x: TensorLike,
  product: Tensor,
  op: string,
  { beta = 1, alpha = 1 }: ProductScales = {},
): Tensor {
  const scaled = alpha === 1 ? product : product.mul(alpha)
  const added = toTensor(op, x)
  return scaled.add(beta === 1 ? added : added.mul(beta))
}

/** beta * x + alpha * bmm(a, b); `x` broadcasts to [B, M, N]. */
export const baddbmm: OpFunction<
  (x: TensorLike, a: TensorLike, b: TensorLike, scales?: ProductScales) => Tensor
> = defineFunction({
  name: 'baddbmm',
  call: (x: TensorLike, a: TensorLike, b: TensorLike, scales?: ProductScales) =>
    addProduct(x, bmm(a, b), 'baddbmm', scales),
  samples: (make) => [
    [make.real([2, 3, 5]), make.real([2, 3, 4]), make.real([2, 4, 5]), { beta: 0.5, alpha: 2 }],
    [make.real([5]), make.real([2, 3, 4]), make.real([2, 4, 5])],
  ],
  wrong: [
    {
      args: (make) => [make.real([2]), make.real([2]), make.real([2])],
      error: 'ShapeError',
      message: /bmm: needs two batches/,
    },
  ],
})

/** beta * x + alpha * a @ b, of matrices; `x` broadcasts to [M, N]. */
export const addmm: OpFunction<
  (x: TensorLike, a: TensorLike, b: TensorLike, scales?: ProductScales) => Tensor
> = defineFunction({
  name: 'addmm',
  call: (x: TensorLike, a: TensorLike, b: TensorLike, scales?: ProductScales) =>
    addProduct(x, matmul(a, b), 'addmm', scales),
  samples: (make) => [[make.real([5]), make.real([3, 4]), make.real([4, 5]), { beta: 0.5, alpha: 2 }]],
  wrong: [
    {
      args: (make) => [make.real([2]), make.real([2, 3]), make.real([2, 3])],
      error: 'ShapeError',
      message: /matmul: inner sizes/,
    },
  ],
})

/** Sum of the products of two vectors: [N] . [N] -> scalar. @throws ShapeError */
export const dot: OpFunction<(a: TensorLike, b: TensorLike) => Tensor> = defineFunction({
  name: 'dot',
  call: (left: TensorLike, right: TensorLike) => {
    const [a, b] = operandsOf('dot', left, right)
    if (a.rank !== 1 || b.rank !== 1 || a.size !== b.size) {
      throw new ShapeError(
        `dot: needs two vectors of one length; got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
      )
    }
    return a.mul(b).sum()
  },
  samples: (make) => [
    [make.real([5]), make.real([5])],
    [make.strided([3]), make.real([3])],
    [make.real([0]), make.real([0])],
  ],
  wrong: [
    {
      args: (make) => [make.real([2]), make.real([3])],
      error: 'ShapeError',
      message: /dot: needs two vectors/,
    },
  ],
})

/** All products of the elements of two vectors: [M], [N] -> [M, N]. @throws ShapeError */
export const outer: OpFunction<(a: TensorLike, b: TensorLike) => Tensor> = defineFunction({
  name: 'outer',
  call: (left: TensorLike, right: TensorLike) => {
    const [a, b] = operandsOf('outer', left, right)
    if (a.rank !== 1 || b.rank !== 1) {
      throw new ShapeError(
        `outer: needs two vectors; got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
      )
    }
    return a.unsqueeze(1).mul(b)
  },
  samples: (make) => [[make.real([3]), make.real([4])]],
  wrong: [
    {
      args: (make) => [make.real([2, 2]), make.real([3])],
      error: 'ShapeError',
      message: /outer: needs two vectors/,
    },
  ],
})

/**
 * A fully connected layer: x [..., in], weight [out, in], bias [out] -> x @ weight^T + bias, [..., out].
 * @throws ShapeError
 */
export const linear: OpFunction<(x: TensorLike, weight: TensorLike, bias?: TensorLike) => Tensor> =
  defineFunction({
    name: 'linear',
    call: (input: TensorLike, weight: TensorLike, bias?: TensorLike) => {
      const [x, w] = operandsOf('linear', input, weight)
      if (w.rank !== 2 || x.rank === 0 || x.shape[x.rank - 1] !== w.shape[1]) {
        throw new ShapeError(
          `linear: x ${formatShape(x.shape)} must end in the ${w.rank === 2 ? `${w.shape[1]} inputs` : 'inputs'} of a weight ` +
            `[out, in]; got weight ${formatShape(w.shape)}`,
        )
      }
      const rows = x.shape.slice(0, -1).map((_, dim) => dim)
      const [inner, column] = [rows.length, rows.length + 1]
      const product = contract(x, w, [...rows, inner], [column, inner], [...rows, column])
      if (bias === undefined) return product
      const b = toTensor('linear', bias)
      if (b.rank !== 1 || b.shape[0] !== w.shape[0]) {
        throw new ShapeError(
          `linear: a weight ${formatShape(w.shape)} needs a bias [${w.shape[0]}]; got ${formatShape(b.shape)}`,
        )
      }
      return product.add(b)
    },
    samples: (make) => [
      [make.real([3, 4]), make.real([5, 4]), make.real([5])],
      [make.real([2, 3, 4]), make.real([5, 4])],
      [make.real([4]), make.real([2, 4]), make.real([2])],
      [make.real([0, 4]), make.real([2, 4]), make.real([2])],
    ],
    wrong: [
      {
        args: (make) => [make.real([3, 4]), make.real([4, 5])],
        error: 'ShapeError',
        message: /linear: x \[3, 4\] must end in the 5 inputs/,
      },
      {
        args: (make) => [make.real([3, 4]), make.real([5, 4]), make.real([4])],
        error: 'ShapeError',
        message: /needs a bias \[5\]/,
      },
    ],
  })

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
