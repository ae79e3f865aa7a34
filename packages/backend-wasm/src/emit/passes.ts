// A kernel's work on one row, as a list of passes over the inner space: one for each stage, and a last one for results
// that there are per element. Also here: how many vectors a pass works on at a time. Read next: pass-writer.ts.
import {
  operandsOf,
  scalarFunctions,
  type Accumulator,
  type Expr,
  type Kernel,
  type Store,
} from '@nabla/engine'
import type { LaneCount } from './lanes.ts'
import type { Placement } from './placement.ts'

/** One walk over the inner space. */
export interface Pass {
  /** Number of the stage, or of the pass after the last one. */
  readonly stage: number
  readonly accumulators: readonly Accumulator[]
  readonly stores: readonly Store[]
  /** The values that are wanted at each element. */
  readonly roots: readonly Expr[]
  /** Arguments that the pass reads or writes. */
  readonly args: ReadonlySet<number>
}

/** The passes of a kernel, in order. */
export function passesOf(kernel: Kernel): readonly Pass[] {
  const stores = kernel.stores.filter((store) => store.level === 'element')
  const [only] = kernel.stages
  // What waits for no sum is written while the sums are taken. With one stage no pass follows that would read it too late.
  if (
    kernel.stages.length === 1 &&
    stores.length > 0 &&
    stores.every(({ value }) => !needsAccumulator(value))
  ) {
    if (only!.accumulators.every(({ stash }) => stash === undefined))
      return [makePass(0, only!.accumulators, stores)]
  }
  const passes = kernel.stages.map((stage, i) => makePass(i, stage.accumulators, []))
  if (stores.length > 0) passes.push(makePass(kernel.stages.length, [], stores))
  return passes
}

function needsAccumulator(value: Expr): boolean {
  let needed = false
  forEachValue([value], (expr) => {
    needed ||= expr.kind === 'accumulator'
  })
  return needed
}

function makePass(stage: number, accumulators: readonly Accumulator[], stores: readonly Store[]): Pass {
  const roots = [...accumulators, ...stores].map(({ value }) => value)
  const args = new Set<number>()
  forEachValue(roots, (expr) => {
    if (expr.kind === 'load') args.add(expr.arg)
  })
  for (const { stash } of accumulators) if (stash !== undefined) args.add(stash)
  for (const { arg } of stores) args.add(arg)
  return { stage, accumulators, stores, roots, args }
}

/** Results that there are once per row. */
export function rowStoresOf(kernel: Kernel): readonly Store[] {
  return kernel.stores.filter((store) => store.level === 'row')
}

/** The parts of some values that are read from memory. */
export function loadsOf(roots: readonly Expr[]): readonly Expr[] {
  const loads: Expr[] = []
  forEachValue(roots, (expr) => {
    if (expr.kind === 'load') loads.push(expr)
  })
  return loads
}

/**
 * Vectors of a row that a pass takes at a time. Reductions need several accumulators, or each addition waits for the one
 * before; long expressions keep the machine busy by themselves and would only run out of registers. (Two accumulators with
 * four vectors each were twice as slow as with two.)
 */
export function rowUnroll(kernel: Kernel, pass: Pass, placement: Placement): 1 | 2 | 4 {
  const cost = elementCost(kernel, pass, placement)
  if (cost >= 30) return 1
  if (pass.accumulators.length === 0) return cost <= 4 ? 4 : cost <= 10 ? 2 : 1
  if (pass.accumulators.length > 4) return 1
  return cost >= 10 || pass.accumulators.length > 1 ? 2 : 4
}

/** Vectors of neighbouring columns taken at a time: as many as leave every accumulator of every pass in a register. */
export function columnUnroll(kernel: Kernel, passes: readonly Pass[], placement: Placement): 1 | 2 | 4 | 8 {
  const cost = Math.max(0, ...passes.map((pass) => elementCost(kernel, pass, placement)))
  const accumulators = passes.reduce((count, pass) => count + pass.accumulators.length, 0)
  if (cost >= 30 || accumulators > 4) return 1
  if (cost >= 10 || accumulators > 2) return 2
  return cost <= 4 && accumulators === 1 && passes.length === 1 ? 8 : 4
}

/**
 * Roughly how many nanoseconds a kernel takes for each position of its space, on one thread. It decides what is worth
 * sharing with other threads, so it is made of structure alone and right within a factor of two or so.
 */
export function nanosecondsPerPosition(
  kernel: Kernel,
  passes: readonly Pass[],
  placement: Placement,
  lanes: LaneCount,
): number {
  const perAddition = 0.16 / lanes
  const perAccess = 0.12 / lanes
  let nanoseconds = 0
  for (const pass of passes) {
    nanoseconds += perAddition * (elementCost(kernel, pass, placement) + pass.accumulators.length)
    nanoseconds += perAccess * pass.stores.length
    for (const load of loadsOf(pass.roots)) {
      if (placement.depth(load) === placement.innermost) nanoseconds += perAccess
    }
  }
  return nanoseconds
}

/** Rough cost of what is computed at each element, in additions. */
function elementCost(kernel: Kernel, pass: Pass, placement: Placement): number {
  let cost = 0
  forEachValue(pass.roots, (expr) => {
    const innermost = placement.depth(expr) === placement.innermost
    if (expr.kind === 'call' && innermost) cost += scalarFunctions[expr.fn].cost
  })
  return cost
}

function forEachValue(roots: readonly Expr[], visit: (expr: Expr) => void): void {
  const seen = new Set<Expr>()
  const walk = (expr: Expr): void => {
    if (seen.has(expr)) return
    seen.add(expr)
    visit(expr)
    operandsOf(expr).forEach(walk)
  }
  roots.forEach(walk)
}
