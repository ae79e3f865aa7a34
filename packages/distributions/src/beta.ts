// Distributions of shares: beta of one, Dirichlet of several that add up to 1. Draws are ratios of gamma variables, so their
// gradients are those of gamma.ts.
import { broadcastShapes, ShapeError, type Shape } from '@nabla/engine'
import type { Tensor, TensorLike } from '@nabla/tensor'
import { Distribution, real, together, within, type SampleOptions } from './distribution.ts'
import { standardGamma } from './gamma.ts'
import { betaShare, logBeta } from './quadrature.ts'

/** The beta distribution: density x^(a - 1) (1 - x)^(b - 1) / B(a, b) on [0, 1]. */
export class Beta extends Distribution {
  readonly concentration1: Tensor
  readonly concentration0: Tensor

  /** @param concentration1 a; @param concentration0 b; both > 0, broadcast. @throws ShapeError */
  constructor(concentration1: TensorLike, concentration0: TensorLike) {
    const { batchShape, ...parameters } = together('Beta', { concentration1, concentration0 })
    super(batchShape)
    this.concentration1 = parameters.concentration1
    this.concentration0 = parameters.concentration0
  }

  get mean(): Tensor {
    return this.concentration1.div(this.#total())
  }

  get variance(): Tensor {
    const total = this.#total()
    return this.concentration1.mul(this.concentration0).div(total.square().mul(total.add(1)))
  }

  override rsample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    const whole = this.shapeOf(shape)
    const first = standardGamma(this.concentration1.expand(whole), options)
    const second = standardGamma(this.concentration0.expand(whole), options)
    return first.div(first.add(second))
  }

  override logProb(value: TensorLike): Tensor {
    const { concentration1: a, concentration0: b } = this
    const x = real('Beta', value)
    const density = a.sub(1).xlogy(x).add(b.sub(1).xlog1py(x.neg())).sub(logBeta(a, b))
    return within(x.ge(0).logicalAnd(x.le(1)), density)
  }

  override cdf(value: TensorLike): Tensor {
    const x = real('Beta', value)
    const shape = broadcastShapes('Beta', x.shape, this.batchShape)
    const [a, b] = [this.concentration1.expand(shape), this.concentration0.expand(shape)]
    return betaShare(a, b, x.expand(shape)).to(x.dtype)
  }

  override entropy(): Tensor {
    const { concentration1: a, concentration0: b } = this
    const total = this.#total()
    return logBeta(a, b)
      .sub(a.sub(1).mul(a.digamma()))
      .sub(b.sub(1).mul(b.digamma()))
      .add(total.sub(2).mul(total.digamma()))
  }

  #total(): Tensor {
    return this.concentration1.add(this.concentration0)
  }
}

/** The Dirichlet distribution of shares that add up to 1: density proportional to the product of x_i^(a_i - 1). */
export class Dirichlet extends Distribution {
  readonly concentration: Tensor

  /** @param concentration [..., K], all > 0. @throws ShapeError for a scalar */
  constructor(concentration: TensorLike) {
    const a = real('Dirichlet', concentration)
    if (a.rank === 0) throw new ShapeError('Dirichlet: concentration must be [..., K]; got a scalar')
    super(a.shape.slice(0, -1), a.shape.slice(-1))
    this.concentration = a
  }

  get mean(): Tensor {
    return this.concentration.div(this.#total())
  }

  get variance(): Tensor {
    const total = this.#total()
    const { mean } = this
    return mean.mul(mean.neg().add(1)).div(total.add(1))
  }

  override rsample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    const parts = standardGamma(this.concentration.expand(this.shapeOf(shape)), options)
    return parts.div(parts.sum(-1, { keepdim: true }))
  }

  override logProb(value: TensorLike): Tensor {
    const a = this.concentration
    return a.sub(1).xlogy(real('Dirichlet', value)).sum(-1).sub(this.#logNorm())
  }

  override entropy(): Tensor {
    const a = this.concentration
    const total = a.sum(-1)
    const k = this.eventShape[0]!
    return this.#logNorm().add(total.sub(k).mul(total.digamma())).sub(a.sub(1).mul(a.digamma()).sum(-1))
  }

  #total(): Tensor {
    return this.concentration.sum(-1, { keepdim: true })
  }

  #logNorm(): Tensor {
    return this.concentration.lgamma().sum(-1).sub(this.concentration.sum(-1).lgamma())
  }
}
