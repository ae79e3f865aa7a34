// Instance normalisation of sequences, images and volumes, and normalisation across neighbouring channels. Read before:
// norm.ts.
import { formatShape, ShapeError } from '@nabla/engine'
import {
  instanceNorm,
  localResponseNorm,
  toTensor,
  type LocalResponseOptions,
  type Parameter,
  type Tensor,
  type TensorLike,
} from '@nabla/tensor'
import { finite, nonNegative, positiveInteger } from './check.ts'
import { Module } from './module.ts'
import { channelsError, scaleAndShift, type NormLayerOptions } from './norm.ts'

abstract class InstanceNorm extends Module {
  readonly numFeatures: number
  readonly eps: number
  readonly weight: Parameter | null
  readonly bias: Parameter | null
  readonly #spatial: number

  constructor(spatial: number, numFeatures: number, options: NormLayerOptions) {
    super()
    const layer = new.target.name
    this.#spatial = spatial
    this.numFeatures = positiveInteger(layer, 'numFeatures', numFeatures)
    this.eps = nonNegative(layer, 'eps', options.eps ?? 1e-5)
    const { weight, bias } = scaleAndShift(layer, [numFeatures], { affine: false, ...options })
    this.weight = weight
    this.bias = bias
  }

  /** @throws ShapeError when x has not `numFeatures` channels in dimension 1, or a wrong number of dimensions */
  override forward(value: TensorLike): Tensor {
    const layer = this.constructor.name
    const x = toTensor(layer, value)
    if (x.rank !== this.#spatial + 2) {
      const sizes = ['D', 'H', 'W'].slice(3 - this.#spatial).join(', ')
      throw new ShapeError(
        `${layer}: x must be [N, ${this.numFeatures}, ${this.#spatial === 1 ? 'L' : sizes}]; got ${formatShape(x.shape)}`,
      )
    }
    if (x.shape[1] !== this.numFeatures) throw channelsError(layer, x, this.numFeatures)
    return instanceNorm(x, { weight: this.weight, bias: this.bias, eps: this.eps })
  }

  override describe(): string {
    return String(this.numFeatures)
  }
}

/**
 * Brings each channel of each sequence to mean 0 and variance 1 (Ulyanov, Vedaldi and Lempitsky 2016). Nothing is learned
 * unless asked for with `affine`.
 *
 * Shape: x [N, C, L] -> y of the same shape; weight and bias, where there are such, [C].
 */
export class InstanceNorm1d extends InstanceNorm {
  /** @throws ValueError for a number of features that is no positive integer */
  constructor(numFeatures: number, options: NormLayerOptions = {}) {
    super(1, numFeatures, options)
  }
}

/**
 * Brings each channel of each image to mean 0 and variance 1. See {@link InstanceNorm1d}.
 *
 * Shape: x [N, C, H, W] -> y of the same shape; weight and bias, where there are such, [C].
 */
export class InstanceNorm2d extends InstanceNorm {
  /** @throws ValueError for a number of features that is no positive integer */
  constructor(numFeatures: number, options: NormLayerOptions = {}) {
    super(2, numFeatures, options)
  }
}

/**
 * Brings each channel of each volume to mean 0 and variance 1. See {@link InstanceNorm1d}.
 *
 * Shape: x [N, C, D, H, W] -> y of the same shape; weight and bias, where there are such, [C].
 */
export class InstanceNorm3d extends InstanceNorm {
  /** @throws ValueError for a number of features that is no positive integer */
  constructor(numFeatures: number, options: NormLayerOptions = {}) {
    super(3, numFeatures, options)
  }
}

/**
 * Divides by (k + alpha · mean of squares over `size` neighbouring channels)^beta (Krizhevsky et al. 2012, section 3.3).
 *
 * Shape: x [N, C, ...] -> y of the same shape.
 */
export class LocalResponseNorm extends Module {
  readonly size: number
  readonly alpha: number
  readonly beta: number
  readonly k: number

  /** @throws ValueError for a size that is no positive integer */
  constructor(size: number, { alpha = 1e-4, beta = 0.75, k = 1 }: LocalResponseOptions = {}) {
    super()
    this.size = positiveInteger('LocalResponseNorm', 'size', size)
    this.alpha = finite('LocalResponseNorm', 'alpha', alpha)
    this.beta = finite('LocalResponseNorm', 'beta', beta)
    this.k = finite('LocalResponseNorm', 'k', k)
  }

  /** @throws ShapeError when x has no channels */
  override forward(x: TensorLike): Tensor {
    return localResponseNorm(x, this.size, { alpha: this.alpha, beta: this.beta, k: this.k })
  }

  override describe(): string {
    return `${this.size}, alpha: ${this.alpha}, beta: ${this.beta}, k: ${this.k}`
  }
}
