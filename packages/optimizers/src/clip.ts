// Gradient clipping: between `backward` and `step`. Nothing is read back: clipping is part of the step's plan.
import { engine, ValueError } from '@nabla/engine'
import { noGrad, Parameter, type Tensor } from '@nabla/tensor'

/** Settings of {@link clipGradNorm}. */
export interface ClipOptions {
  /** Which norm: 2 (the default), another positive number, or Infinity. */
  p?: number
}

/**
 * Scales all gradients together so that their norm, as one long vector, is at most `maxNorm` (Pascanu et al. 2013,
 * algorithm 1). Parameters without gradient are left alone.
 * @returns the norm before, a scalar that stays readable after the step
 * @throws ValueError for a maximum that is no positive number, and when no parameter has a gradient
 */
export function clipGradNorm(
  parameters: Iterable<Parameter>,
  maxNorm: number,
  { p = 2 }: ClipOptions = {},
): Tensor {
  checkPositive('clipGradNorm', 'maxNorm', maxNorm)
  if (!(p > 0)) throw new ValueError(`clipGradNorm: p must be positive; got ${String(p)}`)
  const clipped = withGradients('clipGradNorm', parameters)
  const norm = noGrad(() => {
    const total = totalNorm(
      clipped.map((parameter) => parameter.grad!),
      p,
    )
    // The constant is PyTorch's: it keeps a norm of 0 from dividing by 0.
    const scale = total.add(1e-6).reciprocal().mul(maxNorm).clamp({ max: 1 })
    for (const parameter of clipped) parameter.grad = parameter.grad!.mul(scale)
    return total
  })
  engine.keepIfComputed(norm)
  return norm
}

/**
 * Limits each element of each gradient to [-maxValue, maxValue].
 * @throws ValueError for a maximum that is no positive number, and when no parameter has a gradient
 */
export function clipGradValue(parameters: Iterable<Parameter>, maxValue: number): void {
  checkPositive('clipGradValue', 'maxValue', maxValue)
  const clipped = withGradients('clipGradValue', parameters)
  noGrad(() => {
    for (const parameter of clipped) parameter.grad = parameter.grad!.clamp({ min: -maxValue, max: maxValue })
  })
}

function totalNorm(gradients: readonly Tensor[], p: number): Tensor {
  if (p === Infinity) return gradients.map((gradient) => gradient.abs().amax()).reduce((a, b) => a.maximum(b))
  if (p === 2) return sumOf(gradients.map((gradient) => gradient.square().sum())).sqrt()
  return sumOf(gradients.map((gradient) => gradient.abs().pow(p).sum())).pow(1 / p)
}

function sumOf(values: readonly Tensor[]): Tensor {
  return values.reduce((a, b) => a.add(b))
}

function withGradients(name: string, parameters: Iterable<Parameter>): Parameter[] {
  const list = parameters instanceof Parameter ? [parameters] : [...parameters]
  const found = list.filter((parameter) => parameter.grad !== null)
  if (found.length === 0)
    throw new ValueError(`${name}: no parameter has a gradient; call backward(loss) before`)
  return found
}

function checkPositive(name: string, what: string, value: number): void {
  if (!(value > 0)) throw new ValueError(`${name}: ${what} must be a positive number; got ${String(value)}`)
}
