// Transposed convolutions, which undo the change of sizes of a convolution with the same settings. Read before: conv.ts.
import { lookUp, ValueError } from '@nabla/engine'
import {
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type ConvTranspose,
  type Parameter,
  type Tensor,
  type TensorLike,
} from '@nabla/tensor'
import { nonNegativeInteger, perDimension, positiveInteger, type PerDimension } from './check.ts'
import { fanInUniform } from './init.ts'
import type { FloatingType } from './linear.ts'
import { Module } from './module.ts'

/** Settings of transposed convolutions. Sizes are one number for all spatial dimensions, or a list of one each. */
export interface ConvTransposeLayerOptions {
  /** Step between the places at which windows are laid down. Default 1. */
  stride?: PerDimension
  /** How much is cut off on every side. Default 0. */
  padding?: PerDimension
  /** How much is added at the end; chooses among sizes that a convolution maps to one. Default 0. */
  outputPadding?: PerDimension
  /** Distance between the taps of a window. Default 1. */
  dilation?: PerDimension
  /** Groups of channels that do not mix. Default 1. */
  groups?: number
  /** Whether a bias is added (the default). */
  bias?: boolean
  /** Zeros are the only mode there is. */
  paddingMode?: 'zeros'
  dtype?: FloatingType
}

abstract class TransposedConvolution extends Module {
  readonly inChannels: number
  readonly outChannels: number
  readonly kernelSize: readonly number[]
  readonly stride: readonly number[]
  readonly padding: readonly number[]
  readonly outputPadding: readonly number[]
  readonly dilation: readonly number[]
  readonly groups: number
  readonly weight: Parameter
  readonly bias: Parameter | null

  constructor(
    spatial: number,
    inChannels: number,
    outChannels: number,
    kernelSize: PerDimension,
    options: ConvTransposeLayerOptions,
  ) {
    super()
    const layer = new.target.name
    const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1, bias = true } = options
    const { dtype = 'float32', paddingMode = 'zeros' } = options
    lookUp(`paddingMode of ${layer}`, paddingMode, { zeros: true })
    this.inChannels = positiveInteger(layer, 'inChannels', inChannels)
    this.outChannels = positiveInteger(layer, 'outChannels', outChannels)
    this.kernelSize = perDimension(layer, 'kernelSize', kernelSize, spatial, positiveInteger)
    this.stride = perDimension(layer, 'stride', stride, spatial, positiveInteger)
    this.padding = perDimension(layer, 'padding', padding, spatial, nonNegativeInteger)
    this.outputPadding = perDimension(layer, 'outputPadding', outputPadding, spatial, nonNegativeInteger)
    this.dilation = perDimension(layer, 'dilation', dilation, spatial, positiveInteger)
    this.groups = positiveInteger(layer, 'groups', groups)
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new ValueError(
        `${layer}: groups (${groups}) must divide inChannels (${inChannels}) and outChannels (${outChannels})`,
      )
    }
    this.outputPadding.forEach((amount, dim) => {
      if (amount < this.stride[dim]! || amount < this.dilation[dim]!) return
      throw new ValueError(
        `${layer}: outputPadding [${this.outputPadding.join(', ')}] must be smaller than the stride or the dilation`,
      )
    })
    const shape = [inChannels, outChannels / groups, ...this.kernelSize]
    // PyTorch counts the second dimension and the window, although an output sees fewer of them.
    const fanIn = shape.slice(1).reduce((product, size) => product * size, 1)
    const name = `${layer}(${inChannels}, ${outChannels})`
    this.weight = fanInUniform(shape, fanIn, dtype, `${name}.weight`)
    this.bias = bias ? fanInUniform([outChannels], fanIn, dtype, `${name}.bias`) : null
  }

  override describe(): string {
    const parts = [`${this.inChannels}, ${this.outChannels}, [${this.kernelSize.join(', ')}]`]
    if (this.stride.some((step) => step !== 1)) parts.push(`stride: [${this.stride.join(', ')}]`)
    if (this.padding.some((amount) => amount !== 0)) parts.push(`padding: [${this.padding.join(', ')}]`)
    if (this.groups !== 1) parts.push(`groups: ${this.groups}`)
    if (this.bias === null) parts.push('bias: false')
    return parts.join(', ')
  }

  protected convolve(op: ConvTranspose, x: TensorLike): Tensor {
    const { stride, padding, outputPadding, dilation, groups } = this
    return op(x, this.weight, this.bias, { stride, padding, outputPadding, dilation, groups })
  }
}

/**
 * Transposed convolution of sequences.
 *
 * Shape: x [N, C, L] -> y [N, O, L'] with L' = (L - 1)·stride - 2·padding + dilation·(kernelSize - 1) + outputPadding + 1;
 * weight [C, O / groups, kernelSize], bias [O].
 */
export class ConvTranspose1d extends TransposedConvolution {
  /** @throws ValueError for sizes that are no positive integers, and groups that do not divide the channels */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerDimension,
    options: ConvTransposeLayerOptions = {},
  ) {
    super(1, inChannels, outChannels, kernelSize, options)
  }

  /** @throws ShapeError when x has not `inChannels` channels */
  override forward(x: TensorLike): Tensor {
    return this.convolve(convTranspose1d, x)
  }
}

/**
 * Transposed convolution of images.
 *
 * Shape: x [N, C, H, W] -> y [N, O, H', W'], each size as in {@link ConvTranspose1d}; weight [C, O / groups,
 * ...kernelSize], bias [O].
 */
export class ConvTranspose2d extends TransposedConvolution {
  /** @throws ValueError for sizes that are no positive integers, and groups that do not divide the channels */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerDimension,
    options: ConvTransposeLayerOptions = {},
  ) {
    super(2, inChannels, outChannels, kernelSize, options)
  }

  /** @throws ShapeError when x has not `inChannels` channels */
  override forward(x: TensorLike): Tensor {
    return this.convolve(convTranspose2d, x)
  }
}

/**
 * Transposed convolution of volumes.
 *
 * Shape: x [N, C, D, H, W] -> y [N, O, D', H', W'], each size as in {@link ConvTranspose1d}; weight [C, O / groups,
 * ...kernelSize], bias [O].
 */
export class ConvTranspose3d extends TransposedConvolution {
  /** @throws ValueError for sizes that are no positive integers, and groups that do not divide the channels */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerDimension,
    options: ConvTransposeLayerOptions = {},
  ) {
    super(3, inChannels, outChannels, kernelSize, options)
  }

  /** @throws ShapeError when x has not `inChannels` channels */
  override forward(x: TensorLike): Tensor {
    return this.convolve(convTranspose3d, x)
  }
}
