// From a function of one example to the same function of a batch: the nodes that the function left behind are made again, in
// order, with the batch as their first dimension. How follows from what an op is to the planner (its lowering): maps broadcast,
// views keep their hands off the new dimension, reductions count one dimension further, composites are expanded first, and
// routines say themselves (`batch` beside the op). Not here: vmap itself (vmap.ts).
import { noAttributes, numberOp, ValueError, type AffineMap, type Lowering, type Shape } from '@nabla/engine'
import {
  createOp,
  detachOp,
  makeNode,
  setGradEnabled,
  Tensor,
  type GradientRule,
  type RuleInputs,
  type TensorOp,
} from '@nabla/tensor'

/** Thrown where a function cannot be made to work on a batch. */
export class BatchingError extends ValueError {}

/** Stands for one example of a batch while a function is traced. It has a shape and a type, and no elements. */
const exampleOp: TensorOp = createOp(
  'vmap example',
  {
    kind: 'routine',
    operands: [],
    specify: () => {
      throw new BatchingError(
        'vmap: this value stands for all examples of a batch and cannot be read inside of the function. Ops that compute ' +
          'when they are called (solve, svd, fft, ...) take whole batches by themselves: call them outside',
      )
    },
  },
  null,
)

/** A value like one example of `whole`, which has the batch as its first dimension. */
export function exampleOf(whole: Tensor): Tensor {
  const example = new Tensor(exampleOp, [], noAttributes, whole.shape.slice(1), whole.dtype)
  example.requiresGrad = whole.requiresGrad
  return example
}

/** Random numbers inside of the function: refused, the same for all examples, or different ones. */
export type Randomness = 'error' | 'same' | 'different'

/** The nodes of one batch. */
export class Batching {
  readonly size: number
  readonly #whole = new Map<Tensor, Tensor | null>()

  constructor(size: number) {
    this.size = size
  }

  /** Says what a value of one example is on the whole batch. */
  place(example: Tensor, whole: Tensor): void {
    this.#whole.set(example, whole)
  }

  /** Draws a random value of the function anew for each example. */
  drawEach(drawn: Tensor): void {
    const { op, inputs, attributes, shape, dtype } = drawn
    this.place(drawn, makeNode(op, inputs, attributes, [this.size, ...shape], dtype))
  }

  /** A value of the function on the whole batch, [size, ...shape]. */
  wholeOf(value: Tensor): Tensor {
    return this.#find(value) ?? this.#repeat(value)
  }

  /** The same, or null for what is the same for all examples. Without recursion: graphs may be deeper than the stack. */
  #find(value: Tensor): Tensor | null {
    const stack = [value]
    while (stack.length > 0) {
      const node = stack[stack.length - 1]!
      const known = this.#whole.has(node)
      const missing = known || node.isLeaf ? [] : node.inputs.filter((input) => !this.#whole.has(input))
      if (missing.length > 0) {
        stack.push(...missing)
        continue
      }
      stack.pop()
      if (!known) this.#whole.set(node, this.#make(node))
    }
    return this.#whole.get(value)!
  }

  #make(node: Tensor): Tensor | null {
    if (node.op === exampleOp)
      throw new BatchingError('vmap: a value of an outer function was left without a batch')
    if (node.isLeaf || node.inputs.every((input) => this.#whole.get(input) === null)) return null
    // What recorded no gradient on one example records none on the batch.
    const before = setGradEnabled(node.requiresGrad)
    try {
      const result = this.#onBatch(node)
      if (result.requiresGrad !== node.requiresGrad) result.requiresGrad = node.requiresGrad
      return result
    } finally {
      setGradEnabled(before)
    }
  }

  #onBatch(node: Tensor): Tensor {
    const { op, attributes, dtype } = node
    const { lowering, batch } = op as TensorOp
    const shape = [this.size, ...node.shape]
    const whole = node.inputs.map((input) => this.#whole.get(input)!)
    const all = (): RuleInputs => node.inputs.map((input) => this.#all(input)) as unknown as RuleInputs
    if (op === detachOp) return whole[0]!.detach()
    if (batch !== undefined) return batch({ example: node, whole, all, size: this.size })
    switch (lowering.kind) {
      case 'map': {
        const inputs = node.inputs.map((input, i) => whole[i] && alignedTo(whole[i], input.shape, node.shape))
        return makeNode(
          op,
          node.inputs.map((input, i) => inputs[i] ?? input),
          attributes,
          shape,
          dtype,
        )
      }
      case 'view':
        return makeNode(batchedView(op as TensorOp), [this.#all(node.inputs[0]!)], attributes, shape, dtype)
      case 'reduce': {
        const dims = (attributes['dims'] as readonly number[]).map((dim) => dim + 1)
        return makeNode(op, [whole[0]!], { ...attributes, dims }, shape, dtype)
      }
      case 'composite':
        return this.#expanded(node, lowering)
      case 'leaf':
      case 'position':
      case 'assemble':
      case 'routine':
        throw new BatchingError(`vmap: ${op.name} has no rule for batches`)
      default:
        return lowering satisfies never
    }
  }

  #expanded(node: Tensor, lowering: Extract<Lowering, { kind: 'composite' }>): Tensor {
    const like = { shape: node.shape, dtype: node.dtype }
    return this.wholeOf(lowering.expand(node.inputs, node.attributes, like) as Tensor)
  }

  #all(input: Tensor): Tensor {
    return input.op === numberOp ? input : (this.#whole.get(input) ?? this.#repeat(input))
  }

  #repeat(value: Tensor): Tensor {
    return value.expand([this.size, ...value.shape])
  }
}

/** Ones between the batch and an example's dimensions, so that these meet those of the result from the right. */
function alignedTo(whole: Tensor, example: Shape, result: Shape): Tensor {
  const missing = result.length - example.length
  if (missing === 0) return whole
  return whole.reshape([whole.shape[0]!, ...Array.from({ length: missing }, () => 1), ...example])
}

const views = new Map<TensorOp, TensorOp>()

/** The op of a view that leaves the batch alone. */
function batchedView(op: TensorOp): TensorOp {
  let batched = views.get(op)
  if (batched === undefined) {
    const { lowering, gradient } = op
    if (lowering.kind !== 'view') throw new BatchingError(`vmap: ${op.name} is no view`)
    batched = createOp(
      op.name,
      {
        kind: 'view',
        view: (input, attributes, output) => {
          const map = lowering.view(input.slice(1), attributes, output.slice(1))
          return map.kind === 'reshape' ? map : besideBatch(map)
        },
      },
      gradient === null ? null : onBatch(gradient),
    )
    views.set(op, batched)
  }
  return batched
}

function besideBatch({ start, moves }: AffineMap): AffineMap {
  const further = moves.map((list) => list.map(([axis, coefficient]) => [axis + 1, coefficient] as const))
  return { kind: 'affine', start: [0, ...start], moves: [[[0, 1]], ...further] }
}

/** A gradient rule for one example as a rule for a batch. */
export function onBatch(rule: GradientRule): GradientRule {
  return ({ inputs, output, attributes }, upstream) => {
    const batching = new Batching(upstream.shape[0]!)
    const exampleIn = (whole: Tensor): Tensor => {
      const example = exampleOf(whole)
      batching.place(example, whole)
      return example
    }
    const examples = inputs.map(exampleIn) as unknown as RuleInputs
    const gradients = rule({ inputs: examples, output: exampleIn(output), attributes }, exampleIn(upstream))
    return gradients.map((gradient) => (gradient === null ? null : batching.wholeOf(gradient)))
  }
}
