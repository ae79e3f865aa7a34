// Distributions of whole numbers: Bernoulli, geometric, Poisson, binomial, negative binomial. Values are float32, as
// logProb takes them. Drawing is exact up to the resolution of the random numbers; what would be a loop of unknown length
// is a fixed number of trials at once.
import { broadcastShapes, ValueError, type Shape } from '@nabla/engine'
import { arange, noGrad, rand, zerosLike, type Tensor, type TensorLike } from '@nabla/tensor'
import { Distribution, oneOf, real, together, within, type SampleOptions } from './distribution.ts'
import { standardGamma } from './gamma.ts'
import { openUniform } from './location.ts'
import { betaShare, gammaShare } from './quadrature.ts'

/** A probability, given as itself or as its log-odds. Exactly one of both. */
export interface ProbabilityOptions {
  readonly probs?: TensorLike
  readonly logits?: TensorLike
}

/** The probability of an event, kept as it was given, so that neither form loses digits. */
abstract class Event extends Distribution {
  readonly #probs: Tensor | null
  readonly #logits: Tensor | null

  constructor(name: string, options: ProbabilityOptions, batchShape?: Shape) {
    const which = oneOf(name, { probs: options.probs, logits: options.logits })
    const given = real(name, (options.probs ?? options.logits)!)
    const shape = batchShape === undefined ? given.shape : broadcastShapes(name, given.shape, batchShape)
    super(shape)
    this.#probs = which === 'probs' ? given.expand(shape) : null
    this.#logits = which === 'logits' ? given.expand(shape) : null
  }

  get probs(): Tensor {
    return this.#probs ?? this.#logits!.sigmoid()
  }

  get logits(): Tensor {
    return this.#logits ?? this.#probs!.logit(2 ** -23)
  }
}

/** 1 with probability p, else 0. Parameters: `{ probs }` or `{ logits }`. */
export class Bernoulli extends Event {
  /** @throws ValueError unless exactly one of probs and logits is given */
  constructor(options: ProbabilityOptions) {
    super('Bernoulli', options)
  }

  get mean(): Tensor {
    return this.probs
  }

  get variance(): Tensor {
    const { probs } = this
    return probs.mul(probs.neg().add(1))
  }

  override sample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return noGrad(() => rand(this.shapeOf(shape), options).lt(this.probs).to('float32'))
  }

  override logProb(value: TensorLike): Tensor {
    const { logits } = this
    return real('Bernoulli', value).mul(logits).sub(logits.softplus())
  }

  override entropy(): Tensor {
    const { logits } = this
    return logits.softplus().sub(logits.sigmoid().mul(logits))
  }
}

/** The number of failures before the first success. Parameters: `{ probs }` or `{ logits }` of success. */
export class Geometric extends Event {
  constructor(options: ProbabilityOptions) {
    super('Geometric', options)
  }

  get mean(): Tensor {
    return this.logits.neg().exp()
  }

  get variance(): Tensor {
    const { probs } = this
    return probs.neg().add(1).div(probs.square())
  }

  override sample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return noGrad(() => {
      const u = openUniform(this.shapeOf(shape), options)
      return u.log().div(this.logits.softplus().neg()).floor()
    })
  }

  override logProb(value: TensorLike): Tensor {
    const { logits } = this
    const k = real('Geometric', value)
    return within(k.ge(0), k.mul(logits.neg().logsigmoid()).add(logits.logsigmoid()))
  }

  override cdf(value: TensorLike): Tensor {
    const k = real('Geometric', value).floor().add(1).clamp({ min: 0 })
    return k.mul(this.logits.neg().logsigmoid()).expm1().neg()
  }

  override entropy(): Tensor {
    const { probs, logits } = this
    return logits.softplus().sub(probs.mul(logits)).div(probs)
  }
}

/** The number of events of a steady stream: rate^k exp(-rate) / k!. */
export class Poisson extends Distribution {
  readonly rate: Tensor

  /** @param rate expected number, >= 0 */
  constructor(rate: TensorLike) {
    const { batchShape, ...parameters } = together('Poisson', { rate })
    super(batchShape)
    this.rate = parameters.rate
  }

  get mean(): Tensor {
    return this.rate
  }

  get variance(): Tensor {
    return this.rate
  }

  override sample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return noGrad(() => poisson(this.rate.expand(this.shapeOf(shape)), options))
  }

  override logProb(value: TensorLike): Tensor {
    const k = real('Poisson', value)
    return within(k.ge(0), k.xlogy(this.rate).sub(this.rate).sub(k.add(1).lgamma()))
  }

  override cdf(value: TensorLike): Tensor {
    const k = real('Poisson', value).floor()
    const shape = broadcastShapes('Poisson', k.shape, this.batchShape)
    const inside = k.ge(0)
    // Abramowitz & Stegun 26.4.21.
    const above = gammaShare(inside.where(k, 0).add(1).expand(shape), this.rate.expand(shape)).to(k.dtype)
    return inside.where(above.neg().add(1), 0)
  }
}

/** Below this rate arrivals are counted one by one; beyond, whole numbers are proposed and accepted or not. */
const fewEvents = 10
/** More arrivals than this have a probability below 1e-12 at a rate of ten. */
const mostEvents = 42
/** Each trial of the transformed rejection is accepted with a probability above 0.7. */
const trials = 24

/** Poisson numbers of the shape of `rate`. */
function poisson(rate: Tensor, options: SampleOptions): Tensor {
  const small = rate.lt(fewEvents)
  const { shape } = rate
  const gaps = openUniform([mostEvents, ...shape], options)
    .log()
    .neg()
  const counted = gaps.cumsum(0).lt(small.where(rate, 0)).to('float32').sum(0)
  return small.where(
    counted,
    proposedPoisson(small.where(fewEvents, rate).to('float64'), options).to('float32'),
  )
}

/** PTRS, transformed rejection with squeeze left out (Hörmann 1993, section 4), for rates from ten on. */
function proposedPoisson(rate: Tensor, options: SampleOptions): Tensor {
  const b = rate.sqrt().mul(2.53).add(0.931)
  const a = b.mul(0.02483).sub(0.059)
  const inverse = b.sub(3.4).reciprocal().mul(1.1328).add(1.1239)
  const shape = [trials, ...rate.shape]
  const u = rand(shape, { ...options, dtype: 'float64' }).sub(0.5)
  const v = rand(shape, { ...options, dtype: 'float64' }).add(2 ** -25)
  const us = u.abs().neg().add(0.5).clamp({ min: 1e-9 })
  const k = a.mul(2).div(us).add(b).mul(u).add(rate).add(0.43).floor()
  const safe = k.clamp({ min: 0 })
  const left = v.mul(inverse).log().sub(a.div(us.square()).add(b).log())
  const right = safe.mul(rate.log()).sub(rate).sub(safe.add(1).lgamma())
  const outside = k.lt(0).logicalOr(us.lt(0.013).logicalAnd(v.gt(us)))
  return firstAccepted(k, outside.logicalNot().logicalAnd(left.le(right)), rate.floor())
}

function firstAccepted(proposed: Tensor, accepted: Tensor, otherwise: Tensor): Tensor {
  let chosen = otherwise
  for (let trial = trials - 1; trial >= 0; trial--) {
    chosen = accepted.select(0, trial).where(proposed.select(0, trial), chosen)
  }
  return chosen
}

/** The number of successes in `totalCount` independent trials. */
export class Binomial extends Event {
  readonly totalCount: number

  /** @throws ValueError when totalCount is no whole number, or not exactly one of probs and logits is given */
  constructor(totalCount: number, options: ProbabilityOptions) {
    super('Binomial', options)
    this.totalCount = checkCount('Binomial', totalCount)
  }

  get mean(): Tensor {
    return this.probs.mul(this.totalCount)
  }

  get variance(): Tensor {
    const { probs } = this
    return probs.mul(probs.neg().add(1)).mul(this.totalCount)
  }

  override sample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    const { totalCount } = this
    return noGrad(() => {
      const probs = this.probs.expand(this.shapeOf(shape))
      let sum: Tensor = zerosLike(probs)
      // A part at a time, so that memory stays bounded for many trials.
      for (let done = 0; done < totalCount; done += trialsAtOnce) {
        const count = Math.min(trialsAtOnce, totalCount - done)
        sum = sum.add(
          rand([count, ...probs.shape], options)
            .lt(probs)
            .to('float32')
            .sum(0),
        )
      }
      return sum
    })
  }

  override logProb(value: TensorLike): Tensor {
    const n = this.totalCount
    const { logits } = this
    const k = real('Binomial', value)
    const inside = k.ge(0).logicalAnd(k.le(n))
    const safe = inside.where(k, 0)
    const ways = safe
      .add(1)
      .lgamma()
      .add(
        safe
          .neg()
          .add(n + 1)
          .lgamma(),
      )
    const total = toLogFactorial(n)
    return within(inside, safe.mul(logits).sub(logits.softplus().mul(n)).sub(ways).add(total))
  }

  override cdf(value: TensorLike): Tensor {
    const n = this.totalCount
    const k = real('Binomial', value).floor()
    const shape = broadcastShapes('Binomial', k.shape, this.batchShape)
    const inside = k.ge(0).logicalAnd(k.lt(n))
    const safe = inside.where(k, 0).expand(shape)
    const misses = this.probs.neg().add(1).expand(shape)
    // Abramowitz & Stegun 26.5.24.
    const share = betaShare(safe.neg().add(Math.max(n, 1)), safe.add(1), misses).to(k.dtype)
    return inside.where(share, k.ge(0).to(k.dtype))
  }

  override entropy(): Tensor {
    const n = this.totalCount
    const counts = arange(n + 1).reshape([n + 1, ...this.batchShape.map(() => 1)])
    const logarithms = this.logProb(counts)
    return logarithms.exp().mul(logarithms).sum(0).neg()
  }
}

const trialsAtOnce = 256

/** The number of successes before `totalCount` failures: a Poisson number whose rate is a gamma variable. */
export class NegativeBinomial extends Event {
  readonly totalCount: Tensor

  /** @param totalCount > 0, need not be whole; broadcast with probs or logits. @throws ValueError, ShapeError */
  constructor(totalCount: TensorLike, options: ProbabilityOptions) {
    const count = real('NegativeBinomial: totalCount', totalCount)
    super('NegativeBinomial', options, count.shape)
    this.totalCount = count.expand(this.batchShape)
  }

  get mean(): Tensor {
    return this.totalCount.mul(this.logits.exp())
  }

  get variance(): Tensor {
    return this.mean.mul(this.logits.neg().sigmoid().reciprocal())
  }

  override sample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return noGrad(() => {
      const whole = this.shapeOf(shape)
      const rate = standardGamma(this.totalCount.detach().expand(whole), options).mul(this.logits.exp())
      return poisson(rate, options)
    })
  }

  override logProb(value: TensorLike): Tensor {
    const { totalCount: n, logits } = this
    const k = real('NegativeBinomial', value)
    const inside = k.ge(0)
    const safe = inside.where(k, 0)
    const ways = n.add(safe).lgamma().sub(safe.add(1).lgamma()).sub(n.lgamma())
    return within(inside, n.mul(logits.neg().logsigmoid()).add(safe.mul(logits.logsigmoid())).add(ways))
  }

  override cdf(value: TensorLike): Tensor {
    const k = real('NegativeBinomial', value).floor()
    const shape = broadcastShapes('NegativeBinomial', k.shape, this.batchShape)
    const inside = k.ge(0).expand(shape)
    const safe = inside.where(k.expand(shape), 0)
    const share = betaShare(this.totalCount.expand(shape), safe.add(1), this.probs.neg().add(1).expand(shape))
    return inside.where(share.to(k.dtype), 0)
  }
}

function toLogFactorial(n: number): number {
  let total = 0
  for (let i = 2; i <= n; i++) total += Math.log(i)
  return total
}

/** A number of trials. @throws ValueError */
export function checkCount(op: string, count: number): number {
  if (Number.isSafeInteger(count) && count >= 0) return count
  throw new ValueError(`${op}: totalCount must be a whole number from 0 on; got ${String(count)}`)
}
