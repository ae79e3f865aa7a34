// Exponentials on four single floats, written inline. All reduce x = n ln 2 + r with |r| <= ln(2)/2 (Cody & Waite 1980:
// ln 2 in two parts, the first short enough that n times it is exact), take a minimax polynomial in r, and put n into the
// exponent. Results below 2^-126 are flushed to 0: gradual underflow would cost a fifth more for numbers that vanish
// beside 1 anyway. Accuracy is stated in tolerances.ts. Coefficients: own fits (Sollya fpminimax, float32).
import type { FunctionBuilder } from '../wat/builder.ts'
import { f32x4, i32x4, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { polynomial, rounder } from './polynomial.ts'

const log2e = Math.LOG2E
// ln 2 = high + low; the split is that of Cephes expf.
const ln2High = 0.693359375
const ln2Low = -2.1219444e-4

// exp(r) on [-ln(2)/2, ln(2)/2], relative error 1.1e-7.
const expCoefficients = [
  1, 1, 0.4999922811985016, 0.16667117178440094, 0.04189065098762512, 0.008312423713505268,
]
// (exp(r) - 1 - r) / r^2 on the same interval.
const expm1Coefficients = [
  0.5, 0.1666666567325592, 0.04166647791862488, 0.008333566598594189, 0.0013933712616562843,
  0.00019743444863706827,
]

// Between these x, exp(x) is a normal float32: ln(2^-126) rounded up, and the last x that does not overflow.
const lowestNormal = -87.33654
const highestFinite = 88.72283

interface Reduced {
  /** n + bias in the low bits (above them, a constant that a shift by 23 drops). */
  readonly power: Local
  /** x - n ln 2 */
  readonly rest: Local
}

function reduce(f: FunctionBuilder, x: Local, bias: number): Reduced {
  const shift = f.f32x4(rounder + bias)
  const power = f.let(f32x4.add(f32x4.mul(x, f.f32x4(log2e)), shift), 'power')
  const n = f.let(f32x4.sub(power, shift), 'n')
  const high = f32x4.sub(x, f32x4.mul(n, f.f32x4(ln2High)))
  return { power, rest: f.let(f32x4.sub(high, f32x4.mul(n, f.f32x4(ln2Low))), 'rest') }
}

// significand * 2^n by adding n to the exponent's bits. One multiplication cannot do it: n runs from -126 to 128, one
// value more than normal powers of two. Below `lowest` the sum means nothing and becomes 0; above `highest`, Inf; NaN
// fails both comparisons and passes through the addition of Inf.
function scale(
  f: FunctionBuilder,
  x: Local,
  significand: Wat,
  power: Local,
  lowest: number,
  highest: number,
): Wat {
  const scaled = i32x4.add(significand, i32x4.shl(power, 23))
  const flushed = v128.andnot(scaled, f32x4.lt(x, f.f32x4(lowest)))
  return v128.bitselect(flushed, f32x4.add(x, f.f32x4(Infinity)), f32x4.le(x, f.f32x4(highest)))
}

/** e^x. */
export function exp(f: FunctionBuilder, x: Wat): Wat {
  const argument = f.once(x)
  const { power, rest } = reduce(f, argument, 0)
  return scale(f, argument, polynomial(f, rest, expCoefficients), power, lowestNormal, highestFinite)
}

/** e^x for x <= 0 (softmax): there is no overflow to look after, which saves a sixth. */
export function expNeg(f: FunctionBuilder, x: Wat): Wat {
  const argument = f.once(x)
  const { power, rest } = reduce(f, argument, 127)
  const scaled = f32x4.mul(polynomial(f, rest, expCoefficients), i32x4.shl(power, 23))
  return v128.andnot(scaled, f32x4.lt(argument, f.f32x4(lowestNormal)))
}

/** e^x / 2 for x >= 0, finite up to x = 89.4: what hyperbolic functions need beyond the overflow of e^x. */
export function halfExp(f: FunctionBuilder, x: Wat): Wat {
  const argument = f.once(x)
  const { power, rest } = reduce(f, argument, -1)
  return scale(f, argument, polynomial(f, rest, expCoefficients), power, lowestNormal, 89.415985)
}

/** 2^x; exact where x is an integer. */
export function exp2(f: FunctionBuilder, x: Wat): Wat {
  const argument = f.once(x)
  const power = f.let(f32x4.add(argument, f.f32x4(rounder)), 'power')
  const fraction = f32x4.sub(argument, f32x4.sub(power, f.f32x4(rounder)))
  const rest = f.let(f32x4.mul(fraction, f.f32x4(Math.LN2)), 'rest')
  return scale(f, argument, polynomial(f, rest, expCoefficients), power, -126, 127.99999)
}

/**
 * e^x - 1, accurate near 0: 2^n ((exp(r) - 1) + (1 - 2^-n)), after SLEEF's xexpm1f. Computed at half its size, so that
 * 2^n itself does not overflow before the result does.
 */
export function expm1(f: FunctionBuilder, x: Wat): Wat {
  const argument = f.once(x)
  const clamped = f.let(f32x4.pmax(f32x4.pmin(argument, f.f32x4(89)), f.f32x4(-18)), 'clamped')
  const { power, rest } = reduce(f, clamped, 126)
  const halfScale = f.let(i32x4.shl(power, 23), 'scale')
  const tail = f32x4.mul(f32x4.mul(rest, rest), polynomial(f, rest, expm1Coefficients))
  const half = f32x4.add(f32x4.mul(halfScale, f32x4.add(rest, tail)), f32x4.sub(halfScale, f.f32x4(0.5)))
  // Tiny x is its own result; above all, -0 stays -0.
  const isTiny = f32x4.lt(f32x4.abs(argument), f.f32x4(1e-20))
  return v128.bitselect(argument, f32x4.mul(half, f.f32x4(2)), isTiny)
}

/**
 * 1 / (1 + e^-x). Through tanh it would be faster, but without accuracy on the left, where results are small. Beside the 1
 * the exponential needs no care at its ends: at 89 its scale is 2^128, which is Inf.
 */
export function sigmoid(f: FunctionBuilder, x: Wat): Wat {
  const clamped = f.let(f32x4.pmax(f32x4.pmin(f32x4.neg(x), f.f32x4(89)), f.f32x4(-87)), 'clamped')
  const { power, rest } = reduce(f, clamped, 127)
  const exponential = f32x4.mul(polynomial(f, rest, expCoefficients), i32x4.shl(power, 23))
  return f32x4.div(f.f32x4(1), f32x4.add(f.f32x4(1), exponential))
}
