// Polynomials, and reading float32 bit patterns. Shared by all functions of this folder.
import type { FunctionBuilder } from '../wat/builder.ts'
import { f32x4, f64x2 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'

/** `c[0] + c[1] x + c[2] x^2 + ...` on single floats. */
export function polynomial(f: FunctionBuilder, x: Local, coefficients: readonly number[]): Wat {
  return evaluate(f, f32x4, x, coefficients, (c) => f.f32x4(c))
}

/** `c[0] + c[1] x + c[2] x^2 + ...` on double floats. */
export function polynomial64(f: FunctionBuilder, x: Local, coefficients: readonly number[]): Wat {
  return evaluate(f, f64x2, x, coefficients, (c) => f.f64x2(c))
}

/**
 * (c[0] + c[1] x) + x^2 ((c[2] + c[3] x) + x^2 (...)): Horner's rule in x^2, whose terms do not wait for each other. With
 * Horner's rule in x a processor cannot look far enough ahead to find other work: functions took 10 to 15 % longer. Cutting
 * the chain once more gains nothing.
 */
function evaluate(
  f: FunctionBuilder,
  float: typeof f32x4 | typeof f64x2,
  x: Local,
  coefficients: readonly number[],
  constant: (value: number) => Wat,
): Wat {
  const pairs: Wat[] = []
  for (let i = 0; i < coefficients.length; i += 2) {
    const [first, second] = [constant(coefficients[i]!), coefficients[i + 1]]
    if (second === undefined) pairs.push(first)
    else pairs.push(float.add(first, second === 1 ? x : float.mul(x, constant(second))))
  }
  if (pairs.length === 1) return pairs[0]!
  const square = f.let(float.mul(x, x), 'square')
  return pairs.reduceRight((sum, pair) => float.add(pair, float.mul(square, sum)))
}

/** Smallest positive normal float32, 2^-126. */
export const smallestNormal: number = 2 ** -126

/**
 * Adding 1.5 * 2^23 to a float32 of moderate size rounds it to an integer, which then sits in the low bits of the sum:
 * cheaper than `nearest` and a conversion, and a shift by 23 makes a power of two of it.
 */
export const rounder: number = 12582912

/** The same for float64: 1.5 * 2^52. */
export const rounder64: number = 6755399441055744
