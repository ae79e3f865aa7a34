// Conversions between types, as vectors: to bool is "not equal to zero" (so NaN is true), from floating to int32 truncates
// toward zero, keeps within 32 bits and makes 0 of NaN. Lanes as lanes.ts says.
import type { DType } from '@nabla/engine'
import type { FunctionBuilder } from '../wat/builder.ts'
import { f32x4, f64x2, i32x4, v128 } from '../wat/instructions.ts'
import type { Wat } from '../wat/wat.ts'
import { narrowMask, widenMask } from './lanes.ts'

type Conversion = (f: FunctionBuilder, x: Wat) => Wat

const same: Conversion = (_, x) => x

/** From the first type to the second. */
const conversions: Readonly<Record<DType, Readonly<Record<DType, Conversion>>>> = {
  float32: {
    float32: same,
    float64: (_, x) => f64x2.promote_low_f32x4(x),
    int32: (_, x) => i32x4.trunc_sat_f32x4_s(x),
    bool: (f, x) => f32x4.ne(x, f.f32x4(0)),
  },
  float64: {
    float32: (_, x) => f32x4.demote_f64x2_zero(x),
    float64: same,
    int32: (_, x) => i32x4.trunc_sat_f64x2_s_zero(x),
    bool: (f, x) => narrowMask(f, f64x2.ne(x, f.f64x2(0))),
  },
  int32: {
    float32: (_, x) => f32x4.convert_i32x4_s(x),
    float64: (_, x) => f64x2.convert_low_i32x4_s(x),
    int32: same,
    bool: (f, x) => i32x4.ne(x, f.i32x4(0)),
  },
  bool: {
    float32: (f, x) => v128.and(x, f.f32x4(1)),
    float64: (f, x) => v128.and(widenMask(x), f.f64x2(1)),
    int32: (f, x) => v128.and(x, f.i32x4(1)),
    bool: same,
  },
}

/** Converts a vector. */
export function convert(f: FunctionBuilder, x: Wat, from: DType, to: DType): Wat {
  return conversions[from][to](f, x)
}
