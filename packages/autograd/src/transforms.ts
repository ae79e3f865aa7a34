// Products with derivatives: vjp (reverse mode), jvp (forward mode, by differentiating twice in reverse), Jacobians and
// Hessians. All are lazy, and their results can be differentiated again.
import { eye, GradientError, noGrad, stack, zeros, type Tensor } from '@nabla/tensor'
import { BatchingError } from './batching.ts'
import { grad, sourceOf, upstreamOf, type Differentiable } from './gradients.ts'
import { vmap } from './vmap.ts'

/** A function of tensors. */
export type TensorFunction = (...inputs: Tensor[]) => Tensor

/** The value of `fn` and, for a gradient of its output, the gradients of the inputs: u^T J. */
export function vjp(
  fn: TensorFunction,
  inputs: readonly Differentiable[],
  upstream?: Tensor,
): { value: Tensor; gradients: Tensor[] } {
  const sources = inputs.map(sourceOf)
  const value = fn(...sources)
  const gradOutputs = [upstreamOf('vjp', value, upstream)]
  return { value, gradients: grad(value, sources, { gradOutputs, createGraph: true, allowUnused: true }) }
}

/**
 * The value of `fn` and its derivative along `tangents`: J v. The vjp is linear in the gradient it starts from; its own
 * vjp by that gradient is the jvp (J. Townsend, 2017).
 */
export function jvp(
  fn: TensorFunction,
  inputs: readonly Differentiable[],
  tangents: readonly Tensor[],
): { value: Tensor; tangent: Tensor } {
  if (tangents.length !== inputs.length)
    throw new GradientError(`jvp: ${tangents.length} tangents for ${inputs.length} inputs`)
  const sources = inputs.map(sourceOf)
  const value = fn(...sources)
  const start = sourceOf(zeros(value.shape, { dtype: value.dtype }))
  const gradients = grad(value, sources, { gradOutputs: [start], createGraph: true, allowUnused: true })
  const along = gradients.map((gradient, i) =>
    gradient.mul(upstreamOf('jvp', sources[i]!, tangents[i])).sum(),
  )
  const total = along.reduce((sum, part) => sum.add(part))
  const tangent = total.requiresGrad
    ? grad(total, [start], { createGraph: true, allowUnused: true })[0]!
    : zeros(value.shape, { dtype: value.dtype })
  return { value, tangent }
}

/**
 * All derivatives of `fn` by one input: shape [...output, ...input]. One reverse pass for all elements of the output together,
 * or one for each where that cannot be done (ops that compute when they are called).
 */
export function jacobian(fn: (input: Tensor) => Tensor, input: Differentiable): Tensor {
  const source = sourceOf(input)
  const value = fn(source)
  if (value.size === 0 || !value.requiresGrad)
    return zeros([...value.shape, ...source.shape], { dtype: source.dtype })
  const flat = value.reshape([value.size])
  const rowOf = (direction: Tensor): Tensor =>
    grad(flat, [source], { gradOutputs: [direction], createGraph: true, allowUnused: true })[0]!
  const directions = eye(value.size).to(value.dtype)
  return rowsOf(rowOf, directions).reshape([...value.shape, ...source.shape])
}

function rowsOf(rowOf: (direction: Tensor) => Tensor, directions: Tensor): Tensor {
  try {
    return vmap(rowOf)(directions)
  } catch (error) {
    if (!(error instanceof BatchingError)) throw error
    return stack(directions.unbind(0).map(rowOf))
  }
}

/** Second derivatives of a scalar function by one input: shape [...input, ...input]. */
export function hessian(fn: (input: Tensor) => Tensor, input: Differentiable): Tensor {
  const source = sourceOf(input)
  const gradient = (point: Tensor): Tensor =>
    grad(fn(point), [point], { createGraph: true, allowUnused: true })[0]!
  return jacobian(gradient, source)
}

/** Product of the Hessian of a scalar function with a direction, without the Hessian itself (Pearlmutter 1994). */
export function hvp(fn: (input: Tensor) => Tensor, input: Differentiable, direction: Tensor): Tensor {
  const source = sourceOf(input)
  const [gradient] = grad(fn(source), [source], { createGraph: true, allowUnused: true })
  const along = gradient!.mul(noGrad(() => direction.to(source.dtype))).sum()
  if (!along.requiresGrad) return zeros(source.shape, { dtype: source.dtype })
  return grad(along, [source], { createGraph: true, allowUnused: true })[0]!
}
