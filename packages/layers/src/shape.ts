// Layers that change shapes and nothing else.
import { flatten, unflatten, type Tensor, type TensorLike } from '@nabla/tensor'
import { integer, positiveInteger } from './check.ts'
import { Module } from './module.ts'

/**
 * Dimensions `start` to `end` (inclusive) as one: by default all but the batch.
 *
 * Shape: x [N, C, H, W] -> y [N, C·H·W].
 */
export class Flatten extends Module {
  readonly start: number
  readonly end: number

  /** @throws ValueError for dimensions that are no integers */
  constructor(start: number = 1, end: number = -1) {
    super()
    this.start = integer('Flatten', 'start', start)
    this.end = integer('Flatten', 'end', end)
  }

  override forward(x: TensorLike): Tensor {
    return flatten(x, this.start, this.end)
  }

  override describe(): string {
    return this.start === 1 && this.end === -1 ? '' : `${this.start}, ${this.end}`
  }
}

/**
 * Dimension `dim` as several of the given sizes.
 *
 * Shape: with dim 1 and sizes [C, H, W], x [N, C·H·W] -> y [N, C, H, W].
 */
export class Unflatten extends Module {
  readonly dim: number
  readonly sizes: readonly number[]

  /** @throws ValueError for sizes that are no positive integers (one may be -1) */
  constructor(dim: number, sizes: readonly number[]) {
    super()
    this.dim = integer('Unflatten', 'dim', dim)
    this.sizes = [...sizes]
    for (const size of this.sizes) if (size !== -1) positiveInteger('Unflatten', 'each size', size)
  }

  override forward(x: TensorLike): Tensor {
    return unflatten(x, this.dim, this.sizes)
  }

  override describe(): string {
    return `${this.dim}, [${this.sizes.join(', ')}]`
  }
}
