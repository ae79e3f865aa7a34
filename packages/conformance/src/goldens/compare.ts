// Comparing what this library computes with a golden value. Read before: format.ts.
import type { Tensor } from '@nabla/tensor'
import { elementsOf, shapeOf, type GoldenTensor } from './format.ts'

/** How far results may be from golden values: |difference| <= absolute + relative * |expected|. */
export interface Tolerance {
  readonly relative: number
  readonly absolute: number
}

/** What the golden values, computed in float64, ask of a float32 library. */
export const usual: Tolerance = { relative: 1e-4, absolute: 1e-5 }

/** Throws, saying where and how much, unless a tensor equals a golden value. */
export async function expectTensor(
  what: string,
  actual: Tensor,
  expected: GoldenTensor,
  tolerance: Tolerance = usual,
): Promise<void> {
  const shape = shapeOf(expected)
  if (actual.shape.join() !== shape.join()) {
    throw new Error(`${what}: shape [${actual.shape.join(', ')}] instead of [${shape.join(', ')}]`)
  }
  if (expected.dtype === 'bool' && actual.dtype !== 'bool') throw new Error(`${what}: ${actual.dtype} instead of bool`)
  if (expected.dtype === 'int32' && actual.dtype !== 'int32') throw new Error(`${what}: ${actual.dtype} instead of int32`)
  expectNumbers(what, await actual.data(), elementsOf(expected), tolerance)
}

/** Throws, saying where and how much, unless all numbers are close. */
export function expectNumbers(
  what: string,
  actual: ArrayLike<number>,
  expected: readonly number[],
  tolerance: Tolerance = usual,
): void {
  if (actual.length !== expected.length) {
    throw new Error(`${what}: ${actual.length} elements instead of ${expected.length}`)
  }
  let worst = -1
  let largestExcess = 0
  for (let i = 0; i < expected.length; i++) {
    const excess = excessOf(actual[i]!, expected[i]!, tolerance)
    if (excess <= largestExcess) continue
    worst = i
    largestExcess = excess
  }
  if (worst < 0) return
  const [a, e] = [actual[worst]!, expected[worst]!]
  throw new Error(`${what}[${worst}]: ${a} instead of ${e} (difference ${Math.abs(a - e)})`)
}

/** By how much a number lies outside of what is allowed; 0 or less when it does not. */
function excessOf(actual: number, expected: number, tolerance: Tolerance): number {
  if (Object.is(actual, expected) || actual === expected) return 0
  const difference = Math.abs(actual - expected)
  if (!Number.isFinite(difference)) return Infinity
  return difference - tolerance.absolute - tolerance.relative * Math.abs(expected)
}
