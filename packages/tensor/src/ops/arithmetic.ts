// Arithmetic of two operands, element by element, with NumPy's broadcasting: sums to powers, remainders, extremes, and a
// few formulas of three operands. Types promote bool < int32 < float32 < float64; a plain number takes the other
// operand's type. Functions of one operand: elementwise.ts. Read before: map.ts.
import { call, cast, isFloating, lookUp, ValueError, type Expr } from '@nabla/engine'
import { applyMap, binary, binaryWrong, defineMap, type BinaryOp } from '../map.ts'
import { defineFunction, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import { noGrad, type Tensor } from '../tensor.ts'

/** Sum: a + b. */
export const add: BinaryOp = binary('add', {
  expr: (a, b) => call('add', a, b),
  gradient: [(upstream) => upstream, (upstream) => upstream],
})

/** Difference: a - b. */
export const sub: BinaryOp = binary('sub', {
  expr: (a, b) => call('sub', a, b),
  gradient: [(upstream) => upstream, (upstream) => upstream.neg()],
})

/** Product: a * b. */
export const mul: BinaryOp = binary('mul', {
  expr: (a, b) => call('mul', a, b),
  gradient: [(upstream, _, _a, b) => upstream.mul(b), (upstream, _, a) => upstream.mul(a)],
})

const quotient: BinaryOp = binary('div', {
  expr: (a, b) => call('div', a, b),
  gradient: [
    (upstream, _, _a, b) => upstream.div(b),
    (upstream, output, _a, b) => upstream.mul(output).div(b).neg(),
  ],
})

/** How {@link div} rounds its result. */
export interface DivOptions {
  /** `floor`: down, as Python's `//`; `trunc`: toward zero. Default: not at all. */
  roundingMode?: 'floor' | 'trunc'
}

const roundings = {
  floor: (a: TensorLike, b: TensorLike): Tensor => floorDivide(a, b),
  trunc: (a: TensorLike, b: TensorLike): Tensor => truncatedQuotient(a, b),
}

/** Quotient: a / b, real even for integers, unless a rounding mode is given. */
export const div: OpFunction<(a: TensorLike, b: TensorLike, options?: DivOptions) => Tensor> = defineFunction(
  {
    name: 'div',
    call: (a: TensorLike, b: TensorLike, options?: DivOptions) => {
      if (options?.roundingMode === undefined) return quotient(a, b)
      return lookUp('roundingMode of div', options.roundingMode, roundings)(a, b)
    },
    samples: (make) => [
      [make.real([2, 5]), make.real([5], { low: 0.5 })],
      [make.strided([2, 1, 5]), make.real([4, 1], { low: -3, high: -0.5 })],
      [3, make.real([4], { low: 0.5 })],
      [make.real([0, 3]), make.real([3], { low: 0.5 })],
      [make.real([2, 5]), 3],
      [make.integers([2, 5], -9, 9), 2],
      { args: [make.real([6]), make.real([6], { low: 0.5 }), { roundingMode: 'floor' }], gradient: false },
      { args: [make.integers([6], -9, 9), 4, { roundingMode: 'trunc' }], gradient: false },
    ],
    wrong: [
      ...binaryWrong('div'),
      {
        args: (make) => [make.real([2]), 2, { roundingMode: 'up' }],
        error: 'ValueError',
        message: /roundingMode of div 'up'/,
      },
    ],
  },
)

/** Quotient rounded down. Integers stay integers. */
export const floorDivide: BinaryOp = binary('floorDivide', {
  expr: (a, b) => call('floorDivide', a, b),
  gradient: 'zero',
  samples: (make) => [
    { args: [make.real([2, 5]), make.real([5], { low: 0.5 })], gradient: false },
    { args: [make.integers([2, 5], -9, 9), 4], gradient: false },
  ],
})

const truncatedQuotient: BinaryOp = binary('truncatedQuotient', {
  expr: (a, b) => {
    const type = call('add', a, b).dtype
    return cast(call('trunc', call('div', a, b)), type === 'bool' ? 'int32' : type)
  },
  gradient: 'zero',
})

/** Remainder with the sign of the divisor, as Python's `%`. */
export const remainder: BinaryOp = binary('remainder', {
  expr: (a, b) => call('remainder', a, b),
  gradient: [(upstream) => upstream, (upstream, _, a, b) => upstream.mul(floorDivide(a, b)).neg()],
  samples: (make) => [
    [make.values([1.3, -2.2, 3.7, -0.4]), make.values([0.5, 0.7, -0.9, 1])],
    { args: [make.integers([2, 5], -9, 9), 4], gradient: false },
  ],
})

/** Remainder with the sign of the dividend, as C's fmod and JavaScript's `%`. */
export const fmod: BinaryOp = binary('fmod', {
  expr: (a, b) => call('fmod', a, b),
  gradient: [(upstream) => upstream, (upstream, _, a, b) => upstream.mul(truncatedQuotient(a, b)).neg()],
  samples: (make) => [
    [make.values([1.3, -2.2, 3.7, -0.4]), make.values([0.5, 0.7, -0.9, 1])],
    { args: [make.integers([2, 5], -9, 9), 4], gradient: false },
  ],
})

const generalPower: BinaryOp = binary('pow', {
  expr: (a, b) => call('pow', a, b),
  gradient: [
    (upstream, _, a, b) => upstream.mul(b.eq(0).where(0, b.mul(a.pow(b.sub(1))))),
    // The logarithm of 0 would spoil 0 ** b, whose derivative by b is 0 for b > 0.
    (upstream, output, a, b) => upstream.mul(a.eq(0).logicalAnd(b.ge(0)).where(0, output.mul(a.log()))),
  ],
})

/** `x ** n` for a whole number n from 3 to 8, as multiplications: exact in sign, and quick. */
const wholePower: OpFunction<(x: TensorLike, exponent: number) => Tensor> = defineMap({
  name: 'wholePower',
  expr: ([x], attributes) => powerBySquaring(x!, attributes['exponent'] as number),
  gradient: [
    (upstream, output, x) => {
      const exponent = exponentOf(output)
      return upstream.mul(pow(x, exponent - 1).mul(exponent))
    },
  ],
  call: (op) => (x, exponent) => applyMap(op, [x], { exponent }),
  samples: (make) => [[make.real([5]), 3]],
})

// Exponents with a form of their own, which is quicker and keeps the sign of a negative base for certain.
const knownPowers: Readonly<Record<number, (x: Tensor) => Tensor>> = {
  [-2]: (x) => x.square().reciprocal(),
  [-1]: (x) => x.reciprocal(),
  [-0.5]: (x) => x.rsqrt(),
  0.5: (x) => x.sqrt(),
  1: (x) => x,
  2: (x) => x.square(),
}

function exponentOf(power: Tensor): number {
  return power.attributes['exponent'] as number
}

function powerBySquaring(x: Expr, exponent: number): Expr {
  if (exponent === 1) return x
  const half = powerBySquaring(x, exponent >> 1)
  const square = call('mul', half, half)
  return exponent % 2 === 0 ? square : call('mul', square, x)
}

/**
 * Power: a ** b. Small whole exponents given as plain numbers become multiplications, 0.5 a square root; any other
 * number is handed over at run time, so changing it compiles nothing.
 */
export const pow: OpFunction<(a: TensorLike, b: TensorLike) => Tensor> = defineFunction({
  name: 'pow',
  call: (a: TensorLike, b: TensorLike) => {
    if (typeof b !== 'number' || typeof a === 'number') return generalPower(a, b)
    const known = knownPowers[b]
    if (known !== undefined && (b > 0 || isFloating(toTensor('pow', a).dtype)))
      return known(toTensor('pow', a))
    return Number.isInteger(b) && b >= 3 && b <= 8 ? wholePower(a, b) : generalPower(a, b)
  },
  samples: (make) => [
    [make.real([2, 5], { low: 0.2 }), make.real([5])],
    [make.real([2, 5]), 2],
    [make.strided([2, 5]), 3],
    [make.real([4], { avoid: [0] }), -2],
    [make.real([4], { low: 0.2 }), -1.5],
    [2, make.real([4])],
    { args: [make.integers([5], -4, 4), 3], gradient: false },
  ],
  wrong: binaryWrong('pow'),
})

/** The larger of both; NaN where either is. At ties each gets half of the gradient. */
export const maximum: BinaryOp = binary('maximum', {
  expr: (a, b) => call('max', a, b),
  gradient: [
    (upstream, _, a, b) => upstream.mul(share(a.gt(b), a.eq(b), upstream)),
    (upstream, _, a, b) => upstream.mul(share(a.lt(b), a.eq(b), upstream)),
  ],
})

/** The smaller of both; NaN where either is. At ties each gets half of the gradient. */
export const minimum: BinaryOp = binary('minimum', {
  expr: (a, b) => call('min', a, b),
  gradient: [
    (upstream, _, a, b) => upstream.mul(share(a.lt(b), a.eq(b), upstream)),
    (upstream, _, a, b) => upstream.mul(share(a.gt(b), a.eq(b), upstream)),
  ],
})

// 1 where an operand was chosen, 1/2 where both are equal, else 0.
function share(chosen: Tensor, tied: Tensor, like: Tensor): Tensor {
  return noGrad(() => chosen.where(1, tied.where(0.5, 0)).to(like.dtype))
}

/** The angle of the point (b, a), in (-pi, pi]. */
export const atan2: BinaryOp = binary('atan2', {
  expr: (a, b) => call('atan2', a, b),
  gradient: [
    (upstream, _, a, b) => upstream.mul(b).div(a.square().add(b.square())),
    (upstream, _, a, b) => upstream.mul(a).div(a.square().add(b.square())).neg(),
  ],
  domain: { avoid: [0] },
})

/** Length of the vector (a, b): sqrt(a^2 + b^2) without overflow on the way. */
export const hypot: BinaryOp = binary('hypot', {
  expr: (a, b) => call('hypot', a, b),
  gradient: [
    (upstream, output, a) => upstream.mul(a).div(output),
    (upstream, output, _, b) => upstream.mul(b).div(output),
  ],
  domain: { avoid: [0] },
})

/** The magnitude of a with the sign of b. */
export const copysign: BinaryOp = binary('copysign', {
  expr: (a, b) => call('copysign', a, b),
  gradient: [(upstream, output, a) => upstream.mul(a.sign()).mul(output.sign()), () => null],
  domain: { avoid: [0] },
})

/** log(exp(a) + exp(b)) without overflow. */
export const logaddexp: BinaryOp = binary('logaddexp', {
  expr: (a, b) => {
    // Equal infinities have no difference; 0 stands in, and the infinity itself comes out.
    const gap = call('where', call('eq', a, b), 0, call('neg', call('abs', call('sub', a, b))))
    return call('add', call('max', a, b), call('log1p', call('exp', gap)))
  },
  gradient: [
    (upstream, _, a, b) => upstream.mul(a.sub(b).sigmoid()),
    (upstream, _, a, b) => upstream.mul(b.sub(a).sigmoid()),
  ],
})

/** a * log(b), and 0 where a is 0 (unless b is NaN). */
export const xlogy: BinaryOp = binary('xlogy', {
  expr: (a, b) => {
    const zero = call('and', call('eq', a, 0), call('eq', b, b))
    return call('where', zero, 0, call('mul', a, call('log', b)))
  },
  gradient: [
    (upstream, _, a, b) => upstream.mul(a.eq(0).where(0, b.log())),
    (upstream, _, a, b) => upstream.mul(a).div(b),
  ],
  domain: [{ avoid: [0] }, { low: 0.3, high: 3 }],
})

/** 0 where a is negative, b where a is 0, and 1 where a is positive. */
export const heaviside: BinaryOp = binary('heaviside', {
  expr: (a, b) => call('where', call('eq', a, 0), b, cast(call('gt', a, 0), b.dtype)),
  gradient: 'zero',
  domain: { avoid: [0] },
})

/** Straight line from a to b: a + weight * (b - a). */
export const lerp: OpFunction<(a: TensorLike, b: TensorLike, weight: TensorLike) => Tensor> = defineMap({
  name: 'lerp',
  expr: ([a, b, weight]) => call('add', a!, call('mul', weight!, call('sub', b!, a!))),
  gradient: [
    (upstream, _, _a, _b, weight) => upstream.mul(weight.neg().add(1)),
    (upstream, _, _a, _b, weight) => upstream.mul(weight),
    (upstream, _, a, b) => upstream.mul(b.sub(a)),
  ],
  call: (op) => (a, b, weight) => applyMap(op, [a, b, weight]),
  samples: (make) => [
    [make.real([2, 5]), make.real([2, 5]), 0.3],
    [make.real([3, 1]), make.real([4]), make.real([3, 4], { low: 0, high: 1 })],
  ],
  wrong: [
    { args: (make) => [make.real([2]), make.real([3]), 0.5], error: 'ShapeError', message: /lerp: shapes/ },
  ],
})

/** What scales the added term of {@link addcmul} and {@link addcdiv}. */
export interface ScaleOptions {
  /** Default 1. */
  value?: number
}

/** x + value * a * b. */
export const addcmul: OpFunction<
  (x: TensorLike, a: TensorLike, b: TensorLike, options?: ScaleOptions) => Tensor
> = defineMap({
  name: 'addcmul',
  expr: ([x, a, b, value]) => call('add', x!, call('mul', value!, call('mul', a!, b!))),
  gradient: [
    (upstream) => upstream,
    (upstream, _, _x, _a, b, value) => upstream.mul(b).mul(value),
    (upstream, _, _x, a, _b, value) => upstream.mul(a).mul(value),
  ],
  call: (op) => (x, a, b, options) => applyMap(op, [x, a, b, options?.value ?? 1]),
  samples: (make) => [[make.real([2, 5]), make.real([2, 5]), make.real([5]), { value: 0.7 }]],
  wrong: [
    { args: (make) => [make.real([2]), make.real([3]), 1], error: 'ShapeError', message: /addcmul: shapes/ },
  ],
})

/** x + value * a / b. */
export const addcdiv: OpFunction<
  (x: TensorLike, a: TensorLike, b: TensorLike, options?: ScaleOptions) => Tensor
> = defineFunction({
  name: 'addcdiv',
  call: (x: TensorLike, a: TensorLike, b: TensorLike, options?: ScaleOptions) =>
    add(x, quotient(a, b).mul(options?.value ?? 1)),
  samples: (make) => [[make.real([2, 5]), make.real([2, 5]), make.real([5], { low: 0.5 }), { value: 0.7 }]],
})

const atLeast: BinaryOp = binary('atLeast', {
  expr: (x, min) => call('max', x, min),
  gradient: [
    (upstream, _, x, min) => x.ge(min).where(upstream, 0),
    (upstream, _, x, min) => x.lt(min).where(upstream, 0),
  ],
})

const atMost: BinaryOp = binary('atMost', {
  expr: (x, max) => call('min', x, max),
  gradient: [
    (upstream, _, x, max) => x.le(max).where(upstream, 0),
    (upstream, _, x, max) => x.gt(max).where(upstream, 0),
  ],
})

/** Limits of {@link clamp}; one may be left out. Numbers or tensors that broadcast. */
export interface ClampOptions {
  min?: TensorLike
  max?: TensorLike
}

/**
 * Values below `min` become `min`, those above `max` become `max`, NaN stays. At a limit the value itself gets the gradient.
 * @throws ValueError when neither limit is given
 */
export const clamp: OpFunction<(x: TensorLike, limits: ClampOptions) => Tensor> = defineFunction({
  name: 'clamp',
  call: (x: TensorLike, limits: ClampOptions) => {
    const { min, max } = limits ?? {}
    if (min === undefined && max === undefined) {
      throw new ValueError('clamp: give min, max or both, for example clamp(x, { min: 0 })')
    }
    let result = toTensor('clamp', x)
    if (min !== undefined) result = atLeast(result, min)
    if (max !== undefined) result = atMost(result, max)
    return result
  },
  samples: (make) => [
    [make.real([2, 5], { avoid: [-1, 1] }), { min: -1, max: 1 }],
    [make.real([2, 5], { avoid: [0.5] }), { min: 0.5 }],
    [
      make.real([2, 5]),
      { min: make.real([5], { low: -9, high: -8 }), max: make.real([5], { low: 8, high: 9 }) },
    ],
  ],
  wrong: [
    { args: (make) => [make.real([2]), {}], error: 'ValueError', message: /clamp: give min, max or both/ },
  ],
})
