// Fully connected layers. Read next: conv.ts.
import { formatShape, ShapeError } from '@nabla/engine'
import { linear, toTensor, type Parameter, type Tensor, type TensorLike } from '@nabla/tensor'
import { positiveInteger } from './check.ts'
import { fanInUniform } from './init.ts'
import { Module } from './module.ts'

/** The types that parameters can have. */
export type FloatingType = 'float32' | 'float64'

/** Settings of {@link Linear}. */
export interface LinearOptions {
  /** Whether a bias is added (the default). */
  bias?: boolean
  dtype?: FloatingType
}

/**
 * y = x Wᵀ + b.
 *
 * Shape: x [..., in] -> y [..., out]; weight [out, in], bias [out].
 * Initial values are uniform within ±1/√in (He et al. 2015 with a slope of √5), as in PyTorch.
 */
export class Linear extends Module {
  readonly inFeatures: number
  readonly outFeatures: number
  readonly weight: Parameter
  readonly bias: Parameter | null

  /** @throws ValueError for sizes that are no positive integers */
  constructor(
    inFeatures: number,
    outFeatures: number,
    { bias = true, dtype = 'float32' }: LinearOptions = {},
  ) {
    super()
    this.inFeatures = positiveInteger('Linear', 'inFeatures', inFeatures)
    this.outFeatures = positiveInteger('Linear', 'outFeatures', outFeatures)
    const name = `Linear(${inFeatures}, ${outFeatures})`
    this.weight = fanInUniform([outFeatures, inFeatures], inFeatures, dtype, `${name}.weight`)
    this.bias = bias ? fanInUniform([outFeatures], inFeatures, dtype, `${name}.bias`) : null
  }

  /** @throws ShapeError when the last size of x is not `inFeatures` */
  override forward(value: TensorLike): Tensor {
    const x = toTensor('Linear', value)
    if (x.shape.at(-1) !== this.inFeatures) {
      throw new ShapeError(
        `Linear(${this.describe()}): the last dimension of x must have size ${this.inFeatures}; got shape ${formatShape(x.shape)}. ` +
          'Images are flattened first, with Flatten',
      )
    }
    return this.bias === null ? linear(x, this.weight) : linear(x, this.weight, this.bias) // [..., out]
  }

  override describe(): string {
    return `${this.inFeatures}, ${this.outFeatures}${this.bias === null ? ', bias: false' : ''}`
  }
}
