// Convolution layers: weights, checks, and what lies around an image, on top of the ops conv1d, conv2d and conv3d. The
// layers differ in their number of spatial dimensions alone. Read next: pool.ts.
import { lookUp, ValueError } from '@nabla/engine'
import {
  conv1d,
  conv2d,
  conv3d,
  pad,
  toTensor,
  type Conv,
  type Parameter,
  type Tensor,
  type TensorLike,
} from '@nabla/tensor'
import { nonNegativeInteger, perDimension, positiveInteger, type PerDimension } from './check.ts'
import { fanInUniform } from './init.ts'
import type { FloatingType } from './linear.ts'
import { Module } from './module.ts'

/** What lies around an image: zeros, its mirror image, its edge repeated, or its other side. */
export type PaddingMode = 'zeros' | 'reflect' | 'replicate' | 'circular'

const paddingModes: Readonly<Record<PaddingMode, true>> = {
  zeros: true,
  reflect: true,
  replicate: true,
  circular: true,
}

/** Settings of convolution layers. Sizes are one number for all spatial dimensions, or a list of one each. */
export interface ConvLayerOptions {
  /** Step between windows. Default 1. */
  stride?: PerDimension
  /** How much is added on every side (default 0); `same` keeps sizes (stride 1 only), `valid` adds nothing. */
  padding?: PerDimension | 'same' | 'valid'
  /** Distance between the taps of a window. Default 1. */
  dilation?: PerDimension
  /** Groups of channels that do not mix. Default 1. */
  groups?: number
  /** Whether a bias is added (the default). */
  bias?: boolean
  /** What is added around the input. Default `zeros`. */
  paddingMode?: PaddingMode
  dtype?: FloatingType
}

abstract class Convolution extends Module {
  readonly inChannels: number
  readonly outChannels: number
  readonly kernelSize: readonly number[]
  readonly stride: readonly number[]
  readonly padding: readonly number[] | 'same' | 'valid'
  readonly dilation: readonly number[]
  readonly groups: number
  readonly paddingMode: PaddingMode
  readonly weight: Parameter
  readonly bias: Parameter | null

  constructor(
    spatial: number,
    inChannels: number,
    outChannels: number,
    kernelSize: PerDimension,
    options: ConvLayerOptions,
  ) {
    super()
    const layer = new.target.name
    const { stride = 1, padding = 0, dilation = 1, groups = 1, bias = true, paddingMode = 'zeros' } = options
    const { dtype = 'float32' } = options
    this.inChannels = positiveInteger(layer, 'inChannels', inChannels)
    this.outChannels = positiveInteger(layer, 'outChannels', outChannels)
    this.kernelSize = perDimension(layer, 'kernelSize', kernelSize, spatial, positiveInteger)
    this.stride = perDimension(layer, 'stride', stride, spatial, positiveInteger)
    this.dilation = perDimension(layer, 'dilation', dilation, spatial, positiveInteger)
    this.padding = checkPadding(layer, padding, spatial, this.stride)
    this.groups = positiveInteger(layer, 'groups', groups)
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new ValueError(
        `${layer}: groups (${groups}) must divide inChannels (${inChannels}) and outChannels (${outChannels})`,
      )
    }
    lookUp('paddingMode', paddingMode, paddingModes)
    this.paddingMode = paddingMode
    const shape = [outChannels, inChannels / groups, ...this.kernelSize]
    const fanIn = shape.slice(1).reduce((product, size) => product * size, 1)
    const name = `${layer}(${inChannels}, ${outChannels})`
    this.weight = fanInUniform(shape, fanIn, dtype, `${name}.weight`)
    this.bias = bias ? fanInUniform([outChannels], fanIn, dtype, `${name}.bias`) : null
  }

  override describe(): string {
    const parts = [`${this.inChannels}, ${this.outChannels}, [${this.kernelSize.join(', ')}]`]
    if (this.stride.some((step) => step !== 1)) parts.push(`stride: [${this.stride.join(', ')}]`)
    if (typeof this.padding === 'string') parts.push(`padding: '${this.padding}'`)
    else if (this.padding.some((amount) => amount !== 0)) parts.push(`padding: [${this.padding.join(', ')}]`)
    if (this.dilation.some((step) => step !== 1)) parts.push(`dilation: [${this.dilation.join(', ')}]`)
    if (this.groups !== 1) parts.push(`groups: ${this.groups}`)
    if (this.paddingMode !== 'zeros') parts.push(`paddingMode: '${this.paddingMode}'`)
    if (this.bias === null) parts.push('bias: false')
    return parts.join(', ')
  }

  protected convolve(op: Conv, value: TensorLike): Tensor {
    const { stride, dilation, groups } = this
    if (this.paddingMode === 'zeros') {
      return op(value, this.weight, this.bias, { stride, padding: this.padding, dilation, groups })
    }
    const x = toTensor(this.constructor.name, value)
    const padded = pad(x, this.#amountsAround(), { mode: this.paddingMode })
    return op(padded, this.weight, this.bias, { stride, dilation, groups })
  }

  // As `pad` wants them: before and after, the last dimension first.
  #amountsAround(): number[] {
    const amounts = this.kernelSize.map((size, dim): [number, number] => {
      if (typeof this.padding !== 'string') return [this.padding[dim]!, this.padding[dim]!]
      const total = this.padding === 'valid' ? 0 : this.dilation[dim]! * (size - 1)
      // An even window has no middle: the odd row goes behind, as in PyTorch.
      return [Math.floor(total / 2), Math.ceil(total / 2)]
    })
    return amounts.reverse().flat()
  }
}

/**
 * Convolution (cross-correlation) of sequences.
 *
 * Shape: x [N, C, L] -> y [N, O, L'] with L' = floor((L + 2·padding - dilation·(kernelSize - 1) - 1) / stride) + 1;
 * weight [O, C / groups, kernelSize], bias [O].
 */
export class Conv1d extends Convolution {
  /** @throws ValueError for sizes that are no positive integers, and groups that do not divide the channels */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerDimension,
    options: ConvLayerOptions = {},
  ) {
    super(1, inChannels, outChannels, kernelSize, options)
  }

  /** @throws ShapeError when x has not `inChannels` channels, or is smaller than the window */
  override forward(x: TensorLike): Tensor {
    return this.convolve(conv1d, x)
  }
}

/**
 * Convolution (cross-correlation) of images.
 *
 * Shape: x [N, C, H, W] -> y [N, O, H', W'] with H' = floor((H + 2·padding - dilation·(kernelSize - 1) - 1) / stride) + 1;
 * weight [O, C / groups, kernel height, kernel width], bias [O].
 */
export class Conv2d extends Convolution {
  /** @throws ValueError for sizes that are no positive integers, and groups that do not divide the channels */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerDimension,
    options: ConvLayerOptions = {},
  ) {
    super(2, inChannels, outChannels, kernelSize, options)
  }

  /** @throws ShapeError when x has not `inChannels` channels, or is smaller than the window */
  override forward(x: TensorLike): Tensor {
    return this.convolve(conv2d, x)
  }
}

/**
 * Convolution (cross-correlation) of volumes.
 *
 * Shape: x [N, C, D, H, W] -> y [N, O, D', H', W'], each size as in {@link Conv2d}; weight [O, C / groups, ...kernelSize],
 * bias [O].
 */
export class Conv3d extends Convolution {
  /** @throws ValueError for sizes that are no positive integers, and groups that do not divide the channels */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerDimension,
    options: ConvLayerOptions = {},
  ) {
    super(3, inChannels, outChannels, kernelSize, options)
  }

  /** @throws ShapeError when x has not `inChannels` channels, or is smaller than the window */
  override forward(x: TensorLike): Tensor {
    return this.convolve(conv3d, x)
  }
}

function checkPadding(
  layer: string,
  padding: PerDimension | 'same' | 'valid',
  spatial: number,
  stride: readonly number[],
): readonly number[] | 'same' | 'valid' {
  if (typeof padding !== 'string') return perDimension(layer, 'padding', padding, spatial, nonNegativeInteger)
  lookUp(`padding of ${layer}`, padding, { same: true, valid: true })
  if (padding === 'same' && stride.some((step) => step !== 1)) {
    throw new ValueError(
      `${layer}: padding 'same' needs a stride of 1; got [${stride.join(', ')}]. Give the padding as a number`,
    )
  }
  return padding
}
