// Activation functions that work element by element; their formulas are those of PyTorch's modules of the same names.
// Not here: softmax and others that look along a dimension.
import { call, lookUp, type Expr } from '@nabla/engine'
import { applyMap, defineMap, floatingOf, unary, type UnaryOp } from '../map.ts'
import { defineFunction, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import type { Tensor } from '../tensor.ts'

const kinkAtZero = { avoid: [0] }

/** max(x, 0). Its derivative at 0 is taken as 0. */
export const relu: UnaryOp = unary('relu', {
  expr: (x) => call('max', x, 0),
  // The output says as much as the input, and later layers need it anyway: the input need not be kept.
  gradient: (upstream, output) => output.gt(0).where(upstream, 0),
  domain: kinkAtZero,
})

/** min(max(x, 0), 6). */
export const relu6: UnaryOp = unary('relu6', {
  expr: (x) => call('min', call('max', x, 0), 6),
  gradient: (upstream, output) => output.gt(0).logicalAnd(output.lt(6)).where(upstream, 0),
  domain: { low: -3, high: 9, avoid: [0, 6] },
})

/** 1 / (1 + exp(-x)). */
export const sigmoid: UnaryOp = unary('sigmoid', {
  expr: (x) => call('sigmoid', x),
  gradient: (upstream, output) => upstream.mul(output.mul(output.neg().add(1))),
})

/** log(sigmoid(x)) without underflow. */
export const logsigmoid: UnaryOp = unary('logsigmoid', {
  expr: (x) => call('sub', call('min', x, 0), softplusTail(x)),
  gradient: (upstream, _, x) => upstream.mul(x.neg().sigmoid()),
})

/** x * sigmoid(x) (Elfwing et al. 2017), also called swish. */
export const silu: UnaryOp = unary('silu', {
  expr: (x) => call('mul', x, call('sigmoid', x)),
  gradient: (upstream, output, x) => {
    const gate = x.sigmoid()
    return upstream.mul(gate.add(output.mul(gate.neg().add(1))))
  },
})

/** x * tanh(softplus(x)) (Misra 2019). */
export const mish: UnaryOp = unary('mish', {
  expr: (x) => call('mul', x, call('tanh', call('add', call('max', x, 0), softplusTail(x)))),
  gradient: (upstream, _, x) => {
    const gate = x.softplus().tanh()
    const slope = gate.square().neg().add(1).mul(x.sigmoid())
    return upstream.mul(gate.add(x.mul(slope)))
  },
})

// log(1 + exp(-|x|)): what softplus adds to max(x, 0).
function softplusTail(x: Expr): Expr {
  return call('log1p', call('exp', call('neg', call('abs', x))))
}

/** Settings of {@link softplus}. */
export interface SoftplusOptions {
  /** Sharpness. Default 1. */
  beta?: number
  /** Above `threshold / beta` the function is x itself. Default 20. */
  threshold?: number
}

/** log(1 + exp(beta x)) / beta: a smooth relu. */
export const softplus: OpFunction<(x: TensorLike, options?: SoftplusOptions) => Tensor> = defineMap({
  name: 'softplus',
  expr: ([x, beta, threshold]) => {
    const scaled = call('mul', floatingOf(x!), beta!)
    const smooth = call('div', call('add', call('max', scaled, 0), softplusTail(scaled)), beta!)
    return call('where', call('gt', scaled, threshold!), x!, smooth)
  },
  gradient: [
    (upstream, _, x, beta, threshold) => {
      const scaled = x.mul(beta)
      return upstream.mul(scaled.gt(threshold).where(1, scaled.sigmoid()))
    },
  ],
  call: (op) => (x, options) => applyMap(op, [x, options?.beta ?? 1, options?.threshold ?? 20]),
  samples: (make) => [
    [make.real([2, 5])],
    [make.strided([3, 4], { low: -4, high: 4 }), { beta: 2.5 }],
    [make.real([6], { low: -3, high: 3, avoid: [1] }), { threshold: 1 }],
  ],
})

/** Form of {@link gelu}. */
export interface GeluOptions {
  /** `none`: by the error function. `tanh`: the approximation used by GPT-2. */
  approximate?: 'none' | 'tanh'
}

/** x times the standard normal distribution function of x (Hendrycks and Gimpel 2016). */
export const gelu: OpFunction<(x: TensorLike, options?: GeluOptions) => Tensor> = defineFunction({
  name: 'gelu',
  call: (x: TensorLike, options?: GeluOptions) =>
    lookUp('approximate of gelu', options?.approximate ?? 'none', geluForms)(x),
  samples: (make) => [
    [make.real([2, 5])],
    [make.strided([3, 4])],
    [make.real([2, 5]), { approximate: 'tanh' }],
  ],
  wrong: [
    {
      args: (make) => [make.real([2]), { approximate: 'tan' }],
      error: 'ValueError',
      message: /approximate of gelu 'tan'.*tanh/,
    },
  ],
})

const exactGelu: UnaryOp = unary('gelu', {
  expr: (x) => call('mul', x, normalDistribution(x)),
  gradient: (upstream, _, x) => {
    const distribution = x.mul(Math.SQRT1_2).erf().add(1).mul(0.5)
    const density = x
      .square()
      .mul(-0.5)
      .exp()
      .mul(1 / Math.sqrt(2 * Math.PI))
    return upstream.mul(distribution.add(x.mul(density)))
  },
})

function normalDistribution(x: Expr): Expr {
  return call('mul', call('add', call('erf', call('mul', floatingOf(x), Math.SQRT1_2)), 1), 0.5)
}

const root = Math.sqrt(2 / Math.PI)
const cubic = 0.044715

const tanhGelu: UnaryOp = unary('geluTanh', {
  expr: (value) => {
    const x = floatingOf(value)
    const inner = call('mul', call('mul', x, call('add', call('mul', call('square', x), cubic), 1)), root)
    return call('mul', call('mul', x, 0.5), call('add', call('tanh', inner), 1))
  },
  gradient: (upstream, _, x) => {
    const square = x.square()
    const tanh = x.mul(square.mul(cubic).add(1)).mul(root).tanh()
    const slope = square
      .mul(3 * cubic)
      .add(1)
      .mul(root)
    const curve = x.mul(0.5).mul(tanh.square().neg().add(1)).mul(slope)
    return upstream.mul(tanh.add(1).mul(0.5).add(curve))
  },
})

const geluForms = { none: exactGelu, tanh: tanhGelu }

/** x where positive, `negativeSlope` times x elsewhere. */
export const leakyRelu: OpFunction<(x: TensorLike, negativeSlope?: number) => Tensor> = defineMap({
  name: 'leakyRelu',
  expr: ([x, slope]) => call('where', call('gt', x!, 0), x!, call('mul', x!, slope!)),
  gradient: [(upstream, _, x, slope) => x.gt(0).where(upstream, upstream.mul(slope))],
  call:
    (op) =>
    (x, negativeSlope = 0.01) =>
      applyMap(op, [x, negativeSlope]),
  samples: (make) => [[make.real([2, 5], kinkAtZero)], [make.strided([3, 4], kinkAtZero), 0.3]],
})

/** Leaky relu with a learned slope, a tensor that broadcasts with x (one per channel: shape it as [C, 1, 1]). */
export const prelu: OpFunction<(x: TensorLike, slope: TensorLike) => Tensor> = defineMap({
  name: 'prelu',
  expr: ([x, slope]) => call('where', call('gt', x!, 0), x!, call('mul', x!, slope!)),
  gradient: [
    (upstream, _, x, slope) => x.gt(0).where(upstream, upstream.mul(slope)),
    (upstream, _, x) => x.gt(0).where(0, upstream.mul(x)),
  ],
  call: (op) => (x, slope) => applyMap(op, [x, slope]),
  samples: (make) => [[make.real([2, 3, 4], kinkAtZero), make.real([3, 1])]],
  wrong: [
    { args: (make) => [make.real([2]), make.real([3])], error: 'ShapeError', message: /prelu: shapes/ },
  ],
})

/** x where positive, alpha * (exp(x) - 1) elsewhere (Clevert et al. 2015). */
export const elu: OpFunction<(x: TensorLike, alpha?: number) => Tensor> = defineMap({
  name: 'elu',
  expr: ([x, alpha]) => call('where', call('gt', x!, 0), x!, call('mul', call('expm1', x!), alpha!)),
  gradient: [(upstream, output, x, alpha) => x.gt(0).where(upstream, upstream.mul(output.add(alpha)))],
  call:
    (op) =>
    (x, alpha = 1) =>
      applyMap(op, [x, alpha]),
  samples: (make) => [[make.real([2, 5], kinkAtZero)], [make.strided([3, 4], kinkAtZero), 0.7]],
})

/** x where positive, alpha * (exp(x / alpha) - 1) elsewhere (Barron 2017). */
export const celu: OpFunction<(x: TensorLike, alpha?: number) => Tensor> = defineMap({
  name: 'celu',
  expr: ([x, alpha]) =>
    call('where', call('gt', x!, 0), x!, call('mul', call('expm1', call('div', x!, alpha!)), alpha!)),
  gradient: [(upstream, _, x, alpha) => x.gt(0).where(upstream, upstream.mul(x.div(alpha).exp()))],
  call:
    (op) =>
    (x, alpha = 1) =>
      applyMap(op, [x, alpha]),
  samples: (make) => [[make.real([2, 5], kinkAtZero)], [make.strided([3, 4], kinkAtZero), 1.5]],
})

const seluAlpha = 1.6732632423543772
const seluScale = 1.0507009873554805

/** elu with the constants that keep mean and variance (Klambauer et al. 2017). */
export const selu: UnaryOp = unary('selu', {
  expr: (x) => {
    const real = floatingOf(x)
    const negative = call('mul', call('expm1', real), seluAlpha * seluScale)
    return call('where', call('gt', real, 0), call('mul', real, seluScale), negative)
  },
  gradient: (upstream, output, x) =>
    upstream.mul(x.gt(0).where(seluScale, output.add(seluAlpha * seluScale))),
  domain: kinkAtZero,
})

/** x clamped to [min, max]. */
export const hardtanh: OpFunction<(x: TensorLike, min?: number, max?: number) => Tensor> = defineFunction({
  name: 'hardtanh',
  call: (x: TensorLike, min = -1, max = 1) => toTensor('hardtanh', x).clamp({ min, max }),
  samples: (make) => [
    [make.real([2, 5], { avoid: [-1, 1] })],
    [make.real([2, 5], { avoid: [0, 1.5] }), 0, 1.5],
  ],
})

/** relu6(x + 3) / 6. */
export const hardsigmoid: UnaryOp = unary('hardsigmoid', {
  expr: (x) => call('div', call('min', call('max', call('add', x, 3), 0), 6), 6),
  gradient: (upstream, output) =>
    output
      .gt(0)
      .logicalAnd(output.lt(1))
      .where(upstream.mul(1 / 6), 0),
  domain: { low: -5, high: 5, avoid: [-3, 3] },
})

/** x * relu6(x + 3) / 6 (Howard et al. 2019). */
export const hardswish: UnaryOp = unary('hardswish', {
  expr: (x) => call('div', call('mul', x, call('min', call('max', call('add', x, 3), 0), 6)), 6),
  gradient: (upstream, _, x) => {
    const inside = upstream.mul(x.mul(1 / 3).add(0.5))
    return x.ge(3).where(upstream, x.le(-3).where(0, inside))
  },
  domain: { low: -5, high: 5, avoid: [-3, 3] },
})

/** x / (1 + |x|). */
export const softsign: UnaryOp = unary('softsign', {
  expr: (x) => call('div', x, call('add', call('abs', x), 1)),
  gradient: (upstream, _, x) => upstream.div(x.abs().add(1).square()),
  domain: kinkAtZero,
})

/** x - tanh(x). */
export const tanhshrink: UnaryOp = unary('tanhshrink', {
  expr: (x) => call('sub', x, call('tanh', x)),
  gradient: (upstream, _, x) => upstream.mul(x.tanh().square()),
})

/** x where |x| > lambda, 0 elsewhere. */
export const hardshrink: OpFunction<(x: TensorLike, lambda?: number) => Tensor> = defineMap({
  name: 'hardshrink',
  expr: ([x, lambda]) => call('where', call('le', call('abs', x!), lambda!), 0, x!),
  gradient: [(upstream, _, x, lambda) => x.abs().le(lambda).where(0, upstream)],
  call:
    (op) =>
    (x, lambda = 0.5) =>
      applyMap(op, [x, lambda]),
  samples: (make) => [
    [make.real([2, 5], { avoid: [-0.5, 0.5] })],
    [make.real([2, 5], { avoid: [-1, 1] }), 1],
  ],
})

/** x moved by lambda toward 0, and 0 where it would cross it. */
export const softshrink: OpFunction<(x: TensorLike, lambda?: number) => Tensor> = defineMap({
  name: 'softshrink',
  expr: ([x, lambda]) => call('sub', x!, call('max', call('min', x!, lambda!), call('neg', lambda!))),
  gradient: [(upstream, _, x, lambda) => x.abs().le(lambda).where(0, upstream)],
  call:
    (op) =>
    (x, lambda = 0.5) =>
      applyMap(op, [x, lambda]),
  samples: (make) => [
    [make.real([2, 5], { avoid: [-0.5, 0.5] })],
    [make.real([2, 5], { avoid: [-1, 1] }), 1],
  ],
})

/** x where it is above `limit`, `value` elsewhere. */
export const threshold: OpFunction<(x: TensorLike, limit: number, value: number) => Tensor> = defineMap({
  name: 'threshold',
  expr: ([x, limit, value]) => call('where', call('gt', x!, limit!), x!, value!),
  gradient: [(upstream, _, x, limit) => x.gt(limit).where(upstream, 0)],
  call: (op) => (x, limit, value) => applyMap(op, [x, limit, value]),
  samples: (make) => [[make.real([2, 5], { avoid: [0.1] }), 0.1, 20]],
})
