// Families with a location and a scale: a standard variable, stretched and moved. Each says its standard log-density,
// distribution function and inverse; drawing is the inverse of a uniform number, except for the normal one.
import type { Shape } from '@nabla/engine'
import { rand, randn, type Tensor, type TensorLike } from '@nabla/tensor'
import { Distribution, real, together, type SampleOptions } from './distribution.ts'

/** A standard variable times `scale`, plus `loc`. */
export abstract class LocationScale extends Distribution {
  readonly loc: Tensor
  readonly scale: Tensor

  /** @param loc, scale broadcast; scale > 0. @throws ShapeError */
  constructor(name: string, loc: TensorLike, scale: TensorLike) {
    const { batchShape, ...parameters } = together(name, { loc, scale })
    super(batchShape)
    this.loc = parameters.loc
    this.scale = parameters.scale
  }

  /** Log-density of the standard variable. */
  protected abstract standardLogProb(z: Tensor): Tensor
  /** Distribution function of the standard variable. */
  protected abstract standardCdf(z: Tensor): Tensor
  /** Its inverse, for shares in (0, 1). */
  protected abstract standardIcdf(share: Tensor): Tensor

  override rsample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return this.standardSample(this.shapeOf(shape), options).mul(this.scale).add(this.loc)
  }

  override logProb(value: TensorLike): Tensor {
    return this.standardLogProb(this.#standard(value)).sub(this.scale.log())
  }

  override cdf(value: TensorLike): Tensor {
    return this.standardCdf(this.#standard(value))
  }

  override icdf(share: TensorLike): Tensor {
    return this.standardIcdf(real('icdf', share)).mul(this.scale).add(this.loc)
  }

  /** Draws the standard variable. */
  protected standardSample(shape: Shape, options: SampleOptions): Tensor {
    return this.standardIcdf(openUniform(shape, options))
  }

  #standard(value: TensorLike): Tensor {
    return real(this.constructor.name, value).sub(this.loc).div(this.scale)
  }
}

/** Uniform numbers that are neither 0 nor 1: the middle of each of the 2^24 steps. */
export function openUniform(shape: Shape, options: SampleOptions): Tensor {
  return rand(shape, { ...options, dtype: 'float64' })
    .mul(1 - 2 ** -23)
    .add(2 ** -24)
    .to('float32')
}

/** The normal (Gaussian) distribution with mean `loc` and standard deviation `scale`. */
export class Normal extends LocationScale {
  constructor(loc: TensorLike, scale: TensorLike) {
    super('Normal', loc, scale)
  }

  get mean(): Tensor {
    return this.loc
  }

  get variance(): Tensor {
    return this.scale.square()
  }

  override entropy(): Tensor {
    return this.scale.log().add(0.5 * Math.log(2 * Math.PI * Math.E))
  }

  protected override standardSample(shape: Shape, options: SampleOptions): Tensor {
    return randn(shape, options)
  }

  protected standardLogProb(z: Tensor): Tensor {
    return z
      .square()
      .mul(-0.5)
      .sub(0.5 * Math.log(2 * Math.PI))
  }

  protected standardCdf(z: Tensor): Tensor {
    return z.ndtr()
  }

  protected standardIcdf(share: Tensor): Tensor {
    return share.ndtri()
  }
}

/** The Laplace (double exponential) distribution: density exp(-|x - loc| / scale) / (2 scale). */
export class Laplace extends LocationScale {
  constructor(loc: TensorLike, scale: TensorLike) {
    super('Laplace', loc, scale)
  }

  get mean(): Tensor {
    return this.loc
  }

  get variance(): Tensor {
    return this.scale.square().mul(2)
  }

  override entropy(): Tensor {
    return this.scale.log().add(1 + Math.LN2)
  }

  protected standardLogProb(z: Tensor): Tensor {
    return z.abs().neg().sub(Math.LN2)
  }

  protected standardCdf(z: Tensor): Tensor {
    // Through -|z|, so that both tails keep their digits.
    const tail = z.abs().neg().exp().mul(0.5)
    return z.lt(0).where(tail, tail.neg().add(1))
  }

  protected standardIcdf(share: Tensor): Tensor {
    const centred = share.sub(0.5)
    return centred.sign().mul(centred.abs().mul(-2).log1p()).neg()
  }
}

/** The logistic distribution, whose distribution function is the sigmoid. */
export class Logistic extends LocationScale {
  constructor(loc: TensorLike, scale: TensorLike) {
    super('Logistic', loc, scale)
  }

  get mean(): Tensor {
    return this.loc
  }

  get variance(): Tensor {
    return this.scale.square().mul(Math.PI ** 2 / 3)
  }

  override entropy(): Tensor {
    return this.scale.log().add(2)
  }

  protected standardLogProb(z: Tensor): Tensor {
    return z.logsigmoid().add(z.neg().logsigmoid())
  }

  protected standardCdf(z: Tensor): Tensor {
    return z.sigmoid()
  }

  protected standardIcdf(share: Tensor): Tensor {
    return share.logit()
  }
}

/** The Cauchy distribution: its mean does not exist (NaN), its variance is infinite. */
export class Cauchy extends LocationScale {
  constructor(loc: TensorLike, scale: TensorLike) {
    super('Cauchy', loc, scale)
  }

  get mean(): Tensor {
    return this.loc.mul(NaN)
  }

  get variance(): Tensor {
    return this.scale.mul(Infinity)
  }

  override entropy(): Tensor {
    return this.scale.log().add(Math.log(4 * Math.PI))
  }

  protected standardLogProb(z: Tensor): Tensor {
    return z.square().log1p().neg().sub(Math.log(Math.PI))
  }

  protected standardCdf(z: Tensor): Tensor {
    return z.atan().div(Math.PI).add(0.5)
  }

  protected standardIcdf(share: Tensor): Tensor {
    return share.sub(0.5).mul(Math.PI).tan()
  }
}

/** The Gumbel distribution of largest values: distribution function exp(-exp(-z)). */
export class Gumbel extends LocationScale {
  constructor(loc: TensorLike, scale: TensorLike) {
    super('Gumbel', loc, scale)
  }

  get mean(): Tensor {
    return this.scale.mul(eulerGamma).add(this.loc)
  }

  get variance(): Tensor {
    return this.scale.square().mul(Math.PI ** 2 / 6)
  }

  override entropy(): Tensor {
    return this.scale.log().add(1 + eulerGamma)
  }

  protected standardLogProb(z: Tensor): Tensor {
    return z.add(z.neg().exp()).neg()
  }

  protected standardCdf(z: Tensor): Tensor {
    return z.neg().exp().neg().exp()
  }

  protected standardIcdf(share: Tensor): Tensor {
    return share.log().neg().log().neg()
  }
}

/** Euler and Mascheroni's constant. */
export const eulerGamma = 0.5772156649015329
