// From nodes to primitives: composites expanded, views composed, assemblies cut into places, constants numbered.
// Read before: primitive.ts. Read next: fuse.ts.
import type { Backend } from '../backend.ts'
import { constant } from '../expr.ts'
import { nextOpId, type Op } from '../lowering.ts'
import { noAttributes, type Node } from '../node.ts'
import { formatShape, rowMajorStrides, sizeOf, type Shape } from '../shape.ts'
import { applyView, isRowMajor, type Layout } from '../view.ts'
import { PrimitiveGraph, type Primitive } from './primitive.ts'
import type { Trace } from './walk.ts'

/** A traced graph as primitives. */
export interface Expansion {
  readonly graph: PrimitiveGraph
  /** The primitive of every traced node, by the node's ordinal. */
  readonly ofNode: readonly Primitive[]
  /** Numbers that composites brought with them; they follow the trace's own numbers. */
  readonly constants: readonly number[]
}

/** What a reduction over nothing gives. */
const identities = { sum: 0, prod: 1, max: -Infinity, min: Infinity } as const

/** Expands a trace. */
export function expandTrace(trace: Trace, backend: Backend): Expansion {
  const graph = new PrimitiveGraph()
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

  // Inside a composite: a number is a constant of the plan, and a leaf was met in the trace already.
  const lower = (node: Node): Primitive => {
    const known = memo.get(node)
    if (known !== undefined) return known
    let result: Primitive
    if (node.op.lowering.kind === 'leaf') {
      const text = `${node.number}:${Object.is(node.number, -0)}`
      const index = trace.numbers.length + constants.length
      const before = graph.all.length
      result = graph.make(
        { kind: 'number', name: 'number', shape: node.shape, dtype: node.dtype, index, free: true },
        `c${text}`,
      )
      if (graph.all.length > before) constants.push(node.number)
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
      const expanded = lowering.expand(node.inputs, attributes, { shape, dtype })
      return lower(expanded)
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
        return assemble(graph, op, inputs, node)
      case 'routine': {
        const operands = lowering.operands.map((kind, i) => operand(graph, inputs[i]!, kind))
        if (!(lowering.specify instanceof Function))
          throw new Error(`${op.name} has no specification on ${backend.name}`)
        return graph.make(
          {
            kind: 'routine',
            name: op.name,
            inputs: [...operands, ...inputs.slice(operands.length)],
            shape,
            dtype,
            attributes,
            routine: lowering,
          },
          String(op.id),
        )
      }
    }
  }

  const ofNode = trace.nodes.map((node) => {
    const primitive = leafOf(node) ?? lower(node)
    memo.set(node, primitive)
    return primitive
  })
  return { graph, ofNode, constants }
}

function view(graph: PrimitiveGraph, op: Op, input: Primitive, node: Node): Primitive {
  const lowering = op.lowering
  if (lowering.kind !== 'view') throw new Error(`${op.name} is not a view`)
  const { attributes, shape, dtype } = node
  const map = lowering.view(input.shape, attributes, shape)
  let base = input
  let layout = applyView(base.layout, map, shape)
  if (layout === null) {
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
  return graph.make(
    { kind: 'reduce', name: op.name, inputs: [input], shape, dtype, attributes, fn },
    String(op.id),
  )
}

/** What a routine can read: a buffer, and for `rowMajor` one without gaps. */
function operand(graph: PrimitiveGraph, input: Primitive, kind: 'strided' | 'rowMajor'): Primitive {
  const tight = isRowMajor(input.layout) && input.layout.offset === 0 && input.source.size === input.size
  return input.source.free || (kind === 'rowMajor' && !tight) ? graph.copy(input) : input
}

const fillOp: Op = {
  id: nextOpId(),
  name: 'fill',
  lowering: { kind: 'map', expr: () => constant(0, 'float32') },
}

/** A rectangle of an assembly: where an input lies in it. */
interface Part {
  readonly input: Primitive
  readonly start: readonly number[]
  readonly step: readonly number[]
}

/**
 * Cuts an assembly into a fill of the whole (unless the parts cover it) and one place per part. Later places depend on
 * the fill; the assembly itself is only the name of the finished buffer.
 */
function assemble(graph: PrimitiveGraph, op: Op, inputs: readonly Primitive[], node: Node): Primitive {
  const { attributes, shape, dtype } = node
  const starts = attributes['starts'] as readonly (readonly number[])[]
  const steps = attributes['steps'] as readonly (readonly number[])[]
  const fill = attributes['fill'] as number
  const parts = inputs
    .map((input, i) => ({ input, start: starts[i]!, step: steps[i]! }))
    .filter((part) => part.input.size > 0)
  return assembleParts(graph, op.name, parts, fill, shape, dtype)
}

function assembleParts(
  graph: PrimitiveGraph,
  name: string,
  parts: readonly Part[],
  fill: number,
  shape: Shape,
  dtype: Primitive['dtype'],
): Primitive {
  const strides = rowMajorStrides(shape)
  const covered = parts.reduce((sum, part) => sum + part.input.size, 0)
  const identity = JSON.stringify([
    parts.map((part) => [part.input.id, part.start, part.step]),
    String(fill),
    shape,
  ])
  const targetOf = (part: Part): Layout => ({
    shape: part.input.shape,
    strides: strides.map((stride, d) => stride * part.step[d]!),
    offset: strides.reduce((sum, stride, d) => sum + stride * part.start[d]!, 0),
  })
  const made: Primitive[] = []
  if (covered < sizeOf(shape)) {
    const target = { shape, strides, offset: 0 }
    made.push(
      graph.make(
        { kind: 'fill', name: fillOp.name, shape, dtype, target, expr: () => constant(fill, dtype) },
        `fill:${identity}`,
      ),
    )
  }
  const filler = made.slice()
  for (const part of parts) {
    const target = targetOf(part)
    made.push(
      graph.make(
        {
          kind: 'place',
          name,
          inputs: [part.input, ...filler],
          shape: part.input.shape,
          dtype,
          target,
          expr: (values) => values[0]!,
        },
        `place:${identity}:${formatShape(part.start)}`,
      ),
    )
  }
  return graph.make({ kind: 'assemble', name, inputs: made, shape, dtype }, `assemble:${identity}`)
}
