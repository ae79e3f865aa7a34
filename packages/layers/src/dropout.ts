// Dropout: in training, elements are zeroed at random; in evaluation nothing happens.
import { dropout, toTensor, type Tensor, type TensorLike } from '@nabla/tensor'
import { probability } from './check.ts'
import { Module } from './module.ts'

/**
 * In training, zeroes each element with probability p and scales the others by 1 / (1 - p), so that the expected value
 * stays (Srivastava et al. 2014). Different at every step and reproducible by `manualSeed`. Shape: any.
 */
export class Dropout extends Module {
  readonly p: number

  /** @throws ValueError unless p lies between 0 and 1 */
  constructor(p: number = 0.5) {
    super()
    this.p = probability('Dropout', 'p', p)
  }

  override forward(x: TensorLike): Tensor {
    return this.training ? dropout(x, this.p) : toTensor('Dropout', x)
  }

  override describe(): string {
    return `p: ${this.p}`
  }
}
