// Functions of one or two values that are short expressions of others: entropy terms, the normal distribution, sums of powers
// of two. Not here: functions with kernels of their own (special.ts, elementwise.ts).
import { defineFunction, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import { noGrad, type Tensor } from '../tensor.ts'
import { floating } from './common.ts'

type Unary = OpFunction<(x: TensorLike) => Tensor>
type Binary = OpFunction<(a: TensorLike, b: TensorLike) => Tensor>

/** log2(2^a + 2^b) without overflow. */
export const logaddexp2: Binary = defineFunction({
  name: 'logaddexp2',
  call: (a: TensorLike, b: TensorLike) =>
    floating(toTensor('logaddexp2', a))
      .mul(Math.LN2)
      .logaddexp(floating(toTensor('logaddexp2', b)).mul(Math.LN2))
      .div(Math.LN2),
  samples: (make) => [
    [make.real([2, 3]), make.real([3])],
    [make.real([3], { low: 300, high: 400 }), make.real([3])],
  ],
  wrong: [
    { args: (make) => [make.real([2]), make.real([3])], error: 'ShapeError', message: /do not broadcast/ },
  ],
})

/** x log(1 + y), which is 0 where x is 0 and y is not NaN. */
export const xlog1py: Binary = defineFunction({
  name: 'xlog1py',
  call: (a: TensorLike, b: TensorLike) => {
    const x = floating(toTensor('xlog1py', a))
    const y = floating(toTensor('xlog1py', b))
    // Where nothing counts, an infinite logarithm must not either, nor its derivative.
    const nothing = noGrad(() => x.eq(0).logicalAnd(y.le(-1).logicalOr(y.eq(Infinity))))
    return nothing.where(0, x.mul(nothing.where(0, y).log1p()))
  },
  samples: (make) => [
    [make.real([2, 3]), make.real([3], { low: -0.9, high: 3 })],
    [make.values([0, 1, 0]), make.values([0.5, 1, 3])],
    { args: [make.values([0, 0, 2]), make.values([-1, NaN, 1])], gradient: false },
  ],
  wrong: [
    { args: (make) => [make.real([2]), make.real([3])], error: 'ShapeError', message: /do not broadcast/ },
  ],
})

/** A term of an entropy: -x log x; 0 at 0, and -Infinity below. */
export const entr: Unary = defineFunction({
  name: 'entr',
  call: (value: TensorLike) => {
    const x = floating(toTensor('entr', value))
    const positive = noGrad(() => x.gt(0))
    const beyond = noGrad(() => x.lt(0).where(-Infinity, x.mul(x)))
    const safe = positive.where(x, 1)
    return positive.where(safe.mul(safe.log()).neg(), beyond)
  },
  samples: (make) => [
    [make.real([2, 3], { low: 0.1, high: 2 })],
    { args: [make.values([0, -1, NaN, 2])], gradient: false },
  ],
  wrong: [{ args: () => ['x'], error: 'ValueError', message: /entr: expected a tensor/ }],
})

/** The share of a standard normal distribution that lies below x. */
export const ndtr: Unary = defineFunction({
  name: 'ndtr',
  call: (value: TensorLike) => floating(toTensor('ndtr', value)).mul(-Math.SQRT1_2).erfc().mul(0.5),
  samples: (make) => [[make.real([2, 3])], [make.strided([3, 2])]],
  wrong: [{ args: () => ['x'], error: 'ValueError', message: /ndtr: expected a tensor/ }],
})

/** The x below which a share p of a standard normal distribution lies: the inverse of {@link ndtr}. */
export const ndtri: Unary = defineFunction({
  name: 'ndtri',
  call: (value: TensorLike) => floating(toTensor('ndtri', value)).mul(2).sub(1).erfinv().mul(Math.SQRT2),
  tolerance: { relative: 1e-4, absolute: 1e-5 },
  samples: (make) => [
    [make.real([2, 3], { low: 0.05, high: 0.95 })],
    { args: [make.values([0, 0.5, 1])], gradient: false },
  ],
  wrong: [{ args: () => ['x'], error: 'ValueError', message: /ndtri: expected a tensor/ }],
})
