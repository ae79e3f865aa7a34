// Families on an interval or a half-line with elementary formulas: uniform, exponential, Weibull, Pareto, Kumaraswamy, and the
// halves of symmetric ones. Read next: gamma.ts for those that need the gamma function.
import type { Shape } from '@nabla/engine'
import { rand, type Tensor, type TensorLike } from '@nabla/tensor'
import { Distribution, real, together, within, type SampleOptions } from './distribution.ts'
import { Cauchy, eulerGamma, Normal, openUniform } from './location.ts'

/** The uniform distribution on [low, high). */
export class Uniform extends Distribution {
  readonly low: Tensor
  readonly high: Tensor

  /** @param low, high broadcast; low < high. @throws ShapeError */
  constructor(low: TensorLike, high: TensorLike) {
    const { batchShape, ...parameters } = together('Uniform', { low, high })
    super(batchShape)
    this.low = parameters.low
    this.high = parameters.high
  }

  get mean(): Tensor {
    return this.low.add(this.high).mul(0.5)
  }

  get variance(): Tensor {
    return this.#width().square().div(12)
  }

  override rsample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return rand(this.shapeOf(shape), options).mul(this.#width()).add(this.low)
  }

  override logProb(value: TensorLike): Tensor {
    const x = real('Uniform', value)
    return within(x.ge(this.low).logicalAnd(x.lt(this.high)), this.#width().log().neg())
  }

  override cdf(value: TensorLike): Tensor {
    return real('Uniform', value).sub(this.low).div(this.#width()).clamp({ min: 0, max: 1 })
  }

  override icdf(share: TensorLike): Tensor {
    return real('Uniform', share).mul(this.#width()).add(this.low)
  }

  override entropy(): Tensor {
    return this.#width().log()
  }

  #width(): Tensor {
    return this.high.sub(this.low)
  }
}

/** The exponential distribution: density rate exp(-rate x) for x >= 0. */
export class Exponential extends Distribution {
  readonly rate: Tensor

  /** @param rate > 0 */
  constructor(rate: TensorLike) {
    const { batchShape, ...parameters } = together('Exponential', { rate })
    super(batchShape)
    this.rate = parameters.rate
  }

  get mean(): Tensor {
    return this.rate.reciprocal()
  }

  get variance(): Tensor {
    return this.rate.square().reciprocal()
  }

  override rsample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return this.icdf(openUniform(this.shapeOf(shape), options))
  }

  override logProb(value: TensorLike): Tensor {
    const x = real('Exponential', value)
    return within(x.ge(0), this.rate.log().sub(this.rate.mul(x)))
  }

  override cdf(value: TensorLike): Tensor {
    return this.rate
      .mul(real('Exponential', value).clamp({ min: 0 }))
      .neg()
      .expm1()
      .neg()
  }

  override icdf(share: TensorLike): Tensor {
    return real('Exponential', share).neg().log1p().neg().div(this.rate)
  }

  override entropy(): Tensor {
    return this.rate.log().neg().add(1)
  }
}

/** The Weibull distribution: distribution function 1 - exp(-(x / scale)^concentration). */
export class Weibull extends Distribution {
  readonly scale: Tensor
  readonly concentration: Tensor

  /** @param scale, concentration broadcast; both > 0. @throws ShapeError */
  constructor(scale: TensorLike, concentration: TensorLike) {
    const { batchShape, ...parameters } = together('Weibull', { scale, concentration })
    super(batchShape)
    this.scale = parameters.scale
    this.concentration = parameters.concentration
  }

  get mean(): Tensor {
    return this.scale.mul(this.#moment(1))
  }

  get variance(): Tensor {
    return this.scale.square().mul(this.#moment(2).sub(this.#moment(1).square()))
  }

  override rsample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return this.icdf(openUniform(this.shapeOf(shape), options))
  }

  override logProb(value: TensorLike): Tensor {
    const x = real('Weibull', value)
    const inside = x.gt(0)
    const ratio = inside.where(x, 1).div(this.scale)
    const logarithm = ratio.log().mul(this.concentration.sub(1))
    const density = this.concentration.div(this.scale).log().add(logarithm).sub(ratio.pow(this.concentration))
    return within(inside, density)
  }

  override cdf(value: TensorLike): Tensor {
    const ratio = real('Weibull', value).clamp({ min: 0 }).div(this.scale)
    return ratio.pow(this.concentration).neg().expm1().neg()
  }

  override icdf(share: TensorLike): Tensor {
    const exponent = this.concentration.reciprocal()
    return real('Weibull', share).neg().log1p().neg().pow(exponent).mul(this.scale)
  }

  override entropy(): Tensor {
    const part = this.concentration.reciprocal().neg().add(1).mul(eulerGamma)
    return part.add(this.scale.div(this.concentration).log()).add(1)
  }

  #moment(order: number): Tensor {
    return this.concentration.reciprocal().mul(order).add(1).lgamma().exp()
  }
}

/** The Pareto distribution: values from `scale` on, density alpha scale^alpha / x^(alpha + 1). */
export class Pareto extends Distribution {
  readonly scale: Tensor
  readonly alpha: Tensor

  /** @param scale, alpha broadcast; both > 0. @throws ShapeError */
  constructor(scale: TensorLike, alpha: TensorLike) {
    const { batchShape, ...parameters } = together('Pareto', { scale, alpha })
    super(batchShape)
    this.scale = parameters.scale
    this.alpha = parameters.alpha
  }

  /** Infinite for alpha <= 1. */
  get mean(): Tensor {
    const { alpha, scale } = this
    return alpha.le(1).where(Infinity, alpha.mul(scale).div(alpha.sub(1)))
  }

  /** Infinite for alpha <= 2. */
  get variance(): Tensor {
    const { alpha, scale } = this
    const finite = scale
      .square()
      .mul(alpha)
      .div(alpha.sub(1).square().mul(alpha.sub(2)))
    return alpha.le(2).where(Infinity, finite)
  }

  override rsample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return this.icdf(openUniform(this.shapeOf(shape), options))
  }

  override logProb(value: TensorLike): Tensor {
    const x = real('Pareto', value)
    const inside = x.ge(this.scale)
    const far = inside.where(x, this.scale)
    return within(
      inside,
      this.alpha.log().add(this.alpha.mul(this.scale.log())).sub(this.alpha.add(1).mul(far.log())),
    )
  }

  override cdf(value: TensorLike): Tensor {
    const ratio = real('Pareto', value).maximum(this.scale).div(this.scale)
    return ratio.log().mul(this.alpha).neg().expm1().neg()
  }

  override icdf(share: TensorLike): Tensor {
    return real('Pareto', share).neg().log1p().neg().div(this.alpha).exp().mul(this.scale)
  }

  override entropy(): Tensor {
    return this.scale.div(this.alpha).log().add(this.alpha.reciprocal()).add(1)
  }
}

/** Kumaraswamy's distribution on (0, 1): distribution function 1 - (1 - x^a)^b (Kumaraswamy 1980). */
export class Kumaraswamy extends Distribution {
  readonly concentration1: Tensor
  readonly concentration0: Tensor

  /** @param concentration1 the exponent a; @param concentration0 the exponent b; both > 0. @throws ShapeError */
  constructor(concentration1: TensorLike, concentration0: TensorLike) {
    const { batchShape, ...parameters } = together('Kumaraswamy', { concentration1, concentration0 })
    super(batchShape)
    this.concentration1 = parameters.concentration1
    this.concentration0 = parameters.concentration0
  }

  get mean(): Tensor {
    return this.#moment(1)
  }

  get variance(): Tensor {
    return this.#moment(2).sub(this.#moment(1).square())
  }

  override rsample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return this.icdf(openUniform(this.shapeOf(shape), options))
  }

  override logProb(value: TensorLike): Tensor {
    const { concentration1: a, concentration0: b } = this
    const x = real('Kumaraswamy', value)
    const inside = x.gt(0).logicalAnd(x.lt(1))
    const safe = inside.where(x, 0.5)
    const rest = safe.pow(a).neg().log1p().mul(b.sub(1))
    return within(
      inside,
      a
        .log()
        .add(b.log())
        .add(safe.log().mul(a.sub(1)))
        .add(rest),
    )
  }

  override cdf(value: TensorLike): Tensor {
    const x = real('Kumaraswamy', value).clamp({ min: 0, max: 1 })
    return x.pow(this.concentration1).neg().log1p().mul(this.concentration0).expm1().neg()
  }

  override icdf(share: TensorLike): Tensor {
    const rest = real('Kumaraswamy', share).neg().log1p().div(this.concentration0)
    return rest.expm1().neg().pow(this.concentration1.reciprocal())
  }

  override entropy(): Tensor {
    const { concentration1: a, concentration0: b } = this
    const harmonic = b.add(1).digamma().add(eulerGamma)
    const first = b.reciprocal().neg().add(1)
    return first.add(a.reciprocal().neg().add(1).mul(harmonic)).sub(a.log()).sub(b.log())
  }

  // E x^n = b B(1 + n / a, b).
  #moment(order: number): Tensor {
    const { concentration1: a, concentration0: b } = this
    const first = a.reciprocal().mul(order).add(1)
    return first.lgamma().add(b.add(1).lgamma()).sub(first.add(b).lgamma()).exp()
  }
}

/** The magnitude of a symmetric variable around 0. */
abstract class Half extends Distribution {
  readonly scale: Tensor
  protected readonly whole: Normal | Cauchy

  constructor(whole: Normal | Cauchy) {
    super(whole.batchShape)
    this.whole = whole
    this.scale = whole.scale
  }

  override rsample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return this.whole.rsample(shape, options).abs()
  }

  override logProb(value: TensorLike): Tensor {
    const x = real(this.constructor.name, value)
    return within(x.ge(0), this.whole.logProb(x).add(Math.LN2))
  }

  override cdf(value: TensorLike): Tensor {
    return this.whole
      .cdf(real(this.constructor.name, value).clamp({ min: 0 }))
      .mul(2)
      .sub(1)
  }

  override icdf(share: TensorLike): Tensor {
    return this.whole.icdf(real(this.constructor.name, share).add(1).mul(0.5))
  }

  override entropy(): Tensor {
    return this.whole.entropy().sub(Math.LN2)
  }
}

/** The magnitude of a normal variable with mean 0. */
export class HalfNormal extends Half {
  /** @param scale > 0 */
  constructor(scale: TensorLike) {
    super(new Normal(0, scale))
  }

  get mean(): Tensor {
    return this.scale.mul(Math.sqrt(2 / Math.PI))
  }

  get variance(): Tensor {
    return this.scale.square().mul(1 - 2 / Math.PI)
  }
}

/** The magnitude of a Cauchy variable around 0. Its mean is infinite. */
export class HalfCauchy extends Half {
  /** @param scale > 0 */
  constructor(scale: TensorLike) {
    super(new Cauchy(0, scale))
  }

  get mean(): Tensor {
    return this.scale.mul(Infinity)
  }

  get variance(): Tensor {
    return this.scale.mul(Infinity)
  }
}
