// Seeded sample values for op definitions: the calls that generated tests make. An op says with these which shapes and
// ranges it is for; the same calls are tried on every backend, against the reference and against small differences.
import { hostArray, sizeOf, type DType, type Shape } from '@nabla/engine'
import { makeHostLeaf, type Tensor } from './tensor.ts'

/** Where real samples lie. */
export interface SampleRange {
  /** Default -2. */
  low?: number
  /** Default 2. */
  high?: number
  /** Points that samples stay 0.1 away from, such as kinks. */
  avoid?: readonly number[]
}

/** Makes the arguments of sample calls. Equal seeds give equal samples. */
export class SampleMaker {
  /** The type of real samples: float64 where derivatives are tried. */
  readonly dtype: 'float32' | 'float64'
  #state: number

  constructor(seed: number, dtype: 'float32' | 'float64' = 'float32') {
    this.#state = seed >>> 0
    this.dtype = dtype
  }

  /** A number in [0, 1). */
  uniform(): number {
    // mulberry32 (T. Ettinger, 2017): small, and good enough to pick test values.
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** Real values. */
  real(shape: Shape, range: SampleRange = {}): Tensor {
    return this.#make(shape, this.dtype, () => this.#real(range))
  }

  /** Real values that do not lie in row-major order in memory: every second one along a swapped pair of dimensions. */
  strided(shape: Shape, range: SampleRange = {}): Tensor {
    const rank = shape.length
    if (rank === 0) return this.real(shape, range)
    const base = [...shape]
    base[rank - 1]! *= 2
    if (rank > 1) [base[0], base[rank - 1]] = [base[rank - 1]!, base[0]!]
    let value = this.real(base, range)
    if (rank > 1) value = value.transpose(0, rank - 1)
    return value.slice(rank - 1, 0, undefined, 2)
  }

  /** Integers from `low` up to and without `high`. */
  integers(shape: Shape, low: number, high: number): Tensor {
    return this.#make(shape, 'int32', () => low + Math.floor(this.uniform() * (high - low)))
  }

  /** Booleans, about as many of each. */
  bools(shape: Shape): Tensor {
    return this.#make(shape, 'bool', () => (this.uniform() < 0.5 ? 0 : 1))
  }

  /** Given real values. */
  values(data: readonly number[], shape: Shape = [data.length]): Tensor {
    return makeHostLeaf(hostArray(this.dtype, data), shape, this.dtype)
  }

  #real({ low = -2, high = 2, avoid = [] }: SampleRange): number {
    for (;;) {
      const value = low + this.uniform() * (high - low)
      if (avoid.every((point) => Math.abs(value - point) > 0.1)) return value
    }
  }

  #make(shape: Shape, dtype: DType, next: () => number): Tensor {
    return makeHostLeaf(hostArray(dtype, Array.from({ length: sizeOf(shape) }, next)), shape, dtype)
  }
}
