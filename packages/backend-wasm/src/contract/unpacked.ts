// Tiles that read A, and perhaps B, where they lie, through the offset tables. Two paths share this code:
//   direct: small products, or few rows, with B contiguous along n: 4 x 8 tiles, nothing packed;
//   strip: few columns, or element types without a packed path: for each strip of columns B is copied, then 4-row tiles run
//   down, each of which reads its rows of A once.
// Sums are taken in the same parts and order as by the packed path, so all of them give the same bits.
// Read next: plan.ts for when which path is taken.
import { FunctionBuilder } from '../wat/builder.ts'
import { i32, v128 } from '../wat/instructions.ts'
import type { Local } from '../wat/wat.ts'
import { all, entry, entryAddress, isVectorRun, minimum, parameter, zeroVector } from './code.ts'
import { float32Element, type Element } from './element.ts'
import { tileRows } from './plan.ts'
import { edgeStore, hasWholeColumns, storeTile } from './store.ts'
import { addProducts, clearTile, declareTile, type Tile } from './tile.ts'

/** Columns of a tile, in vectors. */
const vectorsPerStrip = 2

/** The functions of the direct path; parts.ts calls its `$run(block)`. */
export function directFunctions(): FunctionBuilder[] {
  return [edgeStore(float32Element), run(float32Element, false)]
}

/** The functions of the strip path for an element type. */
export function stripFunctions(element: Element): FunctionBuilder[] {
  return [edgeStore(element), copyStrip(element), run(element, true)]
}

/** What the loops of a tile know of the place they are at. */
interface Scope {
  readonly f: FunctionBuilder
  readonly block: Local
  readonly a: Local
  readonly b: Local
  readonly c: Local
  readonly mFrom: Local
  readonly rows: Local
  readonly column: Local
  /** First value of k of this part of the sum, and how many there are. */
  readonly part: Local
  readonly length: Local
}

/** Batch > part of k > strip of columns > tile. */
function run(element: Element, copiesStrips: boolean): FunctionBuilder {
  const f = new FunctionBuilder('run')
  const block = f.param('block', 'i32')
  const k = f.let(parameter(block, 'k'), 'k')
  const mFrom = f.let(parameter(block, 'mFrom'), 'mFrom')
  const rows = f.let(i32.sub(parameter(block, 'mTo'), mFrom), 'rows')
  const nTo = f.let(parameter(block, 'nTo'), 'nTo')
  const batch = f.let(parameter(block, 'batchFrom'), 'batch')
  const part = f.local('i32', 'part')
  const length = f.local('i32', 'length')
  const column = f.local('i32', 'column')
  const rest = f.local('i32', 'rest')
  const tile = declareTile(f, element, tileRows, vectorsPerStrip)
  f.doWhile(() => {
    const a = f.let(i32.add(parameter(block, 'a'), entry(parameter(block, 'aBatch'), batch)), 'a')
    const b = f.let(i32.add(parameter(block, 'b'), entry(parameter(block, 'bBatch'), batch)), 'b')
    const c = f.let(i32.add(parameter(block, 'c'), entry(parameter(block, 'cBatch'), batch)), 'c')
    f.set(part, 0)
    f.doWhile(() => {
      f.set(rest, i32.sub(k, part))
      f.set(length, minimum(parameter(block, 'kBlock'), rest))
      f.set(column, parameter(block, 'nFrom'))
      const scope: Scope = { f, block, a, b, c, mFrom, rows, column, part, length }
      f.doWhile(() => {
        writeStrip(scope, tile, f.let(i32.sub(nTo, column)), copiesStrips)
        return i32.lt_u(f.tee(column, i32.add(column, tile.columns)), nTo)
      })
      return i32.lt_u(f.tee(part, i32.add(part, length)), k)
    })
    return i32.lt_u(f.tee(batch, i32.add(batch, 1)), parameter(block, 'batchTo'))
  })
  return f
}

/** All tiles of one strip of columns. */
function writeStrip(scope: Scope, tile: Tile, columnsLeft: Local, copied: boolean): void {
  const { f, block, a, b, c, mFrom, rows, column, part, length } = scope
  const { element } = tile
  const columnTable = f.let(entryAddress(parameter(block, 'cN'), column), 'columnTable')
  const wholeColumns = f.let(hasWholeColumns(tile, columnTable, columnsLeft), 'wholeColumns')
  const aTable = f.let(entryAddress(parameter(block, 'aK'), part), 'aTable')
  const bTable = f.let(entryAddress(parameter(block, 'bK'), part), 'bTable')
  const aEnd = f.let(entryAddress(aTable, length), 'aEnd')
  const strip = f.local('i32', 'strip')
  if (copied) {
    const columns = entryAddress(parameter(block, 'bN'), column)
    f.set(strip, parameter(block, 'packedB'))
    f.emit(f.call('$copyStrip', strip, b, columns, columnsLeft, bTable, length))
  } else {
    f.set(strip, i32.add(b, entry(parameter(block, 'bN'), column)))
  }
  const row = f.let(i32.const(0), 'row')
  const lastRow = f.let(i32.sub(rows, 1), 'lastRow')
  const aPlace = f.local('i32', 'aPlace')
  const bPlace = f.local('i32', 'bPlace')
  const aEntry = f.local('i32', 'aEntry')
  const bEntry = f.local('i32', 'bEntry')
  f.doWhile(() => {
    clearTile(f, tile)
    // Rows that do not exist repeat the last one; their sums are not stored.
    const rowAddresses = tile.sums.map((_, i) => {
      const index = f.let(i32.add(row, i))
      return f.let(i32.add(a, entry(parameter(block, 'aM'), i32.add(mFrom, minimum(index, lastRow)))))
    })
    f.set(aEntry, aTable)
    f.set(bEntry, bTable)
    if (copied) f.set(bPlace, strip)
    f.doWhile(() => {
      f.set(aPlace, i32.load(aEntry))
      if (!copied) f.set(bPlace, i32.add(strip, i32.load(bEntry)))
      addProducts(
        f,
        tile,
        (i) => element.loadSplat(i32.add(rowAddresses[i]!, aPlace)),
        (j) => v128.load(bPlace, 16 * j),
      )
      if (copied) f.set(bPlace, i32.add(bPlace, 16 * tile.vectors))
      else f.set(bEntry, i32.add(bEntry, 4))
      return i32.lt_u(f.tee(aEntry, i32.add(aEntry, 4)), aEnd)
    })
    storeTile(f, tile, {
      result: c,
      rowTable: f.let(entryAddress(parameter(block, 'cM'), i32.add(mFrom, row)), 'rowTable'),
      columnTable,
      rowsLeft: i32.sub(rows, row),
      columnsLeft,
      wholeColumns,
      accumulate: i32.ne(part, 0),
      scratch: parameter(block, 'tile'),
    })
    return i32.lt_u(f.tee(row, i32.add(row, tile.rows)), rows)
  })
}

/**
 * `$copyStrip(to, base, columnTable, columnsLeft, kTable, length)`: puts a strip of B, any layout, where a tile can read it
 * by vectors. Columns that do not exist repeat the last one.
 */
function copyStrip(element: Element): FunctionBuilder {
  const f = new FunctionBuilder('copyStrip')
  const to = f.param('to', 'i32')
  const base = f.param('base', 'i32')
  const columnTable = f.param('columnTable', 'i32')
  const columnsLeft = f.param('columnsLeft', 'i32')
  const kTable = f.param('kTable', 'i32')
  const length = f.param('length', 'i32')
  const columns = Array.from({ length: vectorsPerStrip * element.lanes }, (_, i) => i)
  const end = f.let(entryAddress(kTable, length))
  const last = f.let(i32.sub(columnsLeft, 1))
  const addresses = columns.map((column) =>
    f.let(i32.add(base, entry(columnTable, minimum(i32.const(column), last)))),
  )
  const isContiguous = all([
    i32.ge_u(columnsLeft, columns.length),
    ...Array.from({ length: vectorsPerStrip }, (_, j) =>
      isVectorRun(columnTable, 4 * element.lanes * j, element.lanes),
    ),
  ])
  const place = f.local('i32', 'place')
  const values = f.local('v128', 'values')
  const forEachK = (copy: () => void): void =>
    f.for(kTable, end, 4, () => {
      f.set(place, i32.load(kTable))
      copy()
      f.set(to, i32.add(to, 16 * vectorsPerStrip))
    })
  f.if(
    isContiguous,
    () =>
      forEachK(() => {
        for (let j = 0; j < vectorsPerStrip; j++) {
          const from = i32.add(addresses[j * element.lanes]!, place)
          f.emit(v128.store(to, v128.load(from), 16 * j))
        }
      }),
    () =>
      forEachK(() => {
        for (let j = 0; j < vectorsPerStrip; j++) {
          f.set(values, zeroVector)
          for (let lane = 0; lane < element.lanes; lane++) {
            const from = i32.add(addresses[j * element.lanes + lane]!, place)
            f.set(values, lane === 0 ? element.loadFirst(from) : element.loadLane(lane, from, values))
          }
          f.emit(v128.store(to, values, 16 * j))
        }
      }),
  )
  return f
}
