// Losses of one class out of several. The prediction of the right class is picked by comparing each position along the
// class dimension with the target, not by a gather: the comparison fuses into the kernel that walks the row anyway, so a
// whole cross-entropy is one pass over the logits. Read next: labels.ts, which checks the targets.
import { formatShape, sameShape, ShapeError, ValueError, isFloating, DTypeError } from '@nabla/engine'
import { arange, logSoftmax, toTensor, where, type Tensor, type TensorLike } from '@nabla/tensor'
import { checkReduction, reduce, type LossOptions, type LossReduction } from './common.ts'
import { checkLabels, type Labels } from './labels.ts'

/** Settings of {@link nllLoss}. */
export interface NllOptions extends LossOptions {
  /** One number per class, [C]. The mean then divides by the sum of the weights that were used. */
  weight?: TensorLike
  /** A target that marks examples to be left out. Default -100. */
  ignoreIndex?: number
}

/** Settings of {@link crossEntropy}. */
export interface CrossEntropyOptions extends NllOptions {
  /** How much of each target is spread evenly over all classes, in [0, 1] (Szegedy et al. 2016, section 7). Default 0. */
  labelSmoothing?: number
}

/**
 * Negative log-likelihood of the right classes under softmax(logits), or of whole target distributions.
 *
 * Shape: logits [N, C], [N, C, d1, ...] or [C]; targets either class indices (int32, or whole numbers on the host)
 * without the class dimension: [N], [N, d1, ...] or []; or probabilities in the shape of the logits -> scalar, or the
 * shape of the indices with reduction `none`.
 *
 * Indices that come from data are checked at once; those that are themselves computed are not, and one outside of the
 * classes then counts as an example without loss.
 * @throws ShapeError when the shapes do not fit
 * @throws DTypeError for indices that are not whole
 * @throws ValueError for an index outside of the classes, naming it and its position
 */
export function crossEntropy(
  logits: TensorLike,
  targets: TensorLike,
  options: CrossEntropyOptions = {},
): Tensor {
  const { labelSmoothing = 0, weight, reduction } = options
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ValueError(
      `crossEntropy: labelSmoothing must lie between 0 and 1; got ${String(labelSmoothing)}`,
    )
  }
  checkReduction(reduction)
  const x = checkScores('crossEntropy', toTensor('crossEntropy', logits))
  const y = toTensor('crossEntropy', targets)
  const dim = classDim(x)
  const logProbabilities = logSoftmax(x, dim)
  if (sameShape(x.shape, y.shape))
    return ofDistributions(logProbabilities, y, dim, labelSmoothing, weight, reduction)
  const labels = checkLabels('crossEntropy', x, dim, y, options.ignoreIndex)
  return ofLabels('crossEntropy', logProbabilities, dim, labels, labelSmoothing, weight, reduction)
}

/**
 * Negative log-likelihood: minus the entry of the right class. {@link crossEntropy} is this of log-softmax.
 *
 * Shape: logProbabilities [N, C], [N, C, d1, ...] or [C]; targets [N], [N, d1, ...] or [] -> scalar, or the shape of the
 * targets with reduction `none`. Errors as {@link crossEntropy}.
 */
export function nllLoss(logProbabilities: TensorLike, targets: TensorLike, options: NllOptions = {}): Tensor {
  checkReduction(options.reduction)
  const x = checkScores('nllLoss', toTensor('nllLoss', logProbabilities))
  const dim = classDim(x)
  const labels = checkLabels('nllLoss', x, dim, toTensor('nllLoss', targets), options.ignoreIndex)
  return ofLabels('nllLoss', x, dim, labels, 0, options.weight, options.reduction)
}

/** Settings of {@link multiMarginLoss}. */
export interface MultiMarginOptions extends LossOptions {
  /** Power of each violation, 1 (the default) or 2. */
  p?: 1 | 2
  /** How much higher the right class should score. Default 1. */
  margin?: number
  /** One number per class, [C]. */
  weight?: TensorLike
}

/**
 * Sum over the wrong classes of max(0, margin - x[right] + x[wrong])^p, divided by the number of classes.
 *
 * Shape: scores [N, C] or [C]; targets [N] or [] -> scalar, or [N] with reduction `none`. Errors as {@link crossEntropy}.
 */
export function multiMarginLoss(
  scores: TensorLike,
  targets: TensorLike,
  options: MultiMarginOptions = {},
): Tensor {
  const { p = 1, margin = 1, weight, reduction } = options
  if (p !== 1 && p !== 2) throw new ValueError(`multiMarginLoss: p must be 1 or 2; got ${String(p)}`)
  const x = checkScores('multiMarginLoss', toTensor('multiMarginLoss', scores))
  const dim = classDim(x)
  const { indices } = checkLabels('multiMarginLoss', x, dim, toTensor('multiMarginLoss', targets))
  const right = chosen(x, dim, indices)
  const own = where(right, x, 0).sum(dim, { keepdim: true }) // [N, 1]
  const violation = where(right, 0, x.sub(own).add(margin).relu())
  const powered = p === 1 ? violation : violation.square()
  const values = powered.mean(dim) // [N]
  if (weight === undefined) return reduce(values, reduction)
  const perClass = weightPerClass('multiMarginLoss', weight, x, dim)
  return reduce(values.mul(where(right, perClass, 0).sum(dim)), reduction)
}

/**
 * For examples with several right classes: sum over the right and the wrong ones of max(0, 1 - x[right] + x[wrong]),
 * divided by the number of classes.
 *
 * Shape: scores [N, C] or [C]; targets (int32) of the same shape: the right classes of each example, then -1 -> scalar,
 * or [N] with reduction `none`.
 * @throws ShapeError when the shapes differ, DTypeError for targets that are not int32
 */
export function multilabelMarginLoss(
  scores: TensorLike,
  targets: TensorLike,
  options: LossOptions = {},
): Tensor {
  const x = checkScores('multilabelMarginLoss', toTensor('multilabelMarginLoss', scores))
  const y = toTensor('multilabelMarginLoss', targets)
  if (x.rank > 2 || !sameShape(x.shape, y.shape)) {
    throw new ShapeError(
      `multilabelMarginLoss: scores and targets must both be [N, C] or [C]; got ${formatShape(x.shape)} and ${formatShape(y.shape)}`,
    )
  }
  if (y.dtype !== 'int32') throw new DTypeError(`multilabelMarginLoss: targets must be int32; got ${y.dtype}`)
  // A target counts while no -1 has come before it.
  const listed = y.lt(0).to('int32').cumsum(-1).eq(0) // [N, C]
  const entries = y
    .unsqueeze(-1)
    .eq(arange(x.shape.at(-1)!))
    .logicalAnd(listed.unsqueeze(-1)) // [N, entry, C]
  const right = entries.any(-2).unsqueeze(-2) // [N, 1, C]
  const others = x.unsqueeze(-2) // [N, 1, C]
  const own = where(entries, others, 0).sum(-1, { keepdim: true }) // [N, entry, 1]
  const counts = listed.unsqueeze(-1).logicalAnd(right.logicalNot()) // [N, entry, C]
  const violation = where(counts, others.sub(own).add(1).relu(), 0)
  return reduce(violation.sum([-2, -1]).div(x.shape.at(-1)!), options.reduction)
}

// True at each example's own class: [N, C, d1, ...].
function chosen(x: Tensor, dim: number, indices: Tensor): Tensor {
  return indices.unsqueeze(dim).eq(arange(x.shape[dim]!).reshape(alongClasses(x, dim)))
}

function ofLabels(
  loss: string,
  logProbabilities: Tensor,
  dim: number,
  labels: Labels,
  smoothing: number,
  weight: TensorLike | undefined,
  reduction: LossReduction = 'mean',
): Tensor {
  const right = chosen(logProbabilities, dim, labels.indices)
  const perClass = weight === undefined ? null : weightPerClass(loss, weight, logProbabilities, dim)
  const costs = perClass === null ? logProbabilities : logProbabilities.mul(perClass) // [N, C, d1, ...]
  let values = where(right, costs, 0).sum(dim).neg() // [N, d1, ...]
  if (smoothing > 0) {
    const even = costs.mean(dim).neg()
    values = values.mul(1 - smoothing).add(even.mul(smoothing))
  }
  // An ignored index that is no class was chosen nowhere, so its loss is 0 already, unless some is spread evenly.
  if (labels.used !== null && (labels.ignoresClass || smoothing > 0)) values = where(labels.used, values, 0)
  if (reduction !== 'mean') return reduce(values, reduction)
  if (perClass === null) return values.sum().div(labels.count)
  let weights = where(right, perClass, 0).sum(dim)
  if (labels.used !== null && labels.ignoresClass) weights = where(labels.used, weights, 0)
  return values.sum().div(weights.sum())
}

function ofDistributions(
  logProbabilities: Tensor,
  targets: Tensor,
  dim: number,
  smoothing: number,
  weight: TensorLike | undefined,
  reduction: LossReduction = 'mean',
): Tensor {
  if (!isFloating(targets.dtype)) {
    throw new DTypeError(
      `crossEntropy: targets in the shape of the logits, ${formatShape(targets.shape)}, are probabilities and must be real; ` +
        `got ${targets.dtype}. Class indices come without the class dimension`,
    )
  }
  const classes = logProbabilities.shape[dim]!
  const smooth = smoothing === 0 ? targets : targets.mul(1 - smoothing).add(smoothing / classes)
  const costs =
    weight === undefined ? smooth : smooth.mul(weightPerClass('crossEntropy', weight, logProbabilities, dim))
  const values = logProbabilities.mul(costs).sum(dim).neg() // [N, d1, ...]
  return reduce(values, reduction)
}

function weightPerClass(loss: string, weight: TensorLike, x: Tensor, dim: number): Tensor {
  const perClass = toTensor(loss, weight)
  if (!sameShape(perClass.shape, [x.shape[dim]!])) {
    throw new ShapeError(
      `${loss}: weight must hold one number per class, [${x.shape[dim]}]; got ${formatShape(perClass.shape)}`,
    )
  }
  return perClass.reshape(alongClasses(x, dim))
}

// The shape in which a value per class meets [N, C, d1, ...].
function alongClasses(x: Tensor, dim: number): number[] {
  return [x.shape[dim]!, ...x.shape.slice(dim + 1).map(() => 1)]
}

function classDim(x: Tensor): number {
  return x.rank === 1 ? 0 : 1
}

function checkScores(loss: string, x: Tensor): Tensor {
  if (x.rank === 0 || x.shape[classDim(x)] === 0) {
    throw new ShapeError(
      `${loss}: predictions must be [N, C], [N, C, d1, ...] or [C] with at least one class; got ${formatShape(x.shape)}`,
    )
  }
  if (!isFloating(x.dtype))
    throw new DTypeError(
      `${loss}: predictions must be real; got ${x.dtype}. The order is (predictions, targets)`,
    )
  return x
}
