// Where tokens stand, for attention, which does not see it by itself: added vectors (sinusoidal or learned), rotations
// of queries and keys, and distances subtracted from scores.
import { formatShape, ShapeError, ValueError } from '@nabla/engine'
import {
  arange,
  cat,
  Parameter,
  stack,
  toTensor,
  Variable,
  type Tensor,
  type TensorLike,
} from '@nabla/tensor'
import { nonNegativeInteger, positiveInteger } from './check.ts'
import { normal } from './init.ts'
import type { FloatingType } from './linear.ts'
import { Module } from './module.ts'

/** Settings of {@link SinusoidalPositions} and {@link LearnedPositions}. */
export interface PositionOptions {
  /** Whether sequences are [N, L, E] (the default) or [L, N, E]. */
  batchFirst?: boolean
  dtype?: FloatingType
}

abstract class AddedPositions extends Module {
  readonly maxLength: number
  readonly embedDim: number
  readonly batchFirst: boolean

  constructor(maxLength: number, embedDim: number, { batchFirst = true }: PositionOptions) {
    super()
    this.maxLength = positiveInteger(new.target.name, 'maxLength', maxLength)
    this.embedDim = positiveInteger(new.target.name, 'embedDim', embedDim)
    this.batchFirst = batchFirst
  }

  /**
   * x plus the vectors of positions `offset`, `offset + 1`, ...
   * @throws ShapeError when x has other features or reaches beyond maxLength
   */
  override forward(value: TensorLike, offset: number = 0): Tensor {
    const layer = `${this.constructor.name}(${this.describe()})`
    const x = toTensor(this.constructor.name, value)
    nonNegativeInteger(this.constructor.name, 'offset', offset)
    if ((x.rank !== 2 && x.rank !== 3) || x.shape.at(-1) !== this.embedDim) {
      const form = this.batchFirst ? '[N, L, E]' : '[L, N, E]'
      throw new ShapeError(
        `${layer}: x must be ${form} or [L, E] with E = ${this.embedDim}; got shape ${formatShape(x.shape)}`,
      )
    }
    const timeDim = x.rank === 3 && this.batchFirst ? 1 : 0
    const length = x.shape[timeDim]!
    if (offset + length > this.maxLength) {
      throw new ShapeError(
        `${layer}: positions ${offset} to ${offset + length - 1} reach beyond maxLength; give a larger one`,
      )
    }
    const rows = this.table().narrow(0, offset, length) // [L, E]
    return x.add(x.rank === 3 && !this.batchFirst ? rows.unsqueeze(1) : rows)
  }

  override describe(): string {
    return `${this.maxLength}, ${this.embedDim}`
  }

  /** [maxLength, embedDim] */
  protected abstract table(): Tensor
}

/**
 * Adds sines and cosines of positions, of wavelengths from 2π to 20000π (Vaswani et al. 2017, section 3.5). Nothing is
 * learned, and nothing is saved.
 *
 * Shape: x [N, L, E] -> y of the same shape.
 */
export class SinusoidalPositions extends AddedPositions {
  readonly #table: Variable

  /** @throws ValueError for sizes that are no positive integers, and an odd embedDim */
  constructor(maxLength: number, embedDim: number, options: PositionOptions = {}) {
    super(maxLength, embedDim, options)
    if (embedDim % 2 !== 0)
      throw new ValueError(`SinusoidalPositions: embedDim must be even; got ${embedDim}`)
    const values = new Float64Array(maxLength * embedDim)
    for (let position = 0; position < maxLength; position++) {
      for (let i = 0; i < embedDim; i += 2) {
        const angle = position / 10000 ** (i / embedDim)
        values[position * embedDim + i] = Math.sin(angle)
        values[position * embedDim + i + 1] = Math.cos(angle)
      }
    }
    this.#table = new Variable(values, {
      shape: [maxLength, embedDim],
      dtype: options.dtype ?? 'float32',
      name: 'SinusoidalPositions',
    })
  }

  protected override table(): Tensor {
    return this.#table.value
  }
}

/**
 * Adds a learned vector per position.
 *
 * Shape: x [N, L, E] -> y of the same shape; weight [maxLength, E], normal with standard deviation 0.02 at first.
 */
export class LearnedPositions extends AddedPositions {
  readonly weight: Parameter

  /** @throws ValueError for sizes that are no positive integers */
  constructor(maxLength: number, embedDim: number, options: PositionOptions = {}) {
    super(maxLength, embedDim, options)
    const initial = normal([maxLength, embedDim], { deviation: 0.02, dtype: options.dtype ?? 'float32' })
    this.weight = new Parameter(initial, { name: 'LearnedPositions.weight' })
  }

  protected override table(): Tensor {
    return this.weight.value
  }
}

/** Settings of {@link RotaryPositions}. */
export interface RotaryOptions {
  /** Longest wavelength divided by 2π. Default 10000. */
  base?: number
  /** Whether neighbouring features are turned together, as in the paper, instead of those of both halves. Default false. */
  interleaved?: boolean
}

/**
 * Turns pairs of features by angles that grow with the position, so that products of queries and keys depend on their
 * distance alone (Su et al. 2021, section 3.2). For queries and keys alike, after they are split into heads.
 *
 * Shape: x [..., L, D] -> y of the same shape.
 */
export class RotaryPositions extends Module {
  readonly headDim: number
  readonly base: number
  readonly interleaved: boolean
  #angles: Angles | null = null

  /** @throws ValueError for an odd number of features, and a base that is not above 0 */
  constructor(headDim: number, { base = 10000, interleaved = false }: RotaryOptions = {}) {
    super()
    this.headDim = positiveInteger('RotaryPositions', 'headDim', headDim)
    if (headDim % 2 !== 0) throw new ValueError(`RotaryPositions: headDim must be even; got ${headDim}`)
    if (!(base > 0 && base < Infinity))
      throw new ValueError(`RotaryPositions: base must be a finite number above 0; got ${String(base)}`)
    this.base = base
    this.interleaved = interleaved
  }

  /** @param offset the position of the first row, for keys in a cache @throws ShapeError */
  override forward(value: TensorLike, offset: number = 0): Tensor {
    const x = toTensor('RotaryPositions', value)
    nonNegativeInteger('RotaryPositions', 'offset', offset)
    if (x.rank < 2 || x.shape.at(-1) !== this.headDim) {
      throw new ShapeError(
        `RotaryPositions: x must be [..., L, ${this.headDim}]; got shape ${formatShape(x.shape)}`,
      )
    }
    const length = x.shape.at(-2)!
    const angles = this.#anglesUpTo(offset + length)
    const cosines = angles.cosines.value.narrow(0, offset, length) // [L, D / 2]
    const sines = angles.sines.value.narrow(0, offset, length)
    const [first, second] = this.#pairs(x)
    const turned = [first.mul(cosines).sub(second.mul(sines)), second.mul(cosines).add(first.mul(sines))]
    return this.interleaved ? stack(turned, -1).reshape(x.shape) : cat(turned, -1)
  }

  override describe(): string {
    return `${this.headDim}${this.interleaved ? ', interleaved: true' : ''}`
  }

  #pairs(x: Tensor): [Tensor, Tensor] {
    const half = this.headDim / 2
    if (!this.interleaved) return [x.narrow(-1, 0, half), x.narrow(-1, half, half)]
    return [x.slice(-1, 0, this.headDim, 2), x.slice(-1, 1, this.headDim, 2)]
  }

  // Kept from call to call, and made anew where positions reach further than before.
  #anglesUpTo(end: number): Angles {
    if (this.#angles === null || this.#angles.length < end) {
      const length = Math.max(end, 2 * (this.#angles?.length ?? 0))
      this.#angles = makeAngles(length, this.headDim / 2, this.base)
    }
    return this.#angles
  }
}

/** Cosines and sines of the angles of all positions, [length, pairs]. */
interface Angles {
  readonly length: number
  readonly cosines: Variable
  readonly sines: Variable
}

// Computed on the host in float64: large angles would lose their digits in float32.
function makeAngles(length: number, pairs: number, base: number): Angles {
  const cosines = new Float32Array(length * pairs)
  const sines = new Float32Array(length * pairs)
  for (let position = 0; position < length; position++) {
    for (let i = 0; i < pairs; i++) {
      const angle = position / base ** (i / pairs)
      cosines[position * pairs + i] = Math.cos(angle)
      sines[position * pairs + i] = Math.sin(angle)
    }
  }
  const shape = [length, pairs]
  return {
    length,
    cosines: new Variable(cosines, { shape, name: 'RotaryPositions.cosines' }),
    sines: new Variable(sines, { shape, name: 'RotaryPositions.sines' }),
  }
}

/**
 * A bias for attention scores that grows with the distance of keys, by a slope per head (Press et al. 2022). Repeat it
 * over the batch, or add it as the mask of scaledDotProductAttention.
 *
 * Shape: numbers of queries L and keys S -> [heads, L, S]; the last query stands at the last key.
 */
export class AlibiBias extends Module {
  readonly numHeads: number
  readonly slopes: Variable

  /** @throws ValueError for a number of heads that is no positive integer */
  constructor(numHeads: number) {
    super()
    this.numHeads = positiveInteger('AlibiBias', 'numHeads', numHeads)
    this.slopes = new Variable(new Float32Array(alibiSlopes(numHeads)), { name: 'AlibiBias.slopes' })
  }

  /** @throws ValueError for lengths that are no positive integers */
  override forward(queries: number, keys: number = queries): Tensor {
    positiveInteger('AlibiBias', 'queries', queries)
    positiveInteger('AlibiBias', 'keys', keys)
    const places = arange(keys - queries, keys).unsqueeze(1) // [L, 1]
    const distances = arange(keys).sub(places).abs().to('float32') // [L, S]
    return distances.mul(this.slopes.value.reshape([this.numHeads, 1, 1])).neg()
  }

  override describe(): string {
    return String(this.numHeads)
  }
}

// A geometric series; between powers of two every other slope of the next one fills up, as in the authors' code.
function alibiSlopes(heads: number): number[] {
  const power = 2 ** Math.floor(Math.log2(heads))
  const series = (count: number): number[] =>
    Array.from({ length: count }, (_, i) => 2 ** ((-8 * (i + 1)) / count))
  if (power === heads) return series(heads)
  const between = series(2 * power).filter((_, i) => i % 2 === 0)
  return [...series(power), ...between.slice(0, heads - power)]
}
