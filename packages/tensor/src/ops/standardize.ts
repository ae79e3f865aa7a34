// The two ops behind all normalisations: subtracting the mean and dividing by the deviation, and dividing by the root of the
// mean square. Their gradients, and the running statistics of batches, need the same means and scales. Those are ops of
// their own that expand to the very same work, so that the planner finds it equal and does it once.
// Not public: see normalization.ts.
import { createOp, formula, type TensorOp } from '../op.ts'
import { makeNode, type Tensor } from '../tensor.ts'

/** Mean and biased variance over some dimensions, which stay with size 1. */
export interface Moments {
  readonly mean: Tensor
  readonly variance: Tensor
}

type Dims = readonly number[]

function dimsOf(attributes: Readonly<Record<string, unknown>>): Dims {
  return attributes['dims'] as Dims
}

function countOf(x: Tensor, dims: Dims): number {
  return dims.reduce((product, dim) => product * x.shape[dim]!, 1)
}

function meanOf(x: Tensor, dims: Dims): Tensor {
  return x.sum(dims, { keepdim: true }).div(countOf(x, dims))
}

// In two passes, the mean first: the accurate way.
function varianceOf(x: Tensor, dims: Dims): Tensor {
  return meanOf(x.sub(meanOf(x, dims)).square(), dims)
}

function deviationScaleOf(x: Tensor, eps: Tensor, dims: Dims): Tensor {
  return varianceOf(x, dims).add(eps).rsqrt()
}

function rootMeanSquareScaleOf(x: Tensor, eps: Tensor, dims: Dims): Tensor {
  return meanOf(x.square(), dims).add(eps).rsqrt()
}

/** An op of x and eps that is worked out when a plan is built. */
function composite(
  name: string,
  expand: (x: Tensor, eps: Tensor, dims: Dims) => Tensor,
  gradient: (x: Tensor, eps: Tensor, output: Tensor, upstream: Tensor, dims: Dims) => Tensor,
): TensorOp {
  const whole = formula(`${name}Gradient`, ([x, eps, output, upstream], attributes) =>
    gradient(x, eps, output, upstream, dimsOf(attributes)),
  )
  return createOp(
    name,
    {
      kind: 'composite',
      expand: ([x, eps], attributes) => expand(x as Tensor, eps as Tensor, dimsOf(attributes)),
    },
    ({ inputs: [x, eps], output, attributes }, upstream) => [
      whole([x, eps, output, upstream], x, attributes),
      null,
    ],
  )
}

// 1 / sqrt(variance + eps); with s the output, its derivative by x is -s^3 (x - mean) / count.
const deviationScaleOp = composite('deviationScale', deviationScaleOf, (x, _eps, output, upstream, dims) =>
  upstream
    .mul(output.mul(output.square()))
    .div(-countOf(x, dims))
    .mul(x.sub(meanOf(x, dims))),
)

// With y the output and means over the same dimensions: (g - mean(g) - y mean(g y)) / deviation.
const standardizeOp = composite(
  'standardize',
  (x, eps, dims) => x.sub(meanOf(x, dims)).mul(deviationScaleOf(x, eps, dims)),
  (x, eps, output, upstream, dims) =>
    upstream
      .sub(meanOf(upstream, dims))
      .sub(output.mul(meanOf(upstream.mul(output), dims)))
      .mul(scale(deviationScaleOp, x, eps, dims)),
)

// 1 / sqrt(mean(x^2) + eps); with s the output, its derivative by x is -s^3 x / count.
const rootMeanSquareScaleOp = composite(
  'rootMeanSquareScale',
  rootMeanSquareScaleOf,
  (x, _eps, output, upstream, dims) =>
    upstream.mul(output.mul(output.square())).div(-countOf(x, dims)).mul(x),
)

const scaleByRootMeanSquareOp = composite(
  'scaleByRootMeanSquare',
  (x, eps, dims) => x.mul(rootMeanSquareScaleOf(x, eps, dims)),
  (x, eps, output, upstream, dims) =>
    upstream
      .sub(output.mul(meanOf(upstream.mul(output), dims)))
      .mul(scale(rootMeanSquareScaleOp, x, eps, dims)),
)

// Statistics to be kept, which carry no gradient.
const momentOp = (name: string, expand: (x: Tensor, dims: Dims) => Tensor): TensorOp =>
  createOp(
    name,
    { kind: 'composite', expand: ([x], attributes) => expand(x as Tensor, dimsOf(attributes)) },
    null,
  )
const meanOp = momentOp('batchMean', meanOf)
const varianceOp = momentOp('batchVariance', varianceOf)

function scale(op: TensorOp, x: Tensor, eps: Tensor, dims: Dims): Tensor {
  return makeNode(op, [x, eps], { dims }, keptShape(x, dims), x.dtype)
}

function keptShape(x: Tensor, dims: Dims): number[] {
  return x.shape.map((size, dim) => (dims.includes(dim) ? 1 : size))
}

/** (x - mean) / sqrt(variance + eps) over `dims`. `eps` is a scalar of the type of x. */
export function standardize(x: Tensor, dims: Dims, eps: Tensor): Tensor {
  return makeNode(standardizeOp, [x, eps], { dims }, x.shape, x.dtype)
}

/** x / sqrt(mean(x^2) + eps) over `dims`. `eps` is a scalar of the type of x. */
export function scaleByRootMeanSquare(x: Tensor, dims: Dims, eps: Tensor): Tensor {
  return makeNode(scaleByRootMeanSquareOp, [x, eps], { dims }, x.shape, x.dtype)
}

/** Mean and variance without gradient. */
export function momentsOf(x: Tensor, dims: Dims): Moments {
  const shape = keptShape(x, dims)
  const source = x.detach()
  return {
    mean: makeNode(meanOp, [source], { dims }, shape, x.dtype),
    variance: makeNode(varianceOp, [source], { dims }, shape, x.dtype),
  }
}
