// An order of units in which each comes after those it needs, kept while units are still made, extended and merged: so a
// unit's place tells at once that it cannot depend on later ones, and only what lies between two units has to be searched
// for a way from one to the other (after Pearce and Kelly 2006, "A Dynamic Topological Sort Algorithm for Directed Acyclic
// Graphs"). Not here: in which order units run (schedule.ts). Read before: fuse.ts.
import type { Unit } from './fuse.ts'

/** Units in an order that respects their producers. */
export class UnitOrder {
  readonly #units: (Unit | null)[] = []

  /** Takes a new unit, whose producers are known already. */
  append(unit: Unit): void {
    unit.place = this.#units.push(unit) - 1
  }

  /** Whether `later` cannot run before `earlier` has. */
  dependsOn(later: Unit, earlier: Unit): boolean {
    const seen = new Set<Unit>()
    const stack = [later]
    while (stack.length > 0) {
      const unit = stack.pop()!
      if (unit === earlier) return true
      if (unit.place < earlier.place || seen.has(unit)) continue
      seen.add(unit)
      stack.push(...producersOf(unit))
    }
    return false
  }

  /** Makes room for a unit to need `producer`, which must not depend on it. */
  putAfter(unit: Unit, producer: Unit): void {
    if (producer.place > unit.place) this.#move([producer], unit)
  }

  /** One unit takes the place of two that do not depend on each other. Called before the one is merged into the other. */
  join(into: Unit, from: Unit): void {
    const [early, late] = into.place < from.place ? [into, from] : [from, into]
    this.#move([...producersOf(late)], early)
    this.#units[late.place] = null
    this.#units[early.place] = into
    into.place = early.place
  }

  /** Moves units, and all they need, before another one. */
  #move(units: readonly Unit[], before: Unit): void {
    const moved = new Set<Unit>()
    const stack = [...units]
    let last = before.place
    while (stack.length > 0) {
      const unit = stack.pop()!
      if (unit.place < before.place || moved.has(unit)) continue
      moved.add(unit)
      last = Math.max(last, unit.place)
      stack.push(...producersOf(unit))
    }
    const range = this.#units.slice(before.place, last + 1)
    const isMoved = (unit: Unit | null): boolean => unit !== null && moved.has(unit)
    const sorted = [...range.filter(isMoved), ...range.filter((unit) => !isMoved(unit))]
    const start = before.place
    sorted.forEach((unit, i) => {
      this.#units[start + i] = unit
      if (unit !== null) unit.place = start + i
    })
  }
}

/** What a unit needs, as the units these have become. */
function producersOf(unit: Unit): Set<Unit> {
  unit.producers = live(unit.producers)
  unit.producers.delete(unit)
  return unit.producers
}

/** Units as what they have been merged into. */
export function live(units: Iterable<Unit>): Set<Unit> {
  const result = new Set<Unit>()
  for (let unit of units) {
    while (unit.mergedInto !== null) unit = unit.mergedInto
    result.add(unit)
  }
  return result
}
