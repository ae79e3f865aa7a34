// The tile: a few rows by a few vectors of C held in registers while the sum over k runs. Four rows of two vectors are
// eight registers of sums, which with two of B and two of A fit the sixteen that SIMD code has. The order in which a step
// is written matters: rows in pairs, both spread over vectors before their products, was the fastest of the forms tried,
// and it belongs inside the loop over tiles (as a function of its own it loses a fifth). Read next: store.ts.
import type { FunctionBuilder } from '../wat/builder.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { zeroVector } from './code.ts'
import type { Element } from './element.ts'

/** The registers of a tile. */
export interface Tile {
  readonly element: Element
  readonly rows: number
  /** Vectors in a row. */
  readonly vectors: number
  /** Elements in a row. */
  readonly columns: number
  readonly sums: readonly (readonly Local[])[]
  readonly rowFactors: readonly [Local, Local]
  readonly columnFactors: readonly Local[]
}

/** Declares the locals of a tile. */
export function declareTile(f: FunctionBuilder, element: Element, rows: number, vectors: number): Tile {
  const vectorLocals = (count: number, name: string): Local[] =>
    Array.from({ length: count }, () => f.local('v128', name))
  return {
    element,
    rows,
    vectors,
    columns: vectors * element.lanes,
    sums: Array.from({ length: rows }, () => vectorLocals(vectors, 'sum')),
    columnFactors: vectorLocals(vectors, 'column'),
    rowFactors: [f.local('v128', 'row'), f.local('v128', 'row')],
  }
}

/** Sets all sums to zero. */
export function clearTile(f: FunctionBuilder, tile: Tile): void {
  for (const sums of tile.sums) for (const sum of sums) f.set(sum, zeroVector)
}

/**
 * One step of the sum: adds the products of a column of A and a row of B. `rowFactor` reads an element of A into all
 * lanes, `columnFactor` a vector of B.
 */
export function addProducts(
  f: FunctionBuilder,
  tile: Tile,
  rowFactor: (row: number) => Wat,
  columnFactor: (vector: number) => Wat,
): void {
  const { element, sums, rowFactors, columnFactors } = tile
  if (tile.rows === 1) {
    // Each vector of B serves once: held in registers, eight of them would push out the sums.
    f.set(rowFactors[0], rowFactor(0))
    sums[0]!.forEach((sum, vector) => {
      f.set(sum, element.add(sum, element.multiply(columnFactor(vector), rowFactors[0])))
    })
    return
  }
  columnFactors.forEach((factor, vector) => f.set(factor, columnFactor(vector)))
  for (let first = 0; first < tile.rows; first += 2) {
    const pair = first + 1 < tile.rows ? [first, first + 1] : [first]
    for (const row of pair) f.set(rowFactors[row & 1]!, rowFactor(row))
    for (const row of pair) {
      columnFactors.forEach((factor, vector) => {
        const sum = sums[row]![vector]!
        f.set(sum, element.add(sum, element.multiply(factor, rowFactors[row & 1]!)))
      })
    }
  }
}
