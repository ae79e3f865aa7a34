// Choices made smooth, so that gradients pass through draws: the Concrete or Gumbel-softmax distribution (Maddison, Mnih and
// Teh 2017; Jang, Gu and Poole 2017). The lower the temperature, the closer to a real choice.
import type { Shape } from '@nabla/engine'
import { toTensor, type Tensor, type TensorLike } from '@nabla/tensor'
import { OneHotCategorical } from './categorical.ts'
import { Bernoulli, type ProbabilityOptions } from './counts.ts'
import { Distribution, real, type SampleOptions } from './distribution.ts'
import { Logistic, openUniform } from './location.ts'

/** Vectors [K] of shares near the corners of the simplex: softmax((logits + Gumbel noise) / temperature). */
export class RelaxedOneHotCategorical extends Distribution {
  readonly temperature: Tensor
  readonly logits: Tensor

  /** @param temperature > 0. @throws ValueError, ShapeError as {@link OneHotCategorical} */
  constructor(temperature: TensorLike, options: ProbabilityOptions) {
    const choice = new OneHotCategorical(options)
    super(choice.batchShape, choice.eventShape)
    this.temperature = toTensor('RelaxedOneHotCategorical', temperature)
    this.logits = choice.logits
  }

  /** NaN: there is no closed form. */
  get mean(): Tensor {
    return this.logits.mul(NaN)
  }

  /** NaN: there is no closed form. */
  get variance(): Tensor {
    return this.logits.mul(NaN)
  }

  override rsample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    const noise = openUniform(this.shapeOf(shape), options).log().neg().log().neg()
    return this.logits.add(noise).div(this.temperature).softmax(-1)
  }

  /** Maddison, Mnih and Teh 2017, eq. 10. */
  override logProb(value: TensorLike): Tensor {
    const size = this.eventShape[0]!
    const x = real('RelaxedOneHotCategorical', value)
    const score = this.logits.sub(x.log().mul(this.temperature))
    const normalised = score
      .sub(score.logsumexp(-1, { keepdim: true }))
      .sub(x.log())
      .sum(-1)
    let factorial = 0
    for (let i = 2; i < size; i++) factorial += Math.log(i)
    return normalised.add(this.temperature.log().mul(size - 1)).add(factorial)
  }
}

/** Numbers in (0, 1), mostly near its ends: sigmoid((logits + logistic noise) / temperature). */
export class RelaxedBernoulli extends Distribution {
  readonly temperature: Tensor
  readonly logits: Tensor

  /** @param temperature > 0. @throws ValueError as {@link Bernoulli} */
  constructor(temperature: TensorLike, options: ProbabilityOptions) {
    const choice = new Bernoulli(options)
    super(choice.batchShape)
    this.temperature = toTensor('RelaxedBernoulli', temperature)
    this.logits = choice.logits
  }

  /** NaN: there is no closed form. */
  get mean(): Tensor {
    return this.logits.mul(NaN)
  }

  /** NaN: there is no closed form. */
  get variance(): Tensor {
    return this.logits.mul(NaN)
  }

  override rsample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return this.#inner().rsample(shape, options).sigmoid()
  }

  override logProb(value: TensorLike): Tensor {
    const y = real('RelaxedBernoulli', value)
    return this.#inner().logProb(y.logit()).sub(y.log()).sub(y.neg().log1p())
  }

  override cdf(value: TensorLike): Tensor {
    return this.#inner().cdf(real('RelaxedBernoulli', value).logit())
  }

  // The logistic variable under the sigmoid.
  #inner(): Logistic {
    return new Logistic(this.logits.div(this.temperature), this.temperature.reciprocal())
  }
}
