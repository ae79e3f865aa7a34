// Where each value of a kernel is computed: as far out as possible. A value belongs to the innermost loop whose index it
// depends on, so numbers are spread over lanes once per call, a row's mean once per row, and only the rest at every
// vector. Read next: evaluator.ts, which computes values there.
import { operandsOf, type Expr, type Kernel } from '@nabla/engine'
import type { Form } from './arrange.ts'

/** Nesting of a kernel's loops, from the outside: 0 is the call, 1 an item, then one per inner axis. */
export interface Placement {
  /** The depth of the loop over vectors. */
  readonly innermost: number
  /** The deepest loop whose turns change the value. */
  depth(expr: Expr): number
  /** Whether lanes, and so neighbouring vectors, hold different values. If not, one vector serves them all. */
  varies(expr: Expr): boolean
  /** At how many places of the kernel the value is wanted. What is wanted once needs no name. */
  uses(expr: Expr): number
}

/** The axis of an arranged kernel along which vectors run. */
export function laneAxis(kernel: Kernel, form: Form): number {
  return form === 'columns' || form === 'sweep'
    ? kernel.outerRank - 1
    : kernel.outerRank + kernel.innerRank - 1
}

/** Finds the place of every value of an arranged, canonical kernel. */
export function placeValues(kernel: Kernel, form: Form): Placement {
  const lane = laneAxis(kernel, form)
  const stashes = new Set(kernel.stages.flatMap((stage) => stage.accumulators.map((a) => a.stash)))
  const depths = new Map<Expr, number>()
  const varying = new Set<Expr>()
  const uses = new Map<Expr, number>()

  // A sweep walks along the lanes inside of all other loops.
  const innermost = form === 'sweep' ? 2 + kernel.innerRank : 1 + kernel.innerRank
  // Tiles and sweeps span two axes: their vectors lie side by side along the last outer axis, or the last inner one.
  const last = kernel.outerRank + kernel.innerRank - 1
  const across = form === 'tiles' ? kernel.outerRank - 1 : form === 'sweep' ? last : -1
  const depthOfAxis = (axis: number): number => {
    if (form === 'sweep' ? axis === lane : axis === across) return innermost
    return axis < kernel.outerRank ? 1 : 2 + axis - kernel.outerRank
  }

  const visit = (expr: Expr): void => {
    uses.set(expr, (uses.get(expr) ?? 0) + 1)
    if (depths.has(expr)) return
    let depth = 0
    let varies = false
    if (expr.kind === 'load' && stashes.has(expr.arg)) {
      // A stash is written by an earlier pass over the same row: to read it further out would be to read it too early.
      depth = innermost
      varies = true
    } else if (expr.kind === 'load') {
      const { classes } = kernel.args[expr.arg]!
      classes.forEach((stride, axis) => {
        if (stride !== 0) depth = Math.max(depth, depthOfAxis(axis))
      })
      varies = classes[lane] !== 0 || (across >= 0 && classes[across] !== 0)
    } else if (expr.kind === 'accumulator') {
      depth = form === 'sweep' ? innermost : 1
      varies = form === 'columns' || form === 'sweep'
    } else {
      for (const operand of operandsOf(expr)) {
        visit(operand)
        depth = Math.max(depth, depths.get(operand)!)
        varies ||= varying.has(operand)
      }
    }
    depths.set(expr, depth)
    if (varies) varying.add(expr)
  }
  for (const stage of kernel.stages) for (const { value } of stage.accumulators) visit(value)
  for (const { value } of kernel.stores) visit(value)

  return {
    innermost,
    depth: (expr) => depths.get(expr)!,
    varies: (expr) => varying.has(expr),
    uses: (expr) => uses.get(expr)!,
  }
}
