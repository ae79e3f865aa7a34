// Normalisation within each example: statistics are those of the example alone, in training and evaluation alike. Not
// here: statistics over the batch (batchNorm.ts).
import { formatShape, ShapeError, ValueError } from '@nabla/engine'
import { Parameter, toTensor, type Tensor, type TensorLike } from '@nabla/tensor'
import { positiveInteger } from './check.ts'
import { ones, zeros } from './init.ts'
import type { FloatingType } from './linear.ts'
import { Module } from './module.ts'

/** Settings of {@link LayerNorm} and {@link GroupNorm}. */
export interface NormOptions {
  /** Added to the variance, so that constant inputs divide by no zero. Default 1e-5. */
  eps?: number
  /** Whether a scale and a shift per element (or channel) are learned (the default). */
  affine?: boolean
  /** Whether a shift is learned beside the scale (the default). */
  bias?: boolean
  dtype?: FloatingType
}

/**
 * Brings each example to mean 0 and variance 1 over its last dimensions (Ba, Kiros and Hinton 2016, equation 4).
 *
 * Shape: x [..., ...normalizedShape] -> y of the same shape; weight and bias of normalizedShape.
 */
export class LayerNorm extends Module {
  readonly normalizedShape: readonly number[]
  readonly eps: number
  readonly weight: Parameter | null
  readonly bias: Parameter | null

  /** @throws ValueError for sizes that are no positive integers */
  constructor(
    normalizedShape: number | readonly number[],
    { eps = 1e-5, affine = true, bias = true, dtype = 'float32' }: NormOptions = {},
  ) {
    super()
    this.normalizedShape = checkSizes('LayerNorm', normalizedShape)
    this.eps = checkEps('LayerNorm', eps)
    this.weight = affine ? new Parameter(ones(this.normalizedShape, { dtype }), { name: 'LayerNorm.weight' }) : null
    this.bias = affine && bias ? new Parameter(zeros(this.normalizedShape, { dtype }), { name: 'LayerNorm.bias' }) : null
  }

  /** @throws ShapeError when x does not end in `normalizedShape` */
  override forward(value: TensorLike): Tensor {
    const x = toTensor('LayerNorm', value)
    const dims = trailingDims('LayerNorm', x, this.normalizedShape)
    return affineOf(standardize(x, dims, this.eps), this.weight, this.bias)
  }

  override describe(): string {
    return this.normalizedShape.length === 1 ? String(this.normalizedShape[0]) : formatShape(this.normalizedShape)
  }
}

/** Settings of {@link RMSNorm}. */
export interface RMSNormOptions {
  /** Added to the mean square. Default: the smallest step from 1 in the type, as in PyTorch. */
  eps?: number
  /** Whether a scale per element is learned (the default). */
  affine?: boolean
  dtype?: FloatingType
}

const machineEpsilon: Readonly<Record<FloatingType, number>> = { float32: 2 ** -23, float64: 2 ** -52 }

/**
 * Divides each example by the root of its mean square over the last dimensions (Zhang and Sennrich 2019, equation 4).
 *
 * Shape: x [..., ...normalizedShape] -> y of the same shape; weight of normalizedShape.
 */
export class RMSNorm extends Module {
  readonly normalizedShape: readonly number[]
  readonly eps: number
  readonly weight: Parameter | null

  /** @throws ValueError for sizes that are no positive integers */
  constructor(normalizedShape: number | readonly number[], { eps, affine = true, dtype = 'float32' }: RMSNormOptions = {}) {
    super()
    this.normalizedShape = checkSizes('RMSNorm', normalizedShape)
    this.eps = checkEps('RMSNorm', eps ?? machineEpsilon[dtype])
    this.weight = affine ? new Parameter(ones(this.normalizedShape, { dtype }), { name: 'RMSNorm.weight' }) : null
  }

  /** @throws ShapeError when x does not end in `normalizedShape` */
  override forward(value: TensorLike): Tensor {
    const x = toTensor('RMSNorm', value)
    const dims = trailingDims('RMSNorm', x, this.normalizedShape)
    const scale = x.square().mean(dims, { keepdim: true }).add(this.eps).rsqrt()
    return affineOf(x.mul(scale), this.weight, null)
  }

  override describe(): string {
    return this.normalizedShape.length === 1 ? String(this.normalizedShape[0]) : formatShape(this.normalizedShape)
  }
}

/**
 * Brings each group of channels of each example to mean 0 and variance 1 (Wu and He 2018).
 *
 * Shape: x [N, C, ...] -> y of the same shape; weight and bias [C].
 */
export class GroupNorm extends Module {
  readonly numGroups: number
  readonly numChannels: number
  readonly eps: number
  readonly weight: Parameter | null
  readonly bias: Parameter | null

  /** @throws ValueError when the groups do not divide the channels */
  constructor(
    numGroups: number,
    numChannels: number,
    { eps = 1e-5, affine = true, bias = true, dtype = 'float32' }: NormOptions = {},
  ) {
    super()
    this.numGroups = positiveInteger('GroupNorm', 'numGroups', numGroups)
    this.numChannels = positiveInteger('GroupNorm', 'numChannels', numChannels)
    if (numChannels % numGroups !== 0) {
      throw new ValueError(`GroupNorm: numGroups (${numGroups}) must divide numChannels (${numChannels})`)
    }
    this.eps = checkEps('GroupNorm', eps)
    this.weight = affine ? new Parameter(ones([numChannels], { dtype }), { name: 'GroupNorm.weight' }) : null
    this.bias = affine && bias ? new Parameter(zeros([numChannels], { dtype }), { name: 'GroupNorm.bias' }) : null
  }

  /** @throws ShapeError when x has not `numChannels` channels in dimension 1 */
  override forward(value: TensorLike): Tensor {
    const x = toTensor('GroupNorm', value)
    if (x.rank < 2 || x.shape[1] !== this.numChannels) {
      throw new ShapeError(`GroupNorm(${this.describe()}): x must be [N, ${this.numChannels}, ...]; got ${formatShape(x.shape)}`)
    }
    const perGroup = (x.size / x.shape[0]! || 0) / this.numGroups
    const groups = x.reshape([x.shape[0]!, this.numGroups, perGroup]) // [N, G, C / G · ...]
    const y = standardize(groups, [2], this.eps).reshape(x.shape) // [N, C, ...]
    return affineOf(y, perChannel(this.weight, x.rank), perChannel(this.bias, x.rank))
  }

  override describe(): string {
    return `${this.numGroups}, ${this.numChannels}`
  }
}

/** (x - mean) / √(variance + eps) over some dimensions, the variance being that of a whole population. */
export function standardize(x: Tensor, dims: readonly number[], eps: number): Tensor {
  const centered = x.sub(x.mean(dims, { keepdim: true }))
  const variance = centered.square().mean(dims, { keepdim: true })
  return centered.mul(variance.add(eps).rsqrt())
}

/** x · weight + bias, where there are such. */
export function affineOf(x: Tensor, weight: TensorLike | null, bias: TensorLike | null): Tensor {
  const scaled = weight === null ? x : x.mul(weight)
  return bias === null ? scaled : scaled.add(bias)
}

/** A value per channel [C], shaped to meet [N, C, ...] of the given rank. */
export function perChannel(value: Parameter | null, rank: number): Tensor | null {
  return value === null ? null : value.value.reshape([value.shape[0]!, ...Array.from({ length: rank - 2 }, () => 1)])
}

/** @throws ValueError unless eps is a number that keeps denominators from zero */
export function checkEps(layer: string, eps: number): number {
  if (typeof eps !== 'number' || !(eps >= 0) || eps === Infinity) {
    throw new ValueError(`${layer}: eps must be a small non-negative number; got ${String(eps)}`)
  }
  return eps
}

function checkSizes(layer: string, sizes: number | readonly number[]): readonly number[] {
  const list = typeof sizes === 'number' ? [sizes] : [...sizes]
  if (list.length === 0) throw new ValueError(`${layer}: normalizedShape must have at least one size`)
  for (const size of list) positiveInteger(layer, 'normalizedShape', size)
  return list
}

function trailingDims(layer: string, x: Tensor, sizes: readonly number[]): number[] {
  const first = x.rank - sizes.length
  if (first < 0 || sizes.some((size, i) => x.shape[first + i] !== size)) {
    throw new ShapeError(`${layer}: x must end in ${formatShape(sizes)}; got shape ${formatShape(x.shape)}`)
  }
  return sizes.map((_, i) => first + i)
}
