// The exponential of a float64 matrix. Source: Golub & Van Loan, Matrix Computations (4th ed.), algorithm 9.3.1: scaling,
// a diagonal Pade approximation, and squaring.
import { factorLU, identity, solveLU } from './lu.ts'

// With the norm scaled below 1/2, this degree leaves less than the rounding error of float64.
const degree = 8

/** exp(A) of a square matrix. */
export function exponential(a: ArrayLike<number>, size: number): Float64Array {
  let norm = 0
  for (let i = 0; i < size; i++) {
    let row = 0
    for (let j = 0; j < size; j++) row += Math.abs(a[i * size + j]!)
    norm = Math.max(norm, row)
  }
  if (!Number.isFinite(norm)) return new Float64Array(size * size).fill(NaN)
  const squarings = norm === 0 ? 0 : Math.max(0, 1 + Math.floor(Math.log2(norm)) + 1)
  const scaled = Float64Array.from(a, (value) => value / 2 ** squarings)
  const numerator = identity(size)
  const denominator = identity(size)
  let power = identity(size)
  let coefficient = 1
  for (let k = 1; k <= degree; k++) {
    coefficient *= (degree - k + 1) / (k * (2 * degree - k + 1))
    power = product(scaled, power, size)
    const sign = k % 2 === 0 ? 1 : -1
    for (let i = 0; i < power.length; i++) {
      numerator[i]! += coefficient * power[i]!
      denominator[i]! += sign * coefficient * power[i]!
    }
  }
  let result = solveLU(factorLU(denominator, size), numerator, size)
  for (let k = 0; k < squarings; k++) result = product(result, result, size)
  return result
}

function product(a: Float64Array, b: Float64Array, size: number): Float64Array {
  const c = new Float64Array(size * size)
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      const factor = a[i * size + k]!
      for (let j = 0; j < size; j++) c[i * size + j]! += factor * b[k * size + j]!
    }
  }
  return c
}
