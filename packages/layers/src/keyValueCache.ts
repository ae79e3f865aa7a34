// What attention remembers while a sequence is made position by position: keys and values of the positions so far. Used by
// attention.ts and transformer.ts, and by models that attend by themselves.
import { formatShape, ShapeError, ValueError } from '@nabla/engine'
import { toTensor, Variable, zeros, type Tensor, type TensorLike } from '@nabla/tensor'
import { positiveInteger } from './check.ts'
import type { FloatingType } from './linear.ts'

/** Settings of {@link KeyValueCache}. */
export interface KeyValueCacheOptions {
  /** Number of features of a value. Default: as many as a key has. */
  valueFeatures?: number
  dtype?: FloatingType
}

/** What {@link KeyValueCache.append} gives: operands of `scaledDotProductAttention`. */
export interface CachedKeys {
  /** [N, heads, capacity, E] */
  readonly keys: Tensor
  /** [N, heads, capacity, V] */
  readonly values: Tensor
  /** How many positions there were before: the place of the first new one. */
  readonly offset: number
}

/**
 * Keys and values of one attention for the positions seen so far (Pope et al. 2023, section 2.1), in memory for `capacity`
 * positions. A step writes its own positions and attends to those in use, so its cost grows with the length, and no step is
 * planned or compiled anew.
 *
 * `const { keys, values, offset } = cache.append(k, v)` and then
 * `scaledDotProductAttention(q, keys, values, { causal: true, offset })`.
 */
export class KeyValueCache {
  readonly keys: Variable
  readonly values: Variable
  #length = 0

  /** @throws ValueError for sizes that are no positive integers */
  constructor(
    batch: number,
    heads: number,
    capacity: number,
    features: number,
    options: KeyValueCacheOptions = {},
  ) {
    const { valueFeatures = features, dtype = 'float32' } = options
    const sizes = { batch, heads, capacity, features, valueFeatures }
    for (const [name, size] of Object.entries(sizes)) positiveInteger('KeyValueCache', name, size)
    const make = (size: number, name: string): Variable =>
      new Variable(zeros([batch, heads, capacity, size], { dtype }), { name: `KeyValueCache.${name}` })
    this.keys = make(features, 'keys')
    this.values = make(valueFeatures, 'values')
  }

  /** Positions in use. */
  get length(): number {
    return this.#length
  }

  /** Positions there is room for. */
  get capacity(): number {
    return this.keys.shape[2]!
  }

  /**
   * Adds positions: k [N, heads, L, E] and v [N, heads, L, V]. Gradients end here.
   * @throws ShapeError for other sizes, ValueError when the cache is full
   */
  append(k: TensorLike, v: TensorLike): CachedKeys {
    const added = [toTensor('KeyValueCache', k), toTensor('KeyValueCache', v)].map((x) => x.detach())
    const [newKeys, newValues] = added as [Tensor, Tensor]
    const count = newKeys.shape[2] ?? 0
    for (const [x, variable] of [
      [newKeys, this.keys],
      [newValues, this.values],
    ] as const) {
      const expected = variable.shape.map((size, dim) => (dim === 2 ? count : size))
      if (x.rank !== 4 || x.shape.some((size, dim) => size !== expected[dim])) {
        throw new ShapeError(
          `KeyValueCache.append: ${variable.name} takes [N, heads, L, features] = ${formatShape(expected)}; got ` +
            formatShape(x.shape),
        )
      }
    }
    const offset = this.#length
    if (offset + count > this.capacity) {
      throw new ValueError(
        `KeyValueCache.append: ${count} more than ${offset} positions do not fit a capacity of ${this.capacity}; make a ` +
          'larger cache, or reset() it',
      )
    }
    this.keys.value = this.keys.value.sliceScatter(newKeys, 2, offset)
    this.values.value = this.values.value.sliceScatter(newValues, 2, offset)
    this.#length += count
    return { keys: this.keys.value, values: this.values.value, offset }
  }

  /** Forgets all positions; the memory stays. */
  reset(): void {
    this.#length = 0
  }

  /** Frees the memory now. Never required. */
  dispose(): void {
    this.keys.dispose()
    this.values.dispose()
  }
}
