// Square matrices: determinants, inverses, solutions of linear equations, Cholesky's factor. All take batches, compute when
// called (computed.ts says what that means) and have gradients of any order. Source of the rules: Giles 2008, "Collected
// matrix derivative results for forward and reverse mode algorithmic differentiation". Read next: decompositions.ts.
import {
  broadcastShapes,
  formatShape,
  noAttributes,
  ShapeError,
  sizeOf,
  ValueError,
  type Shape,
} from '@nabla/engine'
import { cholesky as choleskyOf } from '../dense/factor.ts'
import { determinantOf, factorLU, identity, logDeterminantOf, solveLU, substitute } from '../dense/lu.ts'
import {
  createOp,
  defineFunction,
  defineOp,
  toTensor,
  type OpFunction,
  type Sample,
  type TensorLike,
  type TensorOp,
  type WrongCall,
} from '../op.ts'
import type { SampleMaker } from '../samples.ts'
import type { Tensor } from '../tensor.ts'
import { floating } from './common.ts'
import {
  adjoint,
  computed,
  computedLowering,
  eachMatrix,
  elementsNow,
  ofBatch,
  sampleSquare,
  toSquare,
} from './computed.ts'

const squareSamples = (make: SampleMaker): Sample[] => [
  [sampleSquare(make, [3, 3])],
  [sampleSquare(make, [2, 4, 4])],
  [sampleSquare(make, [1, 1])],
]

function squareWrong(name: string): WrongCall[] {
  return [
    {
      args: (make) => [make.real([2, 3])],
      error: 'ShapeError',
      message: new RegExp(`${name}: needs square matrices \\[\\.\\.\\., N, N\\]; got shape \\[2, 3\\]`),
    },
    { args: (make) => [make.real([3])], error: 'ShapeError', message: new RegExp(`${name}: needs a matrix`) },
  ]
}

function singularError(op: string, x: Tensor, i: number): ValueError {
  return new ValueError(
    `${op}: the matrix is singular${ofBatch(x, i)}, shape ${formatShape(x.shape)}. pinv and lstsq take such matrices`,
  )
}

/** Determinants of square matrices [..., N, N] -> [...]. Computes when called. @throws ShapeError */
export const det: OpFunction<(a: TensorLike) => Tensor> = defineOp({
  name: 'det',
  lowering: computedLowering,
  gradient: ({ inputs: [a], output }, upstream) => {
    const scale = upstream.unsqueeze(-1).unsqueeze(-1)
    const cofactors = output.host!.includes(0 as never)
      ? cofactorsOf(a)
      : adjoint(a.inv()).mul(output.unsqueeze(-1).unsqueeze(-1))
    return [cofactors.mul(scale)]
  },
  call: (op) => (value: TensorLike) => {
    const a = toSquare('det', value)
    const size = a.shape[a.rank - 1]!
    const values = eachMatrix('det', a, 1, (matrix) => [determinantOf(factorLU(matrix, size))])
    return computed(op, [a], noAttributes, a.shape.slice(0, -2), values)
  },
  samples: (make) => [...squareSamples(make), [make.values([1, 2, 3, 2, 4, 6, 1, 0, 1], [3, 3])]],
  wrong: squareWrong('det'),
})

/** The matrix of cofactors, from the determinants of all minors: for singular matrices, which have no inverse. */
function cofactorsOf(a: Tensor): Tensor {
  const size = a.shape[a.rank - 1]!
  if (size === 1) return a.mul(0).add(1)
  const without = (x: Tensor, dim: number, place: number): Tensor =>
    x
      .narrow(dim, 0, place)
      .pad(dim === -1 ? [0, size - 1 - place] : [0, 0, 0, size - 1 - place])
      .add(x.narrow(dim, place + 1, size - 1 - place).pad(dim === -1 ? [place, 0] : [0, 0, place, 0]))
  const rows = Array.from({ length: size }, (_, i) => {
    const row = Array.from({ length: size }, (_column, j) => {
      const minor = det(without(without(a, -2, i), -1, j))
      return ((i + j) % 2 === 0 ? minor : minor.neg()).unsqueeze(-1).pad([j, size - 1 - j])
    })
    return row
      .reduce((sum, part) => sum.add(part))
      .unsqueeze(-2)
      .pad([0, 0, i, size - 1 - i])
  })
  return rows.reduce((sum, part) => sum.add(part))
}

/** A determinant as sign and logarithm. */
export interface SignAndLogarithm {
  /** 1, -1, or 0 for a singular matrix. */
  readonly sign: Tensor
  /** log |det A|; -Infinity for a singular matrix. */
  readonly logarithm: Tensor
}

const signOp: TensorOp = createOp('slogdet', computedLowering, null)
const logarithmOp: TensorOp = createOp('slogdet', computedLowering, ({ inputs: [a] }, upstream) => [
  adjoint(a.inv()).mul(upstream.unsqueeze(-1).unsqueeze(-1)),
])

/**
 * Sign and logarithm of the absolute value of determinants, which neither overflow nor vanish: [..., N, N] -> [...] each.
 * Computes when called. The derivative needs matrices that are not singular.
 * @throws ShapeError
 */
export const slogdet: OpFunction<(a: TensorLike) => SignAndLogarithm> = defineFunction({
  name: 'slogdet',
  call: (value: TensorLike): SignAndLogarithm => {
    const a = toSquare('slogdet', value)
    const size = a.shape[a.rank - 1]!
    const shape = a.shape.slice(0, -2)
    const both = eachMatrix('slogdet', a, 2, (matrix) => {
      const { sign, logarithm } = logDeterminantOf(factorLU(matrix, size))
      return [sign, logarithm]
    })
    const part = (from: number): Float64Array => both.filter((_, i) => i % 2 === from)
    return {
      sign: computed(signOp, [a.detach()], noAttributes, shape, part(0)),
      logarithm: computed(logarithmOp, [a], noAttributes, shape, part(1)),
    }
  },
  samples: squareSamples,
  wrong: squareWrong('slogdet'),
})

/** Inverses of square matrices [..., N, N]. Computes when called. @throws ShapeError; ValueError for a singular matrix */
export const inv: OpFunction<(a: TensorLike) => Tensor> = defineOp({
  name: 'inv',
  lowering: computedLowering,
  gradient: ({ output }, upstream) => {
    const turned = adjoint(output)
    return [turned.matmul(upstream).matmul(turned).neg()]
  },
  call: (op) => (value: TensorLike) => {
    const a = toSquare('inv', value)
    const size = a.shape[a.rank - 1]!
    const values = eachMatrix('inv', a, size * size, (matrix, i) => {
      const lu = factorLU(matrix, size)
      if (lu.singular) throw singularError('inv', a, i)
      return solveLU(lu, identity(size), size)
    })
    return computed(op, [a], noAttributes, a.shape, values)
  },
  samples: squareSamples,
  wrong: [
    ...squareWrong('inv'),
    {
      args: (make) => [make.values([1, 2, 2, 4], [2, 2])],
      error: 'ValueError',
      message: /inv: the matrix is singular, shape \[2, 2\]/,
    },
  ],
})

/** The two sides of equations, as matrices of one batch shape and one type. */
interface Equations {
  readonly a: Tensor
  readonly b: Tensor
  /** Whether the right side was a vector. */
  readonly vector: boolean
}

function equationsOf(op: string, left: TensorLike, right: TensorLike): Equations {
  const given = toSquare(op, left)
  const wanted = floating(toTensor(op, right))
  const size = given.shape[given.rank - 1]!
  const vector =
    wanted.rank === 1 ||
    (wanted.rank === given.rank - 1 && wanted.shape[wanted.rank - 1] === size && wanted.rank > 0)
  const matrix = vector ? wanted.unsqueeze(-1) : wanted
  if (matrix.rank < 2 || matrix.shape[matrix.rank - 2] !== size) {
    throw new ShapeError(
      `${op}: A ${formatShape(given.shape)} needs a right side [..., ${size}, K] or a vector [${size}]; got ${formatShape(wanted.shape)}`,
    )
  }
  const lead = broadcastShapes(op, given.shape.slice(0, -2), matrix.shape.slice(0, -2))
  const dtype = given.dtype === 'float64' || matrix.dtype === 'float64' ? 'float64' : 'float32'
  const spread = (x: Tensor): Tensor => x.to(dtype).expand([...lead, ...x.shape.slice(-2)])
  return { a: spread(given), b: spread(matrix), vector }
}

function solutions(
  op: string,
  a: Tensor,
  b: Tensor,
  work: (matrix: Float64Array, wanted: Float64Array, columns: number, i: number) => Float64Array,
): Float64Array {
  const size = sizeOf(b.shape.slice(-2))
  const right = elementsNow(op, b)
  const columns = b.shape[b.rank - 1]!
  return eachMatrix(op, a, size, (matrix, i) =>
    work(matrix, right.slice(i * size, (i + 1) * size), columns, i),
  )
}

const solveOp: TensorOp = createOp('solve', computedLowering, ({ inputs: [a, b], output }, upstream) => {
  const gradientB = solveMatrices(adjoint(a), upstream)
  return [a.requiresGrad ? gradientB.matmul(adjoint(output)).neg() : null, b.requiresGrad ? gradientB : null]
})

function solveMatrices(a: Tensor, b: Tensor): Tensor {
  const size = a.shape[a.rank - 1]!
  const values = solutions('solve', a, b, (matrix, wanted, columns, i) => {
    const lu = factorLU(matrix, size)
    if (lu.singular) throw singularError('solve', a, i)
    return solveLU(lu, wanted, columns)
  })
  return computed(solveOp, [a, b], noAttributes, b.shape, values)
}

const equationSamples = (make: SampleMaker): Sample[] => [
  [sampleSquare(make, [3, 3]), make.real([3, 2])],
  [sampleSquare(make, [4, 4]), make.real([4])],
  [sampleSquare(make, [2, 3, 3]), make.strided([3, 2])],
]

function equationWrong(name: string): WrongCall[] {
  return [
    ...squareWrong(name).map(({ args, ...rest }) => ({
      ...rest,
      args: (make: SampleMaker) => [...args(make), make.real([3, 1])],
    })),
    {
      args: (make) => [make.real([3, 3]), make.real([2, 3])],
      error: 'ShapeError',
      message: new RegExp(`${name}: A \\[3, 3\\] needs a right side \\[\\.\\.\\., 3, K\\]`),
    },
  ]
}

/**
 * X of A X = B: A [..., N, N], B [..., N, K] or a vector [N]; leading dimensions broadcast. Computes when called.
 * @throws ShapeError; ValueError for a singular matrix
 */
export const solve: OpFunction<(a: TensorLike, b: TensorLike) => Tensor> = defineFunction({
  name: 'solve',
  call: (left: TensorLike, right: TensorLike) => {
    const { a, b, vector } = equationsOf('solve', left, right)
    const x = solveMatrices(a, b)
    return vector ? x.squeeze(-1) : x
  },
  samples: equationSamples,
  wrong: [
    ...equationWrong('solve'),
    {
      args: (make) => [make.values([1, 2, 2, 4], [2, 2]), make.real([2])],
      error: 'ValueError',
      message: /solve: the matrix is singular/,
    },
  ],
})

/** Settings of {@link triangularSolve}. */
export interface TriangleOptions {
  /** Whether A is upper triangular. Default false: lower. */
  upper?: boolean
  /** Whether the diagonal counts as 1. Default false. */
  unitDiagonal?: boolean
}

const triangularOp: TensorOp = createOp(
  'triangularSolve',
  computedLowering,
  ({ inputs: [a, b], output, attributes }, upstream) => {
    const upper = attributes['upper'] as boolean
    const unitDiagonal = attributes['unitDiagonal'] as boolean
    const gradientB = solveTriangle(adjoint(a), upstream, !upper, unitDiagonal)
    if (!a.requiresGrad) return [null, b.requiresGrad ? gradientB : null]
    const full = gradientB.matmul(adjoint(output)).neg()
    const offset = unitDiagonal ? 1 : 0
    return [upper ? full.triu(offset) : full.tril(-offset), b.requiresGrad ? gradientB : null]
  },
)

function solveTriangle(a: Tensor, b: Tensor, upper: boolean, unitDiagonal: boolean): Tensor {
  const size = a.shape[a.rank - 1]!
  const values = solutions('triangularSolve', a, b, (matrix, wanted, columns, i) => {
    for (let k = 0; k < size && !unitDiagonal; k++) {
      if (matrix[k * size + k] === 0) throw singularError('triangularSolve', a, i)
    }
    substitute(matrix, size, wanted, columns, { lower: !upper, unitDiagonal })
    return wanted
  })
  return computed(triangularOp, [a, b], { upper, unitDiagonal }, b.shape, values)
}

/**
 * X of A X = B for triangular A; the other triangle of A is not looked at. Shapes as of {@link solve}. Computes when called.
 * @throws ShapeError; ValueError for a zero on the diagonal
 */
export const triangularSolve: OpFunction<
  (a: TensorLike, b: TensorLike, options?: TriangleOptions) => Tensor
> = defineFunction({
  name: 'triangularSolve',
  call: (left: TensorLike, right: TensorLike, options: TriangleOptions = {}) => {
    const { a, b, vector } = equationsOf('triangularSolve', left, right)
    const x = solveTriangle(a, b, options.upper === true, options.unitDiagonal === true)
    return vector ? x.squeeze(-1) : x
  },
  samples: (make) => [
    ...equationSamples(make),
    [sampleSquare(make, [3, 3]), make.real([3, 2]), { upper: true }],
    [sampleSquare(make, [3, 3]), make.real([3, 2]), { unitDiagonal: true }],
  ],
  wrong: [
    ...equationWrong('triangularSolve'),
    {
      args: (make) => [make.values([1, 2, 2, 0], [2, 2]), make.real([2])],
      error: 'ValueError',
      message: /triangularSolve: the matrix is singular/,
    },
  ],
})

const choleskyOp: TensorOp = createOp('cholesky', computedLowering, ({ output: l }, upstream) => {
  // Murray 2016, "Differentiation of the Cholesky decomposition", equation 10.
  const inner = halfDiagonal(adjoint(l).matmul(upstream.tril()))
  const left = solveTriangle(adjoint(l), inner, true, false)
  const both = adjoint(solveTriangle(adjoint(l), adjoint(left), true, false))
  return [both.add(adjoint(both)).mul(0.5)]
})

/** The lower triangle with half of the diagonal. */
function halfDiagonal(x: Tensor): Tensor {
  return x.tril().add(x.tril(-1)).mul(0.5)
}

/**
 * The lower triangular L with L Lᵀ = A of symmetric positive definite matrices [..., N, N]. Of A its symmetric part
 * (A + Aᵀ) / 2 is taken. Computes when called.
 * @throws ShapeError; ValueError for a matrix that is not positive definite
 */
export const cholesky: OpFunction<(a: TensorLike) => Tensor> = defineFunction({
  name: 'cholesky',
  call: (value: TensorLike) => {
    const given = toSquare('cholesky', value)
    const a = given.add(adjoint(given)).mul(0.5)
    const size = a.shape[a.rank - 1]!
    const shape: Shape = a.shape
    const values = eachMatrix('cholesky', a, size * size, (matrix, i) => {
      const factor = choleskyOf(matrix, size)
      if (factor !== null) return factor
      throw new ValueError(
        `cholesky: the matrix is not positive definite${ofBatch(a, i)}, shape ${formatShape(shape)}. ` +
          'Adding a small multiple of eye(N) helps where it nearly is',
      )
    })
    return computed(choleskyOp, [a], noAttributes, shape, values)
  },
  samples: squareSamples,
  wrong: [
    ...squareWrong('cholesky'),
    {
      args: (make) => [make.values([1, 2, 2, 1], [2, 2])],
      error: 'ValueError',
      message: /cholesky: the matrix is not positive definite/,
    },
  ],
})
