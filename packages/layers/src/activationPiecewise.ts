// Activations made of straight pieces and jumps, as layers. Read before: activation.ts.
import { ValueError } from '@nabla/engine'
import {
  hardshrink,
  hardsigmoid,
  hardtanh,
  Parameter,
  prelu,
  rand,
  softshrink,
  threshold,
  toTensor,
  where,
  type Tensor,
  type TensorLike,
} from '@nabla/tensor'
import { finite, nonNegative, positiveInteger } from './check.ts'
import { constant } from './init.ts'
import type { FloatingType } from './linear.ts'
import { Module } from './module.ts'
import { channelsError } from './norm.ts'

/** min(max(x, minVal), maxVal). Shape: any. */
export class Hardtanh extends Module {
  readonly minVal: number
  readonly maxVal: number

  /** @throws ValueError unless minVal lies below maxVal */
  constructor(minVal: number = -1, maxVal: number = 1) {
    super()
    this.minVal = finite('Hardtanh', 'minVal', minVal)
    this.maxVal = finite('Hardtanh', 'maxVal', maxVal)
    if (minVal >= maxVal)
      throw new ValueError(`Hardtanh: minVal (${minVal}) must lie below maxVal (${maxVal})`)
  }

  override forward(x: TensorLike): Tensor {
    return hardtanh(x, this.minVal, this.maxVal)
  }

  override describe(): string {
    return `${this.minVal}, ${this.maxVal}`
  }
}

/** min(max(x + 3, 0), 6) / 6. Shape: any. */
export class Hardsigmoid extends Module {
  override forward(x: TensorLike): Tensor {
    return hardsigmoid(x)
  }
}

/** x where |x| > lambda, 0 elsewhere. Shape: any. */
export class Hardshrink extends Module {
  readonly lambda: number

  /** @throws ValueError for a lambda that is no finite number */
  constructor(lambda: number = 0.5) {
    super()
    this.lambda = finite('Hardshrink', 'lambda', lambda)
  }

  override forward(x: TensorLike): Tensor {
    return hardshrink(x, this.lambda)
  }

  override describe(): string {
    return String(this.lambda)
  }
}

/** x moved by lambda toward 0, and 0 where it would cross it. Shape: any. */
export class Softshrink extends Module {
  readonly lambda: number

  /** @throws ValueError for a negative lambda */
  constructor(lambda: number = 0.5) {
    super()
    this.lambda = nonNegative('Softshrink', 'lambda', lambda)
  }

  override forward(x: TensorLike): Tensor {
    return softshrink(x, this.lambda)
  }

  override describe(): string {
    return String(this.lambda)
  }
}

/** x where it is above `limit`, `value` elsewhere. Shape: any. */
export class Threshold extends Module {
  readonly limit: number
  readonly value: number

  /** @throws ValueError for numbers that are not finite */
  constructor(limit: number, value: number) {
    super()
    this.limit = finite('Threshold', 'limit', limit)
    this.value = finite('Threshold', 'value', value)
  }

  override forward(x: TensorLike): Tensor {
    return threshold(x, this.limit, this.value)
  }

  override describe(): string {
    return `${this.limit}, ${this.value}`
  }
}

/** Settings of {@link PReLU}. */
export interface PReLUOptions {
  /** Slope at first. Default 0.25. */
  init?: number
  dtype?: FloatingType
}

/**
 * x where positive, a learned multiple of it elsewhere (He et al. 2015, section 2.1).
 *
 * Shape: x any with one parameter, else [N, C, ...] with C = numParameters -> y of the same shape; weight [numParameters].
 */
export class PReLU extends Module {
  readonly numParameters: number
  readonly weight: Parameter

  /** @throws ValueError for a number of parameters that is no positive integer */
  constructor(numParameters: number = 1, { init = 0.25, dtype = 'float32' }: PReLUOptions = {}) {
    super()
    this.numParameters = positiveInteger('PReLU', 'numParameters', numParameters)
    const initial = constant([numParameters], finite('PReLU', 'init', init), { dtype })
    this.weight = new Parameter(initial, { name: 'PReLU.weight' })
  }

  /** @throws ShapeError when x has not `numParameters` channels */
  override forward(value: TensorLike): Tensor {
    const x = toTensor('PReLU', value)
    if (this.numParameters === 1) return prelu(x, this.weight.value.reshape([]))
    if (x.rank < 2 || x.shape[1] !== this.numParameters) throw channelsError('PReLU', x, this.numParameters)
    const slopes = this.weight.value.reshape([this.numParameters, ...x.shape.slice(2).map(() => 1)])
    return prelu(x, slopes)
  }

  override describe(): string {
    return String(this.numParameters)
  }
}

/**
 * x where positive, a multiple of it elsewhere: in training one drawn for each element between `lower` and `upper`, in
 * evaluation their mean (Xu et al. 2015). Shape: any.
 */
export class RReLU extends Module {
  readonly lower: number
  readonly upper: number

  /** @throws ValueError unless lower is at most upper */
  constructor(lower: number = 1 / 8, upper: number = 1 / 3) {
    super()
    this.lower = finite('RReLU', 'lower', lower)
    this.upper = finite('RReLU', 'upper', upper)
    if (lower > upper) throw new ValueError(`RReLU: lower (${lower}) must not lie above upper (${upper})`)
  }

  override forward(value: TensorLike): Tensor {
    const x = toTensor('RReLU', value)
    const { lower, upper } = this
    const slope = this.training
      ? rand(x.shape)
          .mul(upper - lower)
          .add(lower)
      : (lower + upper) / 2
    return where(x.ge(0), x, x.mul(slope))
  }

  override describe(): string {
    return `${this.lower}, ${this.upper}`
  }
}
