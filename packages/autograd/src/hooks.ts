// Hooks: functions that see a gradient on its way back, and may put another in its place. Read before: backward.ts.
import { sameShape } from '@nabla/engine'
import { GradientError, Parameter, Tensor } from '@nabla/tensor'

/** Sees the whole gradient of a value; what it returns, if anything, goes on in its place. */
export type GradientHook = (gradient: Tensor) => Tensor | void

const hooks = new WeakMap<Tensor | Parameter, Set<GradientHook>>()
// Whether there has been any hook at all: programs without should not look for some at every node.
let used = false

/**
 * Calls `hook` in every `backward` or `grad` that passes `target`, with the gradient of `target` added up over all its uses.
 * Hooks of a Parameter stay for all its versions; those of a tensor for that one value.
 * @returns removes the hook
 * @throws GradientError for a value that requires no gradient
 */
export function registerHook(target: Tensor | Parameter, hook: GradientHook): () => void {
  if (!(target instanceof Tensor || target instanceof Parameter) || !target.requiresGrad)
    throw new GradientError(`registerHook: ${String(target)} requires no gradient, so none ever passes it`)
  const list = hooks.get(keyOf(target)) ?? new Set()
  hooks.set(keyOf(target), list.add(hook))
  used = true
  return () => void list.delete(hook)
}

/** What goes on after all hooks of a value. */
export function hooked(tensor: Tensor, gradient: Tensor): Tensor {
  if (!used) return gradient
  let current = gradient
  for (const hook of hooks.get(keyOf(tensor)) ?? []) {
    const given = hook(current)
    if (given === undefined) continue
    if (
      !(given instanceof Tensor) ||
      !sameShape(given.shape, current.shape) ||
      given.dtype !== current.dtype
    ) {
      throw new GradientError(`a hook gave ${String(given)} in place of the gradient ${String(current)}`)
    }
    current = given
  }
  return current
}

/** A Parameter is read through another tensor at each version; it is meant itself. */
function keyOf(target: Tensor | Parameter): Tensor | Parameter {
  return target instanceof Tensor && target.variable instanceof Parameter ? target.variable : target
}
