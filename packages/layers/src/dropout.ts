// Layers that disturb their inputs at random in training and do nothing in evaluation. All of them draw something new at
// every call and are reproducible by `manualSeed`.
import { formatShape, lookUp, ShapeError } from '@nabla/engine'
import {
  channelDropout,
  dropout,
  noGrad,
  rand,
  randn,
  toTensor,
  where,
  type Tensor,
  type TensorLike,
} from '@nabla/tensor'
import { nonNegative, probability } from './check.ts'
import { Module } from './module.ts'

abstract class RandomDrop extends Module {
  readonly p: number

  /** @throws ValueError unless p lies between 0 and 1 */
  constructor(p: number = 0.5) {
    super()
    this.p = probability(new.target.name, 'p', p)
  }

  override forward(value: TensorLike): Tensor {
    const x = toTensor(this.constructor.name, value)
    return this.training && this.p > 0 ? this.disturb(x) : x
  }

  override describe(): string {
    return `p: ${this.p}`
  }

  protected abstract disturb(x: Tensor): Tensor
}

/**
 * In training, zeroes each element with probability p and scales the others by 1 / (1 - p), so that the expected value
 * stays (Srivastava et al. 2014). Shape: any.
 */
export class Dropout extends RandomDrop {
  protected override disturb(x: Tensor): Tensor {
    return dropout(x, this.p)
  }
}

/** {@link Dropout} of whole channels of sequences (Tompson et al. 2015). Shape: x [N, C, L] -> y of the same shape. */
export class Dropout1d extends RandomDrop {
  /** @throws ShapeError for a wrong number of dimensions */
  protected override disturb(x: Tensor): Tensor {
    return dropChannels(this, x, 3)
  }
}

/** {@link Dropout} of whole channels of images (Tompson et al. 2015). Shape: x [N, C, H, W] -> y of the same shape. */
export class Dropout2d extends RandomDrop {
  /** @throws ShapeError for a wrong number of dimensions */
  protected override disturb(x: Tensor): Tensor {
    return dropChannels(this, x, 4)
  }
}

/** {@link Dropout} of whole channels of volumes. Shape: x [N, C, D, H, W] -> y of the same shape. */
export class Dropout3d extends RandomDrop {
  /** @throws ShapeError for a wrong number of dimensions */
  protected override disturb(x: Tensor): Tensor {
    return dropChannels(this, x, 5)
  }
}

function dropChannels(layer: RandomDrop, x: Tensor, rank: number): Tensor {
  if (x.rank === rank) return channelDropout(x, layer.p)
  throw new ShapeError(
    `${layer.constructor.name}: x must have ${rank} dimensions, [N, C, ...]; got shape ${formatShape(x.shape)}`,
  )
}

// What SELU goes to for very negative inputs: minus scale times alpha.
const seluSaturation = -1.7580993408473766

/**
 * Dropout for networks with SELU: what is dropped takes SELU's lowest value, and mean and variance stay as they were
 * (Klambauer et al. 2017, section 3). Shape: any.
 */
export class AlphaDropout extends RandomDrop {
  protected override disturb(x: Tensor): Tensor {
    // Nothing kept: nothing to keep the variance of.
    if (this.p === 1) return x.mul(0)
    const kept = noGrad(() => rand(x.shape).ge(this.p))
    const scale = 1 / Math.sqrt((1 - this.p) * (1 + this.p * seluSaturation ** 2))
    return where(kept, x, seluSaturation)
      .mul(scale)
      .add(-scale * this.p * seluSaturation)
  }
}

/**
 * One mask for all time steps of a sequence (Gal and Ghahramani 2016): what is dropped stays dropped.
 *
 * Shape: x [T, N, F], or [N, T, F] with `batchFirst` -> y of the same shape.
 */
export class VariationalDropout extends RandomDrop {
  readonly batchFirst: boolean

  /** @throws ValueError unless p lies between 0 and 1 */
  constructor(p: number = 0.5, { batchFirst = false }: { batchFirst?: boolean } = {}) {
    super(p)
    this.batchFirst = batchFirst
  }

  /** @throws ShapeError unless x has three dimensions */
  protected override disturb(x: Tensor): Tensor {
    if (x.rank !== 3) {
      const form = this.batchFirst ? '[N, T, F]' : '[T, N, F]'
      throw new ShapeError(`VariationalDropout: x must be ${form}; got shape ${formatShape(x.shape)}`)
    }
    const time = this.batchFirst ? 1 : 0
    return dropTogether(
      x,
      x.shape.map((size, dim) => (dim === time ? 1 : size)),
      this.p,
    )
  }
}

/**
 * Drops whole examples of a residual branch, or the branch for all of them at once, so that deep networks train as
 * shallower ones (Huang et al. 2016). What stays is scaled by 1 / (1 - p). Shape: x [N, ...] -> y of the same shape.
 */
export class StochasticDepth extends RandomDrop {
  readonly mode: 'row' | 'batch'

  /** @throws ValueError unless p lies between 0 and 1, and for an unknown mode */
  constructor(p: number, mode: 'row' | 'batch' = 'row') {
    super(p)
    lookUp('mode of StochasticDepth', mode, { row: true, batch: true })
    this.mode = mode
  }

  /** @throws ShapeError for a scalar */
  protected override disturb(x: Tensor): Tensor {
    if (x.rank === 0) throw new ShapeError('StochasticDepth: x must be [N, ...]; got a scalar')
    return dropTogether(
      x,
      x.shape.map((size, dim) => (dim === 0 && this.mode === 'row' ? size : 1)),
      this.p,
    )
  }

  override describe(): string {
    return `p: ${this.p}, '${this.mode}'`
  }
}

// Dropout with a mask that is the same along the dimensions where its size is 1.
function dropTogether(x: Tensor, maskShape: readonly number[], p: number): Tensor {
  const kept = noGrad(() => rand(maskShape).ge(p))
  return where(kept, x.mul(p === 1 ? 0 : 1 / (1 - p)), 0)
}

/** In training, adds normal noise of a standard deviation. Shape: any. */
export class GaussianNoise extends Module {
  readonly deviation: number

  /** @throws ValueError for a negative deviation */
  constructor(deviation: number) {
    super()
    this.deviation = nonNegative('GaussianNoise', 'deviation', deviation)
  }

  override forward(value: TensorLike): Tensor {
    const x = toTensor('GaussianNoise', value)
    return this.training ? x.add(noGrad(() => randn(x.shape).mul(this.deviation))) : x
  }

  override describe(): string {
    return String(this.deviation)
  }
}
