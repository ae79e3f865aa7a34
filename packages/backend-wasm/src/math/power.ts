// Powers and roots on four single floats, written inline. x^y = 2^(y log2 x) needs log2 with more digits than float32 has,
// so both halves are computed in float64. A base that is not positive and normal, or an exponent that is not moderate,
// asks the host for its lane, on a branch. Accuracy is stated in tolerances.ts.
import type { FunctionBuilder } from '../wat/builder.ts'
import { f32x4, f64x2, i32, i32x4, i64x2, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { float64ToFloat32, highToFloat64, lowToFloat64 } from './convert.ts'
import { lanewise } from './lanewise.ts'
import { polynomial64, rounder64, smallestNormal } from './polynomial.ts'

// log2((1 + s) / (1 - s)) = s (c[0] + c[1] s^2 + ...), |s| <= (sqrt(2) - 1) / (sqrt(2) + 1); relative error 4e-12.
const log2Coefficients = [
  2.885390081790172, 0.9617966732259495, 0.5770836085405973, 0.41167122599701106, 0.340759056048471,
]
// 2^r on [-1/2, 1/2].
const exp2Coefficients = [
  1, 0.6931472028550386, 0.2402264791364135, 0.05550332471169783, 0.009618437356009455, 0.00133988744010399,
  0.00015353362374347215,
]

// Bit patterns of float64: sqrt(1/2) (its upper half), 1, 2^52 and the fraction's mask.
const sqrtHalfBits = '0x3fe6a09e00000000'
const oneBits = '0x3ff0000000000000'
const twoTo52Bits = '0x4330000000000000'
const fractionMask = '0x000fffffffffffff'

/** x^y, with C's special cases (IEEE 754 pow): anything to the 0 is 1, 1 to anything is 1. */
export function pow(f: FunctionBuilder, x: Wat, y: Wat): Wat {
  const base = f.once(x)
  const exponent = f.once(y)
  const low = f.let(powHalf(f, lowToFloat64(base), lowToFloat64(exponent)))
  const high = f.let(powHalf(f, highToFloat64(base), highToFloat64(exponent)))
  const result = f.let(float64ToFloat32(low, high), 'pow')
  const baseIsPlain = v128.and(f32x4.ge(base, f.f32x4(smallestNormal)), f32x4.lt(base, f.f32x4(Infinity)))
  const exponentIsPlain = f32x4.lt(f32x4.abs(exponent), f.f32x4(1e30))
  const plain = f.let(v128.and(baseIsPlain, exponentIsPlain), 'plain')
  f.if(i32.eqz(i32x4.all_true(plain)), () => {
    const rare = f.let(lanewise(f, 'f32x4', 'pow', base, exponent), 'rare')
    // The one case in which a host may follow JavaScript, whose (-1) ** Infinity is NaN.
    const unit = f32x4.eq(f32x4.abs(base), f.f32x4(1))
    const isOne = v128.and(unit, f32x4.eq(f32x4.abs(exponent), f.f32x4(Infinity)))
    f.set(result, v128.bitselect(result, v128.bitselect(f.f32x4(1), rare, isOne), plain))
  })
  return result
}

function powHalf(f: FunctionBuilder, x: Wat, y: Wat): Wat {
  // x = 2^e m, m in [sqrt(1/2), sqrt(2)).
  const bits = f.let(i64x2.sub(x, f.i64x2(sqrtHalfBits)), 'bits')
  const m = f.let(i64x2.add(v128.and(bits, f.i64x2(fractionMask)), f.i64x2(sqrtHalfBits)), 'm')
  // There is no conversion from 64-bit integers: set behind the bits of 2^52, e + 1023 reads as 2^52 + e + 1023.
  const biased = i64x2.shr_u(i64x2.add(bits, f.i64x2(oneBits)), 52)
  const e = f64x2.sub(v128.or(biased, f.i64x2(twoTo52Bits)), f.f64x2(2 ** 52 + 1023))
  const s = f.let(f64x2.div(f64x2.sub(m, f.f64x2(1)), f64x2.add(m, f.f64x2(1))), 's')
  const square = f.let(f64x2.mul(s, s), 'square')
  const log2 = f64x2.add(e, f64x2.mul(s, polynomial64(f, square, log2Coefficients)))
  // Beyond +-200 float32 is long Inf or 0.
  const product = f64x2.mul(y, log2)
  const power = f.let(f64x2.pmax(f64x2.pmin(product, f.f64x2(200)), f.f64x2(-200)), 'power')
  return exp2Half(f, power)
}

function exp2Half(f: FunctionBuilder, power: Local): Wat {
  const shift = f.f64x2(rounder64)
  const rounded: Local = f.let(f64x2.add(power, shift), 'rounded')
  const rest = f.let(f64x2.sub(power, f64x2.sub(rounded, shift)), 'rest')
  return i64x2.add(polynomial64(f, rest, exp2Coefficients), i64x2.shl(rounded, 52))
}

/** Square root, correctly rounded. */
export function sqrt(_: FunctionBuilder, x: Wat): Wat {
  return f32x4.sqrt(x)
}

/** 1 / sqrt(x). (WebAssembly has no instruction that estimates it.) */
export function rsqrt(f: FunctionBuilder, x: Wat): Wat {
  return f32x4.div(f.f32x4(1), f32x4.sqrt(x))
}
