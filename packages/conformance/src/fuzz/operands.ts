// What the fuzzer's operations share: how they look for operands. Read next: maps.ts, operations.ts.
import { isReal, type Builder, type Entry } from './builder.ts'

/** Extends a program by one or a few steps. Gives the last value, or null where no operands suit. */
export type Extend = (builder: Builder) => Promise<Entry | null>

/** No value of a program has more elements. */
export const mostElements: number = 3000

/** A value that holds reals. */
export const real = (entry: Entry): boolean => isReal(entry.dtype)
/** Any value at all. */
export const anything = (): boolean => true

/** Values that broadcast with a given one, and do not become too large by it. */
export function broadcasts(entry: Entry): (other: Entry) => boolean {
  return (other) => {
    const rank = Math.max(entry.shape.length, other.shape.length)
    let size = 1
    for (let i = 1; i <= rank; i++) {
      const a = entry.shape[entry.shape.length - i] ?? 1
      const b = other.shape[other.shape.length - i] ?? 1
      if (a !== b && a !== 1 && b !== 1) return false
      size *= a === 1 ? b : a
    }
    return size <= mostElements
  }
}

/** A value to go on with: mostly any, sometimes a fresh leaf. */
export async function operand(builder: Builder, condition: (entry: Entry) => boolean): Promise<Entry | null> {
  const entry = builder.find(condition)
  return entry === null ? null : builder.tame(entry)
}

/** One or more dimensions of a value, some of them counted from the last. */
export function someDims(builder: Builder, x: Entry): number[] {
  const all = x.shape.map((_, dim) => dim)
  const chosen = builder.random.some(all, 0.5)
  const dims = chosen.length > 0 ? chosen : [builder.random.pick(all)]
  return dims.map((dim) => (builder.random.chance(0.2) ? dim - x.shape.length : dim))
}
