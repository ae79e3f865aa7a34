// The normal distribution of vectors.
import { formatShape, ShapeError, broadcastShapes, type Shape } from '@nabla/engine'
import { randn, type Tensor, type TensorLike } from '@nabla/tensor'
import { Distribution, oneOf, real, type SampleOptions } from './distribution.ts'

/** How a covariance is given: itself, its inverse, or its lower Cholesky factor. Exactly one. */
export interface CovarianceOptions {
  readonly covarianceMatrix?: TensorLike
  readonly precisionMatrix?: TensorLike
  readonly scaleTril?: TensorLike
}

/** Normal vectors with mean `loc` [..., D] and covariance scaleTril scaleTril^T. */
export class MultivariateNormal extends Distribution {
  readonly loc: Tensor
  /** Lower triangular [..., D, D] with a positive diagonal. */
  readonly scaleTril: Tensor

  /** @throws ValueError unless exactly one form of the covariance is given; ShapeError when shapes do not fit */
  constructor(loc: TensorLike, options: CovarianceOptions) {
    const name = 'MultivariateNormal'
    const { covarianceMatrix, precisionMatrix, scaleTril } = options
    oneOf(name, { covarianceMatrix, precisionMatrix, scaleTril })
    const mean = real(name, loc)
    const matrix = real(name, (covarianceMatrix ?? precisionMatrix ?? scaleTril)!)
    const size = mean.shape.at(-1)
    if (
      size === undefined ||
      matrix.rank < 2 ||
      matrix.shape.at(-1) !== size ||
      matrix.shape.at(-2) !== size
    ) {
      throw new ShapeError(
        `${name}: loc must be [..., D] and the matrix [..., D, D]; got ${formatShape(mean.shape)} and ` +
          formatShape(matrix.shape),
      )
    }
    const batchShape = broadcastShapes(name, mean.shape.slice(0, -1), matrix.shape.slice(0, -2))
    super(batchShape, [size])
    let factor = matrix
    if (covarianceMatrix !== undefined) factor = matrix.cholesky()
    if (precisionMatrix !== undefined) factor = matrix.inv().cholesky()
    this.loc = mean.expand([...batchShape, size])
    this.scaleTril = factor.expand([...batchShape, size, size])
  }

  get mean(): Tensor {
    return this.loc
  }

  get variance(): Tensor {
    return this.scaleTril.square().sum(-1)
  }

  /** [..., D, D]. */
  get covarianceMatrix(): Tensor {
    return this.scaleTril.matmul(this.scaleTril.transpose())
  }

  override rsample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    const noise = randn(this.shapeOf(shape), options)
    return this.scaleTril.matmul(noise.unsqueeze(-1)).squeeze(-1).add(this.loc)
  }

  override logProb(value: TensorLike): Tensor {
    const difference = real('MultivariateNormal', value).sub(this.loc)
    const size = this.eventShape[0]!
    const factor = this.scaleTril.expand([...difference.shape.slice(0, -1), size, size])
    const z = factor.triangularSolve(difference.unsqueeze(-1), { upper: false }).squeeze(-1)
    const norm = this.#halfLogDet().add((size / 2) * Math.log(2 * Math.PI))
    return z.square().sum(-1).mul(-0.5).sub(norm)
  }

  override entropy(): Tensor {
    return this.#halfLogDet().add((this.eventShape[0]! / 2) * Math.log(2 * Math.PI * Math.E))
  }

  #halfLogDet(): Tensor {
    return this.scaleTril.diagonal(0, -2, -1).log().sum(-1)
  }
}
