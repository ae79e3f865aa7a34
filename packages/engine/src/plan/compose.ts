// From a unit to a kernel launch: expressions of the members are substituted into one another, loads become arguments,
// reductions become stages, stored values become stores; then axes that every argument walks alike are merged into one.
// Read before: materialize.ts. Read next: build.ts.
import { isFloating, type DType } from '../dtype.ts'
import { cast, operandsOf, type Expr } from '../expr.ts'
import {
  strideClass,
  type Access,
  type Accumulator,
  type KernelArgument,
  type Launch,
  type Stage,
  type Store,
} from '../kernel.ts'
import { sizeOf } from '../shape.ts'
import { rowMajor, type Layout } from '../view.ts'
import type { Unit } from './fuse.ts'
import { inputPlacement, placementOf, viewedPlacement, type Placement } from './materialize.ts'
import { costOfExpr } from './policy.ts'
import type { Primitive } from './primitive.ts'

/** Where a stored value goes: its plan slot, and its layout there. */
export interface Destination {
  readonly slot: number
  readonly layout: Layout
}

/** What composing needs to know about the rest of the plan. */
export interface Surroundings {
  /** The slot a value can be read from, if it is in memory. */
  slotOf(value: Primitive): number | undefined
  /** Where a member of the unit is written, if it is. */
  destinationOf(member: Primitive): Destination | undefined
}

interface Argument {
  readonly role: KernelArgument['role']
  readonly dtype: DType
  readonly access: Access
  readonly slot: number
}

/** Element values of a stage that cost more than this are kept for later passes instead of being computed again. */
const worthStashing = 10

/** Builds the launch of a kernel unit, or of the maps beside a routine: that one with all axes of the unit's space. */
export function composeKernel(unit: Unit, surroundings: Surroundings): Launch {
  const { space } = unit
  const args: Argument[] = []
  const argByKey = new Map<string, number>()
  const numbers: { index: number; dtype: DType }[] = []
  const stages: { accumulators: Accumulator[] }[] = []
  const memberValues = new Map<Primitive, Expr>()
  const computedAgain = new Map<string, Expr>()
  const loads = new Map<number, Expr>()
  const numberExprs = new Map<number, Expr>()

  const argument = (role: KernelArgument['role'], dtype: DType, slot: number, layout: Layout): number => {
    const key = `${role}:${dtype}:${slot}:${layout.offset}:${layout.strides.join(',')}`
    let index = argByKey.get(key)
    if (index === undefined) {
      index = args.push({ role, dtype, slot, access: { offset: layout.offset, strides: layout.strides } }) - 1
      argByKey.set(key, index)
    }
    return index
  }

  const load = (role: 'input' | 'position', value: Primitive, slot: number, placement: Placement): Expr => {
    const layout = placement(value.layout)
    if (layout === null)
      throw new Error(`${value.name}: no strides in a kernel over [${space.sizes.join(', ')}]`)
    const arg = argument(role, value.dtype, slot, layout)
    let expr = loads.get(arg)
    if (expr === undefined) loads.set(arg, (expr = { kind: 'load', arg, dtype: value.dtype }))
    return expr
  }

  const numberOf = (value: Primitive): Expr => {
    let expr = numberExprs.get(value.id)
    if (expr === undefined) {
      const index = numbers.push({ index: value.index, dtype: value.dtype }) - 1
      numberExprs.set(value.id, (expr = { kind: 'number', index, dtype: value.dtype }))
    }
    return expr
  }

  const valueOf = (value: Primitive, placement: Placement): Expr => {
    if (value.kind === 'number') return numberOf(value)
    if (value.kind === 'view') return valueOf(value.inputs[0]!, viewedPlacement(value, placement))
    if (value.kind === 'position') return load('position', value, -1, placement)
    if (value.kind === 'routine') return load('input', value, surroundings.slotOf(value)!, placement)
    if (unit.members.has(value)) return memberValue(value)
    // Free values are computed wherever they are used: the kernel that may have stored one is not waited for.
    const slot = value.free ? undefined : surroundings.slotOf(value)
    if (slot !== undefined) return load('input', value, slot, placement)
    const layout = placement(value.layout)
    const key = layout === null ? null : `${value.id}@${layout.offset}:${layout.strides.join(',')}`
    const known = key === null ? undefined : computedAgain.get(key)
    if (known !== undefined) return known
    const expr = value.expr!(value.inputs.map((input) => valueOf(input, inputPlacement(value, placement))))
    if (key !== null) computedAgain.set(key, expr)
    return expr
  }

  const memberValue = (member: Primitive): Expr => {
    const known = memberValues.get(member)
    if (known !== undefined) return known
    let expr: Expr
    if (member.kind === 'reduce') {
      const value = cast(valueOf(member.inputs[0]!, placementOf(space, 'element')), member.dtype)
      const stage = lastStage(value) + 1
      const accumulators = (stages[stage] ??= { accumulators: [] }).accumulators
      const index = accumulators.push({ fn: member.fn!, value, dtype: member.dtype }) - 1
      expr = { kind: 'accumulator', stage, index, dtype: member.dtype }
    } else {
      const placement = inputPlacement(member, placementOf(space, unit.members.get(member)!))
      const inputs = member.kind === 'place' ? member.inputs.slice(0, 1) : member.inputs
      expr = cast(member.expr!(inputs.map((input) => valueOf(input, placement))), member.dtype)
    }
    memberValues.set(member, expr)
    return expr
  }

  const stores: Store[] = []
  for (const [member, level] of [...unit.members].sort((a, b) => a[0].id - b[0].id)) {
    const destination = surroundings.destinationOf(member)
    if (destination === undefined || member.kind === 'routine') continue
    const value = memberValue(member)
    const layout = placementOf(space, level)(destination.layout)
    if (layout === null) throw new Error(`${member.name}: its result has no strides in its own kernel`)
    const arg = argument('output', member.dtype, destination.slot, layout)
    stores.push({ level: space.reduced === null ? 'element' : level, arg, value })
  }
  return finish(unit, args, numbers, withStashes(stages, stores, args), stores)
}

/** The highest stage an expression needs; -1 for none. */
function lastStage(expr: Expr, memo: Map<Expr, number> = new Map()): number {
  const known = memo.get(expr)
  if (known !== undefined) return known
  const own = expr.kind === 'accumulator' ? expr.stage : -1
  const result = operandsOf(expr).reduce((most, operand) => Math.max(most, lastStage(operand, memo)), own)
  memo.set(expr, result)
  return result
}

/**
 * Lets a dear element value of a stage be kept in an output's own row when a later pass needs it again (softmax keeps
 * its exponentials where the result will stand). The output must not share memory with an input.
 */
function withStashes(stages: readonly Stage[], stores: readonly Store[], args: readonly Argument[]): Stage[] {
  const inputSlots = new Set(args.filter((arg) => arg.role === 'input').map((arg) => arg.slot))
  const free = stores.filter((store) => store.level === 'element' && !inputSlots.has(args[store.arg]!.slot))
  return stages.map((stage, index) => ({
    accumulators: stage.accumulators.map((accumulator) => {
      const { value } = accumulator
      if (!isFloating(value.dtype) || costOfExpr(value) < worthStashing) return accumulator
      const later = [
        ...stages.slice(index + 1).flatMap((s) => s.accumulators.map((a) => a.value)),
        ...stores.map((s) => s.value),
      ]
      if (!later.some((expr) => contains(expr, value))) return accumulator
      const position = free.findIndex((store) => args[store.arg]!.dtype === value.dtype)
      if (position < 0) return accumulator
      const [store] = free.splice(position, 1)
      return { ...accumulator, stash: store!.arg }
    }),
  }))
}

function contains(expr: Expr, part: Expr, seen: Set<Expr> = new Set()): boolean {
  if (expr === part) return true
  if (seen.has(expr)) return false
  seen.add(expr)
  return operandsOf(expr).some((operand) => contains(operand, part, seen))
}

interface Axis {
  size: number
  /** Stride of every argument along this axis. */
  strides: number[]
}

/** Orders axes (kept ones outside, reduced ones inside), merges those that can be, and writes the launch down. */
function finish(
  unit: Unit,
  args: readonly Argument[],
  numbers: readonly { index: number; dtype: DType }[],
  stages: readonly Stage[],
  stores: readonly Store[],
): Launch {
  const { sizes, reduced } = unit.space
  const axes = sizes.map((size, i): Axis => ({ size, strides: args.map((arg) => arg.access.strides[i]!) }))
  let outer: Axis[]
  let inner: Axis[]
  if (reduced === null) {
    // A routine has to find its own axes in those of its maps.
    const all = unit.kind === 'kernel' ? mergeAxes(axes) : axes
    outer = all.slice(0, -1)
    inner = all.slice(-1)
    if (inner.length === 0) inner = [{ size: 1, strides: args.map(() => 0) }]
  } else {
    outer = mergeAxes(axes.filter((_, i) => !reduced[i]))
    inner = mergeAxes(axes.filter((_, i) => reduced[i]))
  }
  const walked = [...outer, ...inner]
  return {
    kernel: {
      outerRank: outer.length,
      innerRank: inner.length,
      args: args.map(({ role, dtype }, i) => ({
        role,
        dtype,
        classes: walked.map((axis) => strideClass(axis.strides[i]!, axis.size)),
      })),
      numbers: numbers.map((number) => number.dtype),
      stages,
      stores,
    },
    sizes: walked.map((axis) => axis.size),
    accesses: args.map((arg, i) => ({
      offset: arg.access.offset,
      strides: walked.map((axis) => axis.strides[i]!),
    })),
    slots: args.map((arg) => arg.slot),
    numbers: numbers.map((number) => number.index),
  }
}

/** Merges neighbours that every argument walks as if they were one axis. Axes of size 1 vanish. */
function mergeAxes(axes: readonly Axis[]): Axis[] {
  const result: Axis[] = []
  for (const axis of axes) {
    if (axis.size === 1) continue
    const last = result.at(-1)
    if (last !== undefined && last.strides.every((stride, i) => stride === axis.strides[i]! * axis.size)) {
      last.size *= axis.size
      last.strides = axis.strides
    } else {
      result.push({ size: axis.size, strides: axis.strides })
    }
  }
  return result
}

/** Positions a launch walks, for reports. */
export function workOf(launch: Launch): number {
  return sizeOf(launch.sizes)
}

/** The layout a value has in a slot of its own. */
export function ownDestination(value: Primitive, slot: number): Destination {
  return { slot, layout: rowMajor(value.shape) }
}
