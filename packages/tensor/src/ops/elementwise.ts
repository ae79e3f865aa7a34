// Functions of one operand, element by element: signs, rounding, powers and roots, exponentials, trigonometry, and
// conversion between types. Functions of two operands: arithmetic.ts. Error, gamma and Bessel functions: special.ts.
// Activations: activation.ts.
import { call, cast, checkDType, type DType } from '@nabla/engine'
import { applyMap, applyUnary, defineMap, floatingOf, unary, type UnaryOp } from '../map.ts'
import { toTensor, type OpFunction, type TensorLike } from '../op.ts'
import type { Tensor } from '../tensor.ts'

// Signs and magnitudes

/** -x. */
export const neg: UnaryOp = unary('neg', {
  expr: (x) => call('neg', x),
  gradient: (upstream) => upstream.neg(),
})

/** Magnitude |x|. Its derivative at 0 is taken as 0. */
export const abs: UnaryOp = unary('abs', {
  expr: (x) => call('abs', x),
  gradient: (upstream, _, x) => upstream.mul(x.sign()),
  domain: { avoid: [0] },
})

/** -1, 0 or 1; NaN stays. */
export const sign: UnaryOp = unary('sign', {
  expr: (x) => call('sign', x),
  gradient: 'zero',
  domain: { avoid: [0] },
})

// Rounding; derivatives are 0

const integers = { avoid: [-2, -1, 0, 1, 2] }

/** The next whole number below or equal. */
export const floor: UnaryOp = unary('floor', {
  expr: (x) => call('floor', x),
  gradient: 'zero',
  domain: integers,
})

/** The next whole number above or equal. */
export const ceil: UnaryOp = unary('ceil', {
  expr: (x) => call('ceil', x),
  gradient: 'zero',
  domain: integers,
})

/** The whole part, toward zero. */
export const trunc: UnaryOp = unary('trunc', {
  expr: (x) => call('trunc', x),
  gradient: 'zero',
  domain: integers,
})

/** The nearest whole number; halves go to the even one. */
export const round: UnaryOp = unary('round', {
  expr: (x) => call('round', x),
  gradient: 'zero',
  domain: { avoid: [-1.5, -0.5, 0.5, 1.5] },
})

/** What is left without the whole part: x - trunc(x). */
export const frac: UnaryOp = unary('frac', {
  expr: (x) => call('sub', x, call('trunc', x)),
  gradient: (upstream) => upstream,
  domain: integers,
})

// Powers and roots

/** x * x. */
export const square: UnaryOp = unary('square', {
  expr: (x) => call('square', x),
  gradient: (upstream, _, x) => upstream.mul(x.mul(2)),
})

/** Square root; NaN for negative numbers. */
export const sqrt: UnaryOp = unary('sqrt', {
  expr: (x) => call('sqrt', x),
  gradient: (upstream, output) => upstream.div(output.mul(2)),
  domain: { low: 0.1, high: 4 },
})

/** 1 / sqrt(x). */
export const rsqrt: UnaryOp = unary('rsqrt', {
  expr: (x) => call('rsqrt', x),
  gradient: (upstream, output, x) => upstream.mul(output).div(x.mul(-2)),
  domain: { low: 0.1, high: 4 },
})

/** 1 / x. */
export const reciprocal: UnaryOp = unary('reciprocal', {
  expr: (x) => call('reciprocal', x),
  gradient: (upstream, output) => upstream.mul(output.square()).neg(),
  domain: { avoid: [-0.2, 0, 0.2] },
})

// Exponentials and logarithms

/** e ** x. */
export const exp: UnaryOp = unary('exp', {
  expr: (x) => call('exp', x),
  gradient: (upstream, output) => upstream.mul(output),
})

/** 2 ** x. */
export const exp2: UnaryOp = unary('exp2', {
  expr: (x) => call('exp2', x),
  gradient: (upstream, output) => upstream.mul(output.mul(Math.LN2)),
})

/** exp(x) - 1, accurate near 0. */
export const expm1: UnaryOp = unary('expm1', {
  expr: (x) => call('expm1', x),
  gradient: (upstream, output) => upstream.mul(output.add(1)),
})

/** Natural logarithm. */
export const log: UnaryOp = unary('log', {
  expr: (x) => call('log', x),
  gradient: (upstream, _, x) => upstream.div(x),
  domain: { low: 0.1, high: 4 },
})

/** Logarithm to base 2. */
export const log2: UnaryOp = unary('log2', {
  expr: (x) => call('log2', x),
  gradient: (upstream, _, x) => upstream.div(x.mul(Math.LN2)),
  domain: { low: 0.1, high: 4 },
})

/** Logarithm to base 10. */
export const log10: UnaryOp = unary('log10', {
  expr: (x) => call('log10', x),
  gradient: (upstream, _, x) => upstream.div(x.mul(Math.LN10)),
  domain: { low: 0.1, high: 4 },
})

/** log(1 + x), accurate near 0. */
export const log1p: UnaryOp = unary('log1p', {
  expr: (x) => call('log1p', x),
  gradient: (upstream, _, x) => upstream.div(x.add(1)),
  domain: { low: -0.8, high: 3 },
})

// Trigonometric and hyperbolic functions, in radians

/** Sine. */
export const sin: UnaryOp = unary('sin', {
  expr: (x) => call('sin', x),
  gradient: (upstream, _, x) => upstream.mul(x.cos()),
})

/** Cosine. */
export const cos: UnaryOp = unary('cos', {
  expr: (x) => call('cos', x),
  gradient: (upstream, _, x) => upstream.mul(x.sin()).neg(),
})

/** Tangent. */
export const tan: UnaryOp = unary('tan', {
  expr: (x) => call('tan', x),
  gradient: (upstream, output) => upstream.mul(output.square().add(1)),
  domain: { low: -1.2, high: 1.2 },
})

/** Arc sine; NaN outside [-1, 1]. */
export const asin: UnaryOp = unary('asin', {
  expr: (x) => call('asin', x),
  gradient: (upstream, _, x) => upstream.mul(x.square().neg().add(1).rsqrt()),
  domain: { low: -0.9, high: 0.9 },
})

/** Arc cosine; NaN outside [-1, 1]. */
export const acos: UnaryOp = unary('acos', {
  expr: (x) => call('acos', x),
  gradient: (upstream, _, x) => upstream.mul(x.square().neg().add(1).rsqrt()).neg(),
  domain: { low: -0.9, high: 0.9 },
})

/** Arc tangent. */
export const atan: UnaryOp = unary('atan', {
  expr: (x) => call('atan', x),
  gradient: (upstream, _, x) => upstream.div(x.square().add(1)),
})

/** Hyperbolic sine. */
export const sinh: UnaryOp = unary('sinh', {
  expr: (x) => call('sinh', x),
  gradient: (upstream, _, x) => upstream.mul(x.cosh()),
})

/** Hyperbolic cosine. */
export const cosh: UnaryOp = unary('cosh', {
  expr: (x) => call('cosh', x),
  gradient: (upstream, _, x) => upstream.mul(x.sinh()),
})

/** Hyperbolic tangent. */
export const tanh: UnaryOp = unary('tanh', {
  expr: (x) => call('tanh', x),
  gradient: (upstream, output) => upstream.mul(output.square().neg().add(1)),
})

/** Inverse of sinh. */
export const asinh: UnaryOp = unary('asinh', {
  expr: (x) => call('asinh', x),
  gradient: (upstream, _, x) => upstream.mul(x.square().add(1).rsqrt()),
})

/** Inverse of cosh, for x >= 1. */
export const acosh: UnaryOp = unary('acosh', {
  expr: (x) => call('acosh', x),
  gradient: (upstream, _, x) => upstream.mul(x.square().sub(1).rsqrt()),
  domain: { low: 1.2, high: 4 },
})

/** Inverse of tanh, for x in (-1, 1). */
export const atanh: UnaryOp = unary('atanh', {
  expr: (x) => call('atanh', x),
  gradient: (upstream, _, x) => upstream.div(x.square().neg().add(1)),
  domain: { low: -0.9, high: 0.9 },
})

/** Degrees to radians. */
export const deg2rad: UnaryOp = unary('deg2rad', {
  expr: (x) => call('mul', floatingOf(x), Math.PI / 180),
  gradient: (upstream) => upstream.mul(Math.PI / 180),
})

/** Radians to degrees. */
export const rad2deg: UnaryOp = unary('rad2deg', {
  expr: (x) => call('mul', floatingOf(x), 180 / Math.PI),
  gradient: (upstream) => upstream.mul(180 / Math.PI),
})

/** x where it is a number, and the given numbers for NaN, Infinity and -Infinity. */
export interface NanToNumOptions {
  /** Default 0. */
  nan?: number
  /** Default: the largest finite float32. */
  posinf?: number
  /** Default: the smallest finite float32. */
  neginf?: number
}

/** Replaces NaN and infinities by numbers. */
export const nanToNum: OpFunction<(x: TensorLike, options?: NanToNumOptions) => Tensor> = defineMap({
  name: 'nanToNum',
  expr: ([x, nan, posinf, neginf]) => {
    const high = call('where', call('eq', x!, Infinity), posinf!, x!)
    const finite = call('where', call('eq', x!, -Infinity), neginf!, high)
    return call('where', call('ne', x!, x!), nan!, finite)
  },
  gradient: [(upstream, _, x) => x.isFinite().where(upstream, 0)],
  call: (op) => (x, options) =>
    applyMap(op, [x, options?.nan ?? 0, options?.posinf ?? largestFloat, options?.neginf ?? -largestFloat]),
  samples: (make) => [
    [make.real([2, 3])],
    {
      args: [make.values([1, NaN, Infinity, -Infinity]), { nan: 7, posinf: 100, neginf: -100 }],
      gradient: false,
    },
  ],
})

const largestFloat = 3.4028234663852886e38

// Conversion

/**
 * The same values in another type. To bool: whether they differ from 0. From real to int32: toward zero, and NaN is 0.
 * @throws ValueError for an unknown type, listing the known ones
 */
export const to: OpFunction<(x: TensorLike, dtype: DType) => Tensor> = defineMap({
  name: 'to',
  expr: ([x], { dtype }) => cast(x!, dtype as DType),
  gradient: [(upstream) => upstream],
  call: (op) => (value, dtype) => {
    const x = toTensor('to', value)
    return x.dtype === dtype ? x : applyUnary(op, x, conversions[checkDType(dtype)])
  },
  samples: (make) => [
    { args: [make.real([2, 3]), 'int32'], gradient: false },
    { args: [make.real([2, 3]), 'bool'], gradient: false },
    { args: [make.bools([4]), 'float32'], gradient: false },
    [make.strided([2, 3]), 'float64'],
    { args: [make.integers([3], -5, 5), 'float32'], gradient: false },
  ],
  wrong: [
    {
      args: (make) => [make.real([2]), 'float23'],
      error: 'ValueError',
      message: /unknown dtype 'float23'.*float32/,
    },
  ],
})

// One object per type, so that a conversion makes no new one.
const conversions: Readonly<Record<DType, { dtype: DType }>> = {
  bool: { dtype: 'bool' },
  int32: { dtype: 'int32' },
  float32: { dtype: 'float32' },
  float64: { dtype: 'float64' },
}
