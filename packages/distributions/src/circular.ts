// The von Mises distribution: the normal distribution's counterpart on the circle.
import type { Shape } from '@nabla/engine'
import { noGrad, rand, type Tensor, type TensorLike } from '@nabla/tensor'
import { Distribution, real, together, type SampleOptions } from './distribution.ts'

/** Where the Bessel function is left for its logarithm's asymptotic series. */
const large = 20
/** A trial is accepted with a probability above 0.65. */
const trials = 32

/** Angles around `loc`: density exp(concentration cos(x - loc)) / (2 pi I0(concentration)). Draws lie in [-pi, pi). */
export class VonMises extends Distribution {
  readonly loc: Tensor
  readonly concentration: Tensor

  /** @param loc, concentration broadcast; concentration > 0. @throws ShapeError */
  constructor(loc: TensorLike, concentration: TensorLike) {
    const { batchShape, ...parameters } = together('VonMises', { loc, concentration })
    super(batchShape)
    this.loc = parameters.loc
    this.concentration = parameters.concentration
  }

  /** The mean direction. */
  get mean(): Tensor {
    return this.loc
  }

  /** The circular variance, 1 - I1 / I0. */
  get variance(): Tensor {
    return this.#ratio().neg().add(1)
  }

  override sample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return noGrad(() => bestFisher(this.loc, this.concentration.expand(this.shapeOf(shape)), options))
  }

  override logProb(value: TensorLike): Tensor {
    const turned = real('VonMises', value).sub(this.loc).cos()
    return this.concentration
      .mul(turned)
      .sub(logBessel0(this.concentration))
      .sub(Math.log(2 * Math.PI))
  }

  override entropy(): Tensor {
    const k = this.concentration
    return logBessel0(k)
      .sub(k.mul(this.#ratio()))
      .add(Math.log(2 * Math.PI))
  }

  // I1 / I0. The series of the ratio for large arguments follows from Abramowitz & Stegun 9.7.1.
  #ratio(): Tensor {
    const k = this.concentration
    const isLarge = k.gt(large)
    const small = isLarge.where(1, k)
    const y = isLarge.where(k, large).reciprocal()
    const series = y.mul(y.mul(y.mul(-0.125).sub(0.125)).sub(0.5)).add(1)
    return isLarge.where(series, small.i1().div(small.i0()))
  }
}

// log I0, without overflow (Abramowitz & Stegun 9.7.1).
function logBessel0(k: Tensor): Tensor {
  const isLarge = k.gt(large)
  const y = isLarge.where(k, large).reciprocal()
  const series = y.mul(y.mul(y.mul(225 / 3072).add(9 / 128)).add(1 / 8)).add(1)
  const beyond = isLarge
    .where(k, large)
    .add(series.log())
    .sub(
      isLarge
        .where(k, large)
        .mul(2 * Math.PI)
        .log()
        .mul(0.5),
    )
  return isLarge.where(beyond, isLarge.where(1, k).i0().log())
}

/** Rejection from a wrapped Cauchy distribution (Best and Fisher 1979). */
function bestFisher(loc: Tensor, concentration: Tensor, options: SampleOptions): Tensor {
  const k = concentration.to('float64')
  const tau = k.square().mul(4).add(1).sqrt().add(1)
  const rho = tau.sub(tau.mul(2).sqrt()).div(k.mul(2))
  // For nearly uniform angles rho loses its digits: its limit is 1 / k (as PyTorch has it).
  const r = k.lt(1e-4).where(k.reciprocal(), rho.square().add(1).div(rho.mul(2)))
  const shape = [trials, ...k.shape]
  const draw = (): Tensor => rand(shape, { ...options, dtype: 'float64' })
  const z = draw().mul(Math.PI).cos()
  const f = r.mul(z).add(1).div(r.add(z)).clamp({ min: -1, max: 1 })
  const c = k.mul(r.sub(f))
  const u = draw().add(2 ** -25)
  const accepted = c.mul(c.neg().add(2)).gt(u).logicalOr(c.div(u).log().add(1).ge(c))
  const angle = draw().sub(0.5).sign().mul(f.acos())
  let chosen: Tensor = angle.select(0, 0)
  for (let trial = trials - 1; trial >= 0; trial--) {
    chosen = accepted.select(0, trial).where(angle.select(0, trial), chosen)
  }
  const turned = chosen.add(loc.to('float64')).add(Math.PI)
  return turned
    .remainder(2 * Math.PI)
    .sub(Math.PI)
    .to(loc.dtype)
}
