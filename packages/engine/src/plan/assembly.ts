// Assemblies: values put together from parts in one buffer (padding, concatenation, zero-insertion). A part is written by
// the kernel that computes it, straight to where it belongs; what no part covers is filled first. The gradient of slices
// is a sum of padded pieces, and where these do not overlap it is one assembly. Read before: primitive.ts, expand.ts.
import type { DType } from '../dtype.ts'
import { constant, type Expr } from '../expr.ts'
import type { Op } from '../lowering.ts'
import type { Node } from '../node.ts'
import { formatShape, rowMajorStrides, sameShape, sizeOf, type Shape } from '../shape.ts'
import type { Layout } from '../view.ts'
import type { Primitive, PrimitiveGraph } from './primitive.ts'

/** A part of an assembly: an input, and where its elements lie along each dimension. */
interface Part {
  readonly input: Primitive
  readonly start: readonly number[]
  readonly step: readonly number[]
}

/** The assembly of an op whose attributes say where its inputs lie. */
export function assemble(graph: PrimitiveGraph, op: Op, inputs: readonly Primitive[], node: Node): Primitive {
  const { attributes, shape, dtype } = node
  const starts = attributes['starts'] as readonly (readonly number[])[]
  const steps = attributes['steps'] as readonly (readonly number[])[]
  const parts = inputs.map((input, i) => ({ input, start: starts[i]!, step: steps[i]! }))
  return assembleParts(graph, op.name, parts, attributes['fill'] as number, shape, dtype)
}

/** A plain sum of two zero-filled assemblies whose parts do not overlap is one assembly of all parts. Null otherwise. */
export function sumOfAssemblies(
  graph: PrimitiveGraph,
  op: Op,
  inputs: readonly Primitive[],
  node: Node,
): Primitive | null {
  const [left, right] = inputs
  if (inputs.length !== 2 || left?.kind !== 'assemble' || right?.kind !== 'assemble') return null
  if (
    left.dtype !== node.dtype ||
    right.dtype !== node.dtype ||
    left.size !== right.size ||
    !isPlainSum(op, inputs)
  )
    return null
  if (left.attributes['fill'] !== 0 || right.attributes['fill'] !== 0) return null
  const [mine, yours] = [partsOf(left), partsOf(right)]
  if (mine.some((a) => yours.some((b) => overlap(a, b)))) return null
  return assembleParts(graph, left.name, [...mine, ...yours], 0, node.shape, node.dtype)
}

function isPlainSum(op: Op, inputs: readonly Primitive[]): boolean {
  if (op.lowering.kind !== 'map') return false
  const loads = inputs.map(({ dtype }, arg): Expr => ({ kind: 'load', arg, dtype }))
  const expr = op.lowering.expr(loads, {})
  return expr.kind === 'call' && expr.fn === 'add' && expr.args[0] === loads[0] && expr.args[1] === loads[1]
}

function partsOf(assembly: Primitive): Part[] {
  const starts = assembly.attributes['starts'] as readonly (readonly number[])[]
  const steps = assembly.attributes['steps'] as readonly (readonly number[])[]
  const places = assembly.inputs.filter((input) => input.kind === 'place')
  return places.map((place, i) => ({ input: place.inputs[0]!, start: starts[i]!, step: steps[i]! }))
}

/** Whether two parts may have an element in common. Parts with one step and different remainders interleave. */
function overlap(a: Part, b: Part): boolean {
  return a.start.every((start, d) => {
    const other = b.start[d]!
    const step = a.step[d]!
    if (step === b.step[d] && (start - other) % step !== 0) return false
    const end = start + (a.input.shape[d]! - 1) * step
    const otherEnd = other + (b.input.shape[d]! - 1) * b.step[d]!
    return start <= otherEnd && other <= end
  })
}

/**
 * Cuts an assembly into a fill of the whole (unless the parts cover it) and one place per part. Places wait for the
 * fill; the assembly itself is only the name of the finished buffer.
 */
function assembleParts(
  graph: PrimitiveGraph,
  name: string,
  all: readonly Part[],
  fill: number,
  shape: Shape,
  dtype: DType,
): Primitive {
  const parts = all.filter((part) => part.input.size > 0)
  const [only] = parts
  if (parts.length === 1 && only!.input.dtype === dtype && sameShape(only!.input.shape, shape))
    return only!.input
  const strides = rowMajorStrides(shape)
  const covered = parts.reduce((sum, part) => sum + part.input.size, 0)
  const attributes = { starts: parts.map((part) => part.start), steps: parts.map((part) => part.step), fill }
  const identity = `${parts.map((part) => part.input.id).join(',')}@${JSON.stringify(attributes)}${fill}${formatShape(shape)}`
  const filling: Primitive[] = []
  if (covered < sizeOf(shape)) {
    const target: Layout = { shape, strides, offset: 0 }
    const expr = (): Expr => constant(fill, dtype)
    filling.push(graph.make({ kind: 'fill', name: 'fill', shape, dtype, target, expr }, identity))
  }
  const places = parts.map((part, i) => {
    const target: Layout = {
      shape: part.input.shape,
      strides: strides.map((stride, d) => stride * part.step[d]!),
      offset: strides.reduce((sum, stride, d) => sum + stride * part.start[d]!, 0),
    }
    const inputs = [part.input, ...filling]
    const expr = (values: readonly Expr[]): Expr => values[0]!
    return graph.make(
      { kind: 'place', name, inputs, shape: part.input.shape, dtype, target, expr },
      `${i}:${identity}`,
    )
  })
  return graph.make(
    { kind: 'assemble', name, inputs: [...filling, ...places], shape, dtype, attributes },
    identity,
  )
}
