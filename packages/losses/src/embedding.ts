// Losses between vectors: how near or far pairs and triples of embeddings lie.
import { formatShape, sameShape, ShapeError, ValueError } from '@nabla/engine'
import { toTensor, where, type Tensor, type TensorLike } from '@nabla/tensor'
import { reduce, type LossOptions } from './common.ts'
import type { MarginOptions } from './binary.ts'

/**
 * 1 - cos(a, b) where the target is 1, max(0, cos(a, b) - margin) where it is -1. Default margin 0.
 *
 * Shape: first and second [N, D], targets [N] (or [D] with a scalar) -> scalar, or [N] with reduction `none`.
 * @throws ShapeError when the shapes do not fit
 */
export function cosineEmbeddingLoss(
  first: TensorLike,
  second: TensorLike,
  targets: TensorLike,
  options: MarginOptions = {},
): Tensor {
  const { margin = 0, reduction } = options
  const a = toTensor('cosineEmbeddingLoss', first)
  const b = toTensor('cosineEmbeddingLoss', second)
  const y = toTensor('cosineEmbeddingLoss', targets)
  checkSameVectors('cosineEmbeddingLoss', a, b)
  if (!sameShape(y.shape, a.shape.slice(0, -1))) {
    throw new ShapeError(
      `cosineEmbeddingLoss: vectors ${formatShape(a.shape)} need targets ${formatShape(a.shape.slice(0, -1))}; got ${formatShape(y.shape)}`,
    )
  }
  // The constant keeps the cosine of a vector of zeros finite; it is that of PyTorch.
  const squares = a.square().sum(-1).add(1e-12).mul(b.square().sum(-1).add(1e-12))
  const cosine = a.mul(b).sum(-1).mul(squares.rsqrt()) // [N]
  const alike = where(y.eq(1), cosine.mul(-1).add(1), 0)
  const different = where(y.eq(-1), cosine.sub(margin).relu(), 0)
  return reduce(alike.add(different), reduction)
}

/** Settings of {@link tripletMarginLoss}. */
export interface TripletOptions extends LossOptions {
  /** How much farther the negative should lie. Default 1. */
  margin?: number
  /** Which norm measures distances. Default 2. */
  p?: number
  /** Added to each difference, which keeps the distance of equal vectors differentiable. Default 1e-6. */
  eps?: number
  /** Whether the negative may be measured from the positive, where that is nearer (Balntas et al. 2016). Default false. */
  swap?: boolean
}

/**
 * max(0, |anchor - positive| - |anchor - negative| + margin).
 *
 * Shape: anchor, positive and negative [N, D] or [D] -> scalar, or [N] with reduction `none`.
 * @throws ShapeError when the shapes differ
 */
export function tripletMarginLoss(
  anchor: TensorLike,
  positive: TensorLike,
  negative: TensorLike,
  options: TripletOptions = {},
): Tensor {
  const { margin = 1, p = 2, eps = 1e-6, swap = false, reduction } = options
  if (!(p > 0)) throw new ValueError(`tripletMarginLoss: p must be positive; got ${String(p)}`)
  const a = toTensor('tripletMarginLoss', anchor)
  const near = toTensor('tripletMarginLoss', positive)
  const far = toTensor('tripletMarginLoss', negative)
  checkSameVectors('tripletMarginLoss', a, near)
  checkSameVectors('tripletMarginLoss', a, far)
  const toPositive = distance(a, near, p, eps)
  const toNegative = distance(a, far, p, eps)
  const nearest = swap ? toNegative.minimum(distance(near, far, p, eps)) : toNegative
  return reduce(toPositive.sub(nearest).add(margin).relu(), reduction)
}

function distance(a: Tensor, b: Tensor, p: number, eps: number): Tensor {
  const difference = a.sub(b).add(eps)
  if (p === 2) return difference.square().sum(-1).sqrt()
  if (p === 1) return difference.abs().sum(-1)
  return difference
    .abs()
    .pow(p)
    .sum(-1)
    .pow(1 / p)
}

function checkSameVectors(loss: string, a: Tensor, b: Tensor): void {
  if (a.rank > 0 && sameShape(a.shape, b.shape)) return
  throw new ShapeError(
    `${loss}: vectors must have one shape, [N, D]; got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
  )
}
