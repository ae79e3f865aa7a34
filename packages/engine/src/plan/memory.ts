// The memory plan: where in one arena each buffer of a plan lies, so that buffers that live at different times share
// bytes. Largest first, each at the lowest offset that is free for its whole life (Pisarchyk & Lee 2020, "Efficient
// Memory Management for Deep Neural Net Inference", greedy by size). Read next: plan.ts.
import type { ArenaSlot } from '../backend.ts'

/** A buffer that wants a place: its size and the steps, inclusive, during which it holds something. */
export interface Lifetime {
  readonly bytes: number
  readonly first: number
  readonly last: number
}

/** Every buffer starts on a cache line, with room behind it for vector loads that read past the end. */
const alignment = 64

/** Places buffers; returns one slot per lifetime, in the same order, and the bytes of the whole arena. */
export function planMemory(lifetimes: readonly Lifetime[]): { slots: ArenaSlot[]; bytes: number } {
  const order = lifetimes.map((_, i) => i).sort((a, b) => lifetimes[b]!.bytes - lifetimes[a]!.bytes || a - b)
  const placed: ArenaSlot[] = []
  const slots: ArenaSlot[] = []
  let total = 0
  for (const index of order) {
    const { bytes, first, last } = lifetimes[index]!
    const room = roundUp(Math.max(bytes, 1))
    let offset = 0
    // `placed` is kept in order of offset, so the first gap that fits is the lowest.
    for (const other of placed) {
      if (other.last < first || other.first > last) continue
      if (other.offset >= offset + room) break
      offset = Math.max(offset, other.offset + roundUp(Math.max(other.bytes, 1)))
    }
    const slot: ArenaSlot = { bytes, offset, first, last }
    slots[index] = slot
    let at = placed.length
    while (at > 0 && placed[at - 1]!.offset > offset) at -= 1
    placed.splice(at, 0, slot)
    total = Math.max(total, offset + room)
  }
  return { slots, bytes: total }
}

/** The most bytes alive at one step: no placement can need less. */
export function lowerBound(lifetimes: readonly Lifetime[]): number {
  const change = new Map<number, number>()
  for (const { bytes, first, last } of lifetimes) {
    const room = roundUp(Math.max(bytes, 1))
    change.set(first, (change.get(first) ?? 0) + room)
    change.set(last + 1, (change.get(last + 1) ?? 0) - room)
  }
  let alive = 0
  let most = 0
  for (const step of [...change.keys()].sort((a, b) => a - b)) {
    alive += change.get(step)!
    most = Math.max(most, alive)
  }
  return most
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment
}
