// Division of four 32-bit integers, which WebAssembly does not have. Quotients are taken in float64: of two 32-bit
// integers it is either whole or at least 2^-31 (relatively) away from a whole number, so rounding never crosses one.
// Nothing traps. Division and remainder by 0 give 0, and the lowest integer divided by -1 wraps around to itself: what
// the interpreter's `| 0` makes of the same operations.
import type { FunctionBuilder } from '../wat/builder.ts'
import { f64x2, i32x4, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { float64ToInt32, highInt32ToFloat64, lowInt32ToFloat64 } from './convert.ts'

/** Where a quotient that is not whole goes: toward zero (C, JavaScript) or down (Python, NumPy). */
export type Rounding = 'trunc' | 'floor'

/** Quotients of signed integers. */
export function divide(f: FunctionBuilder, rounding: Rounding, dividend: Wat, divisor: Wat): Wat {
  const a = f.once(dividend)
  const b = f.once(divisor)
  return f.let(quotient(f, rounding, a, b), 'quotient')
}

/** Remainders of signed integers: with the sign of the dividend ('trunc') or of the divisor ('floor'). */
export function remainder(f: FunctionBuilder, rounding: Rounding, dividend: Wat, divisor: Wat): Wat {
  const a = f.once(dividend)
  const b = f.once(divisor)
  const rest = i32x4.sub(a, i32x4.mul(quotient(f, rounding, a, b), b))
  return v128.andnot(rest, i32x4.eq(b, f.i32x4(0)))
}

function quotient(f: FunctionBuilder, rounding: Rounding, a: Local, b: Local): Wat {
  // The conversion back truncates by itself.
  const round = rounding === 'floor' ? f64x2.floor : (x: Wat): Wat => x
  const low = round(f64x2.div(lowInt32ToFloat64(a), lowInt32ToFloat64(b)))
  const high = round(f64x2.div(highInt32ToFloat64(a), highInt32ToFloat64(b)))
  const saturated = float64ToInt32(low, high)
  // Negation wraps where the conversion would stop at the highest integer.
  const wrapped = v128.bitselect(i32x4.neg(a), saturated, i32x4.eq(b, f.i32x4(-1)))
  return v128.andnot(wrapped, i32x4.eq(b, f.i32x4(0)))
}
