// Ratios of normal and chi-squared variables: Student's t and the F distribution (Fisher, Snedecor).
import { broadcastShapes, type Shape } from '@nabla/engine'
import { randn, type Tensor, type TensorLike } from '@nabla/tensor'
import { Distribution, real, together, within, type SampleOptions } from './distribution.ts'
import { standardGamma } from './gamma.ts'
import { betaShare, logBeta } from './quadrature.ts'

/** Student's t distribution with `df` degrees of freedom, stretched by `scale` and moved by `loc`. */
export class StudentT extends Distribution {
  readonly df: Tensor
  readonly loc: Tensor
  readonly scale: Tensor

  /** @param df, loc, scale broadcast; df > 0, scale > 0. @throws ShapeError */
  constructor(df: TensorLike, loc: TensorLike = 0, scale: TensorLike = 1) {
    const { batchShape, ...parameters } = together('StudentT', { df, loc, scale })
    super(batchShape)
    this.df = parameters.df
    this.loc = parameters.loc
    this.scale = parameters.scale
  }

  /** NaN for df <= 1. */
  get mean(): Tensor {
    return this.df.le(1).where(NaN, this.loc)
  }

  /** Infinite for 1 < df <= 2, NaN below. */
  get variance(): Tensor {
    const { df, scale } = this
    const finite = scale.square().mul(df).div(df.sub(2))
    return df.gt(2).where(finite, df.gt(1).where(Infinity, NaN))
  }

  override rsample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    const whole = this.shapeOf(shape)
    const normal = randn(whole, options)
    const chi = standardGamma(this.df.mul(0.5).expand(whole), options).mul(2)
    return normal.mul(this.df.div(chi).sqrt()).mul(this.scale).add(this.loc)
  }

  override logProb(value: TensorLike): Tensor {
    const { df, loc, scale } = this
    const z = real('StudentT', value).sub(loc).div(scale)
    const norm = scale
      .log()
      .add(df.log().mul(0.5))
      .add(logBeta(df.mul(0.5), df.mul(0).add(0.5)))
    return df.add(1).mul(-0.5).mul(z.square().div(df).log1p()).sub(norm)
  }

  override cdf(value: TensorLike): Tensor {
    const z = real('StudentT', value).sub(this.loc).div(this.scale)
    const shape = broadcastShapes('StudentT', z.shape, this.batchShape)
    const df = this.df.expand(shape)
    // Abramowitz & Stegun 26.7.1: both tails together are I_x(df / 2, 1 / 2) with x = df / (df + z^2).
    const tails = betaShare(df.mul(0.5), df.mul(0).add(0.5), df.div(df.add(z.square())))
    const tail = tails.mul(0.5).to(z.dtype)
    return z.lt(0).where(tail, tail.neg().add(1))
  }

  override entropy(): Tensor {
    const { df, scale } = this
    const half = df.mul(0.5)
    const next = half.add(0.5)
    return scale
      .log()
      .add(next.mul(next.digamma().sub(half.digamma())))
      .add(df.log().mul(0.5))
      .add(logBeta(half, half.mul(0).add(0.5)))
  }
}

/** The F distribution: the ratio of two chi-squared variables, each divided by its degrees of freedom. */
export class FisherSnedecor extends Distribution {
  readonly df1: Tensor
  readonly df2: Tensor

  /** @param df1, df2 broadcast; both > 0. @throws ShapeError */
  constructor(df1: TensorLike, df2: TensorLike) {
    const { batchShape, ...parameters } = together('FisherSnedecor', { df1, df2 })
    super(batchShape)
    this.df1 = parameters.df1
    this.df2 = parameters.df2
  }

  /** NaN for df2 <= 2. */
  get mean(): Tensor {
    return this.df2.gt(2).where(this.df2.div(this.df2.sub(2)), NaN)
  }

  /** NaN for df2 <= 4. */
  get variance(): Tensor {
    const { df1, df2 } = this
    const below = df1.mul(df2.sub(2).square()).mul(df2.sub(4))
    return df2.gt(4).where(df2.square().mul(2).mul(df1.add(df2).sub(2)).div(below), NaN)
  }

  override rsample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    const whole = this.shapeOf(shape)
    const above = standardGamma(this.df1.mul(0.5).expand(whole), options).div(this.df1)
    const below = standardGamma(this.df2.mul(0.5).expand(whole), options).div(this.df2)
    return above.div(below)
  }

  override logProb(value: TensorLike): Tensor {
    const { df1, df2 } = this
    const x = real('FisherSnedecor', value)
    const inside = x.gt(0)
    const safe = inside.where(x, 1)
    const [a, b, ratio] = [df1.mul(0.5), df2.mul(0.5), df1.div(df2)]
    const density = a
      .mul(ratio.log())
      .add(a.sub(1).mul(safe.log()))
      .sub(a.add(b).mul(ratio.mul(safe).log1p()))
      .sub(logBeta(a, b))
    return within(inside, density)
  }

  override cdf(value: TensorLike): Tensor {
    const { df1, df2 } = this
    const x = real('FisherSnedecor', value).clamp({ min: 0 })
    const shape = broadcastShapes('FisherSnedecor', x.shape, this.batchShape)
    const share = df1.mul(x).div(df1.mul(x).add(df2)).expand(shape)
    return betaShare(df1.mul(0.5).expand(shape), df2.mul(0.5).expand(shape), share).to(x.dtype)
  }
}
