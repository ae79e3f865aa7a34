// Pooling layers. Read next: conv.ts, whose windows these share.
import { avgPool2d, maxPool2d, type Tensor, type TensorLike } from '@nabla/tensor'
import { nonNegativeInteger, pair, positiveInteger, type Pair } from './check.ts'
import { Module } from './module.ts'

/** Settings of {@link MaxPool2d}. One number means both height and width. */
export interface PoolOptions {
  /** Step between windows. Default: the window's size, so that windows do not overlap. */
  stride?: Pair
  /** Rows added on every side, at most half a window. Default 0. */
  padding?: Pair
}

abstract class Pooling extends Module {
  readonly kernelSize: readonly [number, number]
  readonly stride: readonly [number, number]
  readonly padding: readonly [number, number]

  constructor(layer: string, kernelSize: Pair, { stride = kernelSize, padding = 0 }: PoolOptions) {
    super()
    this.kernelSize = pair(layer, 'kernelSize', kernelSize, positiveInteger)
    this.stride = pair(layer, 'stride', stride, positiveInteger)
    this.padding = pair(layer, 'padding', padding, nonNegativeInteger)
  }

  override describe(): string {
    const parts = [`[${this.kernelSize.join(', ')}]`]
    if (this.stride.some((step, i) => step !== this.kernelSize[i])) parts.push(`stride: [${this.stride.join(', ')}]`)
    if (this.padding.some((amount) => amount !== 0)) parts.push(`padding: [${this.padding.join(', ')}]`)
    return parts.join(', ')
  }
}

/**
 * The largest value of each window. Padding never wins.
 *
 * Shape: x [N, C, H, W] -> y [N, C, H', W'] with H' = floor((H + 2·padding - kernelSize) / stride) + 1.
 */
export class MaxPool2d extends Pooling {
  /** @throws ValueError for sizes that are no positive integers */
  constructor(kernelSize: Pair, options: PoolOptions = {}) {
    super('MaxPool2d', kernelSize, options)
  }

  /** @throws ShapeError when x has no four dimensions, or is smaller than the window */
  override forward(x: TensorLike): Tensor {
    return maxPool2d(x, this.kernelSize, { stride: this.stride, padding: this.padding })
  }
}

/**
 * The mean of each window. Padded zeros count.
 *
 * Shape: x [N, C, H, W] -> y [N, C, H', W'] with H' = floor((H + 2·padding - kernelSize) / stride) + 1.
 */
export class AvgPool2d extends Pooling {
  /** @throws ValueError for sizes that are no positive integers */
  constructor(kernelSize: Pair, options: PoolOptions = {}) {
    super('AvgPool2d', kernelSize, options)
  }

  /** @throws ShapeError when x has no four dimensions, or is smaller than the window */
  override forward(x: TensorLike): Tensor {
    return avgPool2d(x, this.kernelSize, { stride: this.stride, padding: this.padding })
  }
}
