// Distributions over K classes: Categorical (the class as a number), OneHotCategorical (as a vector with a single 1),
// Multinomial (how often each class came up). Drawing is the largest of log-probabilities with Gumbel noise (Gumbel 1954).
import { broadcastShapes, ShapeError, type Shape } from '@nabla/engine'
import { noGrad, tensor, type Tensor, type TensorLike } from '@nabla/tensor'
import { checkCount, type ProbabilityOptions } from './counts.ts'
import { Distribution, oneOf, real, type SampleOptions } from './distribution.ts'
import { openUniform } from './location.ts'

/** Log-probabilities [..., K] of the classes. @throws ValueError, ShapeError */
function classes(name: string, options: ProbabilityOptions): Tensor {
  const which = oneOf(name, { probs: options.probs, logits: options.logits })
  const given = real(name, (options.probs ?? options.logits)!)
  if (given.rank === 0) throw new ShapeError(`${name}: ${which} must be [..., K]; got a scalar`)
  if (which === 'logits') return given.logSoftmax(-1)
  return given
    .div(given.sum(-1, { keepdim: true }))
    .clamp({ min: 2 ** -126 })
    .log()
}

/** One class of K, as a number (int32). Parameters: `{ probs }` (need not add up to 1) or `{ logits }`, [..., K]. */
export class Categorical extends Distribution {
  /** Normalised log-probabilities [..., K]. */
  readonly logits: Tensor

  /** @throws ValueError unless exactly one of probs and logits is given; ShapeError for a scalar */
  constructor(options: ProbabilityOptions) {
    const logits = classes('Categorical', options)
    super(logits.shape.slice(0, -1))
    this.logits = logits
  }

  /** Probabilities [..., K]. */
  get probs(): Tensor {
    return this.logits.exp()
  }

  /** NaN: the number of a class is only a name. */
  get mean(): Tensor {
    return this.logits.select(-1, 0).mul(NaN)
  }

  /** NaN, as the mean. */
  get variance(): Tensor {
    return this.mean
  }

  /** The most probable class (int32). */
  get mode(): Tensor {
    return this.logits.argmax(-1)
  }

  override sample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return noGrad(() => {
      const whole = [...shape, ...this.logits.shape]
      const noise = openUniform(whole, options).log().neg().log().neg()
      return this.logits.add(noise).argmax(-1)
    })
  }

  /** @param value classes (int32), [...batch] or [..., ...batch] */
  override logProb(value: TensorLike): Tensor {
    const chosen =
      typeof value === 'number' ? tensor(value, { dtype: 'int32' }) : real('Categorical', value).to('int32')
    const shape = broadcastShapes('Categorical', chosen.shape, this.batchShape)
    const logits = this.logits.expand([...shape, this.logits.shape.at(-1)!])
    return logits.takeAlongDim(chosen.expand(shape).unsqueeze(-1), -1).squeeze(-1)
  }

  override entropy(): Tensor {
    return this.probs.mul(this.logits).sum(-1).neg()
  }
}

/** One class of K, as a vector [K] with a single 1. */
export class OneHotCategorical extends Distribution {
  readonly logits: Tensor
  readonly #classes: Categorical

  /** @throws ValueError, ShapeError as {@link Categorical} */
  constructor(options: ProbabilityOptions) {
    const categorical = new Categorical(options)
    super(categorical.batchShape, categorical.logits.shape.slice(-1))
    this.#classes = categorical
    this.logits = categorical.logits
  }

  get probs(): Tensor {
    return this.#classes.probs
  }

  get mean(): Tensor {
    return this.probs
  }

  get variance(): Tensor {
    const { probs } = this
    return probs.mul(probs.neg().add(1))
  }

  override sample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return noGrad(() => this.#classes.sample(shape, options).oneHot(this.eventShape[0]!).to('float32'))
  }

  override logProb(value: TensorLike): Tensor {
    return real('OneHotCategorical', value).mul(this.logits).sum(-1)
  }

  override entropy(): Tensor {
    return this.#classes.entropy()
  }
}

/** How often each of K classes comes up in `totalCount` draws: vectors [K] that add up to it. */
export class Multinomial extends Distribution {
  readonly totalCount: number
  readonly logits: Tensor
  readonly #classes: Categorical

  /** @throws ValueError, ShapeError as {@link Categorical}; ValueError when totalCount is no whole number */
  constructor(totalCount: number, options: ProbabilityOptions) {
    const categorical = new Categorical(options)
    super(categorical.batchShape, categorical.logits.shape.slice(-1))
    this.totalCount = checkCount('Multinomial', totalCount)
    this.#classes = categorical
    this.logits = categorical.logits
  }

  get probs(): Tensor {
    return this.#classes.probs
  }

  get mean(): Tensor {
    return this.probs.mul(this.totalCount)
  }

  get variance(): Tensor {
    const { probs } = this
    return probs.mul(probs.neg().add(1)).mul(this.totalCount)
  }

  override sample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return noGrad(() => {
      const drawn = this.#classes.sample([this.totalCount, ...shape], options)
      return drawn.oneHot(this.eventShape[0]!).to('float32').sum(0)
    })
  }

  override logProb(value: TensorLike): Tensor {
    const counts = real('Multinomial', value)
    const ways = counts.sum(-1).add(1).lgamma().sub(counts.add(1).lgamma().sum(-1))
    return ways.add(counts.mul(this.logits).sum(-1))
  }
}
