// The row path: up to three rows against a B whose rows are contiguous, one row of A at a time. Each element of B is used
// once, so all that counts is to read B as it lies: 32 of its rows at a time, in strips of 32 columns from left to right.
// (Reading strips all the way down takes a new memory page at each step, and half the speed where rows are long.) The
// sums so far wait in a scratch row meanwhile; their order of additions is that of the packed path, and so are the bits.
import { FunctionBuilder } from '../wat/builder.ts'
import { f32, f32x4, i32, v128 } from '../wat/instructions.ts'
import type { Local } from '../wat/wat.ts'
import { entry, entryAddress, isVectorRun, minimum, parameter, zeroVector } from './code.ts'
import { float32Element } from './element.ts'
import { addProducts, declareTile, type Tile } from './tile.ts'

/** Columns whose sums fit the scratch row, and with it the first-level cache: 16 KB. */
export const scratchColumns = 4096

/** Rows of B read side by side: as many pages as a processor's table of page addresses surely holds. */
const rowsTogether = 32

/** The functions of the row path; parts.ts calls its `$run(block)`. */
export function rowFunctions(): FunctionBuilder[] {
  return [storeRow(), run()]
}

function run(): FunctionBuilder {
  const f = new FunctionBuilder('run')
  const block = f.param('block', 'i32')
  const k = f.let(parameter(block, 'k'), 'k')
  const nTo = f.let(parameter(block, 'nTo'), 'nTo')
  const scratch = f.let(parameter(block, 'packedA'), 'scratch')
  const batch = f.let(parameter(block, 'batchFrom'), 'batch')
  const row = f.local('i32', 'row')
  const column = f.local('i32', 'column')
  const part = f.local('i32', 'part')
  const step = f.local('i32', 'step')
  const rest = f.local('i32', 'rest')
  const columns = f.local('i32', 'columns')
  const partEnd = f.local('i32', 'partEnd')
  const wide = declareTile(f, float32Element, 1, 8)
  const narrow = declareTile(f, float32Element, 1, 2)
  f.doWhile(() => {
    const a = f.let(i32.add(parameter(block, 'a'), entry(parameter(block, 'aBatch'), batch)), 'a')
    const b = f.let(i32.add(parameter(block, 'b'), entry(parameter(block, 'bBatch'), batch)), 'b')
    const c = f.let(i32.add(parameter(block, 'c'), entry(parameter(block, 'cBatch'), batch)), 'c')
    f.set(row, parameter(block, 'mFrom'))
    f.doWhile(() => {
      const rowAddress = f.let(i32.add(a, entry(parameter(block, 'aM'), row)), 'rowAddress')
      const resultRow = f.let(i32.add(c, entry(parameter(block, 'cM'), row)), 'resultRow')
      f.set(column, parameter(block, 'nFrom'))
      f.doWhile(() => {
        f.set(rest, i32.sub(nTo, column))
        f.set(columns, minimum(i32.const(scratchColumns), rest))
        const columnAddress = f.let(i32.add(b, entry(parameter(block, 'bN'), column)), 'columnAddress')
        f.set(part, 0)
        f.doWhile(() => {
          f.set(rest, i32.sub(k, part))
          f.set(partEnd, i32.add(part, minimum(parameter(block, 'kBlock'), rest)))
          f.set(step, part)
          f.doWhile(() => {
            f.set(rest, i32.sub(partEnd, step))
            const aTable = f.let(entryAddress(parameter(block, 'aK'), step), 'aTable')
            const bTable = f.let(entryAddress(parameter(block, 'bK'), step), 'bTable')
            const aEnd = f.let(entryAddress(aTable, minimum(i32.const(rowsTogether), rest)), 'aEnd')
            const isFirst = f.let(i32.eq(step, part), 'isFirst')
            addRows(f, [wide, narrow], {
              rowAddress,
              columnAddress,
              aTable,
              bTable,
              aEnd,
              isFirst,
              scratch,
              bytes: f.let(i32.shl(columns, 2), 'bytes'),
            })
            return i32.lt_u(f.tee(step, i32.add(step, rowsTogether)), partEnd)
          })
          const columnTable = entryAddress(parameter(block, 'cN'), column)
          f.emit(f.call('$storeRow', scratch, resultRow, columnTable, columns, i32.ne(part, 0)))
          return i32.lt_u(f.tee(part, partEnd), k)
        })
        return i32.lt_u(f.tee(column, i32.add(column, columns)), nTo)
      })
      return i32.lt_u(f.tee(row, i32.add(row, 1)), parameter(block, 'mTo'))
    })
    return i32.lt_u(f.tee(batch, i32.add(batch, 1)), parameter(block, 'batchTo'))
  })
  return f
}

interface Rows {
  /** Where the row of A and the first column of B begin. */
  readonly rowAddress: Local
  readonly columnAddress: Local
  /** Entries of the offset tables for the rows of B to read, from `aTable` to `aEnd`. */
  readonly aTable: Local
  readonly bTable: Local
  readonly aEnd: Local
  /** Whether sums begin here; otherwise they go on from the scratch row. */
  readonly isFirst: Local
  readonly scratch: Local
  /** Bytes of the scratch row in use. */
  readonly bytes: Local
}

/** Adds some rows of B, each times its element of A, to the scratch row. The last strip may read and write past its end. */
function addRows(f: FunctionBuilder, tiles: readonly Tile[], rows: Rows): void {
  const { rowAddress, columnAddress, aTable, bTable, aEnd, isFirst, scratch, bytes } = rows
  const offset = f.let(i32.const(0), 'offset')
  const aEntry = f.local('i32', 'aEntry')
  const bEntry = f.local('i32', 'bEntry')
  const place = f.local('i32', 'place')
  const factor = f.local('i32', 'factor')
  tiles.forEach((tile, i) => {
    const sums = tile.sums[0]!
    const needed = i === tiles.length - 1 ? 4 : 4 * tile.columns
    f.while(
      () => i32.le_u(i32.add(offset, needed), bytes),
      () => {
        const waiting = f.let(i32.add(scratch, offset), 'waiting')
        f.if(
          isFirst,
          () => sums.forEach((sum) => f.set(sum, zeroVector)),
          () => sums.forEach((sum, vector) => f.set(sum, v128.load(waiting, 16 * vector))),
        )
        const strip = f.let(i32.add(columnAddress, offset), 'strip')
        f.set(aEntry, aTable)
        f.set(bEntry, bTable)
        f.doWhile(() => {
          f.set(factor, i32.add(rowAddress, i32.load(aEntry)))
          f.set(place, i32.add(strip, i32.load(bEntry)))
          addProducts(
            f,
            tile,
            () => v128.load32_splat(factor),
            (vector) => v128.load(place, 16 * vector),
          )
          f.set(bEntry, i32.add(bEntry, 4))
          return i32.lt_u(f.tee(aEntry, i32.add(aEntry, 4)), aEnd)
        })
        sums.forEach((sum, vector) => f.emit(v128.store(waiting, sum, 16 * vector)))
        f.set(offset, i32.add(offset, 4 * tile.columns))
      },
    )
  })
}

/** `$storeRow(from, resultRow, columnTable, columns, accumulate)`: the scratch row to C, by vectors where that is possible. */
function storeRow(): FunctionBuilder {
  const f = new FunctionBuilder('storeRow')
  const from = f.param('from', 'i32')
  const resultRow = f.param('resultRow', 'i32')
  const columnTable = f.param('columnTable', 'i32')
  const columns = f.param('columns', 'i32')
  const accumulate = f.param('accumulate', 'i32')
  const advance = (count: number): void => {
    f.set(from, i32.add(from, 4 * count))
    f.set(columnTable, i32.add(columnTable, 4 * count))
    f.set(columns, i32.sub(columns, count))
  }
  f.doWhile(() => {
    const address = f.let(i32.add(resultRow, i32.load(columnTable)))
    f.if(
      i32.and(i32.ge_u(columns, 4), isVectorRun(columnTable, 0, 4)),
      () => {
        const values = f.let(v128.load(from))
        f.if(accumulate, () => f.set(values, f32x4.add(values, v128.load(address))))
        f.emit(v128.store(address, values))
        advance(4)
      },
      () => {
        const value = f.let(f32.load(from))
        f.if(accumulate, () => f.set(value, f32.add(value, f32.load(address))))
        f.emit(f32.store(address, value))
        advance(1)
      },
    )
    return columns
  })
  return f
}
