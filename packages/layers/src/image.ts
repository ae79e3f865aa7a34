// Layers that rearrange or resize images: resampling, pixels to channels and back, patches to columns and back.
import { formatShape, ShapeError, ValueError } from '@nabla/engine'
import {
  channelShuffle,
  col2im,
  im2col,
  interpolate,
  pixelShuffle,
  pixelUnshuffle,
  toTensor,
  type InterpolateOptions,
  type InterpolationMode,
  type Tensor,
  type TensorLike,
} from '@nabla/tensor'
import { nonNegativeInteger, perDimension, positiveInteger, type PerDimension } from './check.ts'
import { Module } from './module.ts'

/** Settings of {@link Upsample}: either `size` or `scaleFactor`. */
export type UpsampleOptions = Pick<InterpolateOptions, 'size' | 'scaleFactor' | 'mode' | 'alignCorners'>

const interpolationModes: readonly InterpolationMode[] = [
  'nearest',
  'linear',
  'bilinear',
  'trilinear',
  'bicubic',
  'area',
]

/**
 * Resizes by repetition or interpolation.
 *
 * Shape: x [N, C, L], [N, C, H, W] or [N, C, D, H, W] -> y [N, C, ...size], or of sizes floor(length · scaleFactor).
 */
export class Upsample extends Module {
  readonly options: UpsampleOptions

  /** @throws ValueError unless exactly one of size and scaleFactor is given, and for an unknown mode */
  constructor(options: UpsampleOptions) {
    super()
    const { size, scaleFactor, mode = 'nearest' } = options ?? {}
    if ((size === undefined) === (scaleFactor === undefined))
      throw new ValueError('Upsample: give either size or scaleFactor')
    if (!interpolationModes.includes(mode)) {
      throw new ValueError(`Upsample: unknown mode '${mode}'. Known: ${interpolationModes.join(', ')}`)
    }
    for (const length of [size ?? []].flat()) positiveInteger('Upsample', 'size', length)
    for (const factor of [scaleFactor ?? []].flat()) {
      if (!(factor > 0 && factor < Infinity))
        throw new ValueError(`Upsample: scaleFactor must be above 0; got ${String(factor)}`)
    }
    this.options = { ...options }
  }

  /** @throws ShapeError for a number of dimensions that the mode does not know */
  override forward(x: TensorLike): Tensor {
    return interpolate(x, this.options)
  }

  override describe(): string {
    const entries = Object.entries(this.options).map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    return entries.join(', ').replaceAll('"', "'")
  }
}

/**
 * Channels to pixels (Shi et al. 2016). Shape: x [..., C·r·r, H, W] -> y [..., C, H·r, W·r].
 */
export class PixelShuffle extends Module {
  readonly upscaleFactor: number

  /** @throws ValueError for a factor that is no positive integer */
  constructor(upscaleFactor: number) {
    super()
    this.upscaleFactor = positiveInteger('PixelShuffle', 'upscaleFactor', upscaleFactor)
  }

  /** @throws ShapeError when the channels do not divide by r·r */
  override forward(x: TensorLike): Tensor {
    return pixelShuffle(x, this.upscaleFactor)
  }

  override describe(): string {
    return String(this.upscaleFactor)
  }
}

/** Pixels to channels, what {@link PixelShuffle} undoes. Shape: x [..., C, H·r, W·r] -> y [..., C·r·r, H, W]. */
export class PixelUnshuffle extends Module {
  readonly downscaleFactor: number

  /** @throws ValueError for a factor that is no positive integer */
  constructor(downscaleFactor: number) {
    super()
    this.downscaleFactor = positiveInteger('PixelUnshuffle', 'downscaleFactor', downscaleFactor)
  }

  /** @throws ShapeError when height and width do not divide by r */
  override forward(x: TensorLike): Tensor {
    return pixelUnshuffle(x, this.downscaleFactor)
  }

  override describe(): string {
    return String(this.downscaleFactor)
  }
}

/** Channels of all groups in turn (Zhang et al. 2018, figure 1). Shape: x [N, C, ...] -> y of the same shape. */
export class ChannelShuffle extends Module {
  readonly groups: number

  /** @throws ValueError for a number of groups that is no positive integer */
  constructor(groups: number) {
    super()
    this.groups = positiveInteger('ChannelShuffle', 'groups', groups)
  }

  /** @throws ShapeError when the groups do not divide the channels */
  override forward(x: TensorLike): Tensor {
    return channelShuffle(x, this.groups)
  }

  override describe(): string {
    return String(this.groups)
  }
}

/** Settings of {@link Unfold} and {@link Fold}. */
export interface PatchLayerOptions {
  /** Distance between the elements of a window. Default 1. */
  dilation?: PerDimension
  /** Zeros on all sides. Default 0. */
  padding?: PerDimension
  /** Step between windows. Default 1. */
  stride?: PerDimension
}

abstract class Patches extends Module {
  readonly kernelSize: readonly number[]
  readonly dilation: readonly number[]
  readonly padding: readonly number[]
  readonly stride: readonly number[]

  constructor(kernelSize: PerDimension, { dilation = 1, padding = 0, stride = 1 }: PatchLayerOptions) {
    super()
    const layer = new.target.name
    this.kernelSize = perDimension(layer, 'kernelSize', kernelSize, 2, positiveInteger)
    this.dilation = perDimension(layer, 'dilation', dilation, 2, positiveInteger)
    this.padding = perDimension(layer, 'padding', padding, 2, nonNegativeInteger)
    this.stride = perDimension(layer, 'stride', stride, 2, positiveInteger)
  }

  override describe(): string {
    return `[${this.kernelSize.join(', ')}], stride: [${this.stride.join(', ')}]`
  }

  protected get options(): Record<'dilation' | 'padding' | 'stride', readonly number[]> {
    return { dilation: this.dilation, padding: this.padding, stride: this.stride }
  }
}

/** The patches of images as columns. Shape: x [N, C, H, W] -> y [N, C·KH·KW, number of patches]. */
export class Unfold extends Patches {
  /** @throws ValueError for sizes that are no positive integers */
  constructor(kernelSize: PerDimension, options: PatchLayerOptions = {}) {
    super(kernelSize, options)
  }

  /** @throws ShapeError when x is no batch of images, or smaller than the window */
  override forward(x: TensorLike): Tensor {
    return im2col(x, this.kernelSize, this.options)
  }
}

/** Columns added up to images, the adjoint of {@link Unfold}. Shape: x [N, C·KH·KW, patches] -> y [N, C, ...outputSize]. */
export class Fold extends Patches {
  readonly outputSize: readonly number[]

  /** @throws ValueError for sizes that are no positive integers */
  constructor(outputSize: PerDimension, kernelSize: PerDimension, options: PatchLayerOptions = {}) {
    super(kernelSize, options)
    this.outputSize = perDimension('Fold', 'outputSize', outputSize, 2, positiveInteger)
  }

  /** @throws ShapeError when the number of patches does not fit the size */
  override forward(value: TensorLike): Tensor {
    const x = toTensor('Fold', value)
    if (x.rank !== 3) {
      throw new ShapeError(`Fold: x must be [N, C·KH·KW, patches]; got shape ${formatShape(x.shape)}`)
    }
    return col2im(x, this.outputSize, this.kernelSize, this.options)
  }
}
