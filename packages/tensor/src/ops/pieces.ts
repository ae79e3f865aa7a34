// Cutting out and putting together: two building blocks, each the other's adjoint, that the view and join families (and
// their gradients) are made of. A slice takes every step-th element from a start along each dimension; an assembly lays
// inputs into a new value at starts and steps, with a fill between. Not public: see view.ts and join.ts.
import type { Shape } from '@nabla/engine'
import { createOp, type TensorOp } from '../op.ts'
import { makeNode, type Tensor } from '../tensor.ts'

/** `starts[d] + i * steps[d]` along each dimension; steps may be negative. */
export const sliceOp: TensorOp = createOp(
  'slice',
  {
    kind: 'view',
    view: (_input, attributes) => {
      const steps = attributes['steps'] as readonly number[]
      return {
        kind: 'affine',
        start: attributes['starts'] as readonly number[],
        moves: steps.map((step, dim) => [[dim, step] as const]),
      }
    },
  },
  ({ inputs: [x], attributes }, upstream) => {
    const starts = attributes['starts'] as readonly number[]
    const steps = attributes['steps'] as readonly number[]
    if (!steps.some(isNegative)) return [assemble([upstream], [starts], [steps], x.shape, 0)]
    // An assembly only counts upwards: what was read backwards is turned round first.
    const backwards = steps.flatMap((step, dim) => (step < 0 ? [dim] : []))
    const ends = starts.map((start, dim) =>
      steps[dim]! < 0 ? start + (upstream.shape[dim]! - 1) * steps[dim]! : start,
    )
    return [assemble([reverse(upstream, backwards)], [ends], [steps.map(Math.abs)], x.shape, 0)]
  },
)

function isNegative(step: number): boolean {
  return step < 0
}

/** Inputs laid at `starts[i]` with `steps[i]`, zeros (or `fill`) elsewhere. */
export const assembleOp: TensorOp = createOp(
  'assemble',
  { kind: 'assemble' },
  ({ inputs, attributes }, upstream) => {
    const starts = attributes['starts'] as readonly (readonly number[])[]
    const steps = attributes['steps'] as readonly (readonly number[])[]
    return inputs.map((input, i) =>
      input.requiresGrad ? slice(upstream, starts[i]!, steps[i]!, input.shape) : null,
    )
  },
  ({ example: { attributes, shape }, all, size }) => {
    const along = (key: 'starts' | 'steps', first: number): number[][] =>
      (attributes[key] as readonly (readonly number[])[]).map((list) => [first, ...list])
    return assemble(
      all(),
      along('starts', 0),
      along('steps', 1),
      [size, ...shape],
      attributes['fill'] as number,
    )
  },
)

/** The part of `x` of the given shape at starts and steps. Nothing is checked. */
export function slice(x: Tensor, starts: readonly number[], steps: readonly number[], shape: Shape): Tensor {
  return makeNode(sliceOp, [x], { starts, steps }, shape, x.dtype)
}

/** `x` backwards along some dimensions. */
export function reverse(x: Tensor, dims: readonly number[]): Tensor {
  if (dims.length === 0) return x
  const backwards = new Set(dims)
  return slice(
    x,
    x.shape.map((size, dim) => (backwards.has(dim) ? Math.max(size - 1, 0) : 0)),
    x.shape.map((_, dim) => (backwards.has(dim) ? -1 : 1)),
    x.shape,
  )
}

/** A value of `shape` put together from inputs of one type that do not overlap. Nothing is checked. */
export function assemble(
  inputs: readonly Tensor[],
  starts: readonly (readonly number[])[],
  steps: readonly (readonly number[])[],
  shape: Shape,
  fill: number,
): Tensor {
  return makeNode(assembleOp, inputs, { starts, steps, fill }, shape, inputs[0]!.dtype)
}

/** `x` with `before[d]` and `after[d]` elements of `fill` around it along each dimension. */
export function surround(
  x: Tensor,
  before: readonly number[],
  after: readonly number[],
  fill: number,
): Tensor {
  if (before.every((count) => count === 0) && after.every((count) => count === 0)) return x
  const shape = x.shape.map((size, dim) => before[dim]! + size + after[dim]!)
  return assemble([x], [before], [x.shape.map(() => 1)], shape, fill)
}

/** Inputs of one type beside one another along a dimension. */
export function concatenate(inputs: readonly Tensor[], dim: number): Tensor {
  const first = inputs[0]!
  let length = 0
  const starts = inputs.map((input) => {
    const start = input.shape.map((_, i) => (i === dim ? length : 0))
    length += input.shape[dim]!
    return start
  })
  const ones = first.shape.map(() => 1)
  const shape = first.shape.map((size, i) => (i === dim ? length : size))
  return assemble(
    inputs,
    starts,
    inputs.map(() => ones),
    shape,
    0,
  )
}

/** Every choice of one item from each list, the last list fastest. */
export function combinations<T>(lists: readonly (readonly T[])[]): T[][] {
  return lists.reduce<T[][]>((all, list) => all.flatMap((some) => list.map((item) => [...some, item])), [[]])
}
