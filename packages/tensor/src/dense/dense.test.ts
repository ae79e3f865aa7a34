// The algorithms on matrices and sequences, each by what defines its result: products of factors, sums by definition.
import { expect, test } from 'vitest'
import { eigenvalues } from './eigenvalues.ts'
import { exponential } from './exponential.ts'
import { cholesky, factorQR } from './factor.ts'
import { transformOf } from './fourier.ts'
import { singularValues, symmetricEigen } from './jacobi.ts'
import { determinantOf, factorLU, identity, logDeterminantOf, solveLU } from './lu.ts'

/** Deterministic numbers between -1 and 1. */
function numbers(count: number, seed: number): Float64Array {
  let state = seed
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
}

function product(a: ArrayLike<number>, b: ArrayLike<number>, m: number, k: number, n: number): Float64Array {
  const c = new Float64Array(m * n)
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      for (let l = 0; l < k; l++) c[i * n + j]! += a[i * k + l]! * b[l * n + j]!
    }
  }
  return c
}

function turned(a: ArrayLike<number>, m: number, n: number): Float64Array {
  const result = new Float64Array(m * n)
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) result[j * m + i] = a[i * n + j]!
  return result
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-10): void {
  expect(actual.length).toBe(expected.length)
  for (let i = 0; i < expected.length; i++)
    expect(Math.abs(actual[i]! - expected[i]!)).toBeLessThan(tolerance)
}

test('LU solves equations and gives determinants, exchanging rows where a pivot is 0', () => {
  const a = [0, 2, 1, 1, 0, 3, 2, 1, 0]
  const lu = factorLU(a, 3)
  expect(determinantOf(lu)).toBeCloseTo(13, 12)
  expect(logDeterminantOf(lu).sign).toBe(1)
  expect(logDeterminantOf(lu).logarithm).toBeCloseTo(Math.log(13), 12)
  expectClose(product(a, solveLU(lu, identity(3), 3), 3, 3, 3), identity(3))
  expect(factorLU([1, 2, 2, 4], 2).singular).toBe(true)
})

test('Cholesky and QR give their matrix back, at all shapes', () => {
  const b = numbers(25, 1)
  const positive = product(b, turned(b, 5, 5), 5, 5, 5)
  const l = cholesky(positive, 5)!
  expectClose(product(l, turned(l, 5, 5), 5, 5, 5), positive)
  expect(cholesky([1, 2, 2, 1], 2)).toBeNull()
  for (const [rows, columns] of [
    [6, 4],
    [4, 4],
    [3, 7],
    [1, 1],
  ] as const) {
    const a = numbers(rows * columns, 3)
    const rank = Math.min(rows, columns)
    const { q, r } = factorQR(a, rows, columns)
    expectClose(product(q, r, rows, rank, columns), a)
    expectClose(product(turned(q, rows, rank), q, rank, rows, rank), identity(rank))
  }
})

test('eigenvalues and vectors of a symmetric matrix', () => {
  const half = numbers(64, 5)
  const a = half.map((value, i) => value + half[(i % 8) * 8 + Math.floor(i / 8)]!)
  const { values, vectors } = symmetricEigen(a, 8)
  expectClose(
    product(a, vectors, 8, 8, 8),
    vectors.map((value, i) => value * values[i % 8]!),
  )
  expectClose(product(turned(vectors, 8, 8), vectors, 8, 8, 8), identity(8))
  expect([...values]).toEqual([...values].sort((x, y) => x - y))
})

test('singular values, also of matrices of lower rank', () => {
  for (const [rows, columns] of [
    [6, 4],
    [3, 5],
    [4, 4],
  ] as const) {
    const a = numbers(rows * columns, 7)
    const { u, values, v } = singularValues(a, rows, columns)
    const rank = values.length
    const scaled = u.map((value, i) => value * values[i % rank]!)
    expectClose(product(scaled, turned(v, columns, rank), rows, rank, columns), a)
  }
  const { values } = singularValues([1, 2, 2, 4, 3, 6], 3, 2)
  expectClose(values, [Math.sqrt(70), 0])
})

test('eigenvalues of general matrices: their sum is the trace, their product the determinant', () => {
  expectClose(eigenvalues([0, -1, 1, 0], 2)!, [0, -1, 0, 1])
  expectClose(eigenvalues([2, 0, 0, 0, 1, 0, 0, 0, 3], 3)!, [1, 0, 2, 0, 3, 0])
  // A permutation: the cube roots of 1.
  const root = Math.sqrt(3) / 2
  expectClose(eigenvalues([0, 1, 0, 0, 0, 1, 1, 0, 0], 3)!, [-0.5, -root, -0.5, root, 1, 0])
  for (const size of [5, 12, 40]) {
    const a = numbers(size * size, size)
    const found = eigenvalues(a, size)!
    let trace = 0
    let squares = 0
    for (let i = 0; i < size; i++) trace += a[i * size + i]!
    const square = product(a, a, size, size, size)
    for (let i = 0; i < size; i++) squares += square[i * size + i]!
    let [sum, sumOfSquares, imaginary] = [0, 0, 0]
    for (let i = 0; i < size; i++) {
      sum += found[2 * i]!
      imaginary += found[2 * i + 1]!
      sumOfSquares += found[2 * i]! ** 2 - found[2 * i + 1]! ** 2
    }
    expect(sum).toBeCloseTo(trace, 9)
    expect(sumOfSquares).toBeCloseTo(squares, 8)
    expect(imaginary).toBeCloseTo(0, 9)
  }
})

test('the exponential of a matrix', () => {
  expectClose(exponential([0, 1, 0, 0], 2), [1, 1, 0, 1])
  expectClose(
    exponential([0, -30, 30, 0], 2),
    [Math.cos(30), -Math.sin(30), Math.sin(30), Math.cos(30)],
    1e-9,
  )
  const a = numbers(9, 11)
  expectClose(
    product(
      exponential(a, 3),
      exponential(
        a.map((value) => -value),
        3,
      ),
      3,
      3,
      3,
    ),
    identity(3),
  )
})

test('Fourier transforms equal their sums, at lengths of every kind', () => {
  for (const length of [1, 2, 3, 4, 5, 8, 12, 16, 17, 30, 97]) {
    const x = numbers(2 * length, 13)
    const expected = new Float64Array(2 * length)
    for (let k = 0; k < length; k++) {
      for (let j = 0; j < length; j++) {
        const angle = (-2 * Math.PI * ((j * k) % length)) / length
        expected[2 * k]! += x[2 * j]! * Math.cos(angle) - x[2 * j + 1]! * Math.sin(angle)
        expected[2 * k + 1]! += x[2 * j]! * Math.sin(angle) + x[2 * j + 1]! * Math.cos(angle)
      }
    }
    const actual = x.slice()
    transformOf(length, false)(actual, 0)
    expectClose(actual, expected)
    transformOf(length, true)(actual, 0)
    expectClose(
      actual.map((value) => value / length),
      x,
    )
  }
})
