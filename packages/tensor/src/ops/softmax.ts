// Softmax and its logarithm. Each is one op with a gradient of its own in terms of its result, so that forward and backward
// become one row kernel each, and neither overflows.
import { checkDim, type Attributes } from '@nabla/engine'
import {
  defineFunction,
  defineOp,
  formula,
  toTensor,
  type OpFunction,
  type Sample,
  type TensorLike,
  type WrongCall,
} from '../op.ts'
import type { SampleMaker } from '../samples.ts'
import { makeNode, type Tensor } from '../tensor.ts'
import { floating } from './common.ts'

/** A normalisation along one dimension; the last by default. */
export type SoftmaxFunction = OpFunction<(x: TensorLike, dim?: number) => Tensor>

const samples = (make: SampleMaker): Sample[] => [
  [make.real([2, 5])],
  [make.real([2, 3, 4]), 1],
  [make.strided([3, 4]), 0],
  [make.real([2, 3], { low: 400, high: 900 }), -1],
  [make.real([0, 3])],
  [make.real([3, 1])],
]

const wrong = (name: string): WrongCall[] => [
  {
    args: (make) => [make.real([2, 3]), 2],
    error: 'ShapeError',
    message: new RegExp(`${name}: dimension 2 does not exist`),
  },
  {
    args: (make) => [make.real([])],
    error: 'ShapeError',
    message: new RegExp(`${name}: dimension -1 does not exist`),
  },
]

const dimOf = (attributes: Attributes): number => attributes['dim'] as number

const softmaxGradient = formula('softmaxGradient', ([output, upstream], attributes) => {
  const weighted = upstream.mul(output)
  return weighted.sub(output.mul(weighted.sum(dimOf(attributes), { keepdim: true })))
})

// Not the exponential of the result: of softmax the forward pass has all but a product already.
const logSoftmaxGradient = formula('logSoftmaxGradient', ([x, upstream], attributes) =>
  upstream.sub(softmax(x, dimOf(attributes)).mul(upstream.sum(dimOf(attributes), { keepdim: true }))),
)

/** exp(x) / sum(exp(x)) along `dim`. @throws ShapeError */
export const softmax: SoftmaxFunction = defineOp({
  name: 'softmax',
  lowering: {
    kind: 'composite',
    expand: ([input], attributes) => {
      const x = input as Tensor
      const dim = dimOf(attributes)
      if (x.size === 0) return x
      const exponentials = x.sub(x.amax(dim, { keepdim: true })).exp()
      // One division for each row, then products.
      return exponentials.mul(exponentials.sum(dim, { keepdim: true }).reciprocal())
    },
  },
  gradient: ({ output, attributes }, upstream) => [softmaxGradient([output, upstream], output, attributes)],
  call:
    (op) =>
    (value, dim = -1) => {
      const x = floating(toTensor('softmax', value))
      return makeNode(op, [x], { dim: checkDim('softmax', dim, x.rank) }, x.shape, x.dtype)
    },
  samples,
  wrong: wrong('softmax'),
})

/** x - log(sum(exp(x))) along `dim`: the logarithm of {@link softmax} without its rounding to 0. @throws ShapeError */
export const logSoftmax: SoftmaxFunction = defineOp({
  name: 'logSoftmax',
  lowering: {
    kind: 'composite',
    expand: ([input], attributes) => {
      const x = input as Tensor
      const dim = dimOf(attributes)
      if (x.size === 0) return x
      const shifted = x.sub(x.amax(dim, { keepdim: true }))
      return shifted.sub(shifted.exp().sum(dim, { keepdim: true }).log())
    },
  },
  gradient: ({ inputs: [x], output, attributes }, upstream) => [
    logSoftmaxGradient([x!, upstream], output, attributes),
  ],
  call:
    (op) =>
    (value, dim = -1) => {
      const x = floating(toTensor('logSoftmax', value))
      return makeNode(op, [x], { dim: checkDim('logSoftmax', dim, x.rank) }, x.shape, x.dtype)
    },
  samples,
  wrong: wrong('logSoftmax'),
})

/** {@link softmax} of -x. */
export const softmin: SoftmaxFunction = defineFunction({
  name: 'softmin',
  call: (value: TensorLike, dim = -1) => {
    const x = floating(toTensor('softmin', value))
    checkDim('softmin', dim, x.rank)
    return softmax(x.neg(), dim)
  },
  samples,
  wrong: wrong('softmin'),
})
