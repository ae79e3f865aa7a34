// The two products of attention, in tiles of 4 x 8 held in registers. Scores are computed turned around, eight queries to
// a row: keys are then read one by one where they lie, whatever their stride, and what comes next works on eight queries
// at a time with nothing to add up across lanes. Only the eight queries are packed. Read next: columns.ts, forward.ts.
import { clearTile, addProducts, declareTile, type Tile } from '../contract/tile.ts'
import { minimum } from '../contract/code.ts'
import { float32Element } from '../contract/element.ts'
import { FunctionBuilder } from '../wat/builder.ts'
import { f32, f32x4, i32, select, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'

/** Queries that are worked on together: two vectors. */
export const together = 8

const tileRows = 4

/** Bytes of room that a tile which is not stored whole needs. */
export const tileBytes: number = 4 * tileRows * together

/**
 * `$scores(to, from, stride, rows, panel, length)`: to[r][c] = the sum over e of from[r][e] * panel[e][c]. Rows of `from`
 * are `stride` bytes apart, those of `to` `pitch`; the panel has eight columns. Writes whole groups of four rows, of which
 * those that do not exist repeat the last.
 */
export function scoresFunction(pitch: number): FunctionBuilder {
  const f = new FunctionBuilder('scores')
  const to = f.param('to', 'i32')
  const from = f.param('from', 'i32')
  const stride = f.param('stride', 'i32')
  const rows = f.param('rows', 'i32')
  const panel = f.param('panel', 'i32')
  const length = f.param('length', 'i32')
  const tile = declareTile(f, float32Element, tileRows, together / 4)
  const row = f.local('i32', 'row')
  const last = f.let(i32.sub(rows, 1), 'last')
  const addresses = tile.sums.map(() => f.local('i32', 'address'))
  const place = f.local('i32', 'place')
  const end = f.let(i32.add(panel, i32.mul(length, 4 * together)), 'end')
  f.doWhile(() => {
    clearTile(f, tile)
    addresses.forEach((address, i) => {
      const index = f.let(i32.add(row, i))
      f.set(address, i32.add(from, i32.mul(minimum(index, last), stride)))
    })
    f.set(place, panel)
    f.doWhile(() => {
      addProducts(
        f,
        tile,
        (i) => v128.load32_splat(addresses[i]!),
        (j) => v128.load(place, 16 * j),
      )
      for (const address of addresses) f.set(address, i32.add(address, 4))
      return i32.lt_u(f.tee(place, i32.add(place, 4 * together)), end)
    })
    tile.sums.forEach((sums, i) => {
      sums.forEach((sum, j) => f.emit(v128.store(to, sum, i * pitch + 16 * j)))
    })
    f.set(to, i32.add(to, tileRows * pitch))
    return i32.lt_u(f.tee(row, i32.add(row, tileRows)), rows)
  })
  return f
}

/** The operands of a {@link mixFunction}, in its order. */
export interface Mix {
  readonly to: Wat
  readonly toStride: Wat
  readonly rows: Wat
  readonly columns: Wat
  readonly left: Wat
  readonly right: Wat
  readonly rightStride: Wat
  readonly count: Wat
  readonly lead: Wat
  readonly accumulate: Wat
  readonly factors: Wat
  readonly room: Wat
}

/** Calls a {@link mixFunction}. */
export function mix(f: FunctionBuilder, name: string, operands: Mix): void {
  const { to, toStride, rows, columns, left, right, rightStride, count, lead, accumulate } = operands
  const { factors, room } = operands
  const shape = [to, toStride, rows, columns]
  f.emit(f.call(`$${name}`, ...shape, left, right, rightStride, count, lead, accumulate, factors, room))
}

/** How the left factor of a {@link mixFunction} lies, in bytes. */
interface LeftFactor {
  readonly row: number
  readonly step: number
}

/**
 * `$<name>(to, toStride, rows, columns, left, right, rightStride, count, lead, accumulate, factors, room)`:
 * to[r][c] = the sum over i < count of left[r][i] * right[i][c], added to what is there with `accumulate`, multiplied by
 * factors[r] where `factors` is not 0. Terms before i = r + lead are left out (for each four rows, before that of the
 * first). Columns are contiguous; `room` is that of a tile.
 */
export function mixFunction(name: string, leftFactor: LeftFactor): FunctionBuilder {
  const f = new FunctionBuilder(name)
  const to = f.param('to', 'i32')
  const toStride = f.param('toStride', 'i32')
  const rows = f.param('rows', 'i32')
  const columns = f.param('columns', 'i32')
  const left = f.param('left', 'i32')
  const right = f.param('right', 'i32')
  const rightStride = f.param('rightStride', 'i32')
  const count = f.param('count', 'i32')
  const lead = f.param('lead', 'i32')
  const accumulate = f.param('accumulate', 'i32')
  const factors = f.param('factors', 'i32')
  const room = f.param('room', 'i32')
  const tile = declareTile(f, float32Element, tileRows, together / 4)
  const column = f.local('i32', 'column')
  const row = f.local('i32', 'row')
  const start = f.local('i32', 'start')
  const l = f.local('i32', 'l')
  const r = f.local('i32', 'r')
  const end = f.local('i32', 'end')
  const target = f.local('i32', 'target')
  f.doWhile(() => {
    f.set(row, 0)
    f.doWhile(() => {
      clearTile(f, tile)
      f.set(start, i32.add(row, lead))
      f.set(start, select(start, i32.const(0), i32.gt_s(start, 0)))
      f.set(l, i32.add(left, i32.add(i32.mul(row, leftFactor.row), i32.mul(start, leftFactor.step))))
      f.set(r, i32.add(i32.add(right, i32.shl(column, 2)), i32.mul(start, rightStride)))
      f.set(end, i32.add(l, i32.mul(i32.sub(count, start), leftFactor.step)))
      f.if(i32.gt_s(count, start), () =>
        f.doWhile(() => {
          addProducts(
            f,
            tile,
            (i) => v128.load32_splat(l, i * leftFactor.row),
            (j) => v128.load(r, 16 * j),
          )
          f.set(r, i32.add(r, rightStride))
          return i32.lt_u(f.tee(l, i32.add(l, leftFactor.step)), end)
        }),
      )
      f.if(factors, () => {
        tile.sums.forEach((sums, i) => {
          const factor = f.let(v128.load32_splat(i32.add(factors, i32.shl(row, 2)), 4 * i))
          for (const sum of sums) f.set(sum, f32x4.mul(sum, factor))
        })
      })
      f.set(target, i32.add(i32.add(to, i32.mul(row, toStride)), i32.shl(column, 2)))
      f.if(
        i32.and(i32.ge_u(i32.sub(rows, row), tileRows), i32.ge_u(i32.sub(columns, column), together)),
        () => storeWhole(f, tile, target, toStride, accumulate),
        () => {
          const [rowsLeft, columnsLeft] = [f.let(i32.sub(rows, row)), f.let(i32.sub(columns, column))]
          storePart(f, tile, target, toStride, accumulate, rowsLeft, columnsLeft, room)
        },
      )
      return i32.lt_u(f.tee(row, i32.add(row, tileRows)), rows)
    })
    return i32.lt_u(f.tee(column, i32.add(column, together)), columns)
  })
  return f
}

function storeWhole(f: FunctionBuilder, tile: Tile, target: Local, stride: Local, accumulate: Local): void {
  const addresses: Local[] = [target]
  while (addresses.length < tile.rows) addresses.push(f.let(i32.add(addresses.at(-1)!, stride)))
  const forEachSum = (body: (sum: Local, address: Local, offset: number) => void): void =>
    tile.sums.forEach((sums, i) => sums.forEach((sum, j) => body(sum, addresses[i]!, 16 * j)))
  f.if(accumulate, () =>
    forEachSum((sum, address, offset) => f.set(sum, f32x4.add(sum, v128.load(address, offset)))),
  )
  forEachSum((sum, address, offset) => f.emit(v128.store(address, sum, offset)))
}

/** A tile that is cut off, element by element: nothing is ever written outside of the result. */
function storePart(
  f: FunctionBuilder,
  tile: Tile,
  target: Local,
  stride: Local,
  accumulate: Local,
  rowsLeft: Local,
  columnsLeft: Local,
  room: Local,
): void {
  tile.sums.forEach((sums, i) => {
    sums.forEach((sum, j) => f.emit(v128.store(room, sum, 4 * tile.columns * i + 16 * j)))
  })
  const row = f.let(i32.const(0))
  const column = f.local('i32')
  const address = f.local('i32')
  const value = f.local('f32')
  const from: Wat = i32.add(i32.add(room, i32.mul(row, 4 * tile.columns)), i32.shl(column, 2))
  const rowEnd = f.let(minimum(i32.const(tile.rows), rowsLeft))
  const columnEnd = f.let(minimum(i32.const(tile.columns), columnsLeft))
  f.doWhile(() => {
    f.set(column, 0)
    f.doWhile(() => {
      f.set(address, i32.add(i32.add(target, i32.mul(row, stride)), i32.shl(column, 2)))
      f.set(value, f32.load(from))
      f.if(accumulate, () => f.set(value, f32.add(value, f32.load(address))))
      f.emit(f32.store(address, value))
      return i32.lt_u(f.tee(column, i32.add(column, 1)), columnEnd)
    })
    return i32.lt_u(f.tee(row, i32.add(row, 1)), rowEnd)
  })
}
