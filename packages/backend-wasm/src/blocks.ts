// Which bytes of device memory are free: a list of gaps, sorted by address, that are joined again when their neighbours
// come back. It knows nothing of WebAssembly, so that it can be tested alone. Read next: memory.ts, which owns one.
import { BackendError } from '@nabla/engine'

/** Every block starts at a multiple of this: a cache line, and enough for any vector access. */
export const blockAlignment = 64

/** Hands out and takes back pieces of an address range that may grow at its end. */
export interface Blocks {
  /** Bytes handed out. */
  readonly inUse: number
  /** The start of a free piece of at least `bytes`, or null when no gap is large enough. */
  take(bytes: number): number | null
  /** Takes a piece back. @throws BackendError when nothing was handed out there */
  giveBack(place: number): void
  /** Appends free bytes from the present end up to `end`. */
  extend(end: number): void
  /** How many bytes must be appended before `take(bytes)` can succeed. */
  missing(bytes: number): number
}

interface Gap {
  start: number
  end: number
}

/** A range of free addresses [start, end). */
export function createBlocks(start: number, end: number): Blocks {
  const gaps: Gap[] = end > start ? [{ start, end }] : []
  const taken = new Map<number, number>()
  let limit = end
  let inUse = 0

  /** Index of the first gap that begins at or after `address`. */
  const gapAfter = (address: number): number => {
    let low = 0
    let high = gaps.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (gaps[middle]!.start < address) low = middle + 1
      else high = middle
    }
    return low
  }

  const insert = (from: number, to: number): void => {
    const at = gapAfter(from)
    const before = gaps[at - 1]
    const after = gaps[at]
    const joinsBefore = before !== undefined && before.end === from
    const joinsAfter = after !== undefined && after.start === to
    if (joinsBefore && joinsAfter) {
      before.end = after.end
      gaps.splice(at, 1)
    } else if (joinsBefore) {
      before.end = to
    } else if (joinsAfter) {
      after.start = from
    } else {
      gaps.splice(at, 0, { start: from, end: to })
    }
  }

  return {
    get inUse() {
      return inUse
    },
    take(bytes) {
      const size = roundUp(bytes)
      // Best fit: the smallest gap that suffices keeps the large ones whole for arenas.
      let best = -1
      let bestSize = Infinity
      for (let i = 0; i < gaps.length; i++) {
        const gap = gaps[i]!
        const length = gap.end - gap.start
        if (length < size || length >= bestSize) continue
        best = i
        bestSize = length
        if (length === size) break
      }
      if (best < 0) return null
      const gap = gaps[best]!
      const place = gap.start
      gap.start += size
      if (gap.start === gap.end) gaps.splice(best, 1)
      taken.set(place, size)
      inUse += size
      return place
    },
    giveBack(place) {
      const size = taken.get(place)
      if (size === undefined) {
        throw new BackendError(
          `release: no block begins at byte ${place}; it was never allocated or has been released already`,
        )
      }
      taken.delete(place)
      inUse -= size
      insert(place, place + size)
    },
    extend(newEnd) {
      if (newEnd <= limit) return
      insert(limit, newEnd)
      limit = newEnd
    },
    missing(bytes) {
      const last = gaps[gaps.length - 1]
      const atEnd = last !== undefined && last.end === limit ? limit - last.start : 0
      return Math.max(0, roundUp(bytes) - atEnd)
    },
  }
}

function roundUp(bytes: number): number {
  // A block of no bytes still needs an address of its own.
  return Math.max(1, Math.ceil(bytes / blockAlignment)) * blockAlignment
}
