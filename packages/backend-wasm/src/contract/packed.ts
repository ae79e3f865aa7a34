// The packed path, for all products large enough that copying pays: blocks of B and of A are packed into panels, and
// tiles of C run over them. From the outside in (the order of Goto and van de Geijn 2008):
//   batch > block of 512 columns > part of k, pack B > block of 120 rows, pack A > panel of B > panel of A: one tile.
// A packed block of B stays in the second-level cache while all of A passes, a panel of it in the first-level one.
// Read next: pack.ts and tile.ts for the two parts, plan.ts for when this path is taken.
import { FunctionBuilder } from '../wat/builder.ts'
import { i32, v128 } from '../wat/instructions.ts'
import { entry, entryAddress, minimum, parameter } from './code.ts'
import { float32Element } from './element.ts'
import { callFinish } from './finish.ts'
import { packFour, packFunctions } from './pack.ts'
import { columnBlock, rowBlock, tileColumns, tileRows } from './plan.ts'
import { edgeStore, hasWholeColumns, storeTile } from './store.ts'
import { addProducts, clearTile, declareTile } from './tile.ts'

/** The functions of the packed path; parts.ts calls its `$run(block)`. @param finishing whether it calls `$finish` */
export function packedFunctions(finishing: boolean): FunctionBuilder[] {
  return [
    packFour(),
    ...packFunctions('A', tileRows),
    ...packFunctions('B', tileColumns),
    edgeStore(float32Element),
    tiles(),
    run(finishing),
  ]
}

/** The loops over blocks. */
function run(finishing: boolean): FunctionBuilder {
  const f = new FunctionBuilder('run')
  const block = f.param('block', 'i32')
  const [k, mTo, nTo] = (['k', 'mTo', 'nTo'] as const).map((name) => f.let(parameter(block, name), name))
  const batch = f.let(parameter(block, 'batchFrom'), 'batch')
  // Which block of A is packed: it stays good for further blocks of columns, and for batches that share A.
  const packedAddress = f.local('i32', 'packedAddress')
  const packedRow = f.let(i32.const(-1), 'packedRow')
  const packedK = f.local('i32', 'packedK')

  const column = f.local('i32', 'column')
  const row = f.local('i32', 'row')
  const part = f.local('i32', 'part')
  const columns = f.local('i32', 'columns')
  const rows = f.local('i32', 'rows')
  const length = f.local('i32', 'length')
  const rest = f.local('i32', 'rest')

  f.doWhile(() => {
    const a = f.let(i32.add(parameter(block, 'a'), entry(parameter(block, 'aBatch'), batch)), 'a')
    const b = f.let(i32.add(parameter(block, 'b'), entry(parameter(block, 'bBatch'), batch)), 'b')
    const c = f.let(i32.add(parameter(block, 'c'), entry(parameter(block, 'cBatch'), batch)), 'c')
    f.set(column, parameter(block, 'nFrom'))
    f.doWhile(() => {
      f.set(rest, i32.sub(nTo!, column))
      f.set(columns, minimum(i32.const(columnBlock), rest))
      f.set(part, 0)
      f.doWhile(() => {
        f.set(rest, i32.sub(k!, part))
        f.set(length, minimum(parameter(block, 'kBlock'), rest))
        const columnTable = entryAddress(parameter(block, 'bN'), column)
        const bkTable = entryAddress(parameter(block, 'bK'), part)
        f.emit(f.call('$packB', parameter(block, 'packedB'), b, columnTable, columns, bkTable, length))
        f.set(row, parameter(block, 'mFrom'))
        f.doWhile(() => {
          f.set(rest, i32.sub(mTo!, row))
          f.set(rows, minimum(i32.const(rowBlock), rest))
          const isPacked = i32.and(
            i32.and(i32.eq(packedAddress, a), i32.eq(packedRow, row)),
            i32.eq(packedK, part),
          )
          f.if(i32.eqz(isPacked), () => {
            const rowTable = entryAddress(parameter(block, 'aM'), row)
            const akTable = entryAddress(parameter(block, 'aK'), part)
            f.emit(f.call('$packA', parameter(block, 'packedA'), a, rowTable, rows, akTable, length))
            f.set(packedAddress, a)
            f.set(packedRow, row)
            f.set(packedK, part)
          })
          f.emit(f.call('$tiles', block, c, row, column, rows, columns, length, i32.ne(part, 0)))
          if (finishing) {
            // Sums are complete with the last part of k, and this block of them is still in the second-level cache.
            f.if(i32.eq(i32.add(part, length), k!), () => {
              const rowRange = [row, i32.add(row, rows)] as const
              callFinish(f, block, batch, rowRange, [column, i32.add(column, columns)])
            })
          }
          return i32.lt_u(f.tee(row, i32.add(row, rows)), mTo!)
        })
        return i32.lt_u(f.tee(part, i32.add(part, length)), k!)
      })
      return i32.lt_u(f.tee(column, i32.add(column, columns)), nTo!)
    })
    return i32.lt_u(f.tee(batch, i32.add(batch, 1)), parameter(block, 'batchTo'))
  })
  return f
}

/** All tiles of one packed block. */
function tiles(): FunctionBuilder {
  const f = new FunctionBuilder('tiles')
  const block = f.param('block', 'i32')
  const result = f.param('result', 'i32')
  const firstRow = f.param('firstRow', 'i32')
  const firstColumn = f.param('firstColumn', 'i32')
  const rows = f.param('rows', 'i32')
  const columns = f.param('columns', 'i32')
  const length = f.param('length', 'i32')
  const accumulate = f.param('accumulate', 'i32')

  const tile = declareTile(f, float32Element, tileRows, tileColumns / 4)
  const row = f.local('i32', 'row')
  const column = f.local('i32', 'column')
  const a = f.local('i32', 'a')
  const b = f.local('i32', 'b')
  const steps = f.local('i32', 'steps')
  const rowTable = f.local('i32', 'rowTable')
  const columnTable = f.local('i32', 'columnTable')
  const wholeColumns = f.local('i32', 'wholeColumns')
  const panel = f.let(parameter(block, 'packedB'), 'panel')

  f.doWhile(() => {
    f.set(columnTable, entryAddress(parameter(block, 'cN'), i32.add(firstColumn, column)))
    f.set(wholeColumns, hasWholeColumns(tile, columnTable, i32.sub(columns, column)))
    f.set(row, 0)
    f.set(a, parameter(block, 'packedA'))
    f.doWhile(() => {
      clearTile(f, tile)
      f.set(b, panel)
      f.set(steps, length)
      f.doWhile(() => {
        addProducts(
          f,
          tile,
          (i) => v128.load32_splat(a, 4 * i),
          (j) => v128.load(b, 16 * j),
        )
        f.set(b, i32.add(b, 4 * tileColumns))
        f.set(a, i32.add(a, 4 * tileRows))
        return f.tee(steps, i32.sub(steps, 1))
      })
      f.set(rowTable, entryAddress(parameter(block, 'cM'), i32.add(firstRow, row)))
      storeTile(f, tile, {
        result,
        rowTable,
        columnTable,
        rowsLeft: i32.sub(rows, row),
        columnsLeft: i32.sub(columns, column),
        wholeColumns,
        accumulate,
        scratch: parameter(block, 'tile'),
      })
      return i32.lt_u(f.tee(row, i32.add(row, tileRows)), rows)
    })
    f.set(panel, i32.add(panel, i32.mul(length, 4 * tileColumns)))
    return i32.lt_u(f.tee(column, i32.add(column, tileColumns)), columns)
  })
  return f
}
