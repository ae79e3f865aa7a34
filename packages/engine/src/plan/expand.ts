// From nodes to primitives: composites expanded, views composed, assemblies cut into places, constants numbered.
// Read before: primitive.ts. Read next: fuse.ts.
import type { Backend } from '../backend.ts'
import { constant } from '../expr.ts'
import { numberOp, type Op, type OperandKind, type RoutineLowering } from '../lowering.ts'
import type { Node } from '../node.ts'
import type { Shape } from '../shape.ts'
import { applyView, isRowMajor, type Layout } from '../view.ts'
import { Assemblies } from './assembly.ts'
import { isExpressible } from './materialize.ts'
import { PrimitiveGraph, type Primitive } from './primitive.ts'
import { addUp, isPlainSum, Sums } from './sums.ts'
import type { Trace } from './walk.ts'

/** A traced graph as primitives. */
export interface Expansion {
  readonly graph: PrimitiveGraph
  /** The primitive of a traced node that is demanded or assigned. */
  ofNode(node: Node): Primitive
  /** Numbers that composites brought with them; they follow the trace's own numbers. */
  readonly constants: readonly number[]
}

/** What a reduction over nothing gives. */
const identities = { sum: 0, prod: 1, max: -Infinity, min: Infinity } as const

/**
 * Expands a trace, but for composites that the backend claims.
 * @param merging whether the terms of sums are computed together where that is less work
 */
export function expandTrace(trace: Trace, backend: Backend, merging: boolean = true): Expansion {
  const graph = new PrimitiveGraph()
  const assemblies = new Assemblies(graph)
  const sums = new Sums(trace, merging)
  const constants: number[] = []
  const memo = new Map<Node, Primitive>()
  let hosts = 0
  let numbers = 0
  const variableIndex = new Map(trace.variables.map((variable, index) => [variable, index]))

  const leafOf = (node: Node): Primitive | null => {
    const { shape, dtype } = node
    if (node.host !== null)
      return graph.make({ kind: 'host', name: 'tensor', shape, dtype, index: hosts++ }, null)
    if (node.variable !== null) {
      const index = variableIndex.get(node.variable)!
      return graph.make({ kind: 'variable', name: node.variable.name, shape, dtype, index }, `v${index}`)
    }
    if (node.op.lowering.kind !== 'leaf') return null
    return graph.make({ kind: 'number', name: 'number', shape, dtype, index: numbers++, free: true }, null)
  }

  // Inside a composite: a number is a constant of the plan. Other leaves cannot appear there anew, because the plan would
  // be found again for a trace in which they are different.
  const lower = (node: Node): Primitive => {
    const known = memo.get(node)
    if (known !== undefined) return known
    let result: Primitive
    if (node.host !== null || node.variable !== null) {
      throw new Error(
        `a composite may read its inputs and numbers only, not ${node.op.name} [${node.shape.join(', ')}]`,
      )
    }
    if (node.op === numberOp) {
      const text = `${node.number}:${Object.is(node.number, -0)}`
      const index = trace.numbers.length + constants.length
      const before = graph.all.length
      result = graph.make(
        { kind: 'number', name: 'number', shape: node.shape, dtype: node.dtype, index, free: true },
        `c${text}`,
      )
      if (graph.all.length > before) constants.push(node.number!)
    } else {
      result = lowerOp(node)
    }
    memo.set(node, result)
    return result
  }

  const lowerOp = (node: Node): Primitive => {
    const { op, attributes, shape, dtype } = node
    const lowering = op.lowering
    if (lowering.kind === 'composite') {
      const { whole } = lowering
      if (whole !== undefined && backend.claims?.(whole.name, dtype) === true) return routine(node, whole)
      const expanded = lowering.expand(node.inputs, attributes, { shape, dtype })
      return lower(expanded)
    }
    if (isPlainSum(node)) {
      const terms = sums.termsOf(node).map((term) => ({ value: lower(term.node), alone: term.alone }))
      return addUp({ graph, assemblies, op }, terms)
    }
    const inputs = node.inputs.map(lower)
    switch (lowering.kind) {
      case 'leaf':
        throw new Error(`leaf ${op.name} has no work`)
      case 'map':
        return graph.map(op, inputs, attributes, shape, dtype)
      case 'position': {
        const layout = {
          shape,
          strides: attributes['coefficients'] as readonly number[],
          offset: attributes['start'] as number,
        }
        return graph.make(
          { kind: 'position', name: op.name, shape, dtype, attributes, layout, free: true },
          'position',
        )
      }
      case 'view':
        return view(graph, op, inputs[0]!, node)
      case 'reduce':
        return reduce(graph, op, inputs[0]!, node)
      case 'assemble':
        return assemblies.ofOp(op, inputs, node)
      case 'routine':
        return routine(node, lowering)
    }
  }

  const routine = ({ op, inputs, attributes, shape, dtype }: Node, lowering: RoutineLowering): Primitive => {
    const lowered = inputs.map(lower)
    const operands = lowering.operands.map((kind, i) => operand(graph, lowered[i]!, kind))
    const numbered = lowered.slice(operands.length)
    return graph.make(
      {
        kind: 'routine',
        name: op.name,
        inputs: [...operands, ...numbered],
        shape,
        dtype,
        attributes,
        routine: lowering,
      },
      String(op.id),
    )
  }

  const places = placesOf(trace)
  for (const node of trace.nodes) {
    if (sums.isInner(node)) continue
    graph.place = places.get(node)!
    memo.set(node, leafOf(node) ?? lower(node))
  }
  return { graph, ofNode: (node) => memo.get(node)!, constants }
}

function view(graph: PrimitiveGraph, op: Op, input: Primitive, node: Node): Primitive {
  const lowering = op.lowering
  if (lowering.kind !== 'view') throw new Error(`${op.name} is not a view`)
  const { attributes, shape, dtype } = node
  const map = lowering.view(input.shape, attributes, shape)
  let base = input
  let layout = applyView(base.layout, map, shape)
  // A free value is computed where it is used, so there the view must be passed on to what it is computed from.
  const viewed = (inner: Layout): Layout | null => applyView(inner, map, shape)
  if (layout === null || (base.source.free && !isExpressible(base, viewed, () => false))) {
    // No constant strides: the elements have to move before the shape can change.
    base = graph.copy(input)
    layout = applyView(base.layout, map, shape)
  }
  if (layout === null) throw new Error(`${op.name}: view of a row-major buffer has no layout`)
  return graph.make(
    {
      kind: 'view',
      name: op.name,
      inputs: [base],
      shape,
      dtype,
      attributes,
      view: map,
      source: base.source,
      layout,
      free: base.source.free,
    },
    String(op.id),
  )
}

function reduce(graph: PrimitiveGraph, op: Op, input: Primitive, node: Node): Primitive {
  const lowering = op.lowering
  if (lowering.kind !== 'reduce') throw new Error(`${op.name} is not a reduction`)
  const { attributes, shape, dtype } = node
  const fn = lowering.fn
  if (input.size === 0) {
    let value: number = identities[fn]
    if (dtype === 'int32' && fn === 'max') value = -(2 ** 31)
    if (dtype === 'int32' && fn === 'min') value = 2 ** 31 - 1
    return graph.make(
      { kind: 'map', name: op.name, shape, dtype, expr: () => constant(value, dtype), free: true },
      `identity:${value}`,
    )
  }
  const reduceOver = (from: Primitive, dims: readonly number[]): Primitive => {
    const kept = from.shape.map((size, d) => (dims.includes(d) ? 1 : size))
    return graph.make(
      { kind: 'reduce', name: op.name, inputs: [from], shape: kept, dtype, attributes: { dims }, fn },
      fn,
    )
  }
  const rows = shape.every((size) => size === 1) ? splitRows(graph, input) : null
  if (rows === null) return reduceOver(input, attributes['dims'] as readonly number[])
  const partial = reduceOver(rows, [1])
  return reshaped(graph, reduceOver(partial, [0, 1]), shape)!
}

/** A reduction of everything to one value is cut into rows from this size on ... */
const longRow = 1 << 16

/** ... of which there are at most this many: they run side by side, and sums of shorter rows are more accurate. */
const mostRows = 64

/** A long value as the rows of a matrix; null where it is short, has no fitting divisor, or would have to be copied. */
function splitRows(graph: PrimitiveGraph, input: Primitive): Primitive | null {
  if (input.size < longRow) return null
  let count = mostRows
  while (input.size % count !== 0) count -= 1
  return count < 8 ? null : reshaped(graph, input, [count, input.size / count])
}

/** A reshape; null where the elements would have to move. */
function reshaped(graph: PrimitiveGraph, input: Primitive, shape: Shape): Primitive | null {
  const view = { kind: 'reshape' } as const
  const layout = applyView(input.layout, view, shape)
  const { dtype, source } = input
  if (layout === null || source.free) return null
  return graph.make(
    { kind: 'view', name: 'reshape', inputs: [input], shape, dtype, view, source, layout, free: false },
    'reshape',
  )
}

/** What a routine can read: a buffer, for `rows` one with a contiguous last axis, for `rowMajor` one without gaps. */
function operand(graph: PrimitiveGraph, input: Primitive, kind: OperandKind): Primitive {
  const { layout, source } = input
  const tight = isRowMajor(layout) && layout.offset === 0 && source.size === input.size
  const fits = { strided: true, rows: layout.strides.at(-1) === 1, rowMajor: tight }[kind]
  return source.free || !fits ? graph.copy(input) : input
}

/**
 * The order in which the program made the nodes of a trace. A sum is due when its last term is, however late it was written
 * down: adding up leaves one value in memory where there were two.
 */
function placesOf(trace: Trace): ReadonlyMap<Node, number> {
  const places = new Map([...trace.nodes].sort((a, b) => a.made - b.made).map((node, place) => [node, place]))
  for (const node of trace.nodes) {
    if (isPlainSum(node)) places.set(node, Math.max(...node.inputs.map((input) => places.get(input)!)))
  }
  return places
}
