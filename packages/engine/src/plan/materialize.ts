// Which values get memory. Starts from what must (demanded values, routine operands, assemblies) and goes through every
// value that leaves the unit it is made in, asking policy.ts whether its users should rather compute it again.
// Read before: fuse.ts, policy.ts. Read next: compose.ts, which builds the kernels.
import { applyView, broadcastLayout, type Layout } from '../view.ts'
import { hasEpilogue } from './epilogue.ts'
import { valueInputs, type Fusion } from './fuse.ts'
import { shouldRecompute } from './policy.ts'
import type { Primitive } from './primitive.ts'
import { overSpace, type Level, type Space } from './space.ts'

/** Takes a layout over some value's shape to strides over the axes of the kernel that reads it; null if it has none. */
export type Placement = (layout: Layout) => Layout | null

/** The placement of a unit's own member. */
export function placementOf(space: Space, level: Level): Placement {
  return (layout) => overSpace(space, layout, level)
}

/** The placement of a map's input, given the map's own. */
export function inputPlacement(map: Primitive, placement: Placement): Placement {
  return (layout) => placement(broadcastLayout(layout, map.shape))
}

/** The placement of what a view looks at, given the view's own. */
export function viewedPlacement(view: Primitive, placement: Placement): Placement {
  return (layout) => {
    const viewed = applyView(layout, view.view!, view.shape)
    return viewed === null ? null : placement(viewed)
  }
}

/**
 * Whether every load that computing `value` at a placement would make has strides there.
 * @param inMemory whether a value would be loaded rather than computed
 */
export function isExpressible(
  value: Primitive,
  placement: Placement,
  inMemory: (value: Primitive) => boolean,
): boolean {
  if (value.kind === 'number') return true
  if (value.kind === 'view')
    return isExpressible(value.inputs[0]!, viewedPlacement(value, placement), inMemory)
  const loaded = (inMemory(value) && !value.free) || value.kind === 'position' || value.kind === 'reduce'
  if (loaded) return placement(value.layout) !== null
  return value.inputs.every((input) => isExpressible(input, inputPlacement(value, placement), inMemory))
}

/** Values this much smaller than the one they help to recompute are written for that purpose: row statistics. */
const smallFactor = 8

/**
 * The values that are written to memory. Leaves are not among them.
 * @param recomputing whether values may be computed again where they are used
 */
export function chooseStored(
  primitives: readonly Primitive[],
  fusion: Fusion,
  demanded: ReadonlySet<Primitive>,
  recomputing: boolean,
): Set<Primitive> {
  const stored = new Set<Primitive>(demanded)
  const inMemory = (value: Primitive): boolean =>
    stored.has(value) || value.kind === 'host' || value.kind === 'variable' || value.kind === 'assemble'

  for (const primitive of primitives) {
    if (primitive.kind === 'view') continue
    if (primitive.kind === 'assemble') stored.add(primitive)
    for (const input of valueInputs(primitive)) {
      const { kind } = input.source
      if (primitive.kind === 'routine' && kind !== 'number') stored.add(input.source)
      // A product that only maps of its own step see is overwritten by one of their results.
      if (kind === 'routine' && fusion.unitOf(primitive) !== fusion.unitOf(input.source))
        stored.add(input.source)
    }
    if (primitive.kind === 'routine' && !hasEpilogue(fusion.unitOf(primitive))) stored.add(primitive)
  }

  // How many primitives read a value, and the largest of them.
  const readers = new Map<Primitive, { count: number; largest: number }>()
  for (const primitive of primitives) {
    if (primitive.kind === 'view') continue
    for (const input of valueInputs(primitive)) {
      const size = primitive.kind === 'reduce' ? input.size : primitive.size
      const before = readers.get(input.source) ?? { count: 0, largest: 0 }
      readers.set(input.source, { count: before.count + 1, largest: Math.max(before.largest, size) })
    }
  }
  const usedOnce = (value: Primitive): boolean => {
    const reader = readers.get(value)
    return reader !== undefined && reader.count === 1 && reader.largest <= value.size
  }

  // In order of identifiers, so that what a value is computed from has been decided before it.
  const crossings: { value: Primitive; input: Primitive; placement: Placement }[] = []
  for (const unit of fusion.units) {
    if (unit.kind === 'join') continue
    for (const [member, level] of unit.members) {
      if (member.kind === 'routine') continue
      const own = placementOf(unit.space, level)
      const placement =
        member.kind === 'reduce' ? placementOf(unit.space, 'element') : inputPlacement(member, own)
      for (const input of valueInputs(member)) {
        const value = input.source
        if (fusion.unitOf(value) === unit || value.kind === 'number') continue
        crossings.push({ value, input, placement })
      }
    }
  }
  crossings.sort((a, b) => a.value.id - b.value.id)
  for (const { value, input, placement } of crossings) {
    if (inMemory(value)) continue
    const helpers = new Set<Primitive>()
    const storedAs = (candidate: Primitive): 'no' | 'small' | 'yes' => {
      const small = candidate.size * smallFactor <= value.size
      if (inMemory(candidate)) return small ? 'small' : 'yes'
      if (candidate === value || !small) return 'no'
      helpers.add(candidate)
      return 'small'
    }
    if ((recomputing || value.free) && shouldRecompute(value, { stored: storedAs, usedOnce })) {
      for (const helper of helpers) stored.add(helper)
      if (isExpressible(input, placement, inMemory)) continue
    }
    stored.add(value)
  }
  for (const value of stored) if (value.kind === 'host' || value.kind === 'variable') stored.delete(value)
  return stored
}
