// Logarithms on four single floats, written inline. x = 2^e m with m in [sqrt(1/2), sqrt(2)), then a polynomial in m - 1
// (the form of Cephes logf, with own coefficients). Zero, denormals, negative numbers, Inf and NaN are found by a single
// unsigned comparison and mended on a branch that is almost never taken. Accuracy is stated in tolerances.ts.
import type { FunctionBuilder } from '../wat/builder.ts'
import { f32x4, i32x4, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { polynomial, smallestNormal } from './polynomial.ts'

// log(1 + f) = f - f^2/2 + f^3 (c[0] + c[1] f + ...) on [sqrt(1/2) - 1, sqrt(2) - 1].
const logCoefficients = [
  0.333339124917984, -0.25001344084739685, 0.19962997734546661, -0.16577313840389252, 0.14915190637111664,
  -0.1426992267370224, 0.08702466636896133,
]

const bitsOfSqrtHalf = 0x3f3504f3
const bitsOfOne = 0x3f800000
const exponentMask = -0x800000 // sign and exponent of a float32
const fractionMask = 0x7fffff

/** One way to put exponent and significand together: the base of a logarithm. */
type Combine = (f: FunctionBuilder, fraction: Local, exponent: Local) => Wat

// f^3 (c[0] + c[1] f + ...), the part of log(1 + f) beyond f - f^2/2.
function cubicPart(f: FunctionBuilder, fraction: Local, square: Local): Wat {
  return f32x4.mul(f32x4.mul(fraction, square), polynomial(f, fraction, logCoefficients))
}

// Small terms first; ln 2 in two parts, the first exact when multiplied by an exponent.
const natural: Combine = (f, fraction, exponent) => {
  const square = f.let(f32x4.mul(fraction, fraction), 'square')
  const small = f32x4.add(cubicPart(f, fraction, square), f32x4.mul(exponent, f.f32x4(-2.1219444e-4)))
  const significand = f32x4.add(f32x4.sub(small, f32x4.mul(square, f.f32x4(0.5))), fraction)
  return f32x4.add(significand, f32x4.mul(exponent, f.f32x4(0.693359375)))
}

function logOfSignificand(f: FunctionBuilder, fraction: Local): Wat {
  const square = f.let(f32x4.mul(fraction, fraction), 'square')
  return f32x4.add(f32x4.sub(cubicPart(f, fraction, square), f32x4.mul(square, f.f32x4(0.5))), fraction)
}

// Exact for powers of two, whose fraction is 0.
const binary: Combine = (f, fraction, exponent) =>
  f32x4.add(f32x4.mul(logOfSignificand(f, fraction), f.f32x4(Math.LOG2E)), exponent)

// log10(2) = 0.301025390625 + 4.605e-6, the first part exact when multiplied by an exponent.
const decimal: Combine = (f, fraction, exponent) => {
  const significand = f32x4.mul(logOfSignificand(f, fraction), f.f32x4(Math.LOG10E))
  const small = f32x4.add(significand, f32x4.mul(exponent, f.f32x4(4.605038981195214e-6)))
  return f32x4.add(small, f32x4.mul(exponent, f.f32x4(0.301025390625)))
}

/** Natural logarithm. */
export function log(f: FunctionBuilder, x: Wat): Wat {
  return logarithm(f, x, natural)
}

/** Logarithm to base 2; exact for powers of two. */
export function log2(f: FunctionBuilder, x: Wat): Wat {
  return logarithm(f, x, binary)
}

/** Logarithm to base 10. */
export function log10(f: FunctionBuilder, x: Wat): Wat {
  return logarithm(f, x, decimal)
}

function logarithm(f: FunctionBuilder, x: Wat, combine: Combine): Wat {
  const argument = f.once(x)
  const normal = f.let(argument, 'normal')
  const correction = f.local('v128', 'correction')
  f.set(correction, f.f32x4(0))
  // Positive normal numbers are those whose bits are at least 2^-126's and below Inf's.
  const special = f.let(i32x4.ge_u(i32x4.sub(argument, f.i32x4(0x800000)), f.i32x4(0x7f000000)), 'special')
  f.if(v128.any_true(special), () => {
    // Denormals are brought into the normal range.
    const isSmall = f.let(f32x4.lt(argument, f.f32x4(smallestNormal)))
    f.set(normal, v128.bitselect(f32x4.mul(argument, f.f32x4(2 ** 23)), argument, isSmall))
    f.set(correction, v128.and(isSmall, f.f32x4(-23)))
  })
  const bits = f.let(i32x4.sub(normal, f.i32x4(bitsOfSqrtHalf)), 'bits')
  const exponent = f.let(f32x4.add(f32x4.convert_i32x4_s(i32x4.shr_s(bits, 23)), correction), 'exponent')
  const significand = i32x4.add(v128.and(bits, f.i32x4(fractionMask)), f.i32x4(bitsOfSqrtHalf))
  const fraction = f.let(f32x4.sub(significand, f.f32x4(1)), 'fraction')
  const result = f.let(combine(f, fraction, exponent), 'log')
  f.if(v128.any_true(special), () => {
    const zero = f32x4.eq(argument, f.f32x4(0))
    f.set(result, v128.bitselect(f.f32x4(-Infinity), result, zero))
    // Inf and NaN are their own logarithms; a negative number's is NaN (all bits set).
    f.set(result, v128.bitselect(result, argument, f32x4.lt(argument, f.f32x4(Infinity))))
    f.set(result, v128.or(result, f32x4.lt(argument, f.f32x4(0))))
  })
  return result
}

/**
 * log(1 + x), accurate near 0. 1 + x = 2^e m decides e; then m - 1 = x 2^-e + (2^-e - 1), in which nothing is lost
 * (after SLEEF's xlog1pf).
 */
export function log1p(f: FunctionBuilder, x: Wat): Wat {
  const argument = f.once(x)
  const sum = f.let(f32x4.add(argument, f.f32x4(1)), 'sum')
  const bits = f.let(i32x4.sub(sum, f.i32x4(bitsOfSqrtHalf)), 'bits')
  const exponent = f.let(f32x4.convert_i32x4_s(i32x4.shr_s(bits, 23)), 'exponent')
  const inverse = f.let(i32x4.sub(f.i32x4(bitsOfOne), v128.and(bits, f.i32x4(exponentMask))), 'inverse')
  const fraction = f.let(f32x4.add(f32x4.mul(argument, inverse), f32x4.sub(inverse, f.f32x4(1))), 'fraction')
  const result = f.let(natural(f, fraction, exponent), 'log1p')
  // x <= -1, NaN, and so large that 2^-e would be denormal: there the 1 does not matter.
  const special = f.let(i32x4.ge_u(i32x4.sub(sum, f.i32x4(0x800000)), f.i32x4(0x7d800000)), 'special')
  f.if(v128.any_true(special), () => {
    f.set(result, v128.bitselect(log(f, sum), result, special))
  })
  // The result has the sign of x; saying so keeps -0.
  return v128.or(result, v128.and(argument, f.f32x4(-0)))
}
