// Normalisation within each example: statistics are those of the example alone, in training and evaluation alike. Not
// here: statistics over the batch (batchNorm.ts), and the formulas, which are ops of @nabla/tensor. Read next:
// instanceNorm.ts.
import { formatShape, ShapeError, ValueError } from '@nabla/engine'
import {
  groupNorm,
  layerNorm,
  Parameter,
  rmsNorm,
  toTensor,
  type Tensor,
  type TensorLike,
} from '@nabla/tensor'
import { nonNegative, positiveInteger } from './check.ts'
import { ones, zeros } from './init.ts'
import type { FloatingType } from './linear.ts'
import { Module } from './module.ts'

/** Settings of {@link LayerNorm}, {@link GroupNorm} and the instance norms. */
export interface NormLayerOptions {
  /** Added to the variance, so that constant inputs divide by no zero. Default 1e-5. */
  eps?: number
  /** Whether a scale and a shift are learned. Default true; for instance norms false. */
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
  constructor(normalizedShape: number | readonly number[], options: NormLayerOptions = {}) {
    super()
    this.normalizedShape = checkSizes('LayerNorm', normalizedShape)
    this.eps = nonNegative('LayerNorm', 'eps', options.eps ?? 1e-5)
    const { weight, bias } = scaleAndShift('LayerNorm', this.normalizedShape, options)
    this.weight = weight
    this.bias = bias
  }

  /** @throws ShapeError when x does not end in `normalizedShape` */
  override forward(x: TensorLike): Tensor {
    return layerNorm(x, this.normalizedShape, { weight: this.weight, bias: this.bias, eps: this.eps })
  }

  override describe(): string {
    return formatSizes(this.normalizedShape)
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
  constructor(
    normalizedShape: number | readonly number[],
    { eps, affine = true, dtype = 'float32' }: RMSNormOptions = {},
  ) {
    super()
    this.normalizedShape = checkSizes('RMSNorm', normalizedShape)
    this.eps = nonNegative('RMSNorm', 'eps', eps ?? machineEpsilon[dtype])
    this.weight = scaleAndShift('RMSNorm', this.normalizedShape, { affine, dtype }).weight
  }

  /** @throws ShapeError when x does not end in `normalizedShape` */
  override forward(x: TensorLike): Tensor {
    return rmsNorm(x, this.normalizedShape, { weight: this.weight, eps: this.eps })
  }

  override describe(): string {
    return formatSizes(this.normalizedShape)
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
  constructor(numGroups: number, numChannels: number, options: NormLayerOptions = {}) {
    super()
    this.numGroups = positiveInteger('GroupNorm', 'numGroups', numGroups)
    this.numChannels = positiveInteger('GroupNorm', 'numChannels', numChannels)
    if (numChannels % numGroups !== 0) {
      throw new ValueError(`GroupNorm: numGroups (${numGroups}) must divide numChannels (${numChannels})`)
    }
    this.eps = nonNegative('GroupNorm', 'eps', options.eps ?? 1e-5)
    const { weight, bias } = scaleAndShift('GroupNorm', [numChannels], options)
    this.weight = weight
    this.bias = bias
  }

  /** @throws ShapeError when x has not `numChannels` channels in dimension 1 */
  override forward(value: TensorLike): Tensor {
    const x = withChannels('GroupNorm', value, this.numChannels)
    return groupNorm(x, this.numGroups, { weight: this.weight, bias: this.bias, eps: this.eps })
  }

  override describe(): string {
    return `${this.numGroups}, ${this.numChannels}`
  }
}

/** Parameters that leave normalised values as they are at first: ones to scale and zeros to shift by. */
export function scaleAndShift(
  layer: string,
  shape: readonly number[],
  { affine = true, bias = true, dtype = 'float32' }: NormLayerOptions,
): { weight: Parameter | null; bias: Parameter | null } {
  return {
    weight: affine ? new Parameter(ones(shape, { dtype }), { name: `${layer}.weight` }) : null,
    bias: affine && bias ? new Parameter(zeros(shape, { dtype }), { name: `${layer}.bias` }) : null,
  }
}

function withChannels(layer: string, value: TensorLike, channels: number): Tensor {
  const x = toTensor(layer, value)
  if (x.rank >= 2 && x.shape[1] === channels) return x
  throw channelsError(layer, x, channels)
}

/** The error of an input whose dimension 1 has not the expected size. */
export function channelsError(layer: string, x: Tensor, channels: number): ShapeError {
  return new ShapeError(`${layer}: x must be [N, ${channels}, ...]; got ${formatShape(x.shape)}`)
}

function checkSizes(layer: string, sizes: number | readonly number[]): readonly number[] {
  const list = typeof sizes === 'number' ? [sizes] : [...sizes]
  if (list.length === 0) throw new ValueError(`${layer}: normalizedShape must have at least one size`)
  for (const size of list) positiveInteger(layer, 'normalizedShape', size)
  return list
}

function formatSizes(sizes: readonly number[]): string {
  return sizes.length === 1 ? String(sizes[0]) : formatShape(sizes)
}
