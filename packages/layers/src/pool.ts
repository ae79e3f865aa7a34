// Pooling layers. Read next: conv.ts, whose windows these share.
import {
  adaptiveAvgPool2d,
  avgPool2d,
  maxPool1d,
  maxPool2d,
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

/**
 * The largest value of each window. What is added around never wins.
 *
 * Shape: x [N, C, L] -> y [N, C, L'] with L' = floor((L + 2·padding - kernelSize) / stride) + 1.
 */
export class MaxPool1d extends Pooling {
  /** @throws ValueError for sizes that are no positive integers */
  constructor(kernelSize: PerDimension, options: PoolLayerOptions = {}) {
    super(1, kernelSize, options)
  }

  /** @throws ShapeError when x is smaller than the window */
  override forward(x: TensorLike): Tensor {
    return maxPool1d(x, this.kernelSize, this.options)
  }
}

/**
 * The largest value of each window. What is added around never wins.
 *
 * Shape: x [N, C, H, W] -> y [N, C, H', W'] with H' = floor((H + 2·padding - kernelSize) / stride) + 1.
 */
export class MaxPool2d extends Pooling {
  /** @throws ValueError for sizes that are no positive integers */
  constructor(kernelSize: PerDimension, options: PoolLayerOptions = {}) {
    super(2, kernelSize, options)
  }

  /** @throws ShapeError when x is smaller than the window */
  override forward(x: TensorLike): Tensor {
    return maxPool2d(x, this.kernelSize, this.options)
  }
}

/** Settings of {@link AvgPool2d}. */
export interface AvgPoolLayerOptions extends PoolLayerOptions {
  /** Whether zeros that were added around count as elements (the default). */
  countIncludePad?: boolean
}

/**
 * The mean of each window.
 *
 * Shape: x [N, C, H, W] -> y [N, C, H', W'] with H' = floor((H + 2·padding - kernelSize) / stride) + 1.
 */
export class AvgPool2d extends Pooling {
  readonly countIncludePad: boolean

  /** @throws ValueError for sizes that are no positive integers */
  constructor(kernelSize: PerDimension, options: AvgPoolLayerOptions = {}) {
    super(2, kernelSize, options)
    this.countIncludePad = options.countIncludePad ?? true
  }

  /** @throws ShapeError when x is smaller than the window */
  override forward(x: TensorLike): Tensor {
    return avgPool2d(x, this.kernelSize, { ...this.options, countIncludePad: this.countIncludePad })
  }
}

/**
 * Means of as many windows as are asked for, whatever the size of the input; 1 is the mean of the whole image.
 *
 * Shape: x [N, C, H, W] -> y [N, C, ...outputSize].
 */
export class AdaptiveAvgPool2d extends Module {
  readonly outputSize: readonly number[]

  /** @throws ValueError for sizes that are no positive integers */
  constructor(outputSize: PerDimension) {
    super()
    this.outputSize = perDimension('AdaptiveAvgPool2d', 'outputSize', outputSize, 2, positiveInteger)
  }

  override forward(x: TensorLike): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize)
  }

  override describe(): string {
    return `[${this.outputSize.join(', ')}]`
  }
}
