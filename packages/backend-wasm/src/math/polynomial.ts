// Polynomials by Horner's rule, and reading float32 bit patterns. Shared by all functions of this folder.
// Horner rather than Estrin: kernels compute many independent vectors, so throughput counts and not latency.
import type { FunctionBuilder } from '../wat/builder.ts'
import { f32x4, f64x2 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'

/** `c[0] + c[1] x + c[2] x^2 + ...` on single floats. */
export function polynomial(f: FunctionBuilder, x: Local, coefficients: readonly number[]): Wat {
  return coefficients
    .slice(0, -1)
    .reduceRight<Wat>((sum, c) => f32x4.add(f.f32x4(c), f32x4.mul(x, sum)), f.f32x4(coefficients.at(-1)!))
}

/** `c[0] + c[1] x + c[2] x^2 + ...` on double floats. */
export function polynomial64(f: FunctionBuilder, x: Local, coefficients: readonly number[]): Wat {
  return coefficients
    .slice(0, -1)
    .reduceRight<Wat>((sum, c) => f64x2.add(f.f64x2(c), f64x2.mul(x, sum)), f.f64x2(coefficients.at(-1)!))
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
