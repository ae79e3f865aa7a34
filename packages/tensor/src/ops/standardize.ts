// The two ops behind all normalisations: subtracting the mean and dividing by the deviation, and dividing by the root of the
// mean square. Both are one op with a gradient of its own, whose parts (mean, 1 / deviation) are written the same way in
// both directions: the planner finds them equal and computes them once. Not public: see normalization.ts.
import { createOp, type TensorOp } from '../op.ts'
import { makeNode, type Tensor } from '../tensor.ts'

/** Mean and biased variance over some dimensions, which stay with size 1; and x without its mean. */
export interface Moments {
  readonly mean: Tensor
  readonly variance: Tensor
  readonly centered: Tensor
}

/** Moments by two passes: the mean first, which is the accurate way. */
export function momentsOf(x: Tensor, dims: readonly number[]): Moments {
  const count = dims.reduce((product, dim) => product * x.shape[dim]!, 1)
  const mean = x.sum(dims, { keepdim: true }).div(count)
  const centered = x.sub(mean)
  return { mean, variance: centered.square().sum(dims, { keepdim: true }).div(count), centered }
}

const standardizeOp: TensorOp = createOp(
  'standardize',
  {
    kind: 'composite',
    expand: ([input, eps], attributes) => {
      const { centered, variance } = momentsOf(input as Tensor, attributes['dims'] as readonly number[])
      return centered.mul(variance.add(eps as Tensor).rsqrt())
    },
  },
  ({ inputs: [x, eps], output, attributes }, upstream) => {
    // With y the output and means over the same dimensions: (g - mean(g) - y mean(g y)) / deviation.
    const dims = attributes['dims'] as readonly number[]
    const scale = momentsOf(x, dims).variance.add(eps).rsqrt()
    const meanOf = (value: Tensor): Tensor => value.mean(dims, { keepdim: true })
    return [upstream.sub(meanOf(upstream)).sub(output.mul(meanOf(upstream.mul(output)))).mul(scale), null]
  },
)

const scaleByRootMeanSquareOp: TensorOp = createOp(
  'scaleByRootMeanSquare',
  {
    kind: 'composite',
    expand: ([input, eps], attributes) => {
      const x = input as Tensor
      return x.mul(rootMeanSquareScale(x, eps as Tensor, attributes['dims'] as readonly number[]))
    },
  },
  ({ inputs: [x, eps], output, attributes }, upstream) => {
    const dims = attributes['dims'] as readonly number[]
    const scale = rootMeanSquareScale(x, eps, dims)
    return [upstream.sub(output.mul(upstream.mul(output).mean(dims, { keepdim: true }))).mul(scale), null]
  },
)

function rootMeanSquareScale(x: Tensor, eps: Tensor, dims: readonly number[]): Tensor {
  return x.square().mean(dims, { keepdim: true }).add(eps).rsqrt()
}

/** (x - mean) / sqrt(variance + eps) over `dims`. `eps` is a scalar of the type of x. */
export function standardize(x: Tensor, dims: readonly number[], eps: Tensor): Tensor {
  return makeNode(standardizeOp, [x, eps], { dims }, x.shape, x.dtype)
}

/** x / sqrt(mean(x^2) + eps) over `dims`. `eps` is a scalar of the type of x. */
export function scaleByRootMeanSquare(x: Tensor, dims: readonly number[], eps: Tensor): Tensor {
  return makeNode(scaleByRootMeanSquareOp, [x, eps], { dims }, x.shape, x.dtype)
}
