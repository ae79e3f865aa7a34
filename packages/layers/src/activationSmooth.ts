// Smooth and gated activations, as layers. Read before: activation.ts.
import { formatShape, ShapeError } from '@nabla/engine'
import {
  celu,
  glu,
  logsigmoid,
  softmax,
  softsign,
  tanhshrink,
  toTensor,
  type Tensor,
  type TensorLike,
} from '@nabla/tensor'
import { finite, integer } from './check.ts'
import { Module } from './module.ts'

/** x where positive, alpha · (exp(x / alpha) - 1) elsewhere (Barron 2017). Shape: any. */
export class CELU extends Module {
  readonly alpha: number

  /** @throws ValueError for an alpha that is no finite number */
  constructor(alpha: number = 1) {
    super()
    this.alpha = finite('CELU', 'alpha', alpha)
  }

  override forward(x: TensorLike): Tensor {
    return celu(x, this.alpha)
  }

  override describe(): string {
    return String(this.alpha)
  }
}

/** log(1 / (1 + exp(-x))). Shape: any. */
export class LogSigmoid extends Module {
  override forward(x: TensorLike): Tensor {
    return logsigmoid(x)
  }
}

/** x / (1 + |x|). Shape: any. */
export class Softsign extends Module {
  override forward(x: TensorLike): Tensor {
    return softsign(x)
  }
}

/** x - tanh(x). Shape: any. */
export class Tanhshrink extends Module {
  override forward(x: TensorLike): Tensor {
    return tanhshrink(x)
  }
}

/** Probabilities along a dimension, large where x is small. Shape: unchanged. */
export class Softmin extends Module {
  readonly dim: number

  /** @throws ValueError for a dimension that is no integer */
  constructor(dim: number = -1) {
    super()
    this.dim = integer('Softmin', 'dim', dim)
  }

  override forward(x: TensorLike): Tensor {
    return softmax(toTensor('Softmin', x).neg(), this.dim)
  }

  override describe(): string {
    return `dim: ${this.dim}`
  }
}

/** Probabilities over channels, at each place of an image. Shape: x [N, C, H, W] or [C, H, W] -> y of the same shape. */
export class Softmax2d extends Module {
  /** @throws ShapeError unless x has three or four dimensions */
  override forward(value: TensorLike): Tensor {
    const x = toTensor('Softmax2d', value)
    if (x.rank !== 3 && x.rank !== 4) {
      throw new ShapeError(
        `Softmax2d: x must be [N, C, H, W] or [C, H, W]; got shape ${formatShape(x.shape)}`,
      )
    }
    return softmax(x, -3)
  }
}

/**
 * Gated linear unit (Dauphin et al. 2017): the first half along `dim` times the sigmoid of the second.
 *
 * Shape: x [..., 2·D, ...] -> y [..., D, ...].
 */
export class GLU extends Module {
  readonly dim: number

  /** @throws ValueError for a dimension that is no integer */
  constructor(dim: number = -1) {
    super()
    this.dim = integer('GLU', 'dim', dim)
  }

  /** @throws ShapeError when the dimension has no two halves */
  override forward(x: TensorLike): Tensor {
    return glu(x, this.dim)
  }

  override describe(): string {
    return `dim: ${this.dim}`
  }
}
