// Layers that take the largest value or the mean of each window. Read before: conv.ts, whose windows these share. Read
// next: poolAdaptive.ts.
import {
  avgPool1d,
  avgPool2d,
  avgPool3d,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  type AvgPoolOptions,
  type MaxPoolOptions,
  type Pool,
  type Tensor,
  type TensorLike,
} from '@nabla/tensor'
import { nonNegativeInteger, perDimension, positiveInteger, type PerDimension } from './check.ts'
import { Module } from './module.ts'

/** Settings of pooling layers. Sizes are one number for all spatial dimensions, or a list of one each. */
export interface PoolLayerOptions {
  /** Step between windows. Default: the window's size, so that windows do not overlap. */
  stride?: PerDimension
  /** How much is added on every side, at most half a window. Default 0. */
  padding?: PerDimension
  /** Whether a last window may reach beyond the input. Default false. */
  ceilMode?: boolean
}

abstract class Pooling extends Module {
  readonly kernelSize: readonly number[]
  readonly stride: readonly number[]
  readonly padding: readonly number[]
  readonly ceilMode: boolean

  constructor(spatial: number, kernelSize: PerDimension, options: PoolLayerOptions) {
    super()
    const { stride = kernelSize, padding = 0, ceilMode = false } = options
    const layer = new.target.name
    this.kernelSize = perDimension(layer, 'kernelSize', kernelSize, spatial, positiveInteger)
    this.stride = perDimension(layer, 'stride', stride, spatial, positiveInteger)
    this.padding = perDimension(layer, 'padding', padding, spatial, nonNegativeInteger)
    this.ceilMode = ceilMode
  }

  override describe(): string {
    const parts = [`[${this.kernelSize.join(', ')}]`]
    if (this.stride.some((step, i) => step !== this.kernelSize[i]))
      parts.push(`stride: [${this.stride.join(', ')}]`)
    if (this.padding.some((amount) => amount !== 0)) parts.push(`padding: [${this.padding.join(', ')}]`)
    if (this.ceilMode) parts.push('ceilMode: true')
    return parts.join(', ')
  }

  protected get options(): { stride: readonly number[]; padding: readonly number[]; ceilMode: boolean } {
    return { stride: this.stride, padding: this.padding, ceilMode: this.ceilMode }
  }
}

/** Settings of layers that take the largest value. */
export interface MaxPoolLayerOptions extends PoolLayerOptions {
  /** Distance between the elements of a window. Default 1. */
  dilation?: PerDimension
}

abstract class MaxPooling extends Pooling {
  readonly dilation: readonly number[]

  constructor(spatial: number, kernelSize: PerDimension, options: MaxPoolLayerOptions) {
    super(spatial, kernelSize, options)
    const { dilation = 1 } = options
    this.dilation = perDimension(new.target.name, 'dilation', dilation, spatial, positiveInteger)
  }

  protected pool(op: Pool<MaxPoolOptions>, x: TensorLike): Tensor {
    return op(x, this.kernelSize, { ...this.options, dilation: this.dilation })
  }
}

/**
 * The largest value of each window of sequences. What is added around never wins.
 *
 * Shape: x [N, C, L] -> y [N, C, L']
 * with L' = floor((L + 2·padding - dilation·(kernelSize - 1) - 1) / stride) + 1.
 */
export class MaxPool1d extends MaxPooling {
  /** @throws ValueError for sizes that are no positive integers */
  constructor(kernelSize: PerDimension, options: MaxPoolLayerOptions = {}) {
    super(1, kernelSize, options)
  }

  /** @throws ShapeError when x is smaller than the window */
  override forward(x: TensorLike): Tensor {
    return this.pool(maxPool1d, x)
  }
}

/**
 * The largest value of each window of images. What is added around never wins.
 *
 * Shape: x [N, C, H, W] -> y [N, C, H', W'], each size as in {@link MaxPool1d}.
 */
export class MaxPool2d extends MaxPooling {
  /** @throws ValueError for sizes that are no positive integers */
  constructor(kernelSize: PerDimension, options: MaxPoolLayerOptions = {}) {
    super(2, kernelSize, options)
  }

  /** @throws ShapeError when x is smaller than the window */
  override forward(x: TensorLike): Tensor {
    return this.pool(maxPool2d, x)
  }
}

/**
 * The largest value of each window of volumes. What is added around never wins.
 *
 * Shape: x [N, C, D, H, W] -> y [N, C, D', H', W'], each size as in {@link MaxPool1d}.
 */
export class MaxPool3d extends MaxPooling {
  /** @throws ValueError for sizes that are no positive integers */
  constructor(kernelSize: PerDimension, options: MaxPoolLayerOptions = {}) {
    super(3, kernelSize, options)
  }

  /** @throws ShapeError when x is smaller than the window */
  override forward(x: TensorLike): Tensor {
    return this.pool(maxPool3d, x)
  }
}

/** Settings of layers that take means. */
export interface AvgPoolLayerOptions extends PoolLayerOptions {
  /** Whether zeros that were added around count as elements (the default). */
  countIncludePad?: boolean
}

abstract class AvgPooling extends Pooling {
  readonly countIncludePad: boolean

  constructor(spatial: number, kernelSize: PerDimension, options: AvgPoolLayerOptions) {
    super(spatial, kernelSize, options)
    this.countIncludePad = options.countIncludePad ?? true
  }

  protected pool(op: Pool<AvgPoolOptions>, x: TensorLike): Tensor {
    return op(x, this.kernelSize, { ...this.options, countIncludePad: this.countIncludePad })
  }
}

/**
 * The mean of each window of sequences.
 *
 * Shape: x [N, C, L] -> y [N, C, L'] with L' = floor((L + 2·padding - kernelSize) / stride) + 1.
 */
export class AvgPool1d extends AvgPooling {
  /** @throws ValueError for sizes that are no positive integers */
  constructor(kernelSize: PerDimension, options: AvgPoolLayerOptions = {}) {
    super(1, kernelSize, options)
  }

  /** @throws ShapeError when x is smaller than the window */
  override forward(x: TensorLike): Tensor {
    return this.pool(avgPool1d, x)
  }
}

/**
 * The mean of each window of images.
 *
 * Shape: x [N, C, H, W] -> y [N, C, H', W'], each size as in {@link AvgPool1d}.
 */
export class AvgPool2d extends AvgPooling {
  /** @throws ValueError for sizes that are no positive integers */
  constructor(kernelSize: PerDimension, options: AvgPoolLayerOptions = {}) {
    super(2, kernelSize, options)
  }

  /** @throws ShapeError when x is smaller than the window */
  override forward(x: TensorLike): Tensor {
    return this.pool(avgPool2d, x)
  }
}

/**
 * The mean of each window of volumes.
 *
 * Shape: x [N, C, D, H, W] -> y [N, C, D', H', W'], each size as in {@link AvgPool1d}.
 */
export class AvgPool3d extends AvgPooling {
  /** @throws ValueError for sizes that are no positive integers */
  constructor(kernelSize: PerDimension, options: AvgPoolLayerOptions = {}) {
    super(3, kernelSize, options)
  }

  /** @throws ShapeError when x is smaller than the window */
  override forward(x: TensorLike): Tensor {
    return this.pool(avgPool3d, x)
  }
}
