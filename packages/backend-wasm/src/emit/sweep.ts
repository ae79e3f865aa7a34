// Sums over an axis that is not the last one in memory, where there is much to add up: column sums, the gradients of a bias
// or of a normalisation's scale. Like columns.ts each lane is a row of its own, but memory is read in the order in which it
// lies: some rows at a time from left to right, with the running values in scratch space, which stays in the nearest cache.
// (Column by column, each row contributes a cache line and then waits: 16 GB/s instead of 45.) An item is a block of columns.
import { i32, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import type { Site } from './access.ts'
import { loadsOf, rowStoresOf, type Pass } from './passes.ts'
import { walkAxes, type KernelWriter } from './pass-writer.ts'
import { combine, identityOf } from './reductions.ts'
import { outerPointers } from './rows.ts'

/** Columns of an item at most. */
const mostColumns = 512

/** Columns of an item: about a quarter of all, but enough that a row's part of memory is worth fetching ahead. */
export function sweepColumns(columns: number): number {
  return Math.min(mostColumns, Math.ceil(columns / 512) * 128)
}

/** The same as code. */
function emitSweepColumns({ f }: KernelWriter, columns: Local): Local {
  const wide = f.let(i32.shl(i32.shr_u(i32.add(columns, 511), 9), 7), 'wide')
  f.if(i32.gt_u(wide, mostColumns), () => f.set(wide, i32.const(mostColumns)))
  return wide
}

/** Bytes of a running value in scratch space. */
const bytesPerAccumulator = 4 * mostColumns

/** Scratch space that the kernel needs. */
export function sweepScratchBytes({ passes }: KernelWriter): number {
  return passes[0]!.accumulators.length * bytesPerAccumulator
}

/** Emits the loop over items `from` to `to`. */
export function writeSweep(writer: KernelWriter, from: Local, to: Local, scratch: Local): void {
  const { f, kernel, addresses, evaluator, passes } = writer
  const laneAxis = kernel.outerRank - 1
  const columns = addresses.size(laneAxis)
  const wide = emitSweepColumns(writer, columns)
  const perRow = f.let(i32.div_u(i32.add(columns, i32.sub(wide, 1)), wide), 'perRow')
  const item = f.let(from, 'item')
  f.for(item, to, 1, () => {
    const start = f.let(i32.shl(i32.mul(i32.rem_u(item, perRow), wide), 2), 'start')
    const pointers = outerPointers(writer, f.let(i32.div_u(item, perRow), 'row'), laneAxis)
    const end = f.let(i32.add(start, i32.shl(wide, 2)), 'end')
    const columnsEnd = f.let(i32.shl(columns, 2), 'columnsEnd')
    f.if(i32.gt_u(end, columnsEnd), () => f.set(end, columnsEnd))
    // Where the running value of the column at offset 0 would be.
    const sums = f.let(i32.sub(scratch, start), 'sums')
    const site: Site = { pointers, offset: i32.const(0), groups: 1, remaining: null }
    const pass = passes[0]!
    const values = rowStoresOf(kernel).map(({ value }) => value)
    evaluator.within(1, site, [...pass.roots, ...loadsOf(values)], () => {
      beginSums(writer, pass, sums, start, end)
      const outerAxes = Array.from({ length: kernel.innerRank - 1 }, (_, i) => kernel.outerRank + i)
      walkAxes(writer, pass, outerAxes, site, (inside) => writeRows(writer, pass, inside, sums, start, end))
      writeResults(writer, pass, site, sums, start, end)
    })
  })
}

/** The address of a running value: an expression, and an offset to it. */
function placeOf(accumulator: number, sums: Local, offset: Local): readonly [Wat, number] {
  return [i32.add(sums, offset), accumulator * bytesPerAccumulator]
}

function beginSums({ f }: KernelWriter, pass: Pass, sums: Local, start: Local, end: Local): void {
  const offset = f.let(start, 'offset')
  f.for(offset, end, 16, () => {
    pass.accumulators.forEach(({ fn, dtype }, i) => {
      const [address, more] = placeOf(i, sums, offset)
      f.emit(v128.store(address, identityOf(f, fn, dtype), more))
    })
  })
}

/** All rows along the last inner axis, some at a time. */
function writeRows(
  writer: KernelWriter,
  pass: Pass,
  site: Site,
  sums: Local,
  start: Local,
  end: Local,
): void {
  const { f, kernel, addresses } = writer
  const axis = kernel.outerRank + kernel.innerRank - 1
  const moving = [...pass.args].filter((arg) => kernel.args[arg]!.classes[axis] !== 0)
  const pointers = [...site.pointers]
  for (const arg of moving) pointers[arg] = f.let(site.pointers[arg]!, 'pointer')
  const left = f.let(addresses.size(axis), 'left')
  const together = moving.length <= 2 ? 4 : 2

  const writeGroup = (rows: number): void => {
    const each = [pointers]
    while (each.length < rows) {
      const before = each.at(-1)!
      each.push(
        before.map((pointer, arg) =>
          moving.includes(arg) ? f.let(i32.add(pointer, addresses.stride(arg, axis)), 'pointer') : pointer,
        ),
      )
    }
    addRows(writer, pass, each, sums, start, end)
    for (const arg of moving) {
      const last = each.at(-1)![arg]!
      f.set(pointers[arg] as Local, i32.add(last, addresses.stride(arg, axis)))
    }
    f.set(left, i32.sub(left, rows))
  }
  f.while(
    () => i32.ge_u(left, together),
    () => writeGroup(together),
  )
  f.while(
    () => left,
    () => writeGroup(1),
  )
}

/** Some rows, each with its own pointers, added to the running values from left to right. */
function addRows(
  writer: KernelWriter,
  pass: Pass,
  pointers: readonly (readonly Wat[])[],
  sums: Local,
  start: Local,
  end: Local,
): void {
  const { f, kernel, evaluator } = writer
  const groups = pointers.length
  const offset = f.let(start, 'offset')
  const rows: Site = {
    pointers: pointers[0]!,
    groupPointers: pointers,
    offset: i32.const(0),
    groups,
    remaining: null,
  }
  // What a row's columns share is computed before the walk along them.
  evaluator.within(1 + kernel.innerRank, rows, pass.roots, () => {
    f.for(offset, end, 16, () => {
      // Lanes past the last column add up whatever lies there and are never stored.
      const site: Site = { ...rows, offset }
      evaluator.within(2 + kernel.innerRank, site, [], () => {
        pass.accumulators.forEach(({ fn, dtype, value }, i) => {
          const [address, more] = placeOf(i, sums, offset)
          const sum = f.let(v128.load(address, more), 'sum')
          for (let group = 0; group < groups; group++) {
            f.set(sum, combine(f, fn, dtype, sum, f.once(evaluator.value(value, group))))
          }
          f.emit(v128.store(address, sum, more))
        })
      })
    })
  })
}

function writeResults(
  writer: KernelWriter,
  pass: Pass,
  block: Site,
  sums: Local,
  start: Local,
  end: Local,
): void {
  const { f, kernel, access, evaluator } = writer
  const rowStores = rowStoresOf(kernel)
  const offset = f.let(start, 'offset')
  const write = (remaining: Local | null): void => {
    const site: Site = { ...block, offset, remaining }
    evaluator.within(2 + kernel.innerRank, site, [], () => {
      pass.accumulators.forEach((_, i) => {
        const [address, more] = placeOf(i, sums, offset)
        evaluator.setAccumulator(pass.stage, i, [f.let(v128.load(address, more), 'result')])
      })
      const values = rowStores.map(({ value }) => f.once(evaluator.value(value, 0)))
      rowStores.forEach(({ arg }, i) => access.store(arg, site, 0, values[i]!))
    })
  }
  const fullEnd = f.let(i32.and(end, -16), 'fullEnd')
  f.for(offset, fullEnd, 16, () => write(null))
  f.if(i32.lt_u(offset, end), () => write(f.let(i32.shr_u(i32.sub(end, offset), 2), 'remaining')))
}
