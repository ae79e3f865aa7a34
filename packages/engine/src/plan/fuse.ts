// Fusion: which primitives run together. Units are made by one pass over the primitives in order: each joins the unit of
// a producer where it may (same elements in the same order, or one value per row; no cycle between units), and units
// that a value connects become one. So an elementwise chain, a softmax with everything around it, or an optimizer's three
// outputs are one unit each. Read before: primitive.ts, space.ts. Read next: materialize.ts (what is written to memory).
import { broadcastLayout, type Layout } from '../view.ts'
import { live, UnitOrder } from './order.ts'
import type { Primitive } from './primitive.ts'
import {
  elementCount,
  isRowBroadcast,
  isSame,
  isTrailing,
  mapSpace,
  mergeSpaces,
  reduceSpace,
  refineSpace,
  rowCount,
  type Level,
  type Space,
} from './space.ts'

/**
 * Work that runs as one step of a plan. A `routine` may have maps of its result beside it (epilogue.ts). `join` units do
 * nothing: they stand for an assembly whose parts are done.
 */
export class Unit {
  readonly kind: 'kernel' | 'routine' | 'join'
  space: Space
  /** Members and the level each lives at, in order of their identifiers. */
  readonly members: Map<Primitive, Level> = new Map()
  /** Units that must run before. */
  producers: Set<Unit> = new Set()
  /** Set when this unit has been merged into another. */
  mergedInto: Unit | null = null
  /** Its place in the order kept while units are made (order.ts). */
  place: number = 0
  /** When the program began what it computes: the earliest turn of its members. */
  firstTurn: number
  /** When the walk over the graph first came to what it computes. */
  firstId: number

  constructor(kind: Unit['kind'], space: Space, primitive: Primitive, level: Level) {
    this.kind = kind
    this.space = space
    this.members.set(primitive, level)
    this.firstTurn = primitive.turn
    this.firstId = primitive.id
  }

  add(primitive: Primitive, level: Level): void {
    this.members.set(primitive, level)
    this.firstTurn = Math.min(this.firstTurn, primitive.turn)
    this.firstId = Math.min(this.firstId, primitive.id)
  }
}

/** Kernels with more distinct inputs than this are not extended; compilers and caches both prefer shorter ones. */
const mostSources = 24

/** Nor are kernels with more members than this: beyond, compiling takes longer than the memory traffic that is saved. */
const mostMembers = 200

/** The result of fusion. */
export interface Fusion {
  readonly units: readonly Unit[]
  unitOf(primitive: Primitive): Unit | undefined
}

/**
 * Groups reachable primitives into units.
 * @param reachable whether a primitive is needed at all
 * @param isDemanded whether its value must be written whatever happens
 */
export function fuse(
  primitives: readonly Primitive[],
  isDemanded: (primitive: Primitive) => boolean,
  fusing: boolean = true,
): Fusion {
  const unitByPrimitive = new Map<Primitive, Unit>()
  // Units that began with a reduction of values made elsewhere.
  const reductions: Unit[] = []
  const users = usersOf(primitives)
  const order = new UnitOrder()
  const dependsOn = order.dependsOn.bind(order)

  const unitOf = (primitive: Primitive): Unit | undefined => {
    let unit = unitByPrimitive.get(primitive)
    while (unit !== undefined && unit.mergedInto !== null) unit = unit.mergedInto
    return unit
  }

  const producersOf = (primitive: Primitive): Set<Unit> => {
    const result = new Set<Unit>()
    for (const input of primitive.inputs) {
      const unit = unitOf(input.source)
      if (unit !== undefined) result.add(unit)
    }
    return result
  }

  /** The level a map could live at inside a unit, and the space it would then have; null if it cannot. */
  const levelIn = (unit: Unit, primitive: Primitive): { level: Level; space: Space } | null => {
    const levels = new Set<Level>()
    const layouts: { layout: Layout; producerLevel: Level }[] = []
    for (const input of valueInputs(primitive)) {
      const producerLevel = unitOf(input.source) === unit ? unit.members.get(input.source) : undefined
      if (producerLevel === undefined) continue
      levels.add(producerLevel)
      layouts.push({ layout: broadcastLayout(input.layout, primitive.shape), producerLevel })
    }
    if (levels.size === 0) return null
    const onlyRows = !levels.has('element')
    if (
      onlyRows &&
      primitive.size === rowCount(unit.space) &&
      layouts.every(({ layout }) => isSame(layout))
    ) {
      const space = refineSpace(unit.space, primitive.shape, 'row')
      if (space !== null) return { level: 'row', space }
    }
    if (primitive.size !== elementCount(unit.space)) return null
    const space = refineSpace(unit.space, primitive.shape, 'element')
    if (space === null) return null
    const fits = layouts.every(({ layout, producerLevel }) =>
      producerLevel === 'element' ? isSame(layout) : isRowBroadcast(space, layout),
    )
    return fits ? { level: 'element', space } : null
  }

  const merge = (into: Unit, from: Unit, space: Space): void => {
    order.join(into, from)
    mergeUnits(into, from, space)
  }

  const tooWide = (unit: Unit): boolean =>
    unit.members.size >= mostMembers || sourcesOf(unit).size > mostSources

  /** What a unit reads that others made. */
  const sourcesOf = (unit: Unit): Set<Primitive> => {
    const sources = new Set<Primitive>()
    for (const member of unit.members.keys()) for (const input of member.inputs) sources.add(input.source)
    for (const source of sources) if (source.free || unitOf(source) === unit) sources.delete(source)
    return sources
  }

  const join = (unit: Unit, primitive: Primitive, level: Level, space: Space, producers: Set<Unit>): void => {
    unit.space = space
    unit.add(primitive, level)
    for (const producer of producers) {
      if (producer === unit || unit.producers.has(producer)) continue
      order.putAfter(unit, producer)
      unit.producers.add(producer)
    }
    unitByPrimitive.set(primitive, unit)
  }

  const start = (kind: Unit['kind'], space: Space, primitive: Primitive, level: Level): Unit => {
    const unit = new Unit(kind, space, primitive, level)
    unit.producers = producersOf(primitive)
    order.append(unit)
    unitByPrimitive.set(primitive, unit)
    return unit
  }

  const addMap = (primitive: Primitive): void => {
    const producers = producersOf(primitive)
    if (fusing && primitive.kind !== 'fill') {
      for (const unit of producers) {
        if (unit.kind !== 'kernel' || tooWide(unit)) continue
        const place = levelIn(unit, primitive)
        if (place === null) continue
        if ([...producers].some((other) => other !== unit && dependsOn(other, unit))) continue
        const before = live(unit.producers)
        join(unit, primitive, place.level, place.space, producers)
        if (place.level === 'element') mergeAround(unit, before, primitive, producers)
        return
      }
    }
    start('kernel', mapSpace(primitive.shape), primitive, 'element')
  }

  /**
   * A member that uses several units makes them one, where nothing stands between them.
   * @param before what the unit depended on before the member joined
   */
  const mergeAround = (unit: Unit, before: Set<Unit>, primitive: Primitive, producers: Set<Unit>): void => {
    for (const other of producers) {
      if (other === unit || other.kind !== 'kernel' || other.mergedInto !== null || before.has(other))
        continue
      if (tooWide(other) || tooWide(unit)) continue
      const space = mergeSpaces(unit.space, other.space)
      if (space === null || !readsPointwise(primitive, other, space)) continue
      // The new member reads the other unit directly; any other path between the two would become a cycle.
      unit.producers = live(unit.producers)
      unit.producers.delete(other)
      if (dependsOn(unit, other) || dependsOn(other, unit)) unit.producers.add(other)
      else merge(unit, other, space)
    }
  }

  /** Whether a member reads another unit's values element by element, or one per row. */
  const readsPointwise = (primitive: Primitive, other: Unit, space: Space): boolean =>
    valueInputs(primitive).every((input) => {
      if (unitOf(input.source) !== other) return true
      const layout = broadcastLayout(input.layout, primitive.shape)
      return other.members.get(input.source) === 'element' ? isSame(layout) : isRowBroadcast(space, layout)
    })

  const addReduce = (primitive: Primitive): void => {
    const input = primitive.inputs[0]!
    const own = reduceSpace(input.shape, primitive.attributes['dims'] as readonly number[])
    const unit = unitOf(input.source)
    const beside = fusing ? siblingOf(primitive, own) : undefined
    // Folding an axis that is not the innermost walks memory across rows. That is fine for a kernel of its own, but it
    // would slow down other results of the producer's kernel; so it joins only where nothing else is wanted from it.
    const joinsProducer =
      fusing &&
      unit !== undefined &&
      unit.kind === 'kernel' &&
      unit.members.get(input.source) === 'element' &&
      isSame(input.layout) &&
      input.size === elementCount(unit.space) &&
      mergeSpaces(unit.space, own) !== null &&
      !tooWide(unit) &&
      (unit.space.reduced !== null ||
        isTrailing(own) ||
        (beside === undefined && usedOnlyBy(unit, primitive)))
    const target = joinsProducer ? unit : beside
    if (target === undefined) reductions.push(start('kernel', own, primitive, 'row'))
    else {
      join(target, primitive, 'row', mergeSpaces(target.space, own)!, producersOf(primitive))
      if (!isTrailing(own)) reductions.push(target)
    }
  }

  /**
   * A unit that folds the same axes over some of the same values, so that one pass can do for both: the gradients of
   * scale and shift of a normalisation, for example.
   */
  const siblingOf = (primitive: Primitive, own: Space): Unit | undefined => {
    const sources = sourcesBelow(primitive)
    const producers = [...producersOf(primitive)]
    return [...live(reductions)].find((unit) => {
      if (tooWide(unit) || mergeSpaces(unit.space, own) === null || unit.space.reduced === null) return false
      const related = [...unit.members.keys()].some((member) => {
        return member.kind === 'reduce' && sourcesBelow(member).some((source) => sources.includes(source))
      })
      return related && !producers.some((producer) => producer === unit || dependsOn(producer, unit))
    })
  }

  /** What a reduction reads: its operand, and what that is computed from. */
  const sourcesBelow = (reduction: Primitive): Primitive[] => {
    const { source } = reduction.inputs[0]!
    return [source, ...source.inputs.map((input) => input.source)].filter(
      ({ free, size }) => !free && size > 1,
    )
  }

  /**
   * Kernels that make neighbouring parts of an assembly from some of the same values become one: the gradients of gates
   * that were cut out of one product, for example.
   */
  const mergeMakers = (assembly: Primitive): void => {
    let unit: Unit | undefined
    for (const part of assembly.inputs) {
      const other = unitOf(part)
      if (unit !== undefined && other !== undefined && other !== unit && areSiblings(unit, other)) {
        merge(unit, other, mergeSpaces(unit.space, other.space)!)
      } else unit = other
    }
  }

  const areSiblings = (unit: Unit, other: Unit): boolean => {
    if (unit.space.reduced !== null || other.space.reduced !== null) return false
    if (mergeSpaces(unit.space, other.space) === null) return false
    const [mine, yours] = [sourcesOf(unit), sourcesOf(other)]
    const shared = [...mine].filter((source) => yours.has(source) && source.size > 1).length
    if (shared === 0 || mine.size + yours.size - shared > mostSources) return false
    if (unit.members.size + other.members.size > mostMembers) return false
    return !dependsOn(unit, other) && !dependsOn(other, unit)
  }

  const usedOnlyBy = (unit: Unit, user: Primitive): boolean => {
    for (const member of unit.members.keys()) {
      if (isDemanded(member)) return false
      for (const other of users.get(member) ?? []) if (other !== user && unitOf(other) !== unit) return false
    }
    return true
  }

  for (const primitive of primitives) {
    if (primitive.size === 0 && primitive.kind !== 'assemble') continue
    if (primitive.free && !isDemanded(primitive)) continue
    switch (primitive.kind) {
      case 'map':
      case 'place':
      case 'fill':
        addMap(primitive)
        break
      case 'reduce':
        addReduce(primitive)
        break
      case 'routine':
        start('routine', mapSpace(primitive.shape), primitive, 'element')
        break
      case 'assemble':
        if (fusing) mergeMakers(primitive)
        start('join', mapSpace(primitive.shape), primitive, 'element')
        break
      case 'host':
      case 'variable':
      case 'number':
      case 'position':
      case 'view':
        break
      default:
        primitive.kind satisfies never
    }
  }

  const units = [...live(unitByPrimitive.values())]
  for (const unit of units) {
    unit.producers = live(unit.producers)
    unit.producers.delete(unit)
  }
  return { units, unitOf }
}

/** Puts the members of one unit into another. Nothing may have to run between the two. */
export function mergeUnits(into: Unit, from: Unit, space: Space): void {
  for (const [member, level] of from.members) into.members.set(member, level)
  for (const unit of from.producers) into.producers.add(unit)
  into.producers = live(into.producers)
  into.producers.delete(into)
  into.firstTurn = Math.min(into.firstTurn, from.firstTurn)
  into.firstId = Math.min(into.firstId, from.firstId)
  into.space = space
  from.mergedInto = into
}

/** The inputs whose values a primitive uses (a place also waits for its fill, without reading it). */
export function valueInputs(primitive: Primitive): readonly Primitive[] {
  return primitive.kind === 'place' ? primitive.inputs.slice(0, 1) : primitive.inputs
}

/** Who uses each primitive's buffer, views looked through. */
function usersOf(primitives: readonly Primitive[]): Map<Primitive, Primitive[]> {
  const users = new Map<Primitive, Primitive[]>()
  for (const primitive of primitives) {
    if (primitive.kind === 'view') continue
    for (const input of primitive.inputs) {
      const list = users.get(input.source)
      if (list === undefined) users.set(input.source, [primitive])
      else list.push(primitive)
    }
  }
  return users
}
