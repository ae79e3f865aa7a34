// What rows.ts and columns.ts share: the loops over inner axes, and the body in which a pass computes some neighbouring
// vectors, joins them to its accumulators or stores them. They differ in the axis the vectors run along.
import type { Kernel } from '@nabla/engine'
import type { FunctionBuilder } from '../wat/builder.ts'
import { i32 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import type { Site, VectorAccess } from './access.ts'
import type { Addresses } from './addresses.ts'
import type { Evaluator } from './evaluator.ts'
import { choose, type LaneCount } from './lanes.ts'
import type { Pass } from './passes.ts'
import type { Placement } from './placement.ts'
import { combine, identityOf } from './reductions.ts'

/** Everything the writing of one kernel needs. The kernel is canonical and arranged. */
export interface KernelWriter {
  readonly f: FunctionBuilder
  readonly kernel: Kernel
  readonly lanes: LaneCount
  readonly addresses: Addresses
  readonly access: VectorAccess
  readonly placement: Placement
  readonly evaluator: Evaluator
  readonly passes: readonly Pass[]
}

/** The running values of a pass: one list of vectors for each accumulator. */
export type Running = readonly (readonly Local[])[]

/** Accumulators of a pass, `groups` vectors each, set to their identities. */
export function beginAccumulators({ f }: KernelWriter, pass: Pass, groups: number): Running {
  return pass.accumulators.map(({ fn, dtype }) =>
    Array.from({ length: groups }, () => f.let(identityOf(f, fn, dtype), 'running')),
  )
}

/**
 * Loops over inner axes, outermost first, with the pointers of the pass's arguments moving along; `write` gets the pointers
 * inside. An axis of size 0 is not entered.
 */
export function walkAxes(
  writer: KernelWriter,
  pass: Pass,
  axes: readonly number[],
  site: Site,
  write: (site: Site) => void,
): void {
  const { f, kernel, addresses, evaluator } = writer
  const [axis, ...rest] = axes
  if (axis === undefined) return write(site)
  const moving = [...pass.args].filter((arg) => kernel.args[arg]!.classes[axis] !== 0)
  const pointers = [...site.pointers]
  const locals = moving.map((arg) => (pointers[arg] = f.let(site.pointers[arg]!, 'pointer')))
  const inside: Site = { ...site, pointers }
  const left = f.let(addresses.size(axis), 'left')
  f.while(
    () => left,
    () => {
      evaluator.within(2 + axis - kernel.outerRank, inside, pass.roots, () =>
        walkAxes(writer, pass, rest, inside, write),
      )
      moving.forEach((arg, i) => f.set(locals[i]!, i32.add(locals[i]!, addresses.stride(arg, axis))))
      f.set(left, i32.sub(left, 1))
    },
  )
}

/**
 * What a pass does with the vectors of a site. `mask` says which lanes count, where lanes are added up later on: the others
 * get the identity, because a load past the end of a row brings in whatever lies there.
 */
export function writeVectors(
  writer: KernelWriter,
  pass: Pass,
  site: Site,
  running: Running,
  mask?: Local,
): void {
  const { f, access, evaluator } = writer
  for (let group = 0; group < site.groups; group++) {
    pass.accumulators.forEach(({ fn, dtype, value, stash }, i) => {
      let element: Wat = evaluator.value(value, group)
      if (stash !== undefined) {
        element = f.once(element)
        access.store(stash, site, group, element)
      }
      if (mask !== undefined) element = choose(dtype, mask, element, identityOf(f, fn, dtype))
      const sum = running[i]![group]!
      f.set(sum, combine(f, fn, dtype, sum, element))
    })
    // All results before the first store: an output may lie where an input does.
    const results = pass.stores.map(({ value }) => f.once(evaluator.value(value, group)))
    pass.stores.forEach(({ arg }, i) => access.store(arg, site, group, results[i]!))
  }
}
