// Products of vectors, matrices and batches of matrices. Each is one contraction (contract.ts) whatever its ranks and
// transpositions; operands are never copied to be transposed or repeated. Not here: products over chosen
// dimensions (tensor-products.ts, einsum.ts), diagonals and traces (diagonal.ts).
import { formatShape, ShapeError, type Shape } from '@nabla/engine'
import { defineFunction, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import type { Tensor } from '../tensor.ts'
import { contract, operandsOf, type Labels } from './contract.ts'

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
    if (a.rank === 2 && b.rank === 2) return contract(a, b, rowsByInner, innerByColumns, rowsByColumns)
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

// Labels of a linear layer's operands, by the rank of its input. Made once: they are part of every node.
const knownLinearLabels: { ofInput: Labels; ofWeight: Labels; ofOutput: Labels }[] = []

function linearLabels(rank: number): { ofInput: Labels; ofWeight: Labels; ofOutput: Labels } {
  const known = knownLinearLabels[rank]
  if (known !== undefined) return known
  const rows = Array.from({ length: rank - 1 }, (_, dim) => dim)
  const [inner, column] = [rank - 1, rank]
  const labels = { ofInput: [...rows, inner], ofWeight: [column, inner], ofOutput: [...rows, column] }
  knownLinearLabels[rank] = labels
  return labels
}

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

const [rowsByInner, innerByColumns, rowsByColumns] = [[0, 1] as Labels, [1, 2] as Labels, [0, 2] as Labels]

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
      const { ofInput, ofWeight, ofOutput } = linearLabels(x.rank)
      const product = contract(x, w, ofInput, ofWeight, ofOutput)
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
