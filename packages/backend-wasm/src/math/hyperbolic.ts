// Hyperbolic functions and the error function on four single floats, written inline: rational functions where the result
// saturates, exponentials where it grows. Accuracy is stated in tolerances.ts. Rational coefficients: own fits (Loeb's
// iteration with Lawson's weights, minimax in relative error).
import type { FunctionBuilder } from '../wat/builder.ts'
import { f32x4, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { halfExp } from './exp.ts'
import { polynomial } from './polynomial.ts'

// tanh(x) = x P(x^2) / Q(x^2) on [-9.015, 9.015]; at the ends it comes out as 1.
const tanhNumerator = [
  1, 0.13379718363285065, 0.0034940349869430065, 2.0583485820679925e-5, 1.3319079172902093e-8,
]
const tanhDenominator = [
  1, 0.4671303331851959, 0.025871073827147484, 0.0003283093392383307, 7.762022278257064e-7,
]

// erf(x) = x P(x^2) / Q(x^2) on [-4, 4].
const erfNumerator = [
  1.1283791065216064, 0.19354651868343353, 0.05310193821787834, 0.0038834058213979006, 0.00028456724248826504,
  1.9867709397658473e-6,
]
const erfDenominator = [
  1, 0.504858672618866, 0.11535060405731201, 0.015207375399768353, 0.0011855859775096178,
  3.742012631846592e-5,
]

// sinh(x) = x (1 + x^2/3! + x^4/5! + ...), enough terms for |x| < 1.
const sinhCoefficients = [1, 1 / 6, 1 / 120, 1 / 5040, 1 / 362880]

// x limited to [-limit, limit]. The variable stands first in pmin and pmax, so that NaN passes.
function clamp(f: FunctionBuilder, x: Wat, limit: number): Wat {
  return f32x4.pmax(f32x4.pmin(x, f.f32x4(limit)), f.f32x4(-limit))
}

function oddRational(
  f: FunctionBuilder,
  x: Local,
  numerator: readonly number[],
  denominator: readonly number[],
): Wat {
  const square = f.let(f32x4.mul(x, x), 'square')
  return f32x4.div(f32x4.mul(x, polynomial(f, square, numerator)), polynomial(f, square, denominator))
}

/** Hyperbolic tangent. */
export function tanh(f: FunctionBuilder, x: Wat): Wat {
  return oddRational(f, f.let(clamp(f, x, 9.015), 'clamped'), tanhNumerator, tanhDenominator)
}

/** Error function. */
export function erf(f: FunctionBuilder, x: Wat): Wat {
  const value = oddRational(f, f.let(clamp(f, x, 4), 'clamped'), erfNumerator, erfDenominator)
  return clamp(f, value, 1)
}

/** Hyperbolic cosine, e^|x|/2 + e^-|x|/2. */
export function cosh(f: FunctionBuilder, x: Wat): Wat {
  const half = f.let(halfExp(f, f.let(f32x4.abs(x), 'magnitude')), 'half')
  return f32x4.add(half, f32x4.div(f.f32x4(0.25), half))
}

/** Hyperbolic sine: e^|x|/2 - e^-|x|/2 with the sign of x, and its series below 1, where that difference cancels. */
export function sinh(f: FunctionBuilder, x: Wat): Wat {
  const argument = f.once(x)
  const magnitude = f.let(f32x4.abs(argument), 'magnitude')
  const half = f.let(halfExp(f, magnitude), 'half')
  const large = f32x4.sub(half, f32x4.div(f.f32x4(0.25), half))
  const signed = v128.or(large, v128.and(argument, f.f32x4(-0)))
  const square = f.let(f32x4.mul(argument, argument), 'square')
  const small = f32x4.mul(argument, polynomial(f, square, sinhCoefficients))
  return v128.bitselect(small, signed, f32x4.lt(magnitude, f.f32x4(1)))
}
