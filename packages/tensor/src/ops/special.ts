// Special functions of one operand: sinc, error function, gamma family, Bessel functions, logit. What is no function of
// the engine's closed set is made of those that are, so that every backend has it.
import { call, constant, ValueError, type Expr } from '@nabla/engine'
import { applyUnary, defineMap, floatingOf, unary, type UnaryOp } from '../map.ts'
import { defineFunction, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import type { Tensor } from '../tensor.ts'

/** sin(pi x) / (pi x), and 1 at 0. */
export const sinc: UnaryOp = unary('sinc', {
  expr: (x) => {
    const angle = call('mul', floatingOf(x), Math.PI)
    return call('where', call('eq', angle, 0), 1, call('div', call('sin', angle), angle))
  },
  gradient: (upstream, output, x) => {
    const zero = x.eq(0)
    // 1 stands in for 0 before the division, so that no NaN is made that a mask could not take back.
    const slope = x.mul(Math.PI).cos().sub(output).div(zero.where(1, x))
    return upstream.mul(zero.where(0, slope))
  },
})

/** Error function: 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x. */
export const erf: UnaryOp = unary('erf', {
  expr: (x) => call('erf', x),
  gradient: (upstream, _, x) =>
    upstream.mul(
      x
        .square()
        .neg()
        .exp()
        .mul(2 / Math.sqrt(Math.PI)),
    ),
})

/** 1 - erf(x). */
export const erfc: UnaryOp = unary('erfc', {
  expr: (x) => call('sub', constant(1, floatingOf(x).dtype), call('erf', x)),
  gradient: (upstream, _, x) =>
    upstream.mul(
      x
        .square()
        .neg()
        .exp()
        .mul(-2 / Math.sqrt(Math.PI)),
    ),
})

/** Inverse of erf, for x in (-1, 1). */
export const erfinv: UnaryOp = unary('erfinv', {
  expr: (x) => call('erfInverse', x),
  gradient: (upstream, output) =>
    upstream.mul(
      output
        .square()
        .exp()
        .mul(Math.sqrt(Math.PI) / 2),
    ),
  domain: { low: -0.9, high: 0.9 },
})

/** Logarithm of the magnitude of the gamma function. */
export const lgamma: UnaryOp = unary('lgamma', {
  expr: (x) => call('lgamma', x),
  gradient: (upstream, _, x) => upstream.mul(x.digamma()),
  domain: { low: 0.2, high: 5 },
})

/** Logarithmic derivative of the gamma function. */
export const digamma: UnaryOp = unary('digamma', {
  expr: (x) => call('digamma', x),
  gradient: (upstream, _, x) => upstream.mul(x.polygamma(1)),
  domain: { low: 0.2, high: 5 },
})

/**
 * The n-th derivative of digamma, for n >= 1 and x > 0 (NaN elsewhere): (-1)^(n+1) n! times the sum over k of
 * (x + k)^-(n+1), its first twelve terms one by one and the rest by Euler and Maclaurin (Abramowitz & Stegun 6.4.11).
 */
export const polygamma: OpFunction<(x: TensorLike, order: number) => Tensor> = defineMap({
  name: 'polygamma',
  expr: ([value], { order }) => polygammaOf(floatingOf(value!), order as number),
  gradient: [(upstream, output, x) => upstream.mul(x.polygamma((output.attributes['order'] as number) + 1))],
  call: (op) => (x, order) => {
    if (!Number.isInteger(order) || order < 1 || order > 20) {
      throw new ValueError(
        `polygamma: the order must be a whole number from 1 to 20; got ${order}. Order 0 is digamma`,
      )
    }
    return applyUnary(op, x, { order })
  },
  samples: (make) => [
    [make.real([6], { low: 0.3, high: 6 }), 1],
    [make.strided([2, 3], { low: 0.5, high: 4 }), 2],
  ],
  wrong: [
    { args: (make) => [make.real([2]), 0], error: 'ValueError', message: /polygamma: the order must be/ },
  ],
})

function polygammaOf(x: Expr, order: number): Expr {
  const power = (base: Expr, exponent: number): Expr => {
    let result = base
    for (let i = 1; i < exponent; i++) result = call('mul', result, base)
    return result
  }
  const s = order + 1
  const terms = 12
  let total = call('reciprocal', power(x, s))
  for (let k = 1; k < terms; k++) total = call('add', total, call('reciprocal', power(call('add', x, k), s)))
  const end = call('add', x, terms)
  const inverse = call('reciprocal', end)
  const tail = power(inverse, s - 1)
  total = call('add', total, call('mul', tail, 1 / (s - 1)))
  total = call('add', total, call('mul', call('mul', tail, inverse), 0.5))
  // Bernoulli numbers over factorials, times the rising product of s.
  const bernoulli = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66]
  let rising = 1
  let factorial = 1
  let weight = call('mul', tail, inverse)
  bernoulli.forEach((number, i) => {
    rising *= i === 0 ? s : (s + 2 * i - 1) * (s + 2 * i)
    factorial *= (2 * i + 1) * (2 * i + 2)
    weight = call('mul', call('mul', weight, inverse), i === 0 ? 1 : inverse)
    total = call('add', total, call('mul', weight, (number * rising) / factorial))
  })
  let scale = order % 2 === 0 ? -1 : 1
  for (let i = 2; i <= order; i++) scale *= i
  return call('where', call('gt', x, 0), call('mul', total, scale), NaN)
}

/** Modified Bessel function of the first kind of order 0. */
export const i0: UnaryOp = unary('i0', {
  expr: (x) => call('i0', x),
  gradient: (upstream, _, x) => upstream.mul(x.i1()),
})

/**
 * Modified Bessel function of the first kind of order 1: its power series up to 14, the asymptotic series beyond
 * (Abramowitz & Stegun 9.6.10 and 9.7.1).
 */
export const i1: UnaryOp = unary('i1', {
  expr: (value) => {
    const x = floatingOf(value)
    const magnitude = call('abs', x)
    const series = call(
      'mul',
      call('mul', x, 0.5),
      polynomial(call('mul', call('square', x), 0.25), besselSeries),
    )
    const decay = polynomial(call('reciprocal', magnitude), besselAsymptotic)
    const growth = call('div', call('exp', magnitude), call('sqrt', call('mul', magnitude, 2 * Math.PI)))
    const beyond = call('copysign', call('mul', growth, decay), x)
    return call('where', call('lt', magnitude, 14), series, beyond)
  },
  gradient: (upstream, output, x) => {
    const zero = x.eq(0)
    const ratio = zero.where(0.5, output.div(zero.where(1, x)))
    return upstream.mul(x.i0().sub(ratio))
  },
  domain: { low: -3, high: 3 },
})

// 1 / (k! (k + 1)!).
const besselSeries = Array.from({ length: 36 }, (_, k) => {
  let product = 1 / (k + 1)
  for (let i = 2; i <= k; i++) product /= i * i
  return product
})

// (-1)^k (4 - 1)(4 - 9)... (4 - (2k - 1)^2) / (k! 8^k).
const besselAsymptotic = Array.from({ length: 14 }, (_, k) => {
  let product = 1
  for (let i = 1; i <= k; i++) product *= -(4 - (2 * i - 1) ** 2) / (8 * i)
  return product
})

// Horner's scheme.
function polynomial(x: Expr, coefficients: readonly number[]): Expr {
  let result: Expr = constant(coefficients[coefficients.length - 1]!, x.dtype)
  for (let i = coefficients.length - 2; i >= 0; i--)
    result = call('add', call('mul', result, x), coefficients[i]!)
  return result
}

/** log(x / (1 - x)), the inverse of sigmoid. With `eps`, x is first clamped to [eps, 1 - eps]. */
export const logit: OpFunction<(x: TensorLike, eps?: number) => Tensor> = defineFunction({
  name: 'logit',
  call: (value: TensorLike, eps?: number) => {
    const x = toTensor('logit', value)
    return plainLogit(eps === undefined ? x : x.clamp({ min: eps, max: 1 - eps }))
  },
  samples: (make) => [
    [make.real([2, 5], { low: 0.05, high: 0.95 })],
    [make.real([2, 5], { low: 0.05, high: 0.95 }), 1e-3],
  ],
})

const plainLogit: UnaryOp = unary('logit', {
  expr: (x) => call('log', call('div', x, call('sub', constant(1, floatingOf(x).dtype), x))),
  gradient: (upstream, _, x) => upstream.div(x.mul(x.neg().add(1))),
})
