// Losses of yes-or-no predictions: targets are 0 or 1 (anything between is a degree of belief), or -1 and 1 where said.
// Read next: classification.ts, for one class out of several.
import { call, formatShape, ShapeError, type Expr } from '@nabla/engine'
import { binary, toTensor, where, type BinaryOp, type Tensor, type TensorLike } from '@nabla/tensor'
import { alignedTo, pairOf, reduce, type LossOptions } from './common.ts'
import { checkProbabilities } from './labels.ts'

/** Settings of {@link binaryCrossEntropy}. */
export interface BinaryCrossEntropyOptions extends LossOptions {
  /** What the loss of each element is multiplied by; broadcasts. */
  weight?: TensorLike
}

/**
 * Cross-entropy of predicted probabilities: -(y·log x + (1 - y)·log(1 - x)). Logarithms are at least -100, so that a
 * prediction which is wrong and certain costs much, but not infinitely much. Where a model ends in a sigmoid, leaving
 * that out and using {@link binaryCrossEntropyWithLogits} is more exact.
 *
 * Shape: predictions (probabilities) and targets [...] -> scalar, or [...] with reduction `none`.
 * @throws ShapeError when the shapes differ in more than dimensions of size 1
 * @throws ValueError for predictions and targets outside of [0, 1], where they come from data
 */
export function binaryCrossEntropy(
  predictions: TensorLike,
  targets: TensorLike,
  options: BinaryCrossEntropyOptions = {},
): Tensor {
  const [x, y] = pairOf('binaryCrossEntropy', predictions, targets)
  checkProbabilities('binaryCrossEntropy', 'prediction', predictions)
  checkProbabilities('binaryCrossEntropy', 'target', targets)
  const values = costOfProbability(x, y)
  return reduce(weighted('binaryCrossEntropy', values, options.weight), options.reduction)
}

// An op of its own because of its derivative: that of a logarithm near 0, times the 0 of the bound, would be NaN, where
// the derivative of the whole, (x - y) / (x (1 - x)), only has to be kept from dividing by 0.
const costOfProbability: BinaryOp = binary('costOfProbability', {
  expr: (x, y) => {
    const yes = call('mul', y, boundedLog(x))
    const no = call('mul', call('sub', 1, y), boundedLog(call('sub', 1, x)))
    return call('neg', call('add', yes, no))
  },
  gradient: [
    (upstream, _, x, y) => upstream.mul(x.sub(y)).div(x.sub(x.square()).clamp({ min: 1e-12 })),
    (upstream, _, x) =>
      upstream.mul(
        x
          .neg()
          .add(1)
          .log()
          .clamp({ min: -100 })
          .sub(x.log().clamp({ min: -100 })),
      ),
  ],
  domain: { low: 0.05, high: 0.95 },
})

function boundedLog(x: Expr): Expr {
  return call('max', call('log', x), -100)
}

/** Settings of {@link binaryCrossEntropyWithLogits}. */
export interface BinaryLogitsOptions extends BinaryCrossEntropyOptions {
  /** What the loss of positive targets is multiplied by; broadcasts, usually one number per class. */
  posWeight?: TensorLike
}

/**
 * {@link binaryCrossEntropy} of sigmoid(x), computed without ever taking the logarithm of 0.
 *
 * Shape: predictions (logits) and targets [...] -> scalar, or [...] with reduction `none`.
 * @throws ShapeError when the shapes differ in more than dimensions of size 1
 * @throws ValueError for targets outside of [0, 1], where they come from data
 */
export function binaryCrossEntropyWithLogits(
  predictions: TensorLike,
  targets: TensorLike,
  options: BinaryLogitsOptions = {},
): Tensor {
  const { posWeight, weight, reduction } = options
  const name = 'binaryCrossEntropyWithLogits'
  const [x, y] = pairOf(name, predictions, targets)
  checkProbabilities(name, 'target', targets)
  const yes = posWeight === undefined ? y : weighted(name, y, posWeight)
  // -log(1 - sigmoid(x)) = x - log(sigmoid(x))
  const no = y.mul(-1).add(1)
  const values = no.mul(x).sub(yes.add(no).mul(x.logsigmoid()))
  return reduce(weighted(name, values, weight), reduction)
}

/** log(1 + exp(-y·x)) for targets of -1 and 1. Shapes as {@link binaryCrossEntropy}. */
export function softMarginLoss(
  predictions: TensorLike,
  targets: TensorLike,
  options: LossOptions = {},
): Tensor {
  const [x, y] = pairOf('softMarginLoss', predictions, targets)
  return reduce(x.mul(y).logsigmoid().neg(), options.reduction)
}

/** Settings of {@link multilabelSoftMarginLoss}. */
export interface MultilabelOptions extends LossOptions {
  /** One number per class. */
  weight?: TensorLike
}

/**
 * {@link binaryCrossEntropyWithLogits} averaged over the classes of each example.
 *
 * Shape: predictions (logits) and targets [N, C] or [C] -> scalar, or [N] with reduction `none`.
 * @throws ShapeError when the shapes differ
 */
export function multilabelSoftMarginLoss(
  predictions: TensorLike,
  targets: TensorLike,
  options: MultilabelOptions = {},
): Tensor {
  const values = binaryCrossEntropyWithLogits(predictions, targets, { reduction: 'none' })
  return reduce(weighted('multilabelSoftMarginLoss', values, options.weight).mean(-1), options.reduction)
}

/** Settings of {@link hingeEmbeddingLoss}. */
export interface MarginOptions extends LossOptions {
  /** How far apart is far enough. */
  margin?: number
}

/** x where the target is 1, max(0, margin - x) where it is -1. Default margin 1. Shapes as {@link binaryCrossEntropy}. */
export function hingeEmbeddingLoss(
  predictions: TensorLike,
  targets: TensorLike,
  options: MarginOptions = {},
): Tensor {
  const { margin = 1, reduction } = options
  const [x, y] = pairOf('hingeEmbeddingLoss', predictions, targets)
  const near = where(y.ne(-1), x, 0)
  const far = where(y.ne(1), x.mul(-1).add(margin).relu(), 0)
  return reduce(near.add(far), reduction)
}

/**
 * max(0, margin - y·(first - second)): the first should rank higher where the target is 1, lower where it is -1.
 *
 * Shape: first, second and targets [...] -> scalar, or [...]. Default margin 0.
 * @throws ShapeError when the shapes differ in more than dimensions of size 1
 */
export function marginRankingLoss(
  first: TensorLike,
  second: TensorLike,
  targets: TensorLike,
  options: MarginOptions = {},
): Tensor {
  const { margin = 0, reduction } = options
  const [a, b] = pairOf('marginRankingLoss', first, second)
  const y = alignedTo('marginRankingLoss', 'the shape of both inputs', a.shape, targets)
  return reduce(y.mul(-1).mul(a.sub(b)).add(margin).relu(), reduction)
}

// Weights broadcast to the elements; they must not enlarge them.
function weighted(loss: string, values: Tensor, weight: TensorLike | undefined): Tensor {
  if (weight === undefined) return values
  const factor = toTensor(loss, weight)
  const added = values.rank - factor.rank
  if (added < 0 || factor.shape.some((size, dim) => size !== 1 && size !== values.shape[added + dim])) {
    throw new ShapeError(
      `${loss}: a weight of shape ${formatShape(factor.shape)} does not broadcast to ${formatShape(values.shape)}`,
    )
  }
  return values.mul(factor)
}
