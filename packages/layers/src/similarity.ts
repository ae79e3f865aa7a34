// Layers of two inputs: how near vectors are, and a product of pairs that is learned.
import { formatShape, sameShape, ShapeError, ValueError } from '@nabla/engine'
import { cosineSimilarity, toTensor, type Parameter, type Tensor, type TensorLike } from '@nabla/tensor'
import { integer, nonNegative, positiveInteger } from './check.ts'
import { fanInUniform } from './init.ts'
import type { LinearOptions } from './linear.ts'
import { Module } from './module.ts'

/**
 * y_o = aᵀ W_o b + bias_o.
 *
 * Shape: a [..., in1], b [..., in2] -> y [..., out]; weight [out, in1, in2], bias [out].
 */
export class Bilinear extends Module {
  readonly in1Features: number
  readonly in2Features: number
  readonly outFeatures: number
  readonly weight: Parameter
  readonly bias: Parameter | null

  /** @throws ValueError for sizes that are no positive integers */
  constructor(
    in1Features: number,
    in2Features: number,
    outFeatures: number,
    { bias = true, dtype = 'float32' }: LinearOptions = {},
  ) {
    super()
    this.in1Features = positiveInteger('Bilinear', 'in1Features', in1Features)
    this.in2Features = positiveInteger('Bilinear', 'in2Features', in2Features)
    this.outFeatures = positiveInteger('Bilinear', 'outFeatures', outFeatures)
    const shape = [outFeatures, in1Features, in2Features]
    this.weight = fanInUniform(shape, in1Features, dtype, 'Bilinear.weight')
    this.bias = bias ? fanInUniform([outFeatures], in1Features, dtype, 'Bilinear.bias') : null
  }

  /** @throws ShapeError when the inputs have other numbers of features, or differ in other dimensions */
  override forward(first: TensorLike, second: TensorLike): Tensor {
    const a = toTensor('Bilinear', first)
    const b = toTensor('Bilinear', second)
    const { in1Features, in2Features, outFeatures } = this
    const leading = a.shape.slice(0, -1)
    const fits =
      a.shape.at(-1) === in1Features &&
      b.shape.at(-1) === in2Features &&
      sameShape(leading, b.shape.slice(0, -1))
    if (!fits) {
      throw new ShapeError(
        `Bilinear(${this.describe()}): inputs must be [..., ${in1Features}] and [..., ${in2Features}] with the same leading ` +
          `dimensions; got shapes ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
      )
    }
    const columns = this.weight.value.permute([1, 0, 2]).reshape([in1Features, outFeatures * in2Features])
    const halfway = a.reshape([-1, in1Features]).matmul(columns).reshape([-1, outFeatures, in2Features])
    const product = halfway.matmul(b.reshape([-1, in2Features, 1])).reshape([...leading, outFeatures])
    return this.bias === null ? product : product.add(this.bias)
  }

  override describe(): string {
    return `${this.in1Features}, ${this.in2Features}, ${this.outFeatures}`
  }
}

/** Settings of {@link CosineSimilarity}. */
export interface CosineSimilarityOptions {
  /** Along which dimension the vectors lie. Default 1. */
  dim?: number
  /** Lengths below this count as this. Default 1e-8. */
  eps?: number
}

/** The cosine of the angle between vectors. Shape: a and b [..., D, ...], broadcast -> y without dimension `dim`. */
export class CosineSimilarity extends Module {
  readonly dim: number
  readonly eps: number

  /** @throws ValueError for a dimension that is no integer */
  constructor({ dim = 1, eps = 1e-8 }: CosineSimilarityOptions = {}) {
    super()
    this.dim = integer('CosineSimilarity', 'dim', dim)
    this.eps = nonNegative('CosineSimilarity', 'eps', eps)
  }

  /** @throws ShapeError for shapes that do not broadcast */
  override forward(a: TensorLike, b: TensorLike): Tensor {
    return cosineSimilarity(a, b, { dim: this.dim, eps: this.eps })
  }

  override describe(): string {
    return `dim: ${this.dim}`
  }
}

/** Settings of {@link PairwiseDistance}. */
export interface PairwiseDistanceOptions {
  /** Exponent of the norm. Default 2. */
  p?: number
  /** Added to each difference. Default 1e-6. */
  eps?: number
  /** Whether the last dimension stays, with size 1. Default false. */
  keepdim?: boolean
}

/** The norm of a - b + eps along the last dimension. Shape: a and b [..., D], broadcast -> y [...]. */
export class PairwiseDistance extends Module {
  readonly p: number
  readonly eps: number
  readonly keepdim: boolean

  /** @throws ValueError for an exponent that is no number */
  constructor({ p = 2, eps = 1e-6, keepdim = false }: PairwiseDistanceOptions = {}) {
    super()
    if (typeof p !== 'number' || Number.isNaN(p))
      throw new ValueError(`PairwiseDistance: p must be a number; got ${String(p)}`)
    this.p = p
    this.eps = nonNegative('PairwiseDistance', 'eps', eps)
    this.keepdim = keepdim
  }

  /** @throws ShapeError for shapes that do not broadcast */
  override forward(a: TensorLike, b: TensorLike): Tensor {
    const difference = toTensor('PairwiseDistance', a).sub(b).add(this.eps)
    return difference.norm(-1, { p: this.p, keepdim: this.keepdim })
  }

  override describe(): string {
    return `p: ${this.p}`
  }
}
