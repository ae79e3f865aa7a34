// Squeeze and excitation: channels of an image weighted by what the whole image shows.
import { formatShape, ShapeError } from '@nabla/engine'
import { relu, sigmoid, toTensor, type Tensor, type TensorLike } from '@nabla/tensor'
import { positiveInteger } from './check.ts'
import { Conv2d } from './conv.ts'
import type { FloatingType } from './linear.ts'
import { Module } from './module.ts'

/** Settings of {@link SqueezeExcitation}. */
export interface SqueezeExcitationOptions {
  /** Between the two convolutions. Default relu. */
  activation?: (x: Tensor) => Tensor
  /** What turns sums into weights. Default sigmoid. */
  scaleActivation?: (x: Tensor) => Tensor
  dtype?: FloatingType
}

/**
 * x times a weight per channel, found from the means of all channels by two layers (Hu et al. 2018, section 3). Named and
 * built as in torchvision.
 *
 * Shape: x [N, C, H, W] -> y of the same shape; fc1.weight [squeeze, C, 1, 1], fc2.weight [C, squeeze, 1, 1], and biases.
 */
export class SqueezeExcitation extends Module {
  readonly fc1: Conv2d
  readonly fc2: Conv2d
  readonly #activation: (x: Tensor) => Tensor
  readonly #scaleActivation: (x: Tensor) => Tensor

  /** @throws ValueError for sizes that are no positive integers */
  constructor(
    inputChannels: number,
    squeezeChannels: number,
    { activation = relu, scaleActivation = sigmoid, dtype = 'float32' }: SqueezeExcitationOptions = {},
  ) {
    super()
    positiveInteger('SqueezeExcitation', 'inputChannels', inputChannels)
    positiveInteger('SqueezeExcitation', 'squeezeChannels', squeezeChannels)
    this.fc1 = new Conv2d(inputChannels, squeezeChannels, 1, { dtype })
    this.fc2 = new Conv2d(squeezeChannels, inputChannels, 1, { dtype })
    this.#activation = activation
    this.#scaleActivation = scaleActivation
  }

  /** @throws ShapeError unless x is [N, C, H, W] */
  override forward(value: TensorLike): Tensor {
    const x = toTensor('SqueezeExcitation', value)
    if (x.rank !== 4 || x.shape[1] !== this.fc1.inChannels) {
      throw new ShapeError(
        `SqueezeExcitation: x must be [N, ${this.fc1.inChannels}, H, W]; got shape ${formatShape(x.shape)}`,
      )
    }
    const means = x.mean([2, 3], { keepdim: true }) // [N, C, 1, 1]
    const squeezed = this.#activation(this.fc1.forward(means))
    return x.mul(this.#scaleActivation(this.fc2.forward(squeezed)))
  }
}
