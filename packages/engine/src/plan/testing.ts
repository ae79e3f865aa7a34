// A handful of ops for the engine's own tests: just enough to build graphs without the tensor package above it.
import { call } from '../expr.ts'
import { hostOp, nextOpId, numberOp, type Op, type RoutineLowering } from '../lowering.ts'
import { noAttributes, Node, type Attributes } from '../node.ts'
import type { DType } from '../dtype.ts'
import type { ReduceFunction } from '../kernel.ts'
import type { RoutineSpec } from '../routine.ts'
import type { ScalarFunction } from '../scalar.ts'
import { broadcastShapes, rowMajorStrides, sizeOf, type Shape } from '../shape.ts'

const makeOp = (name: string, lowering: Op['lowering']): Op => ({ id: nextOpId(), name, lowering })

const make = (op: Op, inputs: readonly Node[], attributes: Attributes, shape: Shape, dtype: DType): Node =>
  new Node(op, inputs, attributes, shape, dtype)

export function host(
  shape: Shape,
  values: readonly number[] | ((i: number) => number),
  dtype: DType = 'float32',
): Node {
  const node = make(hostOp, [], noAttributes, shape, dtype)
  const list =
    typeof values === 'function' ? Array.from({ length: sizeOf(shape) }, (_, i) => values(i)) : values
  node.host = dtype === 'int32' ? Int32Array.from(list) : Float32Array.from(list)
  return node
}

export function number(value: number): Node {
  const node = make(numberOp, [], noAttributes, [], 'float32')
  node.number = value
  return node
}

const mapOps = new Map<ScalarFunction, Op>()

export function map(fn: ScalarFunction, ...operands: (Node | number)[]): Node {
  let op = mapOps.get(fn)
  if (op === undefined)
    mapOps.set(fn, (op = makeOp(fn, { kind: 'map', expr: (inputs) => call(fn, ...inputs) })))
  const inputs = operands.map((operand) => (typeof operand === 'number' ? number(operand) : operand))
  const shape = inputs.reduce<Shape>((result, input) => broadcastShapes(fn, result, input.shape), [])
  return make(op, inputs, noAttributes, shape, inputs[0]!.dtype === 'int32' ? 'int32' : 'float32')
}

const reduceOps = Object.fromEntries(
  (['sum', 'prod', 'max', 'min'] as const).map((fn) => [fn, makeOp(fn, { kind: 'reduce', fn })]),
) as Record<ReduceFunction, Op>

export function reduce(fn: ReduceFunction, input: Node, dims: readonly number[]): Node {
  const shape = input.shape.map((size, d) => (dims.includes(d) ? 1 : size))
  return make(reduceOps[fn], [input], { dims }, shape, input.dtype)
}

const reshapeOp = makeOp('reshape', { kind: 'view', view: () => ({ kind: 'reshape' }) })

export function reshape(input: Node, shape: Shape): Node {
  return make(reshapeOp, [input], noAttributes, shape, input.dtype)
}

const permuteOp = makeOp('permute', {
  kind: 'view',
  view: (input, attributes) => ({
    kind: 'affine',
    start: input.map(() => 0),
    moves: (attributes['dims'] as readonly number[]).map((dim) => [[dim, 1] as const]),
  }),
})

export function permute(input: Node, dims: readonly number[]): Node {
  return make(
    permuteOp,
    [input],
    { dims },
    dims.map((dim) => input.shape[dim]!),
    input.dtype,
  )
}

const sliceOp = makeOp('slice', {
  kind: 'view',
  view: (_input, attributes) => ({
    kind: 'affine',
    start: attributes['starts'] as readonly number[],
    moves: (attributes['starts'] as readonly number[]).map((_, dim) => [[dim, 1] as const]),
  }),
})

/** The part of a shape from `starts` on. */
export function slice(input: Node, starts: readonly number[], shape: Shape): Node {
  return make(sliceOp, [input], { starts }, shape, input.dtype)
}

const assembleOp = makeOp('assemble', { kind: 'assemble' })

export function assemble(
  inputs: readonly Node[],
  starts: readonly (readonly number[])[],
  shape: Shape,
  fill: number = 0,
): Node {
  const steps = starts.map((start) => start.map(() => 1))
  return make(assembleOp, inputs, { starts, steps, fill }, shape, inputs[0]!.dtype)
}

const matmulOp = makeOp('matmul', {
  kind: 'routine',
  operands: ['strided', 'strided'],
  epilogue: true,
  specify: ({ inputs: [a, b], shape, dtype, slots }): RoutineSpec => ({
    name: 'contract',
    dtype,
    batch: [],
    m: [shape[0]!],
    n: [shape[1]!],
    k: [a!.shape[1]!],
    a: { offset: a!.offset, batch: [], m: [a!.strides[0]!], k: [a!.strides[1]!] },
    b: { offset: b!.offset, batch: [], k: [b!.strides[0]!], n: [b!.strides[1]!] },
    c: { offset: 0, batch: [], m: [rowMajorStrides(shape)[0]!], n: [rowMajorStrides(shape)[1]!] },
    slots: slots as unknown as [number, number, number],
  }),
})

export function matmul(a: Node, b: Node): Node {
  return make(matmulOp, [a, b], noAttributes, [a.shape[0]!, b.shape[1]!], a.dtype)
}

const productOp = makeOp('product', {
  kind: 'composite',
  expand: ([a, b], _attributes, { shape }) => {
    const [rows, inner, columns] = [a!.shape[0]!, a!.shape[1]!, b!.shape[1]!]
    const terms = map('mul', reshape(a!, [rows, inner, 1]), reshape(b!, [1, inner, columns]))
    return reshape(reduce('sum', terms, [1]), shape)
  },
  whole: {
    ...(matmulOp.lowering as RoutineLowering),
    name: 'contract',
    operands: ['rows', 'strided'],
  },
})

/** A composite that a backend may do whole, as a contraction. */
export function product(a: Node, b: Node): Node {
  return make(productOp, [a, b], noAttributes, [a.shape[0]!, b.shape[1]!], a.dtype)
}

const gatherOp = makeOp('gather', {
  kind: 'routine',
  operands: ['strided', 'strided'],
  specify: ({ inputs: [source, index], shape, dtype, slots }): RoutineSpec => ({
    name: 'gather',
    op: 'embedding',
    dtype,
    sizes: shape,
    source: { offset: source!.offset, strides: [0, source!.strides[1]!] },
    index: { offset: index!.offset, strides: [index!.strides[0]!, 0] },
    out: { offset: 0, strides: rowMajorStrides(shape) },
    step: source!.strides[0]!,
    limit: source!.shape[0]!,
    slots: slots as unknown as [number, number, number],
  }),
})

export function embedding(table: Node, index: Node): Node {
  return make(gatherOp, [table, index], noAttributes, [index.shape[0]!, table.shape[1]!], table.dtype)
}

export function softmax(x: Node, dim: number): Node {
  const exponentials = map('exp', map('sub', x, reduce('max', x, [dim])))
  return map('div', exponentials, reduce('sum', exponentials, [dim]))
}

const positionOp = makeOp('position', { kind: 'position' })

export function position(shape: Shape, coefficients: readonly number[]): Node {
  return make(positionOp, [], { start: 0, coefficients }, shape, 'int32')
}

const foreignOp = makeOp('foreign', { kind: 'composite', expand: ([x]) => map('add', x!, host([1], [1])) })

/** A composite that breaks the rule: it reads a leaf that is none of its inputs. */
export function foreign(x: Node): Node {
  return make(foreignOp, [x], noAttributes, x.shape, x.dtype)
}

const labelledOp = makeOp('labelled', {
  kind: 'map',
  expr: ([x], { plus, times }) =>
    plus === undefined ? call('mul', x!, times as number) : call('add', x!, plus as number),
})

export function labelled(x: Node, attributes: Attributes): Node {
  return make(labelledOp, [x], attributes, x.shape, x.dtype)
}
