// Maps in which some argument lies across the others: its neighbours are along the last outer axis, where theirs are along
// the lanes (x + z transposed, or a transposed copy). Gathering lane by lane would touch a cache line for each element, so
// such arguments are read and written in squares of 4 x 4 that are turned in registers. A block of 16 rows uses every
// element of the cache lines it touches. Rows and columns that fill no square are done as in rows.ts.
import { i32 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import type { Site } from './access.ts'
import { tileRows } from './arrange.ts'
import type { Pass } from './passes.ts'
import { writeVectors, type KernelWriter } from './pass-writer.ts'
import { outerPointers, writeRun } from './rows.ts'

/** Emits the loop over items `from` to `to`, each a block of rows. */
export function writeTiles(writer: KernelWriter, from: Local, to: Local): void {
  const { f, kernel, addresses, passes } = writer
  const across = kernel.outerRank - 1
  const height = addresses.size(across)
  const perPlane = f.let(i32.div_u(i32.add(height, tileRows - 1), i32.const(tileRows)), 'perPlane')
  const item = f.let(from, 'item')
  f.for(item, to, 1, () => {
    const plane = f.let(i32.div_u(item, perPlane), 'plane')
    const first = f.let(i32.mul(i32.rem_u(item, perPlane), tileRows), 'first')
    const rows = f.let(i32.sub(height, first), 'rows')
    f.if(i32.gt_u(rows, tileRows), () => f.set(rows, i32.const(tileRows)))
    const pointers = outerPointers(writer, plane, across).map((pointer, arg) => {
      return f.let(i32.add(pointer, i32.mul(first, addresses.stride(arg, across))), 'pointer')
    })
    for (const pass of passes) writeBlock(writer, pass, pointers, rows)
  })
}

function writeBlock(writer: KernelWriter, pass: Pass, pointers: readonly Local[], rows: Local): void {
  const { f, kernel, addresses, evaluator } = writer
  const across = kernel.outerRank - 1
  const tiledRows = f.let(i32.and(rows, -4), 'tiledRows')
  const end = f.let(i32.shl(addresses.size(across + 1), 2), 'end')
  const tiledEnd = f.let(i32.and(end, -16), 'tiledEnd')
  const row = f.local('i32', 'row')
  const block: Site = { pointers, offset: i32.const(0), groups: 1, remaining: null }

  /** Runs `write` for every `step` rows up to `limit`, with pointers at the first of them. */
  const forRows = (limit: Local, step: number, write: (pointers: readonly Wat[]) => void): void => {
    const moving = pointers.map((pointer) => f.let(pointer, 'row'))
    f.set(row, i32.const(0))
    f.for(row, limit, step, () => {
      write(moving)
      moving.forEach((pointer, arg) => {
        if (kernel.args[arg]!.classes[across] === 0) return
        f.set(pointer, i32.add(pointer, i32.mul(addresses.stride(arg, across), step)))
      })
    })
  }

  evaluator.within(1, block, pass.roots, () => {
    const offset = f.let(i32.const(0), 'offset')
    f.for(offset, tiledEnd, 16, () => {
      forRows(tiledRows, 4, (inside) => {
        const site: Site = { pointers: inside, offset, groups: 4, groupAxis: across, remaining: null }
        evaluator.within(1 + kernel.innerRank, site, [], () => writeVectors(writer, pass, site, []))
      })
    })
    forRows(rows, 1, (inside) => {
      const start = f.let(tiledEnd, 'start')
      f.if(i32.ge_u(row, tiledRows), () => f.set(start, i32.const(0)))
      writeRun(writer, pass, inside, start, end, [])
    })
  })
}
