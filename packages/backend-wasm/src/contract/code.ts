// Small pieces that the code of every contraction path is written with: words of the parameter block, entries of offset
// tables, and the question whether neighbouring entries are neighbours in memory. Read next: tile.ts.
import { i32, i32x4, select, v128 } from '../wat/instructions.ts'
import type { Wat } from '../wat/wat.ts'
import { contractParameters, type ContractParameter } from './parameters.ts'

/** A word of the parameter block at `block`. */
export function parameter(block: Wat, name: ContractParameter): Wat {
  return i32.load(block, 4 * contractParameters.words[name])
}

/** Address of an entry of an offset table. */
export function entryAddress(table: Wat, index: Wat): Wat {
  return i32.add(table, i32.shl(index, 2))
}

/** An entry of an offset table. */
export function entry(table: Wat, index: Wat): Wat {
  return i32.load(entryAddress(table, index))
}

/** The smaller of two unsigned integers. Both are written twice: give locals, numbers or single loads. */
export function minimum(x: Wat, y: Wat): Wat {
  return select(x, y, i32.lt_u(x, y))
}

/**
 * Whether the `lanes` offsets at `table + offset` are those of neighbours in memory, as many as fill a vector. Constants
 * are written in place here: this runs once a tile, and a local for them would take a register from its inner loop.
 */
export function isVectorRun(table: Wat, offset: number, lanes: 4 | 2): Wat {
  const first = i32.load(table, offset)
  if (lanes === 2) return i32.eq(i32.load(table, offset + 4), i32.add(first, 8))
  return i32x4.all_true(i32x4.eq(v128.load(table, offset), i32x4.add(i32x4.splat(first), fourOffsets(0))))
}

/** The byte offsets of four neighbours from the one at `first`. */
export function fourOffsets(first: number): Wat {
  return ['v128.const', 'i32x4', first, first + 4, first + 8, first + 12]
}

/** A vector of zeros, written in place: zeroing a register costs nothing, keeping one for zero does. */
export const zeroVector: Wat = ['v128.const', 'i32x4', 0, 0, 0, 0]

/** Conditions that must all hold. All are computed. */
export function all(conditions: readonly Wat[]): Wat {
  return conditions.reduce((left, right) => i32.and(left, right))
}
