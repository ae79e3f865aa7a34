// Smooth invertible functions, and distributions of their values: log p(y) = log p(x) - log |dy / dx|. Read next: combined.ts.
import type { Shape } from '@nabla/engine'
import { toTensor, type Tensor, type TensorLike } from '@nabla/tensor'
import { Distribution, real, type SampleOptions } from './distribution.ts'
import { Normal } from './location.ts'

/** An increasing or decreasing function, elementwise. */
export interface Transform {
  /** y of x. */
  forward(x: Tensor): Tensor
  /** x of y. */
  inverse(y: Tensor): Tensor
  /** log |dy / dx|. */
  logAbsDetJacobian(x: Tensor, y: Tensor): Tensor
  /** Whether y falls as x grows; a tensor where that depends on parameters. */
  readonly falling: boolean | Tensor
}

/** y = e^x. */
export const expTransform: Transform = {
  forward: (x) => x.exp(),
  inverse: (y) => y.log(),
  logAbsDetJacobian: (x) => x,
  falling: false,
}

/** y = sigmoid x. */
export const sigmoidTransform: Transform = {
  forward: (x) => x.sigmoid(),
  inverse: (y) => y.logit(),
  logAbsDetJacobian: (x) => x.logsigmoid().add(x.neg().logsigmoid()),
  falling: false,
}

/** y = tanh x. */
export const tanhTransform: Transform = {
  forward: (x) => x.tanh(),
  inverse: (y) => y.atanh(),
  // log(1 - tanh^2 x), in a form that stays finite.
  logAbsDetJacobian: (x) => x.add(x.mul(-2).softplus()).sub(Math.LN2).mul(-2),
  falling: false,
}

/** y = loc + scale x; scale may be negative. */
export function affineTransform(loc: TensorLike, scale: TensorLike): Transform {
  const [shift, factor] = [toTensor('affineTransform', loc), toTensor('affineTransform', scale)]
  return {
    forward: (x) => x.mul(factor).add(shift),
    inverse: (y) => y.sub(shift).div(factor),
    logAbsDetJacobian: (x) => x.mul(0).add(factor.abs().log()),
    falling: factor.lt(0),
  }
}

/** The distribution of f(x), f being several transforms one after the other, and x of the distribution `base`. */
export class TransformedDistribution extends Distribution {
  readonly base: Distribution
  readonly transforms: readonly Transform[]

  constructor(base: Distribution, transforms: readonly Transform[]) {
    super(base.batchShape, base.eventShape)
    this.base = base
    this.transforms = transforms
  }

  /** NaN: in general there is no closed form. */
  get mean(): Tensor {
    return this.base.mean.mul(NaN)
  }

  /** NaN: in general there is no closed form. */
  get variance(): Tensor {
    return this.base.variance.mul(NaN)
  }

  override get hasRsample(): boolean {
    return this.base.hasRsample
  }

  override sample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return this.#forward(this.base.sample(shape, options)).detach()
  }

  override rsample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return this.#forward(this.base.rsample(shape, options))
  }

  override logProb(value: TensorLike): Tensor {
    let y = real('TransformedDistribution', value)
    let volume: Tensor | null = null
    for (const transform of [...this.transforms].reverse()) {
      const x = transform.inverse(y)
      const part = transform.logAbsDetJacobian(x, y)
      volume = volume === null ? part : volume.add(part)
      y = x
    }
    const logProb = this.base.logProb(y)
    if (volume === null) return logProb
    const eventDims = this.eventShape.map((_, i) => -1 - i)
    return logProb.sub(eventDims.length === 0 ? volume : volume.sum(eventDims))
  }

  override cdf(value: TensorLike): Tensor {
    let y = real('TransformedDistribution', value)
    for (const transform of [...this.transforms].reverse()) y = transform.inverse(y)
    let share = this.base.cdf(y)
    for (const { falling } of this.transforms) {
      if (falling === false) continue
      const rest = share.neg().add(1)
      share = falling === true ? rest : falling.where(rest, share)
    }
    return share
  }

  #forward(x: Tensor): Tensor {
    return this.transforms.reduce((y, transform) => transform.forward(y), x)
  }
}

/** The distribution of e^x for normal x with mean `loc` and standard deviation `scale`. */
export class LogNormal extends TransformedDistribution {
  readonly loc: Tensor
  readonly scale: Tensor

  /** @throws ShapeError */
  constructor(loc: TensorLike, scale: TensorLike) {
    const normal = new Normal(loc, scale)
    super(normal, [expTransform])
    this.loc = normal.loc
    this.scale = normal.scale
  }

  override get mean(): Tensor {
    return this.loc.add(this.scale.square().mul(0.5)).exp()
  }

  override get variance(): Tensor {
    const square = this.scale.square()
    return square.expm1().mul(this.loc.mul(2).add(square).exp())
  }

  override icdf(share: TensorLike): Tensor {
    return this.base.icdf(share).exp()
  }

  override entropy(): Tensor {
    return this.base.entropy().add(this.loc)
  }
}
