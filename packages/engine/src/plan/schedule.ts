// The order of units: producers first; otherwise the order in which they were begun, by the program or by the walk over its
// graph: forward, then backward, then updates. So what needs no producer, as the margins of a padded value or transformed weights, is made right
// before its first user and not at the start. Units that only write Variables wait until nothing else can run, so that every
// reader of the old version and every step that can fail comes before them (R4, R5). Read next: memory.ts.
import type { Unit } from './fuse.ts'

/**
 * Orders units.
 * @param isLate whether a unit waits for the end
 * @param begunAt when a unit was begun, if nothing earlier needs it: by the program, or by the walk over the graph
 */
export function schedule(
  units: readonly Unit[],
  isLate: (unit: Unit) => boolean,
  begunAt: (unit: Unit) => number,
): Unit[] {
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
  const turns = turnsOf(units, begunAt)
  const early = new ReadyQueue(turns)
  const late = new ReadyQueue(turns)
  const ready = (unit: Unit): void => (isLate(unit) && !consumers.has(unit) ? late : early).push(unit)
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

/** When each unit is due: when its first member was made, or earlier where an earlier unit waits for it. */
function turnsOf(units: readonly Unit[], begunAt: (unit: Unit) => number): ReadonlyMap<Unit, number> {
  const turns = new Map<Unit, number>()
  // The earliest unit hands its turn on to all it waits for, then the next one: whoever has a turn has the earliest.
  for (const unit of [...units].sort((a, b) => begunAt(a) - begunAt(b))) {
    const stack = [unit]
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (turns.has(next)) continue
      turns.set(next, begunAt(unit))
      stack.push(...next.producers)
    }
  }
  return turns
}

/** A binary heap of units, the one that is due first on top. */
class ReadyQueue {
  readonly #turns: ReadonlyMap<Unit, number>
  #heap: Unit[] = []

  constructor(turns: ReadonlyMap<Unit, number>) {
    this.#turns = turns
  }

  push(unit: Unit): void {
    const heap = this.#heap
    heap.push(unit)
    for (let i = heap.length - 1; i > 0;) {
      const parent = (i - 1) >> 1
      if (this.#turn(parent) <= this.#turn(i)) break
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
        if (child < heap.length && this.#turn(child) < this.#turn(least)) least = child
      }
      if (least === i) return top
      ;[heap[least], heap[i]] = [heap[i]!, heap[least]!]
      i = least
    }
  }
  #turn(index: number): number {
    return this.#turns.get(this.#heap[index]!)!
  }
}
