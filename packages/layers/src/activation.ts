// Activations as layers, for Sequential. In a model's own forward the functions of @nabla/tensor read better. Read next:
// the function of the same name in @nabla/tensor, which has the formula and its source.
import { lookUp } from '@nabla/engine'
import {
  elu,
  gelu,
  hardswish,
  leakyRelu,
  logSoftmax,
  mish,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  tanh,
  type GeluOptions,
  type SoftplusOptions,
  type Tensor,
  type TensorLike,
} from '@nabla/tensor'
import { finite, integer } from './check.ts'
import { Hardshrink, Hardsigmoid, Hardtanh, PReLU, RReLU, Softshrink } from './activationPiecewise.ts'
import { CELU, GLU, LogSigmoid, Softmin, Softsign, Tanhshrink } from './activationSmooth.ts'
import { Identity } from './container.ts'
import { Module, type Layer } from './module.ts'

/** max(x, 0). Shape: any. */
export class ReLU extends Module {
  override forward(x: TensorLike): Tensor {
    return relu(x)
  }
}

/** min(max(x, 0), 6). Shape: any. */
export class ReLU6 extends Module {
  override forward(x: TensorLike): Tensor {
    return relu6(x)
  }
}

/** 1 / (1 + exp(-x)). Shape: any. */
export class Sigmoid extends Module {
  override forward(x: TensorLike): Tensor {
    return sigmoid(x)
  }
}

/** Hyperbolic tangent. Shape: any. */
export class Tanh extends Module {
  override forward(x: TensorLike): Tensor {
    return tanh(x)
  }
}

/** x times sigmoid(x), also called swish. Shape: any. */
export class SiLU extends Module {
  override forward(x: TensorLike): Tensor {
    return silu(x)
  }
}

/** x times tanh(softplus(x)). Shape: any. */
export class Mish extends Module {
  override forward(x: TensorLike): Tensor {
    return mish(x)
  }
}

/** Self-normalising exponential unit. Shape: any. */
export class SELU extends Module {
  override forward(x: TensorLike): Tensor {
    return selu(x)
  }
}

/** x times min(max(x + 3, 0), 6) / 6. Shape: any. */
export class Hardswish extends Module {
  override forward(x: TensorLike): Tensor {
    return hardswish(x)
  }
}

/** x times the normal distribution function of x, exactly or by the approximation with tanh. Shape: any. */
export class GELU extends Module {
  readonly approximate: 'none' | 'tanh'

  /** @throws ValueError for an unknown form */
  constructor({ approximate = 'none' }: GeluOptions = {}) {
    super()
    lookUp('approximate of GELU', approximate, { none: true, tanh: true })
    this.approximate = approximate
  }

  override forward(x: TensorLike): Tensor {
    return gelu(x, { approximate: this.approximate })
  }

  override describe(): string {
    return this.approximate === 'none' ? '' : `approximate: '${this.approximate}'`
  }
}

/** x where positive, a small multiple of it elsewhere. Shape: any. */
export class LeakyReLU extends Module {
  readonly negativeSlope: number

  constructor(negativeSlope: number = 0.01) {
    super()
    this.negativeSlope = finite('LeakyReLU', 'negativeSlope', negativeSlope)
  }

  override forward(x: TensorLike): Tensor {
    return leakyRelu(x, this.negativeSlope)
  }

  override describe(): string {
    return String(this.negativeSlope)
  }
}

/** x where positive, alpha · (exp(x) - 1) elsewhere. Shape: any. */
export class ELU extends Module {
  readonly alpha: number

  constructor(alpha: number = 1) {
    super()
    this.alpha = finite('ELU', 'alpha', alpha)
  }

  override forward(x: TensorLike): Tensor {
    return elu(x, this.alpha)
  }

  override describe(): string {
    return String(this.alpha)
  }
}

/** log(1 + exp(beta · x)) / beta. Shape: any. */
export class Softplus extends Module {
  readonly options: SoftplusOptions

  constructor(options: SoftplusOptions = {}) {
    super()
    this.options = { ...options }
    for (const [name, value] of Object.entries(this.options)) finite('Softplus', name, value as number)
  }

  override forward(x: TensorLike): Tensor {
    return softplus(x, this.options)
  }
}

/** Probabilities along a dimension. Shape: x [..., D, ...] -> y of the same shape, summing to 1 along `dim`. */
export class Softmax extends Module {
  readonly dim: number

  constructor(dim: number = -1) {
    super()
    this.dim = integer('Softmax', 'dim', dim)
  }

  override forward(x: TensorLike): Tensor {
    return softmax(x, this.dim)
  }

  override describe(): string {
    return `dim: ${this.dim}`
  }
}

/** Logarithms of the probabilities of {@link Softmax}. Shape: unchanged. */
export class LogSoftmax extends Module {
  readonly dim: number

  constructor(dim: number = -1) {
    super()
    this.dim = integer('LogSoftmax', 'dim', dim)
  }

  override forward(x: TensorLike): Tensor {
    return logSoftmax(x, this.dim)
  }

  override describe(): string {
    return `dim: ${this.dim}`
  }
}

/** Names that {@link activation} knows. */
export type ActivationName =
  | 'identity'
  | 'relu'
  | 'relu6'
  | 'leakyRelu'
  | 'elu'
  | 'selu'
  | 'gelu'
  | 'silu'
  | 'mish'
  | 'hardswish'
  | 'sigmoid'
  | 'tanh'
  | 'softplus'
  | 'softmax'
  | 'logSoftmax'
  | 'celu'
  | 'glu'
  | 'hardshrink'
  | 'hardsigmoid'
  | 'hardtanh'
  | 'logSigmoid'
  | 'prelu'
  | 'rrelu'
  | 'softmin'
  | 'softshrink'
  | 'softsign'
  | 'tanhshrink'

const activations: Readonly<Record<ActivationName, () => Layer>> = {
  identity: () => new Identity(),
  relu: () => new ReLU(),
  relu6: () => new ReLU6(),
  leakyRelu: () => new LeakyReLU(),
  elu: () => new ELU(),
  selu: () => new SELU(),
  gelu: () => new GELU(),
  silu: () => new SiLU(),
  mish: () => new Mish(),
  hardswish: () => new Hardswish(),
  sigmoid: () => new Sigmoid(),
  tanh: () => new Tanh(),
  softplus: () => new Softplus(),
  softmax: () => new Softmax(),
  logSoftmax: () => new LogSoftmax(),
  celu: () => new CELU(),
  glu: () => new GLU(),
  hardshrink: () => new Hardshrink(),
  hardsigmoid: () => new Hardsigmoid(),
  hardtanh: () => new Hardtanh(),
  logSigmoid: () => new LogSigmoid(),
  prelu: () => new PReLU(),
  rrelu: () => new RReLU(),
  softmin: () => new Softmin(),
  softshrink: () => new Softshrink(),
  softsign: () => new Softsign(),
  tanhshrink: () => new Tanhshrink(),
}

/** The activation layer of a name, with its default settings. @throws ValueError listing the known names */
export function activation(name: ActivationName): Layer {
  return lookUp('activation', name, activations)()
}
