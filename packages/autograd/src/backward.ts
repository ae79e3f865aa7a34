// Reverse-mode differentiation: one walk from the outputs back to the inputs, each op's own rule giving the gradients of
// its inputs. The rules are written in tensor ops, so what comes out is lazy like any other value, and may be
// differentiated again. Not here: the functions people call (gradients.ts). Read next: the rules, in @nabla/tensor/ops.
import { sameShape } from '@nabla/engine'
import {
  detachOp,
  GradientError,
  setGradEnabled,
  setPassing,
  type Tensor,
  type TensorOp,
} from '@nabla/tensor'
import { inGradientOf } from './anomaly.ts'
import { hooked } from './hooks.ts'

/** Where gradients end: a value that requires a gradient and was not made by an op with a rule. */
function isSource(tensor: Tensor): boolean {
  return tensor.inputs.length === 0 || tensor.op === detachOp
}

/** Everything that gradients pass on the way back from some outputs. */
export interface Reached {
  /** Inputs before users. */
  readonly order: readonly Tensor[]
  /**
   * For the inputs of all that are no sources, one after the other: where they are in `order`, or -1. Places are written
   * down, because a rule may start a walk of its own, which leaves its marks on the same tensors.
   */
  readonly inputPlaces: readonly number[]
  /** Where `tensor` is in `order`, or -1. To be asked before any rule runs. */
  placeOf(tensor: Tensor): number
  /** Whether the walk ends there. */
  isEnd(tensor: Tensor): boolean
}

let walks = 0

/**
 * Walks back from `outputs`. Without recursion: unrolled networks are deeper than the stack.
 * @param ends values behind which nothing is looked at, besides those that have nothing behind them
 */
export function reachedFrom(outputs: readonly Tensor[], ends?: ReadonlySet<Tensor>): Reached {
  const isEnd =
    ends === undefined ? isSource : (tensor: Tensor): boolean => isSource(tensor) || ends.has(tensor)
  const walk = ++walks
  const order: Tensor[] = []
  const inputPlaces: number[] = []
  const stack: Tensor[] = []
  const placeOf = (tensor: Tensor): number => (tensor.backwardWalk === walk ? tensor.backwardPlace : -1)
  for (let i = 0; i < outputs.length; i++) if (outputs[i]!.requiresGrad) stack.push(outputs[i]!)
  while (stack.length > 0) {
    const tensor = stack[stack.length - 1]!
    if (tensor.backwardWalk === walk) {
      stack.pop()
      continue
    }
    const { inputs } = tensor
    if (!isEnd(tensor)) {
      const height = stack.length
      for (let i = 0; i < inputs.length; i++) {
        const input = inputs[i]!
        if (input.requiresGrad && input.backwardWalk !== walk) stack.push(input)
      }
      if (stack.length > height) continue
      for (let i = 0; i < inputs.length; i++) inputPlaces.push(placeOf(inputs[i]!))
    }
    stack.pop()
    tensor.backwardWalk = walk
    tensor.backwardPlace = order.push(tensor) - 1
  }
  return { order, inputPlaces, placeOf, isEnd }
}

/**
 * The gradients of the targets, which are places in `reached.order` or -1: the sum over outputs of
 * upstream * d output / d target. Null for targets that no output depends on.
 * @param record whether the gradients themselves can be differentiated
 */
export function propagate(
  { order, inputPlaces, placeOf, isEnd }: Reached,
  outputs: readonly Tensor[],
  upstreams: readonly Tensor[],
  targets: readonly number[],
  record: boolean,
): (Tensor | null)[] {
  // Only what lies on a way to a target gets a gradient; what has been passed on is kept for targets alone.
  const wanted: boolean[] = order.map(() => false)
  for (const target of targets) if (target >= 0) wanted[target] = true
  const leading = leadingTo(wanted, order, inputPlaces, isEnd)
  const gradients: (Tensor | null)[] = order.map(() => null)
  const before = setGradEnabled(record)
  const wasPassing = setPassing(true)
  try {
    outputs.forEach((output, i) => {
      const place = placeOf(output)
      if (place >= 0) accumulate(gradients, place, upstreams[i]!)
    })
    let firstInput = inputPlaces.length
    for (let i = order.length - 1; i >= 0; i--) {
      const tensor = order[i]!
      let upstream = gradients[i] ?? null
      if (upstream !== null && leading[i]) gradients[i] = upstream = hooked(tensor, upstream)
      if (isEnd(tensor)) continue
      firstInput -= tensor.inputs.length
      if (upstream === null || !leading[i]) continue
      if (!wanted[i]) gradients[i] = null
      passOn(tensor, upstream, gradients, leading, inputPlaces, firstInput)
    }
    return targets.map((target) =>
      target < 0 ? null : (gradients[target] ?? order[target]!.mul(0).detach()),
    )
  } finally {
    setGradEnabled(before)
    setPassing(wasPassing)
  }
}

function leadingTo(
  wanted: readonly boolean[],
  order: readonly Tensor[],
  inputPlaces: readonly number[],
  isEnd: Reached['isEnd'],
): boolean[] {
  const leading = wanted.slice()
  let input = 0
  for (let i = 0; i < order.length; i++) {
    const tensor = order[i]!
    if (isEnd(tensor)) continue
    for (const end = input + tensor.inputs.length; input < end; input++) {
      const place = inputPlaces[input]!
      if (place >= 0 && leading[place]) leading[i] = true
    }
  }
  return leading
}

function passOn(
  tensor: Tensor,
  upstream: Tensor,
  gradients: (Tensor | null)[],
  leading: readonly boolean[],
  inputPlaces: readonly number[],
  firstInput: number,
): void {
  const { inputs, attributes } = tensor
  const op = tensor.op as TensorOp
  if (!op.gradient) {
    throw new GradientError(
      `${op.name} has no derivative here; detach() its inputs if none is meant to pass through it`,
    )
  }
  let results: ReturnType<typeof op.gradient>
  try {
    results = op.gradient({ inputs: inputs as never, output: tensor, attributes }, upstream)
  } catch (error) {
    throw inGradientOf(tensor, error)
  }
  for (let i = 0; i < inputs.length; i++) {
    const gradient = results[i]
    const place = inputPlaces[firstInput + i]!
    if (gradient === null || gradient === undefined || place < 0 || !leading[place]) continue
    const input = inputs[i]!
    if (!sameShape(gradient.shape, input.shape) || gradient.dtype !== input.dtype) {
      throw new GradientError(
        `the gradient rule of ${op.name} gave ${String(gradient)} for input ${i}, which is ${String(input)}`,
      )
    }
    accumulate(gradients, place, gradient)
  }
}

function accumulate(gradients: (Tensor | null)[], place: number, gradient: Tensor): void {
  const known = gradients[place] ?? null
  gradients[place] = known === null ? gradient : known.add(gradient)
}
