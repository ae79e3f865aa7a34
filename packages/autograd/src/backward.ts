// Reverse-mode differentiation: one walk from the outputs back to the inputs, each op's own rule giving the gradients of
// its inputs. The rules are written in tensor ops, so what comes out is lazy like any other value, and may be
// differentiated again. Not here: the functions people call (gradients.ts). Read next: the rules, in @nabla/tensor/ops.
import { detachOp, GradientError, setGradEnabled, type Tensor, type TensorOp } from '@nabla/tensor'

/** Where gradients end: a value that requires a gradient and was not made by an op with a rule. */
export function isSource(tensor: Tensor): boolean {
  return tensor.inputs.length === 0 || tensor.op === detachOp
}

/**
 * Everything that gradients pass on the way back from `outputs`, inputs before users.
 * Without recursion: unrolled networks are deeper than the stack.
 */
export function reachableFrom(outputs: readonly Tensor[]): Tensor[] {
  const order: Tensor[] = []
  const entered = new Set<Tensor>()
  const done = new Set<Tensor>()
  const stack: Tensor[] = outputs.filter((output) => output.requiresGrad)
  while (stack.length > 0) {
    const tensor = stack[stack.length - 1]!
    if (done.has(tensor)) {
      stack.pop()
      continue
    }
    if (entered.has(tensor) || isSource(tensor)) {
      done.add(tensor)
      order.push(tensor)
      stack.pop()
      continue
    }
    entered.add(tensor)
    for (const input of tensor.inputs) if (input.requiresGrad && !done.has(input)) stack.push(input)
  }
  return order
}

/**
 * The gradients of `targets`: the sum over outputs of upstream * d output / d target. Null for targets that no output
 * depends on.
 * @param record whether the gradients themselves can be differentiated
 */
export function propagate(
  outputs: readonly Tensor[],
  upstreams: readonly Tensor[],
  targets: readonly Tensor[],
  record: boolean,
): (Tensor | null)[] {
  const order = reachableFrom(outputs)
  const wanted = new Set(targets)
  const leading = leadingTo(wanted, order)
  const gradients = new Map<Tensor, Tensor>()
  const before = setGradEnabled(record)
  try {
    outputs.forEach((output, i) => accumulate(gradients, output, upstreams[i]!))
    for (let i = order.length - 1; i >= 0; i--) {
      const tensor = order[i]!
      const upstream = gradients.get(tensor)
      if (upstream === undefined || !leading.has(tensor) || isSource(tensor)) continue
      // What has been passed on is not needed any more, unless somebody asked for it.
      if (!wanted.has(tensor)) gradients.delete(tensor)
      passOn(tensor, upstream, leading, gradients)
    }
    const reached = new Set(order)
    return targets.map(
      (target) => gradients.get(target) ?? (reached.has(target) ? target.mul(0).detach() : null),
    )
  } finally {
    setGradEnabled(before)
  }
}

// Only what lies on a way to a target gets a gradient.
function leadingTo(wanted: ReadonlySet<Tensor>, order: readonly Tensor[]): Set<Tensor> {
  const leading = new Set<Tensor>()
  for (const tensor of order) {
    if (wanted.has(tensor) || (!isSource(tensor) && tensor.inputs.some((input) => leading.has(input))))
      leading.add(tensor)
  }
  return leading
}

function passOn(
  tensor: Tensor,
  upstream: Tensor,
  leading: ReadonlySet<Tensor>,
  gradients: Map<Tensor, Tensor>,
): void {
  const { inputs, attributes } = tensor
  const op = tensor.op as TensorOp
  if (!op.gradient) {
    throw new GradientError(
      `${op.name} has no derivative here; detach() its inputs if none is meant to pass through it`,
    )
  }
  const call = { inputs: inputs as never, output: tensor, attributes }
  const results = op.gradient(call, upstream)
  for (let i = 0; i < inputs.length; i++) {
    const gradient = results[i]
    const input = inputs[i]!
    if (gradient === null || gradient === undefined || !leading.has(input)) continue
    if (
      gradient.shape.length !== input.shape.length ||
      gradient.shape.some((size, dim) => size !== input.shape[dim]) ||
      gradient.dtype !== input.dtype
    ) {
      throw new GradientError(
        `the gradient rule of ${op.name} gave ${String(gradient)} for input ${i}, which is ${String(input)}`,
      )
    }
    accumulate(gradients, input, gradient)
  }
}

function accumulate(gradients: Map<Tensor, Tensor>, tensor: Tensor, gradient: Tensor): void {
  const known = gradients.get(tensor)
  gradients.set(tensor, known === undefined ? gradient : known.add(gradient))
}
