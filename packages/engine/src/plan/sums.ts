// Sums of many terms, as gradients are that flow together from many places: a weight used at every time step, a tied
// weight, slices of one value. What would be added up is found first and then computed at once where that is less work:
//   contractions of equal form      one contraction, whose sums are so much longer: sum of A_t B_t = [A_1 A_2 ...] [B_1; B_2; ...]
//   sums over parts of one buffer   one sum over the buffer
//   zero-filled assemblies          one assembly of all parts, where these do not overlap
// Only structure and sizes decide. Read before: expand.ts. Read next: stack.ts, for how operands come together.
import type { Expr } from '../expr.ts'
import type { Op, RoutineLowering } from '../lowering.ts'
import type { Node } from '../node.ts'
import type { ContractSpec } from '../routine.ts'
import { sameShape, sizeOf } from '../shape.ts'
import { applyView, type Layout } from '../view.ts'
import type { Assemblies } from './assembly.ts'
import type { Primitive, PrimitiveGraph } from './primitive.ts'
import { findStack, stack, viewOf } from './stack.ts'
import type { Trace } from './walk.ts'

/**
 * Operands that are put together for one contraction are at most so many times as large as its result. A chain of
 * additions keeps about as many results in memory, so memory does not grow much by adding up before computing.
 */
const mostAssembled = 24

/** A term of a sum, and whether nothing else uses it. */
export interface Term {
  readonly value: Primitive
  readonly alone: boolean
}

/** Finds the sums of a trace. */
export class Sums {
  readonly #uses = new Map<Node, number>()
  /** Additions whose value is used by another addition alone, and which therefore need no value of their own. */
  readonly #inner = new Set<Node>()

  /** @param merging whether sums are looked for at all; without, every addition has two terms that are used elsewhere too */
  constructor(trace: Trace, merging: boolean) {
    if (!merging) return
    const user = new Map<Node, Node>()
    const use = (node: Node): void => void this.#uses.set(node, (this.#uses.get(node) ?? 0) + 1)
    for (const node of trace.nodes) {
      if (node.host !== null || node.variable !== null) continue
      for (const input of node.inputs) {
        use(input)
        user.set(input, node)
      }
    }
    for (const node of trace.outputs) use(node)
    for (const [, node] of trace.assignments) use(node)

    const assembled = new Map<Node, number>()
    for (const node of trace.nodes) {
      if (!isPlainSum(node)) continue
      const below = node.inputs.reduce((sum, each) => sum + (assembled.get(each) ?? operandsOf(each)), 0)
      const above = user.get(node)
      const inner = above !== undefined && this.#uses.get(node) === 1 && isPlainSum(above)
      if (!inner || below > mostAssembled * sizeOf(node.shape)) continue
      assembled.set(node, below)
      this.#inner.add(node)
    }
  }

  /** Whether a node is an addition without a value of its own: its terms belong to the sum that uses it. */
  isInner(node: Node): boolean {
    return this.#inner.has(node)
  }

  /**
   * The terms of an addition, those of inner ones among them, in the order in which they are added; and whether nothing
   * else uses each of them. Of additions within a composite that is not known.
   */
  termsOf(node: Node): { readonly node: Node; readonly alone: boolean }[] {
    const known = this.#uses.has(node)
    const terms: { node: Node; alone: boolean }[] = []
    const rest = [...node.inputs].reverse()
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
      if (this.#inner.has(next)) rest.push(next.inputs[1]!, next.inputs[0]!)
      else terms.push({ node: next, alone: known && this.#isUsedOnce(next) })
    }
    return terms
  }

  /** Whether a node, and everything it is a view of, is used once. */
  #isUsedOnce(node: Node): boolean {
    for (let at = node; ; at = at.inputs[0]!) {
      if (this.#uses.get(at) !== 1) return false
      if (at.op.lowering.kind !== 'view' || at.host !== null || at.variable !== null) return true
    }
  }
}

/** Elements of both factors of a product; 0 for whatever is none. */
function operandsOf(node: Node): number {
  let source = node
  while (source.op.lowering.kind === 'view' && source.host === null && source.variable === null)
    source = source.inputs[0]!
  if (source.op.lowering.kind !== 'routine') return 0
  return source.inputs.reduce((sum, input) => sum + sizeOf(input.shape), 0)
}

/** Whether a node adds two values of its own shape and type. */
export function isPlainSum({ op, inputs, attributes, shape, dtype, host, variable }: Node): boolean {
  if (op.lowering.kind !== 'map' || inputs.length !== 2 || host !== null || variable !== null) return false
  if (!inputs.every((input) => input.dtype === dtype && sameShape(input.shape, shape))) return false
  const loads = inputs.map((input, arg): Expr => ({ kind: 'load', arg, dtype: input.dtype }))
  const expr = op.lowering.expr(loads, attributes)
  return expr.kind === 'call' && expr.fn === 'add' && expr.args[0] === loads[0] && expr.args[1] === loads[1]
}

/** What terms are added up in, and with which op. */
export interface Addition {
  readonly graph: PrimitiveGraph
  readonly assemblies: Assemblies
  readonly op: Op
}

/** The sum of some terms of one shape and type. */
export function addUp({ graph, assemblies, op }: Addition, terms: readonly Term[]): Primitive {
  const groups = new Map<string, Primitive[]>()
  for (const { value, alone } of terms) {
    const key = assemblies.isZeroFilled(value)
      ? 'assembly'
      : ((alone ? formOf(value) : null) ?? `${groups.size}`)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [value])
    else group.push(value)
  }
  const values = [...groups].flatMap(([key, group]): readonly Primitive[] => {
    if (group.length === 1) return group
    if (key === 'assembly') return assemblies.addUp(group)
    const ordered = runsBackwards(assemblies, group) ? group.reverse() : group
    const merged =
      mergeReductions(graph, assemblies, ordered) ?? mergeContractions(graph, assemblies, ordered)
    return merged === null ? group : [merged]
  })
  const { shape, dtype } = terms[0]!.value
  return values.reduce((sum, value) => graph.map(op, [sum, value], {}, shape, dtype))
}

/** Whether operands lie in some buffer from the last to the first, as in gradients of what goes from the first to the last. */
function runsBackwards(assemblies: Assemblies, terms: readonly Primitive[]): boolean {
  return terms[0]!.source.inputs.some((_, side) => {
    const found = findStack(
      assemblies,
      terms.map((term) => term.source.inputs[side]!),
    )
    return found !== null && found.layout.strides[0]! < 0
  })
}

/** What terms must have in common to be computed as one; null where a term can only be added. */
function formOf({ source, layout, dtype }: Primitive): string | null {
  const { kind, name, fn, inputs, shape, attributes } = source
  if (!(kind === 'reduce' && fn === 'sum') && !(kind === 'routine' && contractionOf(source) !== null))
    return null
  const operands = inputs.map((input) => [input.shape, input.dtype])
  return JSON.stringify([kind, name, attributes, shape, operands, layout, dtype])
}

/** What a routine says it does; null where it is no product of its two inputs. */
function contractionOf({ routine, inputs, shape, dtype, attributes }: Primitive): ContractSpec | null {
  if (inputs.length !== 2 || routine!.operands.some((kind) => kind !== 'strided')) return null
  const layouts = inputs.map((input) => input.layout)
  const spec = routine!.specify({ inputs: layouts, shape, dtype, attributes, slots: [0, 1, 2], numbers: [] })
  return spec.name === 'contract' && spec.slots.every((slot, i) => slot === i) ? spec : null
}

/** One product instead of many; null where putting the operands together would be more work than adding the products. */
function mergeContractions(
  graph: PrimitiveGraph,
  assemblies: Assemblies,
  terms: readonly Primitive[],
): Primitive | null {
  const [first] = terms
  const { kind, name, shape, dtype, attributes, routine, size } = first!.source
  if (kind !== 'routine' || terms.some((term) => term.source.routine !== routine)) return null
  const operands = [0, 1].map((side) => terms.map((term) => term.source.inputs[side]!))
  const copied = operands.reduce((sum, values) => {
    return findStack(assemblies, values) === null ? sum + values[0]!.size : sum
  }, 0)
  if (copied > size) return null
  const inputs = operands.map((values) => stack(graph, assemblies, values))
  const merged = graph.make(
    { kind: 'routine', name, inputs, shape, dtype, attributes, routine: withLongerSums(routine!) },
    null,
  )
  return viewedAlike(graph, first!, merged)
}

/** A contraction whose operands have one more leading dimension, which is summed over. */
function withLongerSums(routine: RoutineLowering): RoutineLowering {
  return {
    ...routine,
    specify(call) {
      const inner = call.inputs.map(({ shape, strides, offset }): Layout => ({
        shape: shape.slice(1),
        strides: strides.slice(1),
        offset,
      }))
      const spec = routine.specify({ ...call, inputs: inner })
      if (spec.name !== 'contract') throw new Error(`${spec.name} is no contraction`)
      const [a, b] = call.inputs as readonly [Layout, Layout]
      return {
        ...spec,
        k: [a.shape[0]!, ...spec.k],
        a: { ...spec.a, k: [a.strides[0]!, ...spec.a.k] },
        b: { ...spec.b, k: [b.strides[0]!, ...spec.b.k] },
      }
    },
  }
}

/** One reduction over values that lie in one buffer already; null for all else. */
function mergeReductions(
  graph: PrimitiveGraph,
  assemblies: Assemblies,
  terms: readonly Primitive[],
): Primitive | null {
  const [first] = terms
  const { kind, name, dtype, fn, attributes, shape, size } = first!.source
  // A sum of everything is made in rows when it is long (expand.ts).
  if (kind !== 'reduce' || size === 1) return null
  const found = findStack(
    assemblies,
    terms.map((term) => term.source.inputs[0]!),
  )
  if (found === null) return null
  const stacked = (attributes['dims'] as readonly number[]).map((dim) => dim + 1)
  const { layout, dims } = inMemoryOrder(found.layout, [0, ...stacked])
  const input = viewOf(graph, { buffer: found.buffer, layout })
  const kept = layout.shape.map((each, dim) => (dims.includes(dim) ? 1 : each))
  const whole = graph.make(
    { kind: 'reduce', name, inputs: [input], shape: kept, dtype, attributes: { dims }, fn },
    fn,
  )
  const view = { kind: 'reshape' } as const
  const own = applyView(whole.layout, view, shape)!
  const reshaped = graph.make(
    { kind: 'view', name: 'reshape', inputs: [whole], shape, dtype, view, source: whole, layout: own },
    'reshape',
  )
  return viewedAlike(graph, first!, reshaped)
}

/** What is summed over, with its axes in the order of memory where that leaves the others in their order. */
function inMemoryOrder(layout: Layout, dims: readonly number[]): { layout: Layout; dims: readonly number[] } {
  const { shape, strides, offset } = layout
  const axes = shape.map((size, dim) => ({ dim, size, stride: strides[dim]! }))
  const sorted = [...axes].sort((a, b) => Math.abs(b.stride) - Math.abs(a.stride) || a.dim - b.dim)
  const kept = sorted.filter(({ dim }) => !dims.includes(dim))
  if (kept.some(({ dim }, i) => i > 0 && dim < kept[i - 1]!.dim)) return { layout, dims }
  return {
    layout: { shape: sorted.map(({ size }) => size), strides: sorted.map(({ stride }) => stride), offset },
    dims: sorted.flatMap(({ dim }, i) => (dims.includes(dim) ? [i] : [])),
  }
}

/** `base` seen through the views through which `like` sees its source. */
function viewedAlike(graph: PrimitiveGraph, like: Primitive, base: Primitive): Primitive {
  if (like.kind !== 'view') return base
  const inner = viewedAlike(graph, like.inputs[0]!, base)
  const { name, shape, dtype, attributes, view } = like
  const layout = applyView(inner.layout, view!, shape)!
  return graph.make(
    { kind: 'view', name, inputs: [inner], shape, dtype, attributes, view, source: inner.source, layout },
    null,
  )
}
