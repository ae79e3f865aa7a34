// Distributions made of others: dimensions of the batch taken as one value, and mixtures.
import { ShapeError, ValueError, type Shape } from '@nabla/engine'
import type { Tensor, TensorLike } from '@nabla/tensor'
import type { Categorical } from './categorical.ts'
import { Distribution, real, type SampleOptions } from './distribution.ts'

/** Takes the last `count` dimensions of a distribution's batch as one value: their log-densities are added up. */
export class Independent extends Distribution {
  readonly base: Distribution
  readonly #count: number

  /** @throws ValueError when the batch has fewer dimensions */
  constructor(base: Distribution, count: number) {
    const { batchShape, eventShape } = base
    if (!Number.isInteger(count) || count < 0 || count > batchShape.length)
      throw new ValueError(`Independent: count must lie in 0..${batchShape.length}; got ${String(count)}`)
    const kept = batchShape.length - count
    super(batchShape.slice(0, kept), [...batchShape.slice(kept), ...eventShape])
    this.base = base
    this.#count = count
  }

  get mean(): Tensor {
    return this.base.mean
  }

  get variance(): Tensor {
    return this.base.variance
  }

  override get hasRsample(): boolean {
    return this.base.hasRsample
  }

  override sample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return this.base.sample(shape, options)
  }

  override rsample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return this.base.rsample(shape, options)
  }

  override logProb(value: TensorLike): Tensor {
    return this.#together(this.base.logProb(value))
  }

  override entropy(): Tensor {
    return this.#together(this.base.entropy())
  }

  #together(values: Tensor): Tensor {
    if (this.#count === 0) return values
    return values.sum(Array.from({ length: this.#count }, (_, i) => -1 - i))
  }
}

/** One of K components, chosen by a Categorical [...batch, K]: p(x) = the sum over k of w_k p_k(x). */
export class MixtureSameFamily extends Distribution {
  readonly mixture: Categorical
  readonly components: Distribution

  /** @param components a distribution with batch shape [...batch, K]. @throws ShapeError */
  constructor(mixture: Categorical, components: Distribution) {
    const size = mixture.logits.shape.at(-1)
    if (components.batchShape.at(-1) !== size) {
      throw new ShapeError(
        `MixtureSameFamily: the mixture chooses among ${size}, and the components have batch shape ` +
          `[${components.batchShape.join(', ')}]`,
      )
    }
    super(components.batchShape.slice(0, -1), components.eventShape)
    this.mixture = mixture
    this.components = components
  }

  get mean(): Tensor {
    return this.#weigh(this.components.mean)
  }

  /** The mean of the variances plus the variance of the means. */
  get variance(): Tensor {
    const { mean, variance } = this.components
    const centred = mean.sub(this.#weigh(mean).unsqueeze(-1 - this.eventShape.length))
    return this.#weigh(variance.add(centred.square()))
  }

  override sample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    const events = this.eventShape.length
    const drawn = this.components.sample(shape, options)
    const kinds = this.mixture.logits.shape.at(-1)!
    const chosen = this.mixture
      .sample([...shape, ...this.#missing()], options)
      .oneHot(kinds)
      .ne(0)
    const mask = chosen.reshape([...chosen.shape, ...this.eventShape.map(() => 1)])
    return mask.where(drawn, 0).sum(-1 - events)
  }

  override logProb(value: TensorLike): Tensor {
    const x = real('MixtureSameFamily', value).unsqueeze(-1 - this.eventShape.length)
    return this.components.logProb(x).add(this.mixture.logits).logsumexp(-1)
  }

  override cdf(value: TensorLike): Tensor {
    const x = real('MixtureSameFamily', value).unsqueeze(-1)
    return this.components.cdf(x).mul(this.mixture.probs).sum(-1)
  }

  #weigh(values: Tensor): Tensor {
    const { probs } = this.mixture
    const weights = probs.reshape([...probs.shape, ...this.eventShape.map(() => 1)])
    return values.mul(weights).sum(-1 - this.eventShape.length)
  }

  // Dimensions of the batch that the mixture does not have itself.
  #missing(): Shape {
    return this.batchShape.slice(0, this.batchShape.length - this.mixture.batchShape.length)
  }
}
