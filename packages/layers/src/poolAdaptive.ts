// Pooling to a given size whatever the size of the input, over everything, and by power means. Read before: pool.ts.
import { ValueError } from '@nabla/engine'
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  lpPool1d,
  lpPool2d,
  type AdaptivePool,
  type OutputSize,
  type Tensor,
  type TensorLike,
} from '@nabla/tensor'
import { perDimension, positiveInteger, type PerDimension } from './check.ts'
import { Module } from './module.ts'
import type { PoolLayerOptions } from './pool.ts'

abstract class AdaptivePooling extends Module {
  readonly outputSize: readonly (number | null)[]
  readonly #op: AdaptivePool

  constructor(op: AdaptivePool, spatial: number, outputSize: OutputSize) {
    super()
    const layer = new.target.name
    const sizes = Array.isArray(outputSize) ? (outputSize as readonly (number | null)[]) : null
    if (sizes !== null && sizes.length !== spatial) {
      throw new ValueError(
        `${layer}: outputSize must be one number or a list of ${spatial}; got [${sizes.join(', ')}]`,
      )
    }
    this.outputSize = sizes ?? Array.from({ length: spatial }, () => outputSize as number)
    for (const size of this.outputSize) if (size !== null) positiveInteger(layer, 'outputSize', size)
    this.#op = op
  }

  /** @throws ShapeError for a wrong number of dimensions */
  override forward(x: TensorLike): Tensor {
    return this.#op(x, this.outputSize)
  }

  override describe(): string {
    return `[${this.outputSize.map(String).join(', ')}]`
  }
}

/**
 * Means of as many windows of sequences as are asked for, whatever the size of the input; 1 covers everything.
 *
 * Shape: x [N, C, L] -> y [N, C, ...outputSize].
 */
export class AdaptiveAvgPool1d extends AdaptivePooling {
  /** @throws ValueError for sizes that are no positive integers */
  constructor(outputSize: OutputSize) {
    super(adaptiveAvgPool1d, 1, outputSize)
  }
}

/**
 * Means of as many windows of images as are asked for, whatever the size of the input; 1 covers everything; null keeps a size.
 *
 * Shape: x [N, C, H, W] -> y [N, C, ...outputSize].
 */
export class AdaptiveAvgPool2d extends AdaptivePooling {
  /** @throws ValueError for sizes that are no positive integers */
  constructor(outputSize: OutputSize) {
    super(adaptiveAvgPool2d, 2, outputSize)
  }
}

/**
 * Means of as many windows of volumes as are asked for, whatever the size of the input; 1 covers everything; null keeps a size.
 *
 * Shape: x [N, C, D, H, W] -> y [N, C, ...outputSize].
 */
export class AdaptiveAvgPool3d extends AdaptivePooling {
  /** @throws ValueError for sizes that are no positive integers */
  constructor(outputSize: OutputSize) {
    super(adaptiveAvgPool3d, 3, outputSize)
  }
}

/**
 * Largest values of as many windows of sequences as are asked for.
 *
 * Shape: x [N, C, L] -> y [N, C, ...outputSize].
 */
export class AdaptiveMaxPool1d extends AdaptivePooling {
  /** @throws ValueError for sizes that are no positive integers */
  constructor(outputSize: OutputSize) {
    super(adaptiveMaxPool1d, 1, outputSize)
  }
}

/**
 * Largest values of as many windows of images as are asked for; null keeps a size.
 *
 * Shape: x [N, C, H, W] -> y [N, C, ...outputSize].
 */
export class AdaptiveMaxPool2d extends AdaptivePooling {
  /** @throws ValueError for sizes that are no positive integers */
  constructor(outputSize: OutputSize) {
    super(adaptiveMaxPool2d, 2, outputSize)
  }
}

/**
 * Largest values of as many windows of volumes as are asked for; null keeps a size.
 *
 * Shape: x [N, C, D, H, W] -> y [N, C, ...outputSize].
 */
export class AdaptiveMaxPool3d extends AdaptivePooling {
  /** @throws ValueError for sizes that are no positive integers */
  constructor(outputSize: OutputSize) {
    super(adaptiveMaxPool3d, 3, outputSize)
  }
}

abstract class PowerPooling extends Module {
  readonly p: number
  readonly kernelSize: readonly number[]
  readonly stride: readonly number[]
  readonly ceilMode: boolean

  constructor(
    spatial: number,
    p: number,
    kernelSize: PerDimension,
    { stride = kernelSize, ceilMode = false }: Omit<PoolLayerOptions, 'padding'>,
  ) {
    super()
    const layer = new.target.name
    if (typeof p !== 'number' || !(p > 0 && p < Infinity))
      throw new ValueError(`${layer}: p must be a finite number above 0; got ${String(p)}`)
    this.p = p
    this.kernelSize = perDimension(layer, 'kernelSize', kernelSize, spatial, positiveInteger)
    this.stride = perDimension(layer, 'stride', stride, spatial, positiveInteger)
    this.ceilMode = ceilMode
  }

  override describe(): string {
    return `p: ${this.p}, [${this.kernelSize.join(', ')}]`
  }
}

/**
 * (Sum of x^p)^(1/p) over each window of sequences.
 *
 * Shape: x [N, C, L] -> y [N, C, L'], each size floor((L - kernelSize) / stride) + 1.
 */
export class LpPool1d extends PowerPooling {
  /** @throws ValueError for sizes that are no positive integers, and a power that is not above 0 */
  constructor(p: number, kernelSize: PerDimension, options: Omit<PoolLayerOptions, 'padding'> = {}) {
    super(1, p, kernelSize, options)
  }

  /** @throws ShapeError when x is smaller than the window */
  override forward(x: TensorLike): Tensor {
    return lpPool1d(x, this.p, this.kernelSize, { stride: this.stride, ceilMode: this.ceilMode })
  }
}

/**
 * (Sum of x^p)^(1/p) over each window of images.
 *
 * Shape: x [N, C, H, W] -> y [N, C, H', W'], each size floor((L - kernelSize) / stride) + 1.
 */
export class LpPool2d extends PowerPooling {
  /** @throws ValueError for sizes that are no positive integers, and a power that is not above 0 */
  constructor(p: number, kernelSize: PerDimension, options: Omit<PoolLayerOptions, 'padding'> = {}) {
    super(2, p, kernelSize, options)
  }

  /** @throws ShapeError when x is smaller than the window */
  override forward(x: TensorLike): Tensor {
    return lpPool2d(x, this.p, this.kernelSize, { stride: this.stride, ceilMode: this.ceilMode })
  }
}
