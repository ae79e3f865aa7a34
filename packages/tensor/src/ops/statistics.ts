// Statistics made of reductions: variance, standard deviation, norms, and the logarithm of a sum of exponentials.
import { checkDims, ValueError } from '@nabla/engine'
import { defineFunction, toTensor, type OpFunction, type Sample, type TensorLike } from '../op.ts'
import type { SampleMaker } from '../samples.ts'
import { noGrad, type Tensor } from '../tensor.ts'
import {
  countOf,
  floating,
  reductionSamples,
  reductionWrong,
  type Dims,
  type ReduceOptions,
} from './common.ts'
import type { Reduction } from './reduce.ts'

/** What variances and standard deviations take last. */
export interface VarianceOptions extends ReduceOptions {
  /** What is subtracted from the number of elements in the divisor. Default 1; 0 gives the population's variance. */
  correction?: number
}

function variance(
  name: string,
  value: TensorLike,
  dims: Dims | undefined,
  options: VarianceOptions | undefined,
): { variance: Tensor; mean: Tensor } {
  const x = floating(toTensor(name, value))
  const over = checkDims(name, dims, x.rank)
  const count = countOf(x.shape, over)
  const correction = options?.correction ?? 1
  if (typeof correction !== 'number' || !Number.isFinite(correction)) {
    throw new ValueError(`${name}: the correction must be a number; got ${String(correction)}`)
  }
  // As in PyTorch, a divisor that is not positive gives NaN or Infinity rather than an error.
  const center = x.sum(over, { keepdim: true }).div(count)
  const squares = x.sub(center).square().sum(over, options)
  const dropped = options?.keepdim === true ? center : center.reshape(squares.shape)
  return { variance: squares.div(Math.max(0, count - correction)), mean: dropped }
}

const varianceSamples = (make: SampleMaker): Sample[] => [
  [make.real([2, 3, 5])],
  [make.real([2, 3, 5]), 1],
  [make.real([2, 3, 5]), [0, 2], { correction: 0 }],
  [make.strided([4, 3]), -1, { keepdim: true }],
]

const variance_: OpFunction<(x: TensorLike, dims?: Dims, options?: VarianceOptions) => Tensor> =
  defineFunction({
    name: 'var',
    call: (x: TensorLike, dims?: Dims, options?: VarianceOptions) =>
      variance('var', x, dims, options).variance,
    samples: varianceSamples,
    wrong: reductionWrong('var'),
  })
export {
  /** Variance: mean squared distance from the mean, by default with n - 1 in the divisor. */
  variance_ as var,
}

/** Standard deviation: square root of the variance. */
export const std: OpFunction<(x: TensorLike, dims?: Dims, options?: VarianceOptions) => Tensor> =
  defineFunction({
    name: 'std',
    call: (x: TensorLike, dims?: Dims, options?: VarianceOptions) =>
      variance('std', x, dims, options).variance.sqrt(),
    samples: varianceSamples,
    wrong: reductionWrong('std'),
  })

/** Variance and mean at once. */
export const varMean: OpFunction<
  (x: TensorLike, dims?: Dims, options?: VarianceOptions) => { variance: Tensor; mean: Tensor }
> = defineFunction({
  name: 'varMean',
  call: (x: TensorLike, dims?: Dims, options?: VarianceOptions) => variance('varMean', x, dims, options),
  samples: varianceSamples,
  wrong: reductionWrong('varMean'),
})

/** log(sum(exp(x))) without overflow. */
export const logsumexp: Reduction = defineFunction({
  name: 'logsumexp',
  call: (value: TensorLike, dims?: Dims, options?: ReduceOptions) => {
    const x = floating(toTensor('logsumexp', value))
    const over = checkDims('logsumexp', dims, x.rank)
    const keepdim = options?.keepdim === true
    if (countOf(x.shape, over) === 0) return x.exp().sum(over, { keepdim }).log()
    // The shift cancels, so it needs no gradient. Where everything is infinite, 0 is as good a shift as any.
    const shift = noGrad(() => {
      const largest = x.amax(over, { keepdim: true })
      return largest.isFinite().where(largest, 0)
    })
    const total = x.sub(shift).exp().sum(over, { keepdim: true }).log().add(shift)
    return keepdim ? total : total.reshape(x.shape.filter((_, dim) => !over.includes(dim)))
  },
  samples: (make) => [...reductionSamples(make), [make.real([2, 3], { low: 200, high: 300 }), 1]],
  wrong: reductionWrong('logsumexp'),
})

/** What {@link norm} takes last. */
export interface NormOptions extends ReduceOptions {
  /** The exponent p: 2 by default; 1, any positive number, Infinity, -Infinity, or 0 (counts what differs from 0). */
  p?: number
}

/** Vector norm over some dimensions, or all: (sum |x|^p)^(1/p). The derivative of the 2-norm at 0 is taken as 0. */
export const norm: OpFunction<(x: TensorLike, dims?: Dims, options?: NormOptions) => Tensor> = defineFunction(
  {
    name: 'norm',
    call: (value: TensorLike, dims?: Dims, options?: NormOptions) => {
      const x = floating(toTensor('norm', value))
      const over = checkDims('norm', dims, x.rank)
      const p = options?.p ?? 2
      if (typeof p !== 'number' || Number.isNaN(p))
        throw new ValueError(`norm: p must be a number; got ${String(p)}`)
      if (p === Infinity) return x.abs().amax(over, options)
      if (p === -Infinity) return x.abs().amin(over, options)
      if (p === 0) return x.ne(0).to(x.dtype).sum(over, options)
      if (p === 1) return x.abs().sum(over, options)
      const total = (p === 2 ? x.square() : x.abs().pow(p)).sum(over, options)
      // The root has an infinite slope at 0: 1 stands in there, outside of the way of the gradient.
      const zero = noGrad(() => total.eq(0))
      const safe = zero.where(1, total)
      return zero.where(0, p === 2 ? safe.sqrt() : safe.pow(1 / p))
    },
    samples: (make) => [
      [make.real([2, 3])],
      [make.real([2, 3, 5]), -1, { p: 1, keepdim: true }],
      [make.real([2, 3, 5], { avoid: [0] }), [0, 2], { p: 3 }],
      [make.strided([4, 3]), 0, { p: Infinity }],
      [make.real([4, 3]), 0, { p: -Infinity }],
      { args: [make.values([0, 1, 2, 0]), 0, { p: 0 }], gradient: false },
    ],
    wrong: reductionWrong('norm'),
  },
)
