// Decompositions of matrices: QR, eigenvalues of symmetric matrices, singular values. All take batches, compute when called
// (computed.ts says what that means) and have gradients of any order wherever the decomposition is unique. A decomposition
// is one node that holds its factors below one another, and the factors are parts of it: so a rule sees all of them.
import { formatShape, noAttributes, ShapeError, ValueError } from '@nabla/engine'
import { eigenvalues } from '../dense/eigenvalues.ts'
import { factorQR } from '../dense/factor.ts'
import { singularValues as singularValuesOf, symmetricEigen } from '../dense/jacobi.ts'
import {
  createOp,
  defineFunction,
  type OpFunction,
  type Sample,
  type TensorLike,
  type TensorOp,
  type WrongCall,
} from '../op.ts'
import type { SampleMaker } from '../samples.ts'
import { noGrad, type Tensor } from '../tensor.ts'
import {
  adjoint,
  computed,
  computedLowering,
  eachMatrix,
  ofBatch,
  identityLike,
  sampleSquare,
  toMatrices,
  toSquare,
} from './computed.ts'
import { concatenate } from './pieces.ts'

// Sign conventions and rotations make float32 results of different backends differ by rounding of the input only.
const tolerance = { relative: 1e-4, absolute: 1e-5 }

function matrixWrong(name: string): WrongCall[] {
  return [
    { args: (make) => [make.real([3])], error: 'ShapeError', message: new RegExp(`${name}: needs a matrix`) },
  ]
}

/** Elements of several matrices in one list per batch entry, and matrices out of such a list. */
function unpack(packed: Tensor, shapes: readonly (readonly [number, number])[]): Tensor[] {
  const lead = packed.shape.slice(0, -1)
  let start = 0
  return shapes.map(([rows, columns]) => {
    const part = packed.narrow(-1, start, rows * columns).reshape([...lead, rows, columns])
    start += rows * columns
    return part
  })
}

function joined(...parts: readonly Float64Array[]): number[] {
  return parts.flatMap((part) => Array.from(part))
}

/** A = Q R. */
export interface QRFactors {
  /** Orthonormal columns [..., M, K], K the smaller of M and N. */
  readonly q: Tensor
  /** Upper triangular [..., K, N]. */
  readonly r: Tensor
}

const qrOp: TensorOp = createOp('qr', computedLowering, ({ inputs: [a], output }, upstream) => {
  const [rows, columns] = a.shape.slice(-2) as [number, number]
  const rank = Math.min(rows, columns)
  const shapes = [[rows, rank] as const, [rank, columns] as const]
  const [q, r] = unpack(output, shapes) as [Tensor, Tensor]
  const [gradientQ, gradientR] = unpack(upstream, shapes) as [Tensor, Tensor]
  if (rows >= columns) return [qrGradient(q, r, gradientQ, gradientR)]
  // A wide matrix: the first columns X = Q U are factored, and the rest is Q V.
  const rest = columns - rows
  const gradientV = gradientR.narrow(-1, rows, rest)
  const y = a.narrow(-1, rows, rest)
  const gradientX = qrGradient(
    q,
    r.narrow(-1, 0, rows),
    gradientQ.add(y.matmul(adjoint(gradientV))),
    gradientR.narrow(-1, 0, rows),
  )
  return [concatenate([gradientX, q.matmul(gradientV)], a.rank - 1)]
})

// Walter & Lehmann 2010, "On evaluating higher-order derivatives of the QR decomposition of tall matrices".
function qrGradient(q: Tensor, r: Tensor, gradientQ: Tensor, gradientR: Tensor): Tensor {
  const m = r.matmul(adjoint(gradientR.triu())).sub(adjoint(gradientQ).matmul(q))
  const symmetric = m.tril().add(adjoint(m.tril(-1)))
  const right = gradientQ.add(q.matmul(symmetric))
  return adjoint(r.triangularSolve(adjoint(right), { upper: true }))
}

/**
 * The reduced QR decomposition of matrices [..., M, N]. Computes when called. Its derivative needs the first min(M, N)
 * columns to be independent.
 * @throws ShapeError
 */
export const qr: OpFunction<(a: TensorLike) => QRFactors> = defineFunction({
  name: 'qr',
  call: (value: TensorLike): QRFactors => {
    const a = toMatrices('qr', value)
    const [rows, columns] = a.shape.slice(-2) as [number, number]
    const rank = Math.min(rows, columns)
    const size = rank * (rows + columns)
    const values = eachMatrix('qr', a, size, (matrix) => {
      const factors = factorQR(matrix, rows, columns)
      return joined(factors.q, factors.r)
    })
    const packed = computed(qrOp, [a], noAttributes, [...a.shape.slice(0, -2), size], values)
    const [q, r] = unpack(packed, [
      [rows, rank],
      [rank, columns],
    ]) as [Tensor, Tensor]
    return { q, r }
  },
  tolerance,
  samples: (make) => [
    [sampleSquare(make, [3, 3])],
    [make.real([4, 2])],
    [make.real([2, 4])],
    [sampleSquare(make, [2, 3, 3])],
    [make.strided([5, 3])],
  ],
  wrong: matrixWrong('qr'),
})

/** 1 / (values[j] - values[i]); 0 on the diagonal, and where two are equal, which leaves the derivative undefined. */
function inverseGaps(values: Tensor): Tensor {
  const gaps = values.unsqueeze(-2).sub(values.unsqueeze(-1))
  const equal = noGrad(() => gaps.eq(0))
  return equal.where(0, equal.where(1, gaps).reciprocal())
}

/** A = V diag(values) Vᵀ. */
export interface Eigen {
  /** Ascending [..., N]. */
  readonly values: Tensor
  /** Orthonormal columns [..., N, N], each with its largest component positive. */
  readonly vectors: Tensor
}

const eighOp: TensorOp = createOp('eigh', computedLowering, ({ inputs: [a], output }, upstream) => {
  const size = a.shape[a.rank - 1]!
  const shapes = [[1, size] as const, [size, size] as const]
  const [values, vectors] = unpack(output, shapes) as [Tensor, Tensor]
  const [gradientValues, gradientVectors] = unpack(upstream, shapes) as [Tensor, Tensor]
  const inner = adjoint(vectors)
    .matmul(gradientVectors)
    .mul(inverseGaps(values.squeeze(-2)))
    .add(gradientValues.squeeze(-2).diagEmbed())
  return [vectors.matmul(inner).matmul(adjoint(vectors))]
})

const eigvalshOp: TensorOp = createOp('eigvalsh', computedLowering, ({ inputs: [a] }, upstream) => {
  const { vectors } = symmetric(a)
  return [vectors.mul(upstream.unsqueeze(-2)).matmul(adjoint(vectors))]
})

function symmetric(a: Tensor): Eigen {
  const size = a.shape[a.rank - 1]!
  const values = eachMatrix('eigh', a, size * (size + 1), (matrix) => {
    const eigen = symmetricEigen(matrix, size)
    return joined(eigen.values, eigen.vectors)
  })
  const packed = computed(eighOp, [a], noAttributes, [...a.shape.slice(0, -2), size * (size + 1)], values)
  const [row, vectors] = unpack(packed, [
    [1, size],
    [size, size],
  ]) as [Tensor, Tensor]
  return { values: row.squeeze(-2), vectors }
}

function symmetricPart(op: string, value: TensorLike): Tensor {
  const a = toSquare(op, value)
  return a.add(adjoint(a)).mul(0.5)
}

const symmetricSamples = (make: SampleMaker): Sample[] => [
  [sampleSquare(make, [3, 3])],
  [sampleSquare(make, [2, 4, 4])],
  [make.values([5], [1, 1])],
]

function symmetricWrong(name: string): WrongCall[] {
  return [
    {
      args: (make) => [make.real([2, 3])],
      error: 'ShapeError',
      message: new RegExp(`${name}: needs square matrices`),
    },
  ]
}

/**
 * Eigenvalues and eigenvectors of symmetric matrices [..., N, N]; of A its symmetric part (A + Aᵀ) / 2 is taken. Computes
 * when called. The derivative of the vectors needs eigenvalues that all differ.
 * @throws ShapeError
 */
export const eigh: OpFunction<(a: TensorLike) => Eigen> = defineFunction({
  name: 'eigh',
  call: (value: TensorLike) => symmetric(symmetricPart('eigh', value)),
  tolerance,
  samples: symmetricSamples,
  wrong: symmetricWrong('eigh'),
})

/** Eigenvalues (ascending) of symmetric matrices [..., N, N] -> [..., N]: see {@link eigh}. @throws ShapeError */
export const eigvalsh: OpFunction<(a: TensorLike) => Tensor> = defineFunction({
  name: 'eigvalsh',
  call: (value: TensorLike) => {
    const a = symmetricPart('eigvalsh', value)
    const size = a.shape[a.rank - 1]!
    const values = eachMatrix('eigvalsh', a, size, (matrix) => symmetricEigen(matrix, size).values)
    return computed(eigvalshOp, [a], noAttributes, a.shape.slice(0, -1), values)
  },
  tolerance,
  samples: symmetricSamples,
  wrong: symmetricWrong('eigvalsh'),
})

/** A = U diag(s) Vᵀ, reduced: K is the smaller of M and N. */
export interface SVD {
  /** [..., M, K], each column with its largest component positive. */
  readonly u: Tensor
  /** Singular values, descending [..., K]. */
  readonly s: Tensor
  /** Vᵀ [..., K, N]. */
  readonly vh: Tensor
}

function svdShapes(a: Tensor): {
  rows: number
  columns: number
  rank: number
  shapes: (readonly [number, number])[]
} {
  const [rows, columns] = a.shape.slice(-2) as [number, number]
  const rank = Math.min(rows, columns)
  return {
    rows,
    columns,
    rank,
    shapes: [
      [rows, rank],
      [1, rank],
      [columns, rank],
    ],
  }
}

// Townsend 2016, "Differentiating the singular value decomposition".
const svdOp: TensorOp = createOp('svd', computedLowering, ({ inputs: [a], output }, upstream) => {
  const { rows, columns, rank, shapes } = svdShapes(a)
  const [u, s, v] = unpack(output, shapes) as [Tensor, Tensor, Tensor]
  const [gradientU, gradientS, gradientV] = unpack(upstream, shapes) as [Tensor, Tensor, Tensor]
  const gaps = inverseGaps(s.squeeze(-2).square())
  const column = adjoint(s)
  const skew = (x: Tensor): Tensor => x.sub(adjoint(x))
  const fromU = skew(adjoint(u).matmul(gradientU)).mul(gaps).mul(s)
  const fromV = skew(adjoint(v).matmul(gradientV)).mul(gaps).mul(column)
  const inner = fromU.add(fromV).add(gradientS.squeeze(-2).diagEmbed())
  let gradient = u.matmul(inner).matmul(adjoint(v))
  // What turns the singular vectors out of the space they span.
  if (rows > rank) {
    const beyond = identityLike(a, rows).sub(u.matmul(adjoint(u)))
    gradient = gradient.add(beyond.matmul(gradientU.div(s)).matmul(adjoint(v)))
  }
  if (columns > rank) {
    const beyond = identityLike(a, columns).sub(v.matmul(adjoint(v)))
    gradient = gradient.add(u.matmul(adjoint(gradientV.div(s))).matmul(beyond))
  }
  return [gradient]
})

/**
 * The reduced singular value decomposition of matrices [..., M, N]. Computes when called. The derivatives of U and V need
 * singular values that all differ and are not 0.
 * @throws ShapeError
 */
export const svd: OpFunction<(a: TensorLike) => SVD> = defineFunction({
  name: 'svd',
  call: (value: TensorLike): SVD => {
    const a = toMatrices('svd', value)
    const { rows, columns, rank, shapes } = svdShapes(a)
    const size = rank * (rows + 1 + columns)
    const values = eachMatrix('svd', a, size, (matrix) => {
      const factors = singularValuesOf(matrix, rows, columns)
      return joined(factors.u, factors.values, factors.v)
    })
    const packed = computed(svdOp, [a], noAttributes, [...a.shape.slice(0, -2), size], values)
    const [u, s, v] = unpack(packed, shapes) as [Tensor, Tensor, Tensor]
    return { u, s: s.squeeze(-2), vh: adjoint(v) }
  },
  tolerance,
  samples: (make) => [
    [sampleSquare(make, [3, 3])],
    [make.values([3, 0.5, -0.25, 1, 0.75, -0.5, 0.125, 2], [4, 2])],
    [make.values([3, 0.5, -0.25, 1, 0.75, -0.5, 0.125, 2], [2, 4])],
    [sampleSquare(make, [2, 3, 3])],
  ],
  wrong: matrixWrong('svd'),
})

const svdvalsOp: TensorOp = createOp('svdvals', computedLowering, ({ inputs: [a] }, upstream) => {
  const { u, vh } = svd(a)
  return [u.mul(upstream.unsqueeze(-2)).matmul(vh)]
})

/** Singular values (descending) of matrices [..., M, N] -> [..., min(M, N)]: see {@link svd}. @throws ShapeError */
export const svdvals: OpFunction<(a: TensorLike) => Tensor> = defineFunction({
  name: 'svdvals',
  call: (value: TensorLike) => {
    const a = toMatrices('svdvals', value)
    const { rows, columns, rank } = svdShapes(a)
    if (a.size === 0) throw new ShapeError(`svdvals: the matrix is empty, shape ${formatShape(a.shape)}`)
    const values = eachMatrix('svdvals', a, rank, (matrix) => singularValuesOf(matrix, rows, columns).values)
    return computed(svdvalsOp, [a], noAttributes, [...a.shape.slice(0, -2), rank], values)
  },
  tolerance,
  samples: (make) => [
    [sampleSquare(make, [3, 3])],
    [make.values([3, 0.5, -0.25, 1, 0.75, -0.5, 0.125, 2], [4, 2])],
    [sampleSquare(make, [2, 3, 3])],
  ],
  wrong: matrixWrong('svdvals'),
})

const eigvalsOp: TensorOp = createOp('eigvals', computedLowering, null)

/**
 * Eigenvalues of general matrices [..., N, N]: complex [..., N, 2], in ascending order of real and then of imaginary parts.
 * Computes when called. The result does not depend on A for gradients; {@link eigvalsh} has a derivative, for symmetric matrices.
 * @throws ShapeError; ValueError where they cannot be found, which elements that are not finite lead to
 */
export const eigvals: OpFunction<(a: TensorLike) => Tensor> = defineFunction({
  name: 'eigvals',
  call: (value: TensorLike) => {
    const a = toSquare('eigvals', value).detach()
    const size = a.shape[a.rank - 1]!
    const values = eachMatrix('eigvals', a, 2 * size, (matrix, i) => {
      const found = eigenvalues(matrix, size)
      if (found !== null) return found
      throw new ValueError(
        `eigvals: the QR steps do not converge${ofBatch(a, i)}, shape ${formatShape(a.shape)}. Are all elements finite?`,
      )
    })
    return computed(eigvalsOp, [a], noAttributes, [...a.shape.slice(0, -1), 2], values)
  },
  tolerance,
  samples: (make) => [
    [sampleSquare(make, [4, 4])],
    [make.values([0, -1, 1, 0], [2, 2])],
    [make.values([1, 2, -3, 0.5, -1, 2, 1, 1, 0, 4, -2, 1, 3, 0, 0, 1], [4, 4])],
  ],
  wrong: symmetricWrong('eigvals'),
})
