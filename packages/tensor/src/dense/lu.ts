// LU factorisation with partial pivoting and what follows from it: determinants, solutions, inverses. Plain algorithms on
// row-major float64 matrices; they know nothing of tensors. Source: Golub & Van Loan, Matrix Computations (4th ed.),
// algorithms 3.4.1 (outer product LU with partial pivoting), 3.1.1 and 3.1.2 (substitution). Read next: ../ops/matrix.ts.

/** P A = L U: `factors` holds U on and above the diagonal and L (whose diagonal is 1) below it. */
export interface LU {
  readonly size: number
  readonly factors: Float64Array
  /** Row `order[i]` of A became row i. */
  readonly order: Int32Array
  /** 1 or -1: the determinant of P. */
  readonly parity: number
  /** Whether a pivot is exactly 0. */
  readonly singular: boolean
}

/** Factors a square matrix; `a` is not changed. */
export function factorLU(a: ArrayLike<number>, size: number): LU {
  const factors = Float64Array.from(a)
  const order = Int32Array.from({ length: size }, (_, i) => i)
  let parity = 1
  let singular = false
  for (let k = 0; k < size; k++) {
    let pivot = k
    for (let i = k + 1; i < size; i++) {
      if (Math.abs(factors[i * size + k]!) > Math.abs(factors[pivot * size + k]!)) pivot = i
    }
    if (pivot !== k) {
      swapRows(factors, size, pivot, k)
      const moved = order[k]!
      order[k] = order[pivot]!
      order[pivot] = moved
      parity = -parity
    }
    const head = factors[k * size + k]!
    if (head === 0) {
      singular = true
      continue
    }
    for (let i = k + 1; i < size; i++) {
      const factor = factors[i * size + k]! / head
      factors[i * size + k] = factor
      if (factor === 0) continue
      for (let j = k + 1; j < size; j++) factors[i * size + j]! -= factor * factors[k * size + j]!
    }
  }
  return { size, factors, order, parity, singular }
}

function swapRows(a: Float64Array, width: number, first: number, second: number): void {
  for (let j = 0; j < width; j++) {
    const kept = a[first * width + j]!
    a[first * width + j] = a[second * width + j]!
    a[second * width + j] = kept
  }
}

/** The determinant: the product of the pivots, with the sign of the row exchanges. */
export function determinantOf({ size, factors, parity }: LU): number {
  let product = parity
  for (let i = 0; i < size; i++) product *= factors[i * size + i]!
  return product
}

/** Sign and logarithm of the absolute value of the determinant: 0 and -Infinity of a singular matrix. */
export function logDeterminantOf({ size, factors, parity }: LU): { sign: number; logarithm: number } {
  let sign = parity
  let logarithm = 0
  for (let i = 0; i < size; i++) {
    const pivot = factors[i * size + i]!
    sign *= Math.sign(pivot)
    logarithm += Math.log(Math.abs(pivot))
  }
  return { sign, logarithm }
}

/** X of A X = B, where B has `columns` columns. The matrix must not be singular. */
export function solveLU(lu: LU, b: ArrayLike<number>, columns: number): Float64Array {
  const { size, factors, order } = lu
  const x = new Float64Array(size * columns)
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < columns; j++) x[i * columns + j] = b[order[i]! * columns + j]!
  }
  substitute(factors, size, x, columns, { lower: true, unitDiagonal: true })
  substitute(factors, size, x, columns, { lower: false, unitDiagonal: false })
  return x
}

/** Which triangle of a matrix is looked at, and whether its diagonal is taken as 1. */
export interface Triangle {
  readonly lower: boolean
  readonly unitDiagonal: boolean
}

/** Overwrites B with the X of T X = B, T being a triangle of `t`: forward or backward substitution, row by row. */
export function substitute(
  t: ArrayLike<number>,
  size: number,
  b: Float64Array,
  columns: number,
  { lower, unitDiagonal }: Triangle,
): void {
  for (let step = 0; step < size; step++) {
    const i = lower ? step : size - 1 - step
    for (let done = 0; done < step; done++) {
      const k = lower ? done : size - 1 - done
      const factor = t[i * size + k]!
      if (factor === 0) continue
      for (let j = 0; j < columns; j++) b[i * columns + j]! -= factor * b[k * columns + j]!
    }
    if (unitDiagonal) continue
    const diagonal = t[i * size + i]!
    for (let j = 0; j < columns; j++) b[i * columns + j]! /= diagonal
  }
}

/** The identity of a size. */
export function identity(size: number): Float64Array {
  const result = new Float64Array(size * size)
  for (let i = 0; i < size; i++) result[i * size + i] = 1
  return result
}
