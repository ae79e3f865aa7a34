// Epilogues: maps of a contraction's result (a bias, an activation, a residual, a mask) that run in the contraction's own
// step, while what they read is still in a cache. A kernel of maps that reads the result element by element joins the
// routine's unit. Kernels that also reduce stay by themselves, and so do those that write Variables: they run last.
// Read before: fuse.ts. Read next: materialize.ts; build.ts, which hands the maps over as the `epilogue` of a specification.
import { broadcastLayout } from '../view.ts'
import { mergeUnits, valueInputs, type Fusion, type Unit } from './fuse.ts'
import { live } from './order.ts'
import type { Primitive } from './primitive.ts'
import { isSame, mergeSpaces } from './space.ts'

/** Longer chains of maps take longer than what is saved by keeping them beside the product. */
const mostMaps = 40

/** Arrays read besides the product; each needs its own places for every row of a block. */
const mostSources = 8

/** The routine of a unit that may have, or has, maps of its result beside it. */
export function productOf(unit: Unit): Primitive | null {
  if (unit.kind !== 'routine') return null
  const [first] = unit.members.keys()
  return first!.routine?.epilogue === true ? first! : null
}

/** Whether maps run in a routine's step. */
export function hasEpilogue(unit: Unit | undefined): boolean {
  return unit !== undefined && unit.kind === 'routine' && unit.members.size > 1
}

/** Lets contractions take along the kernels that map their results. */
export function attachEpilogues(fusion: Fusion, isAssigned: (primitive: Primitive) => boolean): Fusion {
  const readers = mapKernels(fusion)
  // Of several products that a kernel reads it joins the last one: the others are done by then and wait for nobody.
  for (const unit of [...fusion.units].reverse()) {
    const product = productOf(unit)
    if (product === null || product.size === 0) continue
    for (const kernel of readers.get(product) ?? []) {
      if (kernel.mergedInto !== null) continue
      const space = mergeSpaces(unit.space, kernel.space)
      if (space === null || unit.members.size + kernel.members.size > mostMaps) continue
      if (![...kernel.members.keys()].every((member) => mapsProduct(member, product, isAssigned))) continue
      if (sourcesOf(fusion, kernel) > mostSources) continue
      // Whatever else the kernel waits for must not wait for the product.
      const others = [...live(kernel.producers)].filter((other) => other !== unit)
      if (others.some((other) => waitsFor(other, unit))) continue
      mergeUnits(unit, kernel, space)
    }
  }
  const units = fusion.units.filter((unit) => unit.mergedInto === null)
  for (const unit of units) {
    unit.producers = live(unit.producers)
    unit.producers.delete(unit)
  }
  return { units, unitOf: fusion.unitOf }
}

/** Whether a unit cannot run before another has. */
function waitsFor(unit: Unit, other: Unit): boolean {
  const seen = new Set<Unit>()
  const stack = [unit]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (next === other) return true
    if (seen.has(next)) continue
    seen.add(next)
    stack.push(...live(next.producers))
  }
  return false
}

/** The kernels without reductions, by the routines' results that they read. */
function mapKernels(fusion: Fusion): Map<Primitive, Set<Unit>> {
  const readers = new Map<Primitive, Set<Unit>>()
  for (const unit of fusion.units) {
    if (unit.kind !== 'kernel' || unit.space.reduced !== null) continue
    for (const member of unit.members.keys()) {
      for (const { source } of valueInputs(member)) {
        if (source.kind !== 'routine') continue
        const known = readers.get(source)
        if (known === undefined) readers.set(source, new Set([unit]))
        else known.add(unit)
      }
    }
  }
  return readers
}

/** Whether a member is a map that sees, of the product, the element at its own place alone. */
function mapsProduct(
  member: Primitive,
  product: Primitive,
  isAssigned: (primitive: Primitive) => boolean,
): boolean {
  if ((member.kind !== 'map' && member.kind !== 'place') || isAssigned(member)) return false
  return valueInputs(member).every(
    (input) =>
      input.source !== product ||
      (member.size === product.size && isSame(broadcastLayout(input.layout, member.shape))),
  )
}

/** How many arrays a kernel reads. */
function sourcesOf(fusion: Fusion, kernel: Unit): number {
  const sources = new Set<Primitive>()
  for (const member of kernel.members.keys()) {
    for (const { source } of valueInputs(member)) {
      if (!source.free && fusion.unitOf(source) !== kernel) sources.add(source)
    }
  }
  return sources.size
}
