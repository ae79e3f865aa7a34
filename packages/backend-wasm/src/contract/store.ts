// From registers to C. A whole tile whose vectors are contiguous in C is stored by vectors; any other goes through a
// scratch tile and is stored element by element, so nothing is ever written outside of C. Maps fused into a contraction
// follow block by block (finish.ts). Read next: packed.ts, unpacked.ts.
import { FunctionBuilder } from '../wat/builder.ts'
import { i32, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { all, entry, isVectorRun, minimum } from './code.ts'
import type { Element } from './element.ts'
import type { Tile } from './tile.ts'

/** Where a tile goes. */
export interface TilePlace {
  /** Address of C in this batch. */
  readonly result: Wat
  /** Addresses of the entries of C's offset tables for the tile's first row and first column. */
  readonly rowTable: Local
  readonly columnTable: Local
  /** How many rows and columns there are from the tile's first on, perhaps more than the tile has. */
  readonly rowsLeft: Wat
  readonly columnsLeft: Wat
  /** Whether all columns exist and lie in C as whole vectors, see {@link hasWholeColumns}. */
  readonly wholeColumns: Wat
  /** Whether an earlier part of the sum is in C already. */
  readonly accumulate: Wat
  /** Address of room for one tile. */
  readonly scratch: Wat
}

/** Whether the columns from `columnTable` on can be stored as whole vectors. */
export function hasWholeColumns(tile: Tile, columnTable: Wat, columnsLeft: Wat): Wat {
  const { lanes } = tile.element
  const runs = tile.columnFactors.map((_, vector) => isVectorRun(columnTable, 4 * lanes * vector, lanes))
  return all([i32.ge_u(columnsLeft, tile.columns), ...runs])
}

/** Writes the sums of a tile to C, or adds them to what is there. Its module needs {@link edgeStore}. */
export function storeTile(f: FunctionBuilder, tile: Tile, place: TilePlace): void {
  f.if(
    i32.and(place.wholeColumns, i32.ge_u(place.rowsLeft, tile.rows)),
    () => storeVectors(f, tile, place),
    () => {
      const scratch = f.let(place.scratch)
      let offset = 0
      for (const sums of tile.sums) {
        for (const sum of sums) {
          f.emit(v128.store(scratch, sum, offset))
          offset += 16
        }
      }
      const rows = f.let(place.rowsLeft)
      const columns = f.let(place.columnsLeft)
      f.emit(
        f.call(
          edgeStoreName,
          scratch,
          i32.const(tile.columns * tile.element.bytes),
          place.result,
          place.rowTable,
          place.columnTable,
          minimum(i32.const(tile.rows), rows),
          minimum(i32.const(tile.columns), columns),
          place.accumulate,
        ),
      )
    },
  )
}

function storeVectors(f: FunctionBuilder, tile: Tile, place: TilePlace): void {
  const { element, sums } = tile
  const rowAddresses = sums.map((_, row) => f.let(i32.add(place.result, i32.load(place.rowTable, 4 * row))))
  const columnOffsets = tile.columnFactors.map((_, vector) =>
    f.let(i32.load(place.columnTable, 4 * element.lanes * vector)),
  )
  const forEachSum = (body: (sum: Local, address: Wat) => void): void =>
    sums.forEach((row, i) => row.forEach((sum, j) => body(sum, i32.add(rowAddresses[i]!, columnOffsets[j]!))))
  f.if(place.accumulate, () => forEachSum((sum, address) => f.set(sum, element.add(sum, v128.load(address)))))
  forEachSum((sum, address) => f.emit(v128.store(address, sum)))
}

const edgeStoreName = '$storeEdge'

/** The function that stores part of a tile from the scratch space, element by element. */
export function edgeStore(element: Element): FunctionBuilder {
  const f = new FunctionBuilder('storeEdge')
  const from = f.param('from', 'i32')
  const pitch = f.param('pitch', 'i32')
  const result = f.param('result', 'i32')
  const rowTable = f.param('rowTable', 'i32')
  const columnTable = f.param('columnTable', 'i32')
  const rows = f.param('rows', 'i32')
  const columns = f.param('columns', 'i32')
  const accumulate = f.param('accumulate', 'i32')
  const row = f.local('i32', 'row')
  const column = f.local('i32', 'column')
  const elementShift = Math.log2(element.bytes)
  f.doWhile(() => {
    const rowAddress = f.let(i32.add(result, entry(rowTable, row)))
    f.set(column, 0)
    f.doWhile(() => {
      const address = f.let(i32.add(rowAddress, entry(columnTable, column)))
      const value = f.let(element.scalar.load(i32.add(from, i32.shl(column, elementShift))))
      f.if(accumulate, () => f.set(value, element.scalar.add(value, element.scalar.load(address))))
      f.emit(element.scalar.store(address, value))
      return i32.lt_u(f.tee(column, i32.add(column, 1)), columns)
    })
    f.set(from, i32.add(from, pitch))
    return i32.lt_u(f.tee(row, i32.add(row, 1)), rows)
  })
  return f
}
