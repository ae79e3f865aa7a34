// The materialisation policy: when is a value written to memory, and when is it computed again where it is used? Always
// written: what is demanded or assigned, what a routine reads, parts of an assembly, and reductions used outside their
// kernel. Never written: what needs no memory to compute. In between, this file decides.
// Read before: fuse.ts, which groups work into kernels and asks here about each value that leaves its kernel.
import { operandsOf, type Expr } from '../expr.ts'
import { scalarFunctions } from '../scalar.ts'
import type { Primitive } from './primitive.ts'

/** Recomputing may cost this much per element, in additions (see scalar.ts), and still beat a store and a load. */
const cheap = 8

/** Recomputing may read this many arrays; a load costs about as much as a dozen additions once caches are full. */
const fewLoads = 3

/** Recomputing may go through this many maps. */
const shortChain = 16

/** What the policy asks about values. */
export interface ValueFacts {
  /** Whether a value is in memory anyway, and whether reading it costs a load per element (row statistics do not). */
  stored(value: Primitive): 'no' | 'small' | 'yes'
  /** Whether a single kernel uses a value, at no more positions than it has: computing it there is no extra work. */
  usedOnce(value: Primitive): boolean
}

/**
 * Whether a value should be recomputed by a kernel that uses it instead of being written by the kernel that made it.
 * Yes for short chains of cheap functions over a few values that are in memory anyway: masks, scalings, bias + relu,
 * normalised inputs in a backward pass. A write and a read of memory are saved for a few instructions. What has only one
 * user is not computed twice by this, so there only the number of loads counts.
 */
export function shouldRecompute(value: Primitive, facts: ValueFacts): boolean {
  if (value.free) return true
  // Views of one array, as the members of a window, are as many loads.
  const loads = new Set<string>()
  let cost = 0
  let length = 0
  const visit = (current: Primitive): boolean => {
    const source = current.source
    if (source.free) return true
    const stored = facts.stored(source)
    if (stored === 'small') return true
    if (stored === 'yes') {
      const { offset, strides } = current.layout
      loads.add(`${source.id}:${offset}:${strides.join()}`)
      return loads.size <= fewLoads
    }
    if (source.kind !== 'map' || source.expr === null) return false
    if (!facts.usedOnce(source)) cost += costOf(source)
    length += 1
    return cost <= cheap && length <= shortChain && source.inputs.every(visit)
  }
  return value.kind === 'map' && visit(value)
}

/** What a map costs per element. */
export function costOf(map: Primitive): number {
  if (map.expr === null) return 0
  const inputs = map.inputs.map((input, arg): Expr => ({ kind: 'load', arg, dtype: input.dtype }))
  return costOfExpr(map.expr(inputs))
}

/** What an expression costs per evaluation, shared parts counted once. */
export function costOfExpr(expr: Expr, seen: Set<Expr> = new Set()): number {
  if (seen.has(expr)) return 0
  seen.add(expr)
  const own = expr.kind === 'call' ? scalarFunctions[expr.fn].cost : expr.kind === 'cast' ? 1 : 0
  return operandsOf(expr).reduce((sum, operand) => sum + costOfExpr(operand, seen), own)
}
