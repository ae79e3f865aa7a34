// Losses between real numbers: each takes the difference of prediction and target, element by element. Read next:
// binary.ts, classification.ts.
import { formatShape, ShapeError, ValueError } from '@nabla/engine'
import { toTensor, where, type Tensor, type TensorLike } from '@nabla/tensor'
import { checkReduction, pairOf, reduce, type LossOptions } from './common.ts'

/**
 * Squared difference.
 *
 * Shape: predictions and targets [...] -> scalar, or [...] with reduction `none`.
 * @throws ShapeError when the shapes differ in more than dimensions of size 1
 */
export function mseLoss(predictions: TensorLike, targets: TensorLike, options: LossOptions = {}): Tensor {
  const [x, y] = pairOf('mseLoss', predictions, targets)
  return reduce(x.sub(y).square(), options.reduction)
}

/** Absolute difference. Shapes and errors as {@link mseLoss}. */
export function l1Loss(predictions: TensorLike, targets: TensorLike, options: LossOptions = {}): Tensor {
  const [x, y] = pairOf('l1Loss', predictions, targets)
  return reduce(x.sub(y).abs(), options.reduction)
}

/** Settings of {@link smoothL1Loss}. */
export interface SmoothL1Options extends LossOptions {
  /** Where the parabola becomes a straight line. Default 1; 0 gives {@link l1Loss}. */
  beta?: number
}

/** d² / (2·beta) for |d| < beta, else |d| - beta / 2 (Girshick 2015, equation 3). Shapes as {@link mseLoss}. */
export function smoothL1Loss(
  predictions: TensorLike,
  targets: TensorLike,
  options: SmoothL1Options = {},
): Tensor {
  const { beta = 1, reduction } = options
  if (!(beta >= 0)) throw new ValueError(`smoothL1Loss: beta must not be negative; got ${String(beta)}`)
  if (beta === 0) return l1Loss(predictions, targets, options)
  const [x, y] = pairOf('smoothL1Loss', predictions, targets)
  const difference = x.sub(y)
  const distance = difference.abs()
  const parabola = difference.square().mul(0.5 / beta)
  return reduce(where(distance.lt(beta), parabola, distance.sub(beta / 2)), reduction)
}

/** Settings of {@link huberLoss}. */
export interface HuberOptions extends LossOptions {
  /** Where the parabola becomes a straight line. Default 1. */
  delta?: number
}

/** d² / 2 for |d| <= delta, else delta·(|d| - delta / 2) (Huber 1964). Shapes as {@link mseLoss}. */
export function huberLoss(predictions: TensorLike, targets: TensorLike, options: HuberOptions = {}): Tensor {
  const { delta = 1, reduction } = options
  if (!(delta > 0)) throw new ValueError(`huberLoss: delta must be positive; got ${String(delta)}`)
  const [x, y] = pairOf('huberLoss', predictions, targets)
  const difference = x.sub(y)
  const distance = difference.abs()
  const line = distance.sub(delta / 2).mul(delta)
  return reduce(where(distance.le(delta), difference.square().mul(0.5), line), reduction)
}

/** log(cosh(d)): a parabola near 0 and a straight line far away. Shapes as {@link mseLoss}. */
export function logCoshLoss(predictions: TensorLike, targets: TensorLike, options: LossOptions = {}): Tensor {
  const [x, y] = pairOf('logCoshLoss', predictions, targets)
  const difference = x.sub(y)
  // cosh itself would overflow: log(cosh d) = d + log(1 + exp(-2d)) - log 2.
  const values = difference.add(difference.mul(-2).softplus()).sub(Math.LN2)
  return reduce(values, options.reduction)
}

/** Settings of {@link quantileLoss}. */
export interface QuantileLossOptions extends LossOptions {
  /** Which quantile is predicted, between 0 and 1. Default 0.5, the median. */
  quantile?: number
}

/** max(q·(y - x), (q - 1)·(y - x)) (Koenker and Bassett 1978). Shapes as {@link mseLoss}. */
export function quantileLoss(
  predictions: TensorLike,
  targets: TensorLike,
  options: QuantileLossOptions = {},
): Tensor {
  const { quantile = 0.5, reduction } = options
  if (!(quantile >= 0 && quantile <= 1)) {
    throw new ValueError(`quantileLoss: quantile must lie between 0 and 1; got ${String(quantile)}`)
  }
  const [x, y] = pairOf('quantileLoss', predictions, targets)
  const difference = y.sub(x)
  return reduce(where(difference.ge(0), difference.mul(quantile), difference.mul(quantile - 1)), reduction)
}

/** Settings of {@link poissonNllLoss}. */
export interface PoissonOptions extends LossOptions {
  /** Whether the predictions are logarithms of rates (the default). */
  logInput?: boolean
  /** Whether Stirling's approximation of log(y!) is added, which changes no gradient. Default false. */
  full?: boolean
  /** Keeps the logarithm of a rate of 0 finite. Default 1e-8. */
  eps?: number
}

/** Negative log-likelihood of counts under Poisson distributions. Shapes as {@link mseLoss}. */
export function poissonNllLoss(
  predictions: TensorLike,
  targets: TensorLike,
  options: PoissonOptions = {},
): Tensor {
  const { logInput = true, full = false, eps = 1e-8, reduction } = options
  const [x, y] = pairOf('poissonNllLoss', predictions, targets)
  let values = logInput ? x.exp().sub(y.mul(x)) : x.sub(y.mul(x.add(eps).log()))
  if (full) {
    const counts = y.to(x.dtype)
    const above = counts.gt(1)
    // The formula is wrong at 0 and needless at 1; a harmless 2 stands in there, so that no NaN is made.
    const safe = where(above, counts, 2)
    const stirling = safe
      .mul(safe.log())
      .sub(safe)
      .add(
        safe
          .mul(2 * Math.PI)
          .log()
          .mul(0.5),
      )
    values = values.add(where(above, stirling, 0))
  }
  return reduce(values, reduction)
}

/** Settings of {@link gaussianNllLoss}. */
export interface GaussianOptions extends LossOptions {
  /** Whether the constant log(2π) / 2 is added, which changes no gradient. Default false. */
  full?: boolean
  /** The least variance. Default 1e-6. */
  eps?: number
}

/**
 * Negative log-likelihood of targets under normal distributions with predicted means and variances.
 *
 * Shape: predictions and targets [...], variance [...] or with a last dimension that is missing or 1 -> scalar, or [...].
 * @throws ShapeError when the shapes do not fit
 */
export function gaussianNllLoss(
  predictions: TensorLike,
  targets: TensorLike,
  variance: TensorLike,
  options: GaussianOptions = {},
): Tensor {
  const { full = false, eps = 1e-6, reduction } = options
  if (!(eps > 0)) throw new ValueError(`gaussianNllLoss: eps must be positive; got ${String(eps)}`)
  const [x, y] = pairOf('gaussianNllLoss', predictions, targets)
  const spread = varianceFor(x, toTensor('gaussianNllLoss', variance))
  const safe = spread.clamp({ min: eps })
  const values = safe.log().add(x.sub(y).square().div(safe)).mul(0.5)
  return reduce(full ? values.add(0.5 * Math.log(2 * Math.PI)) : values, reduction)
}

function varianceFor(x: Tensor, variance: Tensor): Tensor {
  const missing = variance.rank === x.rank - 1
  const aligned = missing ? variance.unsqueeze(-1) : variance
  const fits =
    aligned.rank === x.rank &&
    aligned.shape.every((size, dim) => size === x.shape[dim] || (size === 1 && dim === x.rank - 1))
  if (!fits) {
    throw new ShapeError(
      `gaussianNllLoss: variance ${formatShape(variance.shape)} must have the shape of the predictions, ${formatShape(x.shape)}, ` +
        'or lack the last dimension',
    )
  }
  return aligned
}

/** Settings of {@link klDiv}. */
export interface KlDivOptions {
  /** Default `mean`; `batchmean` divides the sum by the size of dimension 0, which is the divergence proper. */
  reduction?: 'mean' | 'sum' | 'none' | 'batchmean'
  /** Whether the targets are logarithms of probabilities. Default false. */
  logTarget?: boolean
}

/**
 * Kullback-Leibler divergence of target probabilities from predicted ones: y·(log y - x).
 *
 * Shape: predictions (logarithms of probabilities) and targets (probabilities) [N, ...] -> scalar, or [N, ...].
 * @throws ShapeError when the shapes differ
 */
export function klDiv(predictions: TensorLike, targets: TensorLike, options: KlDivOptions = {}): Tensor {
  const { reduction = 'mean', logTarget = false } = options
  if (reduction !== 'batchmean') checkReduction(reduction)
  const [x, y] = pairOf('klDiv', predictions, targets)
  const values = logTarget ? y.exp().mul(y.sub(x)) : y.xlogy(y).sub(y.mul(x))
  return reduction === 'batchmean' ? values.sum().div(x.shape[0] ?? 1) : reduce(values, reduction)
}
