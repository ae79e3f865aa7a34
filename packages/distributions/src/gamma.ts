// The gamma distribution and its relatives. Drawing is by rejection (Marsaglia and Tsang 2000), a fixed number of trials at
// once; gradients by the concentration are implicit (Figurnov, Mohamed and Mnih 2018, eq. 5): with F the distribution
// function, dx/da = -(dF/da) / (dF/dx). Read before: quadrature.ts. Read next: beta.ts.
import { broadcastShapes, type Shape } from '@nabla/engine'
import { noGrad, rand, randn, type Tensor, type TensorLike } from '@nabla/tensor'
import { Distribution, real, together, within, type SampleOptions } from './distribution.ts'
import { gammaShare, gammaShareSlope } from './quadrature.ts'

/** A trial fails with a probability of at most 0.05 (for a = 1), so all do with one of 4e-11. */
const trials = 8

/** The smallest normal float32: a draw that is smaller counts as this, so that its logarithm is finite. */
const tiny = 1.1754943508222875e-38

/** Gamma variables with rate 1, of the shape of `concentration`. First derivatives by the concentration flow. */
export function standardGamma(concentration: Tensor, options: SampleOptions): Tensor {
  const a = concentration.detach().to('float64')
  const drawn = noGrad(() => {
    // For a < 1: a variable of a + 1 times u^(1 / a) (Marsaglia and Tsang, section 6).
    const small = a.lt(1)
    const order = small.where(a.add(1), a)
    const accepted = marsagliaTsang(order, options)
    const u = rand(a.shape, { ...options, dtype: 'float64' }).add(2 ** -25)
    return accepted.mul(small.where(u.log().div(a).exp(), 1)).clamp({ min: tiny })
  })
  const value = drawn.to(concentration.dtype)
  if (!concentration.requiresGrad) return value
  const slope = noGrad(() => {
    const logDensity = drawn.log().mul(a.sub(1)).sub(drawn).sub(a.lgamma())
    return gammaShareSlope(a, drawn)
      .neg()
      .div(logDensity.exp().clamp({ min: 1e-300 }))
      .to(concentration.dtype)
  })
  return value.detach().add(slope.detach().mul(concentration.sub(concentration.detach())))
}

function marsagliaTsang(order: Tensor, options: SampleOptions): Tensor {
  const d = order.sub(1 / 3)
  const c = d.mul(9).rsqrt()
  const shape = [trials, ...order.shape]
  const x = randn(shape, { ...options, dtype: 'float64' })
  const u = rand(shape, { ...options, dtype: 'float64' })
  const root = x.mul(c).add(1)
  const v = root.clamp({ min: 1e-12 }).pow(3)
  const bound = x.square().mul(0.5).add(d).sub(d.mul(v)).add(d.mul(v.log()))
  const accepted = root.gt(0).logicalAnd(
    u
      .add(2 ** -25)
      .log()
      .lt(bound),
  )
  let chosen: Tensor = d.mul(0).add(1)
  for (let trial = trials - 1; trial >= 0; trial--) {
    chosen = accepted.select(0, trial).where(v.select(0, trial), chosen)
  }
  return d.mul(chosen)
}

/** The gamma distribution: density rate^a x^(a - 1) exp(-rate x) / gamma(a), with a the concentration. */
export class Gamma extends Distribution {
  readonly concentration: Tensor
  readonly rate: Tensor

  /** @param concentration, rate broadcast; both > 0. @throws ShapeError */
  constructor(concentration: TensorLike, rate: TensorLike) {
    const { batchShape, ...parameters } = together('Gamma', { concentration, rate })
    super(batchShape)
    this.concentration = parameters.concentration
    this.rate = parameters.rate
  }

  get mean(): Tensor {
    return this.concentration.div(this.rate)
  }

  get variance(): Tensor {
    return this.concentration.div(this.rate.square())
  }

  override rsample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return standardGamma(this.concentration.expand(this.shapeOf(shape)), options).div(this.rate)
  }

  override logProb(value: TensorLike): Tensor {
    const { concentration: a, rate } = this
    const x = real('Gamma', value)
    const density = a.mul(rate.log()).add(a.sub(1).xlogy(x)).sub(rate.mul(x)).sub(a.lgamma())
    return within(x.ge(0), density)
  }

  override cdf(value: TensorLike): Tensor {
    const x = real('Gamma', value).mul(this.rate)
    const shape = broadcastShapes('Gamma', x.shape, this.batchShape)
    return gammaShare(this.concentration.expand(shape), x.expand(shape)).to(x.dtype)
  }

  override entropy(): Tensor {
    const { concentration: a, rate } = this
    return a.sub(rate.log()).add(a.lgamma()).add(a.neg().add(1).mul(a.digamma()))
  }
}

/** The chi-squared distribution: the sum of `df` squared standard normal variables. */
export class Chi2 extends Gamma {
  readonly df: Tensor

  /** @param df degrees of freedom > 0 */
  constructor(df: TensorLike) {
    const degrees = real('Chi2: df', df)
    super(degrees.mul(0.5), 0.5)
    this.df = degrees
  }
}

/** The inverse of a gamma variable: density rate^a x^(-a - 1) exp(-rate / x) / gamma(a). */
export class InverseGamma extends Distribution {
  readonly concentration: Tensor
  readonly rate: Tensor
  readonly #inverse: Gamma

  /** @param concentration, rate broadcast; both > 0. @throws ShapeError */
  constructor(concentration: TensorLike, rate: TensorLike) {
    const inverse = new Gamma(concentration, rate)
    super(inverse.batchShape)
    this.concentration = inverse.concentration
    this.rate = inverse.rate
    this.#inverse = inverse
  }

  /** Infinite for concentrations up to 1. */
  get mean(): Tensor {
    const { concentration: a, rate } = this
    return a.le(1).where(Infinity, rate.div(a.sub(1)))
  }

  /** Infinite for concentrations up to 2. */
  get variance(): Tensor {
    const { concentration: a, rate } = this
    return a.le(2).where(Infinity, rate.square().div(a.sub(1).square().mul(a.sub(2))))
  }

  override rsample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return this.#inverse.rsample(shape, options).reciprocal()
  }

  override logProb(value: TensorLike): Tensor {
    const x = real('InverseGamma', value)
    const inside = x.gt(0)
    const y = inside.where(x, 1).reciprocal()
    return within(inside, this.#inverse.logProb(y).add(y.log().mul(2)))
  }

  override cdf(value: TensorLike): Tensor {
    const x = real('InverseGamma', value)
    const inside = x.gt(0)
    return inside.where(this.#inverse.cdf(inside.where(x, 1).reciprocal()).neg().add(1), 0)
  }

  override entropy(): Tensor {
    const { concentration: a, rate } = this
    return a.add(rate.log()).add(a.lgamma()).sub(a.add(1).mul(a.digamma()))
  }
}
