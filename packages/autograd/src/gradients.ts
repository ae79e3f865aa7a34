// The functions people call: `backward` for training, `grad` for gradients of anything by anything, and `valueAndGrad`
// for functions. All are lazy: they build a graph and compute nothing.
import { engine, noAttributes, sameShape } from '@nabla/engine'
import {
  detachOp,
  GradientError,
  noGrad,
  onesLike,
  Parameter,
  ShapeError,
  Tensor,
  Variable,
  zerosLike,
} from '@nabla/tensor'
import { propagate, reachedFrom } from './backward.ts'

/** Something gradients can be asked for. A Variable means its present value. */
export type Differentiable = Tensor | Variable

/** Settings of {@link grad}. */
export interface GradOptions {
  /** Whether the gradients can be differentiated again. Default false. */
  createGraph?: boolean
  /** Gradients of the outputs, in their shapes. Default: ones, for scalar outputs only. */
  gradOutputs?: readonly Tensor[]
  /** Whether inputs that no output depends on get zeros. Default: they are an error. */
  allowUnused?: boolean
}

/**
 * Adds the gradients of `loss` to `parameter.grad` of every Parameter it depends on. A scalar loss stays readable after the
 * optimizer's step.
 * @param gradient the gradient of `loss` itself; needed when it is no scalar
 * @throws GradientError when `loss` is no scalar, or depends on no parameter that requires a gradient
 */
export function backward(loss: Tensor, gradient?: Tensor): void {
  checkTensor('backward', loss)
  const upstream = upstreamOf('backward', loss, gradient)
  const reached = reachedFrom([loss])
  const { order } = reached
  const leaves: number[] = []
  for (let i = 0; i < order.length; i++) if (order[i]!.variable instanceof Parameter) leaves.push(i)
  if (leaves.length === 0) {
    throw new GradientError(
      'backward: the loss depends on no Parameter that requires a gradient. Perhaps it was made inside noGrad, or from ' +
        'detached values; for gradients by plain tensors, use grad(loss, [x])',
    )
  }
  // Gradients rarely need the value of the loss itself, but whoever trains wants to read it, after the step as well. A value
  // with many elements is not copied out unasked: keep() does it.
  if (loss.size === 1) engine.keep(loss)
  const gradients = propagate(reached, [loss], [upstream], leaves, false)
  leaves.forEach((leaf, i) => addGradient(order[leaf]!.variable as Parameter, gradients[i]!))
}

function addGradient(parameter: Parameter, gradient: Tensor): void {
  const before = parameter.grad
  parameter.grad = before === null ? gradient : noGrad(() => before.add(gradient))
}

/**
 * Gradients of the sum of `outputs` by each of `inputs`, in their shapes. Nothing is stored anywhere.
 * @throws GradientError for outputs that are no scalars (without `gradOutputs`), inputs that require no gradient, and
 * inputs that no output depends on (without `allowUnused`)
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Differentiable[],
  options: GradOptions = {},
): Tensor[] {
  const list = outputs instanceof Tensor ? [outputs] : outputs
  list.forEach((output) => checkTensor('grad', output))
  const { createGraph = false, gradOutputs, allowUnused = false } = options
  if (gradOutputs !== undefined && gradOutputs.length !== list.length) {
    throw new GradientError(`grad: ${gradOutputs.length} gradOutputs for ${list.length} outputs`)
  }
  const upstreams = list.map((output, i) => upstreamOf('grad', output, gradOutputs?.[i]))
  const targets = inputs.map((input, i) => targetOf(input, i))
  const reached = reachedFrom(list)
  const gradients = propagate(reached, list, upstreams, targets.map(reached.placeOf), createGraph)
  return gradients.map((gradient, i) => {
    if (gradient !== null) return gradient
    if (allowUnused) return zerosLike(targets[i]!)
    throw new GradientError(
      `grad: no output depends on input ${i}, ${nameOf(inputs[i]!)}; pass allowUnused: true to get zeros`,
    )
  })
}

/** A function of tensors with a scalar result. */
export type ScalarFunction = (...inputs: Tensor[]) => Tensor

/**
 * Turns a function into one that gives its value and its gradients by all of its arguments.
 *
 * `valueAndGrad(f)(x, y)` is `{ value: f(x, y), gradients: [df/dx, df/dy] }`; the gradients can be differentiated again.
 */
export function valueAndGrad(
  fn: ScalarFunction,
): (...inputs: Differentiable[]) => { value: Tensor; gradients: Tensor[] } {
  return (...inputs) => {
    const sources = inputs.map(sourceOf)
    const value = fn(...sources)
    checkTensor('valueAndGrad', value)
    return { value, gradients: grad(value, sources, { createGraph: true, allowUnused: true }) }
  }
}

/**
 * A tensor with the value of `input` where gradients begin. What already requires one keeps its own history, so that
 * functions of gradients can be nested.
 */
export function sourceOf(input: Differentiable): Tensor {
  const value = input instanceof Variable ? input.value : input
  if (value.requiresGrad) return value
  if (value.dtype !== 'float32' && value.dtype !== 'float64') {
    throw new GradientError(
      `${nameOf(input)} has no gradient: only float32 and float64 values have; convert it with .to('float32')`,
    )
  }
  const source = detached(value)
  source.requiresGrad = true
  return source
}

// detach() gives back a value without gradient as it is; here a node of its own is needed.
function detached(value: Tensor): Tensor {
  return new Tensor(detachOp, [value], noAttributes, value.shape, value.dtype)
}

/** The gradient that an output starts with. @throws GradientError, ShapeError */
export function upstreamOf(op: string, output: Tensor, given: Tensor | undefined): Tensor {
  if (given === undefined) {
    if (output.size !== 1) {
      throw new GradientError(
        `${op}: the output has shape [${output.shape.join(', ')}], and only a scalar has a gradient by itself. ` +
          'Take its mean() or sum(), or give the gradient of the output',
      )
    }
    return noGrad(() => onesLike(output))
  }
  if (!sameShape(given.shape, output.shape)) {
    throw new ShapeError(
      `${op}: the gradient [${given.shape.join(', ')}] must have the shape of the output, [${output.shape.join(', ')}]`,
    )
  }
  return given.to(output.dtype)
}

function targetOf(input: Differentiable, i: number): Tensor {
  const value = input instanceof Variable ? input.value : input
  checkTensor('grad', value)
  if (!value.requiresGrad) {
    const remedy = value.dtype.startsWith('float')
      ? 'make it with { requiresGrad: true }'
      : `${value.dtype} values have none; convert it with .to('float32')`
    throw new GradientError(`grad: input ${i}, ${nameOf(input)}, requires no gradient: ${remedy}`)
  }
  return value
}

function checkTensor(op: string, value: unknown): asserts value is Tensor {
  if (value instanceof Tensor) return
  const got = value instanceof Promise ? 'a promise; await it first' : `a value of type ${typeof value}`
  throw new GradientError(`${op}: expected a tensor, got ${got}`)
}

function nameOf(input: Differentiable): string {
  return String(input)
}
