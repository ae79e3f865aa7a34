// A fully connected layer that takes the number of its inputs from the first input it sees.
import { ShapeError, ValueError } from '@nabla/engine'
import { toTensor, type Tensor, type TensorLike } from '@nabla/tensor'
import { positiveInteger } from './check.ts'
import { Linear, type LinearOptions } from './linear.ts'
import { Module, type Member } from './module.ts'

/**
 * {@link Linear} whose number of inputs is that of its first input. Before that it has no parameters: run the model once
 * on an input of the right shape before an optimizer is made or a state is loaded.
 *
 * Shape: x [..., in] -> y [..., out]; after the first call weight [out, in], bias [out].
 */
export class LazyLinear extends Module {
  readonly outFeatures: number
  readonly #options: LinearOptions
  #linear: Linear | null = null

  /** @throws ValueError for a size that is no positive integer */
  constructor(outFeatures: number, options: LinearOptions = {}) {
    super()
    this.outFeatures = positiveInteger('LazyLinear', 'outFeatures', outFeatures)
    this.#options = { ...options }
  }

  /** The layer that was made. @throws ValueError before the first call */
  get linear(): Linear {
    if (this.#linear !== null) return this.#linear
    throw new ValueError('LazyLinear: there are no parameters before the first call of forward')
  }

  /** @throws ShapeError when the last size of x is another than the first time */
  override forward(value: TensorLike): Tensor {
    const x = toTensor('LazyLinear', value)
    const features = x.shape.at(-1)
    if (features === undefined) throw new ShapeError('LazyLinear: x must be [..., in]; got a scalar')
    this.#linear ??= new Linear(features, this.outFeatures, this.#options)
    return this.#linear.forward(x)
  }

  /** Those of the layer that was made, under its own names. */
  override members(): Iterable<[string, Member]> {
    return this.#linear === null ? [] : this.#linear.members()
  }

  override describe(): string {
    return this.#linear === null ? `?, ${this.outFeatures}` : this.#linear.describe()
  }
}
