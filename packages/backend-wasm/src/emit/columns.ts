// Kernels whose vectors run along the last outer axis: every lane is a row of its own, and inner loops step through the
// rows of memory while neighbouring lanes read neighbouring elements. For reductions over an axis that is not the last
// one in memory, such as column sums or a softmax over channels, and for windows too short to fill a vector. An item is
// a group of vectors side by side. The other form is rows.ts.
import { i32 } from '../wat/instructions.ts'
import type { Local } from '../wat/wat.ts'
import type { Site } from './access.ts'
import { columnUnroll, loadsOf, rowStoresOf } from './passes.ts'
import { beginAccumulators, walkAxes, writeVectors, type KernelWriter } from './pass-writer.ts'
import { outerPointers } from './rows.ts'

/** Lanes of an item: the last outer axis is cut into this many at a time. */
export function columnsPerItem({ kernel, passes, placement, lanes }: KernelWriter): number {
  return lanes * columnUnroll(kernel, passes, placement)
}

/** Emits the loop over items `from` to `to`. */
export function writeColumns(writer: KernelWriter, from: Local, to: Local): void {
  const { f, kernel, lanes, addresses } = writer
  const laneAxis = kernel.outerRank - 1
  const wide = columnsPerItem(writer)
  const columns = addresses.size(laneAxis)
  const perRow = f.let(i32.div_u(i32.add(columns, wide - 1), i32.const(wide)), 'perRow')
  const item = f.let(from, 'item')
  f.for(item, to, 1, () => {
    const start = f.let(i32.mul(i32.rem_u(item, perRow), 4 * wide), 'start')
    const pointers = outerPointers(writer, f.let(i32.div_u(item, perRow), 'row'), laneAxis)
    const end = f.let(i32.shl(columns, 2), 'end')
    const stop = f.let(i32.add(start, 4 * wide), 'stop')
    const writeNarrow = (): void => {
      const offset = f.let(start, 'offset')
      const fullEnd = f.let(i32.and(end, -4 * lanes), 'fullEnd')
      f.for(offset, fullEnd, 4 * lanes, () =>
        writeGroup(writer, { pointers, offset, groups: 1, remaining: null }),
      )
      f.if(i32.lt_u(offset, end), () => {
        const remaining = f.let(i32.shr_u(i32.sub(end, offset), 2), 'remaining')
        writeGroup(writer, { pointers, offset, groups: 1, remaining })
      })
    }
    f.if(
      i32.le_u(stop, end),
      () => writeGroup(writer, { pointers, offset: start, groups: wide / lanes, remaining: null }),
      writeNarrow,
    )
  })
}

/** All passes over some neighbouring columns. */
function writeGroup(writer: KernelWriter, given: Site): void {
  const { f, kernel, access, evaluator, passes } = writer
  // The columns stay the same in all loops over rows, so their offset goes into the pointers and not into every address.
  const pointers = given.pointers.map((_, arg) => f.let(access.pointerAtOffset(arg, given), 'column'))
  const site: Site = { ...given, pointers, offset: i32.const(0) }
  const innerAxes = Array.from({ length: kernel.innerRank }, (_, i) => kernel.outerRank + i)
  const rowStores = rowStoresOf(kernel)
  // What results of the row read is read before any pass may write over it.
  evaluator.within(1, site, loadsOf(rowStores.map(({ value }) => value)), () => {
    for (const pass of passes) {
      evaluator.hoist(pass.roots)
      const running = beginAccumulators(writer, pass, site.groups)
      walkAxes(writer, pass, innerAxes, site, (inside) => writeVectors(writer, pass, inside, running))
      pass.accumulators.forEach((_, i) => evaluator.setAccumulator(pass.stage, i, running[i]!))
    }
    for (let group = 0; group < site.groups; group++) {
      const values = rowStores.map(({ value }) => f.once(evaluator.value(value, group)))
      rowStores.forEach(({ arg }, i) => access.store(arg, site, group, values[i]!))
    }
  })
}
