// The order of units: producers first; otherwise the order in which the program made the values, which is forward, then
// backward, then updates. Units that write Variables wait until nothing else can run, so that every reader of the old
// version and every step that can fail comes before them (R4, R5). Read next: memory.ts.
import type { Unit } from './fuse.ts'

/** Orders units. @param isLate whether a unit writes a Variable */
export function schedule(units: readonly Unit[], isLate: (unit: Unit) => boolean): Unit[] {
  const waitingFor = new Map<Unit, number>()
  const consumers = new Map<Unit, Unit[]>()
  for (const unit of units) {
    waitingFor.set(unit, unit.producers.size)
    for (const producer of unit.producers) {
      const list = consumers.get(producer)
      if (list === undefined) consumers.set(producer, [unit])
      else list.push(unit)
    }
  }
  const early = new ReadyQueue()
  const late = new ReadyQueue()
  const ready = (unit: Unit): void => (isLate(unit) ? late : early).push(unit)
  for (const unit of units) if (unit.producers.size === 0) ready(unit)
  const order: Unit[] = []
  for (let unit = early.pop() ?? late.pop(); unit !== undefined; unit = early.pop() ?? late.pop()) {
    order.push(unit)
    for (const consumer of consumers.get(unit) ?? []) {
      const left = waitingFor.get(consumer)! - 1
      waitingFor.set(consumer, left)
      if (left === 0) ready(consumer)
    }
  }
  if (order.length !== units.length) throw new Error('the planner made units that wait for one another')
  return order
}

/** A binary heap of units, the one whose last member was made first on top. */
class ReadyQueue {
  #heap: Unit[] = []

  push(unit: Unit): void {
    const heap = this.#heap
    heap.push(unit)
    for (let i = heap.length - 1; i > 0;) {
      const parent = (i - 1) >> 1
      if (heap[parent]!.last <= heap[i]!.last) break
      ;[heap[parent], heap[i]] = [heap[i]!, heap[parent]!]
      i = parent
    }
  }

  pop(): Unit | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (heap.length === 0 || last === undefined) return top
    heap[0] = last
    for (let i = 0; ;) {
      let least = i
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < heap.length && heap[child]!.last < heap[least]!.last) least = child
      }
      if (least === i) return top
      ;[heap[least], heap[i]] = [heap[i]!, heap[least]!]
      i = least
    }
  }
}
