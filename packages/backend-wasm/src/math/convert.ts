// Conversions between vectors of different types. Four 32-bit lanes become two vectors of two 64-bit lanes, low and high.
import { f32x4, f64x2, i32x4, shuffle64 } from '../wat/instructions.ts'
import type { Wat } from '../wat/wat.ts'

// There are only instructions for the lower half; the upper one is moved down first.
const upperHalf = (x: Wat): Wat => shuffle64(x, x, [1, 1])

/** Integers of four single floats: toward zero, saturating, 0 for NaN. */
export function float32ToInt32(x: Wat): Wat {
  return i32x4.trunc_sat_f32x4_s(x)
}

/** Single floats of four signed integers, rounded to nearest. */
export function int32ToFloat32(x: Wat): Wat {
  return f32x4.convert_i32x4_s(x)
}

/** Double floats of lanes 0 and 1 of four single floats. */
export function lowToFloat64(x: Wat): Wat {
  return f64x2.promote_low_f32x4(x)
}

/** Double floats of lanes 2 and 3 of four single floats. `x` is used twice: give a local. */
export function highToFloat64(x: Wat): Wat {
  return f64x2.promote_low_f32x4(upperHalf(x))
}

/** Four single floats of two vectors of double floats. */
export function float64ToFloat32(low: Wat, high: Wat): Wat {
  return shuffle64(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), [0, 2])
}

/** Double floats of lanes 0 and 1 of four signed integers. */
export function lowInt32ToFloat64(x: Wat): Wat {
  return f64x2.convert_low_i32x4_s(x)
}

/** Double floats of lanes 2 and 3 of four signed integers. `x` is used twice: give a local. */
export function highInt32ToFloat64(x: Wat): Wat {
  return f64x2.convert_low_i32x4_s(upperHalf(x))
}

/** Four integers of two vectors of double floats: toward zero, saturating, 0 for NaN. */
export function float64ToInt32(low: Wat, high: Wat): Wat {
  return shuffle64(i32x4.trunc_sat_f64x2_s_zero(low), i32x4.trunc_sat_f64x2_s_zero(high), [0, 2])
}
