// Checkpoints: values that a part of a model makes on the way forward are not kept for its gradient but computed again
// (Chen et al. 2016), so that memory grows with the number of parts instead of layers. The part is called twice: once for
// its value, and when its gradient is asked for once more, on inputs that stand behind the gradient in the plan's order.
import { engine, noAttributes } from '@nabla/engine'
import {
  createOp,
  defaultGenerator,
  GradientError,
  isGradEnabled,
  makeNode,
  noGrad,
  setGradEnabled,
  Tensor,
  toTensor,
  type TensorLike,
  type TensorOp,
} from '@nabla/tensor'
import { propagate, reachedFrom } from './backward.ts'
import { BatchingError } from './batching.ts'

type Part = (...inputs: Tensor[]) => Tensor

/** What is called again: by the node it left behind. */
const parts = new WeakMap<
  Tensor,
  { readonly part: Part; readonly count: number; readonly random: typeof defaultGenerator.state }
>()

const checkpointOp: TensorOp = createOp(
  'checkpoint',
  { kind: 'view', view: () => ({ kind: 'reshape' }) },
  ({ inputs: [, ...sources], output }, upstream) => {
    const { part, count, random } = parts.get(output)!
    const record = isGradEnabled()
    const [inputs, captured] = [sources.slice(0, count), sources.slice(count)]
    // Everything is computed again from here, not found among what the first call left.
    const again = inputs.map((input) => behind(input, upstream))
    const value = recorded(() => repeat(part, again, random))
    const targets = [...again, ...captured]
    const reached = reachedFrom([value], new Set(targets))
    const places = targets.map((target) => reached.placeOf(target))
    return [null, ...propagate(reached, [value], [upstream], places, record)]
  },
  () => {
    throw new BatchingError(
      'vmap: a checkpoint inside; put it outside instead: checkpoint((x) => vmap(fn)(x), x)',
    )
  },
)

/** The same elements once more, not before `later` is there. */
const behindOp: TensorOp = createOp('recompute', { kind: 'map', expr: ([x]) => x! }, (_, upstream) => [
  upstream,
  null,
])

function behind(x: Tensor, later: Tensor): Tensor {
  if (later.size === 0) return x
  const mark = noGrad(() => later.flatten().select(0, 0).detach())
  return recorded(() => makeNode(behindOp, [x, mark], noAttributes, x.shape, x.dtype))
}

/**
 * `part(...inputs)`, with a gradient that calls `part` again instead of keeping what it computed: less memory for one more
 * pass forward. Gradients flow to the inputs and to all that `part` reads. Random numbers of the default generator
 * (dropout) are the same both times, and Variables are assigned once (running statistics).
 *
 * @param part makes one tensor of tensors, the same each time it is called
 * @throws GradientError when `part` gives no tensor
 */
export function checkpoint(part: Part, ...given: TensorLike[]): Tensor {
  const inputs = given.map((value) => toTensor('checkpoint', value))
  const random = defaultGenerator.state
  const value = part(...inputs)
  if (!(value instanceof Tensor)) throw new GradientError('checkpoint: the function must give one tensor')
  if (!value.requiresGrad) return value
  const captured = common(value, repeat(part, inputs, random))
  const output = makeNode(
    checkpointOp,
    [value.detach(), ...inputs, ...captured],
    noAttributes,
    value.shape,
    value.dtype,
  )
  parts.set(output, { part, count: inputs.length, random })
  return output
}

/**
 * What two calls of a part have in common: values from outside of it, through which gradients leave. Only the first on each
 * way back count; what lies behind them is none of the part's business.
 */
function common(first: Tensor, second: Tensor): Tensor[] {
  const known = new Set(reachedFrom([first]).order)
  const { order } = reachedFrom([second], known)
  return order.filter((tensor) => known.has(tensor))
}

function repeat(part: Part, inputs: Tensor[], random: typeof defaultGenerator.state): Tensor {
  const now = defaultGenerator.state
  defaultGenerator.state = random
  try {
    return engine.withoutAssignments(() => part(...inputs))
  } finally {
    defaultGenerator.state = now
  }
}

function recorded<T>(fn: () => T): T {
  const before = setGradEnabled(true)
  try {
    return fn()
  } finally {
    setGradEnabled(before)
  }
}
