// What every distribution can do: draw, give log-densities, and say its mean, variance and entropy. Parameters are tensors
// (or Variables, or numbers) that broadcast to the batch shape; everything is lazy and differentiable. Parameters are not
// read, so values outside of their range give NaN, as they do in every formula. Read next: location.ts for a family.
import { broadcastShapes, ValueError, type Shape } from '@nabla/engine'
import { noGrad, toTensor, type Generator, type Tensor, type TensorLike } from '@nabla/tensor'

/** Settings of drawing. */
export interface SampleOptions {
  /** Default: the one that `manualSeed` seeds. */
  generator?: Generator
}

/** A family of random values with its parameters. */
export abstract class Distribution {
  /** Shape of the parameters: independent distributions that differ in them. */
  readonly batchShape: Shape
  /** Shape of one value; its elements depend on each other. */
  readonly eventShape: Shape

  constructor(batchShape: Shape, eventShape: Shape = []) {
    this.batchShape = batchShape
    this.eventShape = eventShape
  }

  /** Expected value: [...batch, ...event]. NaN where there is none. */
  abstract get mean(): Tensor
  /** Variance of each element: [...batch, ...event]. */
  abstract get variance(): Tensor
  /** Logarithm of the density, or of the probability of a discrete value: [..., ...batch, ...event] -> [..., ...batch]. */
  abstract logProb(value: TensorLike): Tensor

  /** Square root of the variance. */
  get stddev(): Tensor {
    return this.variance.sqrt()
  }

  /** Whether {@link rsample} differentiates. */
  get hasRsample(): boolean {
    return this.rsample !== Distribution.prototype.rsample
  }

  /**
   * Values drawn without a gradient.
   *
   * Shape: [...shape, ...batch, ...event].
   */
  sample(shape: Shape = [], options: SampleOptions = {}): Tensor {
    return noGrad(() => this.rsample(shape, options)).detach()
  }

  /**
   * Values drawn so that gradients flow to the parameters (the path-wise derivative). Shape as {@link sample}.
   * @throws ValueError for families that have none, as all discrete ones
   */
  rsample(_shape: Shape = [], _options: SampleOptions = {}): Tensor {
    throw this.#lacks('rsample', 'value that depends smoothly on its parameters; use sample()')
  }

  /** Probability that a value is at most this. @throws ValueError where it is not known in closed form */
  cdf(_value: TensorLike): Tensor {
    throw this.#lacks('cdf', 'distribution function here')
  }

  /** The value below which this share lies, the inverse of {@link cdf}. @throws ValueError as cdf */
  icdf(_share: TensorLike): Tensor {
    throw this.#lacks('icdf', 'inverse distribution function here')
  }

  /** Expected value of -logProb, in nats: [...batch]. @throws ValueError where it is not known in closed form */
  entropy(): Tensor {
    throw this.#lacks('entropy', 'entropy in closed form')
  }

  /** The whole shape of a drawing. */
  protected shapeOf(shape: Shape): Shape {
    return [...shape, ...this.batchShape, ...this.eventShape]
  }

  #lacks(what: string, is: string): ValueError {
    return new ValueError(`${this.constructor.name}.${what}: this distribution has no ${is}`)
  }
}

/** A tensor of floating type. */
export function real(op: string, value: TensorLike): Tensor {
  const x = toTensor(op, value)
  return x.dtype === 'float32' || x.dtype === 'float64' ? x : x.to('float32')
}

/** Parameters broadcast against each other. @throws ShapeError */
export function together<const Names extends string>(
  op: string,
  parameters: { readonly [Name in Names]: TensorLike },
): { readonly [Name in Names]: Tensor } & { readonly batchShape: Shape } {
  const names = Object.keys(parameters) as Names[]
  const tensors = names.map((name) => real(`${op}: ${name}`, parameters[name]))
  const batchShape = tensors.reduce<Shape>((shape, tensor) => broadcastShapes(op, shape, tensor.shape), [])
  const entries = names.map((name, i) => [name, tensors[i]!.expand(batchShape)])
  return { ...Object.fromEntries(entries), batchShape }
}

/** Exactly one of two ways to give a parameter. @throws ValueError */
export function oneOf(op: string, parameters: Readonly<Record<string, TensorLike | undefined>>): string {
  const given = Object.keys(parameters).filter((name) => parameters[name] !== undefined)
  if (given.length === 1) return given[0]!
  throw new ValueError(
    `${op}: give exactly one of ${Object.keys(parameters).join(' and ')}; got ${given.length}`,
  )
}

/** `value` where `inside`, else -Infinity; gradients outside are zero. */
export function within(inside: Tensor, value: Tensor): Tensor {
  return inside.where(value, -Infinity)
}
