// Sine, cosine and tangent on four single floats, written inline. x = n pi/2 + r: the reduction is done in float64 (two
// lanes at a time), because in float32 it loses all digits near the zeros. Beyond 1.6e6 even that is too short, and the
// lanes concerned ask the host, on a branch. Accuracy is stated in tolerances.ts.
import type { FunctionBuilder } from '../wat/builder.ts'
import { f32x4, f64x2, i32x4, shuffle32, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { highToFloat64, lowToFloat64 } from './convert.ts'
import { lanewise } from './lanewise.ts'
import { polynomial, rounder64 } from './polynomial.ts'

// On [-pi/4, pi/4], sin(r) = r (c[0] + c[1] r^2 + ...).
const sinCoefficients = [1, -0.16666655242443085, 0.008332189172506332, -0.0001951828453456983]
// On [-pi/4, pi/4], cos(r) = 1 - r^2/2 + r^4 (c[0] + c[1] r^2 + ...).
const cosCoefficients = [0.04166664555668831, -0.0013887310633435845, 0.000024432563805021346]

// pi/2 in two parts, the first with 33 bits (fdlibm's pio2_1 and pio2_1t).
const halfPiHigh = 1.5707963267341256
const halfPiLow = 6.077100506506192e-11

const largestReduced = 1.6e6

interface Reduced {
  /** n, the number of quarter turns, in the low bits. */
  readonly turns: Local
  /** sin(r) and cos(r). */
  readonly sine: Local
  readonly cosine: Local
}

function reduce(f: FunctionBuilder, x: Local): Reduced {
  const low = reduceHalf(f, lowToFloat64(x))
  const high = reduceHalf(f, highToFloat64(x))
  const rest = f.let(shuffle32(low.rest, high.rest, [0, 1, 4, 5]), 'rest')
  const turns = f.let(shuffle32(low.turns, high.turns, [0, 2, 4, 6]), 'turns')
  return { turns, ...sineAndCosine(f, rest) }
}

/** sin(r) and cos(r) of angles in [-pi/4, pi/4]. */
export function sineAndCosine(f: FunctionBuilder, rest: Local): { sine: Local; cosine: Local } {
  const square = f.let(f32x4.mul(rest, rest), 'square')
  // A product rather than rest + rest * (...), so that sin(-0) stays -0.
  const sine = f.let(f32x4.mul(rest, polynomial(f, square, sinCoefficients)), 'sine')
  const head = f32x4.sub(f.f32x4(1), f32x4.mul(square, f.f32x4(0.5)))
  const tail = f32x4.mul(f32x4.mul(square, square), polynomial(f, square, cosCoefficients))
  return { sine, cosine: f.let(f32x4.add(head, tail), 'cosine') }
}

function reduceHalf(f: FunctionBuilder, x: Wat): { turns: Local; rest: Local } {
  const argument = f.let(x, 'half')
  const shift = f.f64x2(rounder64)
  const turns = f.let(f64x2.add(f64x2.mul(argument, f.f64x2(2 / Math.PI)), shift), 'turns')
  const n = f.let(f64x2.sub(turns, shift), 'n')
  const almost = f64x2.sub(argument, f64x2.mul(n, f.f64x2(halfPiHigh)))
  const rest = f64x2.sub(almost, f64x2.mul(n, f.f64x2(halfPiLow)))
  return { turns, rest: f.let(f32x4.demote_f64x2_zero(rest), 'rest') }
}

/** All ones in lanes where n is odd: there sine and cosine change places. */
export const isOdd = (turns: Wat): Wat => i32x4.shr_s(i32x4.shl(turns, 31), 31)
/** The sign bit in lanes where n is 2 or 3 modulo 4: there the sine is negative. */
export const secondHalfSign = (f: FunctionBuilder, turns: Wat): Wat =>
  v128.and(i32x4.shl(turns, 30), f.f32x4(-0))

// Only the lanes that are too large are replaced, so that a result never depends on its neighbours.
function mendLarge(f: FunctionBuilder, name: string, x: Local, value: Wat): Wat {
  const result = f.let(value, name)
  const tooLarge = f.let(f32x4.ge(f32x4.abs(x), f.f32x4(largestReduced)), 'tooLarge')
  f.if(v128.any_true(tooLarge), () => {
    f.set(result, v128.bitselect(lanewise(f, 'f32x4', name, x), result, tooLarge))
  })
  return result
}

/** Sine of an angle in radians. */
export function sin(f: FunctionBuilder, x: Wat): Wat {
  const argument = f.once(x)
  const { turns, sine, cosine } = reduce(f, argument)
  const value = v128.bitselect(cosine, sine, isOdd(turns))
  return mendLarge(f, 'sin', argument, v128.xor(value, secondHalfSign(f, turns)))
}

/** Cosine of an angle in radians: the sine, a quarter turn on. */
export function cos(f: FunctionBuilder, x: Wat): Wat {
  const argument = f.once(x)
  const { turns, sine, cosine } = reduce(f, argument)
  const shifted = f.let(i32x4.add(turns, f.i32x4(1)), 'turns')
  const value = v128.bitselect(cosine, sine, isOdd(shifted))
  return mendLarge(f, 'cos', argument, v128.xor(value, secondHalfSign(f, shifted)))
}

/** Tangent of an angle in radians: sin/cos, or -cos/sin after an odd number of quarter turns. */
export function tan(f: FunctionBuilder, x: Wat): Wat {
  const argument = f.once(x)
  const { turns, sine, cosine } = reduce(f, argument)
  const odd = f.let(isOdd(turns), 'odd')
  const numerator = v128.bitselect(cosine, sine, odd)
  const denominator = v128.bitselect(f32x4.neg(sine), cosine, odd)
  return mendLarge(f, 'tan', argument, f32x4.div(numerator, denominator))
}
