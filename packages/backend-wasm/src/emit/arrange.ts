// Which axis vectors run along, and in which order the other axes are walked: decided here, in one function, from stride
// classes alone, except that an axis of a few elements (a pooling window, an RGB triple) is avoided where another one
// does. Everything after this sees an arranged kernel and never asks again. Read next: placement.ts.
import type { Kernel, KernelArgument, StrideClass } from '@nabla/engine'
import { laneCount } from './lanes.ts'

/**
 * `rows`: vectors along the last inner axis, one item per outer index; accumulators are added up across lanes.
 * `tiles`: a map of rows some argument of which lies the other way round, its neighbours along the last outer axis; an item
 * is a block of {@link tileRows} rows, and that argument is read or written in squares of 4 x 4.
 * `columns`: vectors along the last outer axis, each lane a row of its own; an item is a group of vectors.
 * `sweep`: as `columns`, but rows are read from left to right, some at a time; an item is a block of columns.
 * `flat`: one contiguous-looking row and nothing else; an item is a block of {@link flatBlock} elements.
 */
export type Form = 'rows' | 'tiles' | 'columns' | 'sweep' | 'flat'

/** Elements of an item of a flat kernel. All kernels split alike, whatever their arguments. */
export const flatBlock = 16_384

/** Rows of an item of a tiled kernel: 16 floats, a cache line of the argument that lies across. */
export const tileRows = 16

/** How a kernel is walked. */
export interface Arrangement {
  readonly form: Form
  /** Axes of the kernel as they were given, in the order they are walked. -1: an axis of size 1 that was added. */
  readonly axes: readonly number[]
  readonly outerRank: number
}

/**
 * Axes shorter than these are avoided. Columns and the rows of a map lose no more than part of their last vector. A row
 * with stages also begins and ends each pass and brings lanes together, which gathering along another axis undercuts up to
 * about three vectors (softmax of [100000, 10]: 1.6 ms instead of 2.4).
 */
const shortest = { columns: 3, map: 5, rows: 13 }

/** The arrangement for a kernel whose axes have these sizes. */
export function chooseArrangement(kernel: Kernel, sizes: readonly number[]): Arrangement {
  const { outerRank, innerRank } = kernel
  const outer = range(0, outerRank)
  const inner = range(outerRank, outerRank + innerRank)

  if (isMap(kernel)) {
    // Nothing is reduced and nothing happens once per row: all axes are alike, and any may be the inner one.
    const all = [...outer, ...inner]
    if (all.length === 0) return { form: 'flat', axes: [-1], outerRank: 0 }
    const lane = cheapest(kernel, sizes, [...all].reverse())
    const rest = all.filter((axis) => axis !== lane)
    const across = rest.find((axis) => liesAcross(kernel, sizes, axis, lane))
    if (across !== undefined) {
      const others = rest.filter((axis) => axis !== across)
      return { form: 'tiles', axes: [...others, across, lane], outerRank: rest.length }
    }
    return { form: rest.length === 0 ? 'flat' : 'rows', axes: [...rest, lane], outerRank: rest.length }
  }

  // The last inner axis first: on equal cost the order the planner gave is the best guess.
  const candidates = [...inner].reverse().concat([...outer].reverse())
  if (candidates.length === 0) return { form: 'rows', axes: [-1], outerRank: 0 }
  const lane = cheapest(kernel, sizes, candidates)
  const without = (axes: readonly number[]): number[] => axes.filter((axis) => axis !== lane)
  if (lane >= outerRank) return { form: 'rows', axes: [...outer, ...without(inner), lane], outerRank }
  const form = isSwept(kernel, sizes, lane) ? 'sweep' : 'columns'
  return { form, axes: [...without(outer), lane, ...inner], outerRank }
}

/** Columns from which on sweeps are worth it, and elements: less than this stays in a cache, whatever the order. */
const leastSwept = { columns: 64, elements: 1 << 14 }

/** Whether columns are better done by sweeping over rows. That takes one pass, over memory that lies along the lanes. */
function isSwept(kernel: Kernel, sizes: readonly number[], lane: number): boolean {
  const { args, stages, stores, outerRank, innerRank } = kernel
  if (innerRank === 0 || stages.length !== 1 || stores.some(({ level }) => level === 'element')) return false
  const elements = sizes.slice(outerRank).reduce((count, size) => count * size, sizes[lane]!)
  if (sizes[lane]! < leastSwept.columns || elements < leastSwept.elements || laneCount(kernel) !== 4)
    return false
  return args.every((arg) => arg.role !== 'input' || arg.classes[lane] !== 's' || !isElementwise(kernel, arg))
}

/** The kernel with its axes in the order of the arrangement. */
export function arrangeKernel(kernel: Kernel, arrangement: Arrangement): Kernel {
  const { axes, outerRank } = arrangement
  const map = isMap(kernel)
  return {
    ...kernel,
    outerRank,
    innerRank: axes.length - outerRank,
    args: kernel.args.map((arg) => ({ ...arg, classes: axes.map((axis) => classAt(arg, axis)) })),
    stores: map ? kernel.stores.map((store) => ({ ...store, level: 'element' as const })) : kernel.stores,
  }
}

/** Whether every element of every output depends on elements alone, so that no axis differs from another. */
function isMap(kernel: Kernel): boolean {
  if (kernel.stages.length > 0) return false
  return kernel.innerRank === 0 || kernel.stores.every((store) => store.level === 'element')
}

/** The candidate along which vectors cost least; the first of those that cost the same. */
function cheapest(kernel: Kernel, sizes: readonly number[], candidates: readonly number[]): number {
  let best = candidates[0]!
  let bestCost = Infinity
  for (const axis of candidates) {
    const cost = laneCost(kernel, axis, sizes[axis]!)
    if (cost >= bestCost) continue
    best = axis
    bestCost = cost
  }
  return best
}

/** What it costs to let vectors run along an axis, beside loads and stores of whole vectors, which are free. */
function laneCost(kernel: Kernel, axis: number, size: number): number {
  const use = isMap(kernel) ? 'map' : axis < kernel.outerRank ? 'columns' : 'rows'
  let cost = size < shortest[use] ? 12 : 0
  let varies = false
  for (const arg of kernel.args) {
    const stride = classAt(arg, axis)
    if (stride !== 0) varies = true
    // What changes only from row to row is loaded too seldom to matter, and positions are computed.
    if (stride === 's' && arg.role !== 'position' && isElementwise(kernel, arg)) cost += 5
  }
  // Along an axis on which nothing depends (one of size 1), all lanes but one would be lost.
  return varies ? cost : cost + 100
}

/**
 * Whether some argument has its neighbours along `axis` rather than along the lanes. Lanes would then be gathered from
 * memory far apart, one cache line each. Tiles take four lanes, so kernels with float64 go without.
 */
function liesAcross(kernel: Kernel, sizes: readonly number[], axis: number, lane: number): boolean {
  if (sizes[axis]! < shortest.map || sizes[lane]! < shortest.map || laneCount(kernel) !== 4) return false
  return kernel.args.some(
    (arg) => arg.role !== 'position' && arg.classes[lane] === 's' && arg.classes[axis] === 1,
  )
}

function isElementwise(kernel: Kernel, arg: KernelArgument): boolean {
  return isMap(kernel) || arg.classes.slice(kernel.outerRank).some((stride) => stride !== 0)
}

function classAt(arg: KernelArgument, axis: number): StrideClass {
  return axis < 0 ? 0 : arg.classes[axis]!
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}
