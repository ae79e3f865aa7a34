// Kernels whose vectors run along the last inner axis: one row after the other, and inside a row one pass after the other.
// Rows begin with as little work as possible, because many are short: pointers move from row to row by addition, and are
// computed from the index of the row only when the last outer axis is through. Also flat kernels: a single long row
// of which a call does some blocks. The other form is columns.ts.
import { i32, i32x4 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import type { Site } from './access.ts'
import { flatBlock } from './arrange.ts'
import { loadsOf, rowStoresOf, rowUnroll, type Pass } from './passes.ts'
import { beginAccumulators, walkAxes, writeVectors, type KernelWriter, type Running } from './pass-writer.ts'
import { combineAll, combineLanes } from './reductions.ts'

/** Emits the loop over items `from` to `to`, each a row. */
export function writeRows(writer: KernelWriter, from: Local, to: Local): void {
  const { f, kernel, addresses, access, evaluator, passes } = writer
  const { outerRank, innerRank } = kernel
  const innerAxes = Array.from({ length: innerRank }, (_, i) => outerRank + i)
  const laneAxis = innerAxes.pop()!
  const rowStores = rowStoresOf(kernel)

  const writeRow = (pointers: readonly Wat[]): void => {
    const row: Site = { pointers, offset: i32.const(0), groups: 1, remaining: null }
    // What results of the row read is read before any pass may write over it.
    evaluator.within(1, row, loadsOf(rowStores.map(({ value }) => value)), () => {
      for (const pass of passes) {
        evaluator.hoist(pass.roots)
        const running = beginAccumulators(writer, pass, rowUnroll(kernel, pass, writer.placement))
        walkAxes(writer, pass, innerAxes, row, ({ pointers: inside }) => {
          const end = f.let(i32.shl(addresses.size(laneAxis), 2), 'end')
          writeRun(writer, pass, inside, i32.const(0), end, running)
        })
        finishAccumulators(writer, pass, running)
      }
      const values = rowStores.map(({ value }) => f.once(evaluator.value(value, 0)))
      rowStores.forEach(({ arg }, i) => access.storeFirst(arg, pointers[arg]!, values[i]!))
    })
  }

  if (outerRank === 0) {
    const bases = kernel.args.map((_, arg) => addresses.base(arg))
    return f.if(i32.lt_u(from, to), () => writeRow(bases))
  }
  walkRows(writer, from, to, writeRow)
}

/** Emits a map over one axis; an item is a block of its elements. */
export function writeFlat(writer: KernelWriter, from: Local, to: Local): void {
  const { f, kernel, addresses, evaluator, passes } = writer
  const pointers = kernel.args.map((_, arg): Wat => addresses.base(arg))
  const start = f.let(i32.mul(from, 4 * flatBlock), 'start')
  const end = f.let(i32.shl(addresses.size(0), 2), 'end')
  const wanted = f.let(i32.mul(to, 4 * flatBlock), 'wanted')
  f.if(i32.lt_u(wanted, end), () => f.set(end, wanted))
  const site: Site = { pointers, offset: i32.const(0), groups: 1, remaining: null }
  for (const pass of passes) {
    evaluator.within(1, site, pass.roots, () => writeRun(writer, pass, pointers, start, end, [[]]))
  }
}

/** Loops over rows; `write` gets the pointers at each. */
function walkRows(
  writer: KernelWriter,
  from: Local,
  to: Local,
  write: (pointers: readonly Wat[]) => void,
): void {
  const { f, kernel, addresses } = writer
  const last = kernel.outerRank - 1
  const pointers = kernel.args.map(() => f.local('i32', 'row'))
  const item = f.let(from, 'item')
  // Rows until the last outer axis is through and the other indices change.
  const left = f.local('i32', 'left')
  f.for(item, to, 1, () => {
    f.if(i32.eqz(left), () => {
      const indices = indicesOf(writer, item, kernel.outerRank)
      pointers.forEach((pointer, arg) => f.set(pointer, pointerAt(writer, arg, indices)))
      f.set(left, i32.sub(addresses.size(last), indices[last]!))
    })
    write(pointers)
    pointers.forEach((pointer, arg) => {
      if (kernel.args[arg]!.classes[last] === 0) return
      f.set(pointer, i32.add(pointer, addresses.stride(arg, last)))
    })
    f.set(left, i32.sub(left, 1))
  })
}

/** Where arguments stand at index `item`, counted in row-major order, of the first `rank` axes, and at 0 of the others. */
export function outerPointers(writer: KernelWriter, item: Local, rank: number): readonly Local[] {
  const indices = indicesOf(writer, item, rank)
  return writer.kernel.args.map((_, arg) => writer.f.let(pointerAt(writer, arg, indices), 'pointer'))
}

function pointerAt({ kernel, addresses }: KernelWriter, arg: number, indices: readonly Local[]): Wat {
  const { classes } = kernel.args[arg]!
  return indices.reduce<Wat>((sum, index, axis) => {
    return classes[axis] === 0 ? sum : i32.add(sum, i32.mul(index, addresses.stride(arg, axis)))
  }, addresses.base(arg))
}

/** The indices along the first `rank` axes of item `item`, in row-major order. */
function indicesOf({ f, addresses }: KernelWriter, item: Local, rank: number): readonly Local[] {
  const indices: Local[] = []
  let rest = item
  for (let axis = rank - 1; axis > 0; axis--) {
    indices[axis] = f.let(i32.rem_u(rest, addresses.size(axis)), 'index')
    rest = f.let(i32.div_u(rest, addresses.size(axis)), 'rest')
  }
  if (rank > 0) indices[0] = rest
  return indices
}

/**
 * One walk along the lane axis: several vectors at a time, then single ones, then what is left of one. It begins at a
 * multiple of what it takes at a time, or where only a part of a vector is left.
 */
export function writeRun(
  writer: KernelWriter,
  pass: Pass,
  pointers: readonly Wat[],
  start: Wat,
  end: Local,
  running: Running,
): void {
  const { f, kernel, lanes, evaluator, placement } = writer
  const unroll = rowUnroll(kernel, pass, placement)
  const bytes = 4 * lanes
  const offset = f.let(start, 'offset')
  const write = (groups: number, remaining: Local | null, mask?: Local): void => {
    const site: Site = { pointers, offset, groups, remaining }
    evaluator.within(1 + kernel.innerRank, site, [], () => writeVectors(writer, pass, site, running, mask))
  }
  if (unroll > 1) {
    const manyEnd = f.let(i32.and(end, -bytes * unroll), 'manyEnd')
    f.for(offset, manyEnd, bytes * unroll, () => write(unroll, null))
  }
  const fullEnd = f.let(i32.and(end, -bytes), 'fullEnd')
  f.for(offset, fullEnd, bytes, () => write(1, null))
  f.if(i32.lt_u(offset, end), () => {
    const remaining = f.let(i32.shr_u(i32.sub(end, offset), 2), 'remaining')
    const mask = pass.accumulators.length > 0 ? laneMask(writer, remaining) : undefined
    write(1, remaining, mask)
  })
}

/** A bool that is true in the first `remaining` lanes, for every type of lane. */
function laneMask({ f, lanes }: KernelWriter, remaining: Local): Local {
  // Of two lanes, one remains; and a mask of 32 bits is widened for float64 where it is used.
  if (lanes === 2) return f.constant(['v128.const', 'i32x4', -1, 0, 0, 0])
  return f.let(i32x4.gt_s(i32x4.splat(remaining), f.constant(['v128.const', 'i32x4', 0, 1, 2, 3])), 'mask')
}

function finishAccumulators({ f, lanes, evaluator }: KernelWriter, pass: Pass, running: Running): void {
  pass.accumulators.forEach(({ fn, dtype }, i) => {
    const vector = combineAll(f, fn, dtype, running[i]!)
    evaluator.setAccumulator(pass.stage, i, [combineLanes(f, fn, dtype, vector, lanes)])
  })
}
