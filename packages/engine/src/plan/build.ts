// Building a plan, the whole way: expand, fuse, choose what is stored, order, compose, lay out memory. This happens once
// per structure; see plan.ts for what happens at every step. The stages each have their file; this one is their story.
import { inSequence, type ArenaSlot, type Backend, type BackendLimits, type Executable } from '../backend.ts'
import { bytesOf } from '../dtype.ts'
import { withMergedAxes, type Launch } from '../kernel.ts'
import type { RoutineSpec } from '../routine.ts'
import { sizeOf } from '../shape.ts'
import { composeKernel, ownDestination, workOf, type Destination, type Surroundings } from './compose.ts'
import { costOfLaunch, costOfRoutine } from './cost.ts'
import { attachEpilogues, hasEpilogue, productOf } from './epilogue.ts'
import { expandTrace } from './expand.ts'
import { interpretRoutine } from './fallback.ts'
import { fuse, type Fusion, type Unit } from './fuse.ts'
import { chooseStored } from './materialize.ts'
import { lowerBound, planMemory, type Lifetime } from './memory.ts'
import { Plan, type PlanSlot, type PlanStep } from './plan.ts'
import type { Primitive, PrimitiveGraph } from './primitive.ts'
import { schedule } from './schedule.ts'
import { isSame } from './space.ts'
import type { Trace } from './walk.ts'

/** A step before it has been compiled. */
interface Draft {
  readonly unit: Unit
  readonly launch: Launch | null
  readonly spec: RoutineSpec | null
  readonly reads: readonly number[]
  readonly writes: readonly number[]
}

/** Builds the plan of a trace. @param fusing whether work is fused; without, every primitive is a step of its own */
export function buildPlan(trace: Trace, backend: Backend, fusing: boolean = true): Plan {
  const { graph, ofNode, constants } = expandTrace(trace, backend, fusing)
  const outputs = trace.outputs.map((node) => bufferOf(graph, ofNode(node)))
  const assigned = [...trace.assignments].map(([variable, node]) => ({
    variable: variable.ordinal,
    value: bufferOf(graph, ofNode(node)),
  }))
  const demanded = new Set<Primitive>([...outputs, ...assigned.map(({ value }) => value)])
  const primitives = reachable(graph, demanded)
  const updates = new Set(assigned.map(({ value }) => value))
  const fused = fuse(primitives, (primitive) => demanded.has(primitive), fusing)
  const fusion =
    fusing && backend.epilogues === true
      ? attachEpilogues(fused, (primitive) => updates.has(primitive))
      : fused
  const stored = chooseStored(primitives, fusion, demanded, fusing)

  // Slots: hosts, Variables, then stored values.
  const slots: PlanSlot[] = []
  for (const node of trace.hosts)
    slots.push({ role: 'host', dtype: node.dtype, length: sizeOf(node.shape), arena: -1, alias: -1 })
  for (const variable of trace.variables) {
    slots.push({
      role: 'variable',
      dtype: variable.dtype,
      length: sizeOf(variable.shape),
      arena: -1,
      alias: -1,
    })
  }
  const hostCount = trace.hosts.length
  const variableCount = trace.variables.length
  const valueSlot = ({ dtype, size }: Primitive): number =>
    slots.push({ role: 'value', dtype, length: size, arena: -1, alias: -1 }) - 1
  const slotOfValue = new Map<Primitive, number>()
  const destinations = new Map<Primitive, Destination>()
  for (const primitive of primitives) {
    if (primitive.kind === 'host') slotOfValue.set(primitive, primitive.index)
    if (primitive.kind === 'variable') slotOfValue.set(primitive, hostCount + primitive.index)
    if (!stored.has(primitive)) continue
    const slot = valueSlot(primitive)
    slotOfValue.set(primitive, slot)
    if (primitive.kind !== 'assemble') destinations.set(primitive, ownDestination(primitive, slot))
    else for (const part of primitive.inputs) destinations.set(part, { slot, layout: part.target! })
  }

  // A product that is not stored goes where one of its maps will write its result; without such a place it is stored.
  for (const unit of fusion.units) {
    if (!hasEpilogue(unit)) continue
    const product = productOf(unit)!
    if (slotOfValue.has(product)) continue
    const heir = [...unit.members.keys()].find(
      (member) => member.kind === 'map' && stored.has(member) && member.dtype === product.dtype,
    )
    slotOfValue.set(product, heir === undefined ? valueSlot(product) : slotOfValue.get(heir)!)
  }

  const writesVariable = (unit: Unit): boolean =>
    [...unit.members.keys()].some((member) => updates.has(member))
  const isLate = (unit: Unit): boolean => writesVariable(unit) && !holdsMuch(unit, fusion, stored)
  const surroundings: Surroundings = {
    slotOf: (value) => slotOfValue.get(value),
    destinationOf: (member) => destinations.get(member),
  }
  const work = new Map(
    fusion.units
      .filter((unit) => unit.kind !== 'join')
      .map((unit) => [
        unit,
        draftsOf(unit, surroundings, backend.limits).filter(({ writes }) => writes.length > 0),
      ]),
  )

  const outputSlots = outputs.map((value) => slotOfValue.get(value)!)
  const updated = assigned.map(({ variable, value }) => ({ variable, slot: slotOfValue.get(value)! }))
  // Neither order is always the one that keeps less in memory; the program's own where they are equal.
  const [byProgram, byWalk] = [(unit: Unit) => unit.firstTurn, (unit: Unit) => unit.firstId].map((due) =>
    layOut(
      schedule(fusion.units, isLate, due).flatMap((unit) => work.get(unit) ?? []),
      { slots, hostCount, outputSlots, updated, isLate },
    ),
  ) as [Arrangement, Arrangement]
  const arrangement = byWalk.arenaBytes < byProgram.arenaBytes ? byWalk : byProgram
  const { drafts } = arrangement

  const steps = drafts.map((draft): PlanStep => {
    const { unit, launch, spec, reads, writes } = draft
    const ops = [...unit.members.keys()].map((member) => member.name)
    if (launch !== null)
      return {
        executable: backend.kernel(launch),
        kind: 'kernel',
        ops,
        reads,
        writes,
        work: `${workOf(launch)}`,
        cost: () => costOfLaunch(launch),
      }
    return {
      executable: routineExecutable(spec!, arrangement.slots, backend),
      kind: spec!.name,
      ops,
      reads,
      writes,
      work: workOfRoutine(spec!),
      cost: () => costOfRoutine(spec!),
    }
  })
  const parts = {
    steps,
    slots: arrangement.slots,
    arena: arrangement.arena,
    arenaBytes: arrangement.arenaBytes,
    arenaLowerBound: arrangement.arenaLowerBound,
    hostCount,
    variableCount,
    constants,
    outputs: outputSlots,
    writeBacks: arrangement.writeBacks,
  }
  return new Plan(parts, trace.numbers.length)
}

/** Steps in an order, and what of memory follows from it. */
interface Arrangement {
  readonly drafts: readonly Draft[]
  readonly slots: readonly PlanSlot[]
  readonly arena: readonly ArenaSlot[]
  readonly arenaBytes: number
  readonly arenaLowerBound: number
  readonly writeBacks: readonly { readonly from: number; readonly variable: number }[]
}

/** What stays the same whatever the order. */
interface Layouts {
  readonly slots: readonly PlanSlot[]
  readonly hostCount: number
  readonly outputSlots: readonly number[]
  readonly updated: readonly { readonly variable: number; readonly slot: number }[]
  readonly isLate: (unit: Unit) => boolean
}

/** Finds out which values can be written over their Variables, how long each lives, and where in the arena. */
function layOut(
  drafts: readonly Draft[],
  { slots: given, hostCount, outputSlots, updated, isLate }: Layouts,
): Arrangement {
  const slots = [...given]
  const writeBacks: { from: number; variable: number }[] = []
  for (const { variable, slot } of updated) {
    const target = hostCount + variable
    if (slots[slot]!.alias < 0 && canWriteInPlace(drafts, slot, target, isLate))
      slots[slot] = { ...slots[slot]!, alias: target }
    else writeBacks.push({ from: slot, variable })
  }
  const lasting = new Set([...outputSlots, ...writeBacks.map(({ from }) => from)])
  const { lifetimes, arenaIndex } = lifetimesOf(drafts, slots, lasting)
  const { slots: arena, bytes: arenaBytes } = planMemory(lifetimes)
  arenaIndex.forEach((index, slot) => {
    if (index >= 0) slots[slot] = { ...slots[slot]!, arena: index }
  })
  return { drafts, slots, arena, arenaBytes, arenaLowerBound: lowerBound(lifetimes), writeBacks }
}

/** An update that reads this much more than it writes, as that of a bias does whose gradient is a sum over the batch. */
const muchMore = 4

/**
 * Whether waiting would keep more memory occupied than its results need: such a unit runs as soon as it can, and its results
 * are copied to their Variables at the end.
 */
function holdsMuch(unit: Unit, fusion: Fusion, stored: ReadonlySet<Primitive>): boolean {
  const sources = new Set<Primitive>()
  let written = 0
  for (const member of unit.members.keys()) {
    if (stored.has(member)) written += member.size
    for (const { source } of member.inputs)
      if (stored.has(source) && fusion.unitOf(source) !== unit) sources.add(source)
  }
  return [...sources].reduce((sum, source) => sum + source.size, 0) > muchMore * written
}

/** The primitive whose own buffer holds a demanded value row-major; a copy where there is none yet. */
function bufferOf(graph: PrimitiveGraph, value: Primitive): Primitive {
  const { source } = value
  const computed =
    source.kind === 'map' ||
    source.kind === 'reduce' ||
    source.kind === 'routine' ||
    source.kind === 'assemble'
  if (computed && source.size === value.size && isSame(value.layout)) return source
  return graph.copy(value)
}

/** Primitives that demanded ones need, inputs first. */
function reachable(graph: PrimitiveGraph, demanded: ReadonlySet<Primitive>): Primitive[] {
  const needed = new Set<Primitive>()
  const stack = [...demanded]
  while (stack.length > 0) {
    const primitive = stack.pop()!
    if (needed.has(primitive)) continue
    needed.add(primitive)
    stack.push(...primitive.inputs)
  }
  return graph.all.filter((primitive) => needed.has(primitive))
}

function draftsOf(unit: Unit, surroundings: Surroundings, limits: BackendLimits): Draft[] {
  if (unit.kind === 'kernel')
    return launchesOf(unit, surroundings, limits).map((launch) => launchDraft(unit, launch))
  return [routineDraft(unit, surroundings)]
}

/**
 * The launches of a unit: one, unless it has more arguments than the backend takes. Then each launch stores some of the
 * results, and what they share is computed by both.
 */
function launchesOf(unit: Unit, surroundings: Surroundings, limits: BackendLimits): Launch[] {
  const build = (results: readonly Primitive[]): Launch[] => {
    const launch = composeKernel(unit, {
      slotOf: surroundings.slotOf,
      destinationOf: (member) => (results.includes(member) ? surroundings.destinationOf(member) : undefined),
    })
    const { args } = launch.kernel
    const outputs = args.filter((arg) => arg.role === 'output').length
    const memory = args.filter((arg) => arg.role !== 'position').length
    if ((outputs <= limits.outputs && memory <= limits.args) || results.length < 2) return [launch]
    const half = results.length >> 1
    return [...build(results.slice(0, half)), ...build(results.slice(half))]
  }
  const results = [...unit.members.keys()].filter(
    (member) => surroundings.destinationOf(member) !== undefined,
  )
  return build(results)
}

function launchDraft(unit: Unit, launch: Launch): Draft {
  return { unit, launch, spec: null, reads: slotsOf(launch, 'input'), writes: slotsOf(launch, 'output') }
}

function slotsOf({ kernel, slots }: Launch, role: 'input' | 'output'): number[] {
  return slots.filter((_, arg) => kernel.args[arg]!.role === role)
}

function routineDraft(unit: Unit, surroundings: Surroundings): Draft {
  const [primitive] = unit.members.keys()
  const { routine, inputs, shape, dtype, attributes } = primitive!
  const operands = inputs.slice(0, routine!.operands.length)
  const reads = operands.map((input) => surroundings.slotOf(input.source)!)
  const writes = [surroundings.slotOf(primitive!)!]
  const spec = routine!.specify({
    inputs: operands.map((input) => input.layout),
    shape,
    dtype,
    attributes,
    slots: [...reads, ...writes],
    numbers: inputs.slice(operands.length).map((input) => input.index),
  })
  const epilogue = hasEpilogue(unit) ? composeKernel(unit, surroundings) : null
  if (spec.name !== 'contract' || epilogue === null || epilogue.kernel.stores.length === 0)
    return { unit, launch: null, spec, reads, writes }
  return {
    unit,
    launch: null,
    spec: { ...spec, epilogue },
    reads: [...reads, ...slotsOf(epilogue, 'input').filter((slot) => slot !== writes[0])],
    writes: [...new Set([...writes, ...slotsOf(epilogue, 'output')])],
  }
}

/**
 * Whether a value may be written straight over its Variable: its kernel must read the old version, if at all, at the very
 * places it writes; nobody may read the old version later; and nothing that can fail may come later.
 */
function canWriteInPlace(
  drafts: readonly Draft[],
  slot: number,
  variable: number,
  isLate: (unit: Unit) => boolean,
): boolean {
  const writer = drafts.findIndex((draft) => draft.writes.includes(slot))
  if (writer < 0 || !isLate(drafts[writer]!.unit)) return false
  for (let i = writer + 1; i < drafts.length; i++) {
    const later = drafts[i]!
    if (later.reads.includes(variable) || later.spec?.name === 'gather' || later.spec?.name === 'scatterAdd')
      return false
  }
  const { launch, unit, reads } = drafts[writer]!
  if (launch === null) {
    const [primitive] = unit.members.keys()
    return reads.every((read, operand) => read !== variable || operand === primitive!.routine!.overwrites)
  }
  const output = launch.slots.indexOf(slot)
  const written = launch.accesses[output]!
  return launch.slots.every((other, i) => {
    if (other !== variable) return true
    const read = launch.accesses[i]!
    const same =
      read.offset === written.offset && read.strides.every((stride, axis) => stride === written.strides[axis])
    const stashed = launch.kernel.stages.some((stage) => stage.accumulators.some((a) => a.stash === output))
    return same && !stashed
  })
}

/** How long each slot's contents are needed; hosts are uploaded before the first step. */
function lifetimesOf(
  drafts: readonly Draft[],
  slots: readonly PlanSlot[],
  lasting: ReadonlySet<number>,
): { lifetimes: Lifetime[]; arenaIndex: number[] } {
  const first: number[] = slots.map((slot) => (slot.role === 'host' ? 0 : Infinity))
  const last: number[] = slots.map(() => -1)
  drafts.forEach((draft, step) => {
    for (const slot of [...draft.reads, ...draft.writes]) {
      first[slot] = Math.min(first[slot]!, step)
      last[slot] = Math.max(last[slot]!, step)
    }
  })
  for (const slot of lasting) last[slot] = drafts.length
  const lifetimes: Lifetime[] = []
  const arenaIndex = slots.map((slot, i) => {
    if (slot.role === 'variable' || slot.alias >= 0) return -1
    const start = Math.min(first[i]!, drafts.length)
    return (
      lifetimes.push({
        bytes: slot.length * bytesOf(slot.dtype),
        first: start,
        last: Math.max(last[i]!, start),
      }) - 1
    )
  })
  return { lifetimes, arenaIndex }
}

function routineExecutable(spec: RoutineSpec, slots: readonly PlanSlot[], backend: Backend): Executable {
  const factory = backend.routines[spec.name] as ((spec: RoutineSpec) => Executable | null) | undefined
  const executable = factory?.(spec)
  if (executable !== null && executable !== undefined) return executable
  if (spec.name !== 'contract' || spec.epilogue === undefined) return interpretRoutine(spec, slots, backend)
  const { epilogue, ...product } = spec
  return inSequence(routineExecutable(product, slots, backend), backend.kernel(withMergedAxes(epilogue)))
}

function workOfRoutine(spec: RoutineSpec): string {
  switch (spec.name) {
    case 'contract':
      return [spec.batch, spec.m, spec.n, spec.k].map((sizes) => sizeOf(sizes)).join('x')
    case 'gather':
    case 'scatterAdd':
      return `${sizeOf(spec.sizes)}`
    case 'argsort':
    case 'scan':
      return `${spec.rows}x${spec.length}`
    case 'random':
      return `${spec.length}`
    case 'attention':
    case 'attentionGradient': {
      const { batch, heads, queries, keys, features } = spec.sizes
      return `${batch * heads}x${queries}x${keys}x${features}`
    }
    case 'tiles':
      return `${sizeOf(spec.planes)}x${spec.tiles.join('x')}`
    case 'sliceScatter':
      return `${sizeOf(spec.sizes)}`
    default:
      return spec satisfies never
  }
}
