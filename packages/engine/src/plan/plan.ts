// A plan: the compiled form of a graph's structure. It holds executables in order, where every buffer lies, and which
// host arrays, Variables and numbers of a trace go where. Running it does no planning at all.
// Made by build.ts; printed by explain.ts.
import type { ArenaSlot, Backend, Executable, Place } from '../backend.ts'
import { bytesOf, type DType, type TypedArray } from '../dtype.ts'
import { BackendError } from '../errors.ts'
import type { Cost } from './cost.ts'
import type { Trace } from './walk.ts'

/** One step of a plan. */
export interface PlanStep {
  readonly executable: Executable
  /** What it is, for people: `kernel`, the routine's name, or `copy`. */
  readonly kind: string
  /** Names of the ops it does. */
  readonly ops: readonly string[]
  /** Slots it reads and writes. */
  readonly reads: readonly number[]
  readonly writes: readonly number[]
  /** Positions or multiply-adds, for people. */
  readonly work: string
  /** Counted when asked for. */
  readonly cost: () => Cost
}

/** A buffer of a plan, as slots number them: hosts, then Variables, then values made by steps. */
export interface PlanSlot {
  readonly role: 'host' | 'variable' | 'value'
  readonly dtype: DType
  readonly length: number
  /** Values: index in the arena, or -1 when the value is written over the Variable of slot `alias`. */
  readonly arena: number
  readonly alias: number
}

/** Everything a plan is made of. */
export interface PlanParts {
  readonly steps: readonly PlanStep[]
  readonly slots: readonly PlanSlot[]
  readonly arena: readonly ArenaSlot[]
  readonly arenaBytes: number
  /** No arena for this graph and order could be smaller than this. */
  readonly arenaLowerBound: number
  readonly hostCount: number
  readonly variableCount: number
  /** Numbers of composites, after the trace's own. */
  readonly constants: readonly number[]
  /** Slot of each of the trace's outputs. */
  readonly outputs: readonly number[]
  /** Copies made at the end: values whose Variable could not be written in place. */
  readonly writeBacks: readonly { readonly from: number; readonly variable: number }[]
}

/** A compiled graph. */
export class Plan {
  readonly parts: PlanParts
  /** How often it has run. */
  runs: number = 0
  #places: Place[]
  // The places that the backend last gave to the arena's slots.
  #reserved: readonly Place[] | null = null
  // Slots of values that are written straight over their Variables.
  readonly #overwriting: readonly number[]
  #numbers: Float64Array
  #numberCount: number

  constructor(parts: PlanParts, numberCount: number) {
    this.parts = parts
    this.#places = Array.from({ length: parts.slots.length }, () => 0)
    this.#numbers = new Float64Array(numberCount + parts.constants.length)
    this.#numbers.set(parts.constants, numberCount)
    this.#numberCount = numberCount
    this.#overwriting = parts.slots.flatMap(({ arena, alias }, slot) =>
      arena < 0 && alias >= 0 ? [slot] : [],
    )
  }

  /**
   * Runs the plan for a trace with its key. Outputs become host leaves; Variables hold their new values.
   * @param clock called with -1 when all inputs are in place, and after every step; for profiles
   */
  run(backend: Backend, trace: Trace, clock?: (step: number) => void): void {
    this.#begin(backend, trace)
    const places = this.#places
    const numbers = this.#numbers
    const { steps } = this.parts
    if (clock !== undefined) clock(-1)
    for (let i = 0; i < steps.length; i++) {
      steps[i]!.executable.run(places, numbers)
      if (clock !== undefined) clock(i)
    }
    this.#end(backend, trace)
  }

  /** The same as {@link run}, pausing before every step. No other plan may run in a pause. */
  *stepByStep(backend: Backend, trace: Trace, clock?: (step: number) => void): Generator<void, void> {
    this.#begin(backend, trace)
    if (clock !== undefined) clock(-1)
    for (const [i, { executable }] of this.parts.steps.entries()) {
      yield
      executable.run(this.#places, this.#numbers)
      if (clock !== undefined) clock(i)
    }
    this.#end(backend, trace)
  }

  /** Frees what the executables hold. */
  dispose(): void {
    for (const step of this.parts.steps) step.executable.dispose()
  }

  /** Brings everything that the steps read to where they look for it. */
  #begin(backend: Backend, trace: Trace): void {
    const { parts } = this
    const places = this.#bind(backend, trace)
    const numbers = this.#numbers
    for (let i = 0; i < this.#numberCount; i++) numbers[i] = trace.numbers[i]!
    for (let i = 0; i < parts.hostCount; i++) {
      const node = trace.hosts[i]!
      backend.write(places[i]!, node.dtype, node.host!)
    }
  }

  /** Takes the results to where they belong. */
  #end(backend: Backend, trace: Trace): void {
    const { parts } = this
    const places = this.#places
    const { outputs } = parts
    const values: TypedArray[] = []
    for (let i = 0; i < outputs.length; i++) {
      const slot = outputs[i]!
      values.push(this.#readOut(backend, places[slot]!, parts.slots[slot]!))
    }
    for (const { from, variable } of parts.writeBacks) {
      const slot = parts.slots[from]!
      backend.copy(places[from]!, places[parts.hostCount + variable]!, slot.length * bytesOf(slot.dtype))
    }
    for (let i = 0; i < values.length; i++) {
      const node = trace.outputs[i]!
      node.host = values[i]!
      node.forgetHistory()
    }
    this.runs += 1
  }

  /** Finds out where everything lies. The arena's slots stay where they are from run to run, unless it had to grow. */
  #bind(backend: Backend, trace: Trace): Place[] {
    const { slots, arena, arenaBytes, hostCount, variableCount } = this.parts
    const places = this.#places
    const reserved = backend.reserve(arena, arenaBytes)
    if (reserved !== this.#reserved) {
      this.#reserved = reserved
      for (let i = 0; i < slots.length; i++) {
        const index = slots[i]!.arena
        if (index >= 0) places[i] = reserved[index]!
      }
    }
    for (let i = 0; i < variableCount; i++) {
      const variable = trace.variables[i]!
      if (variable.backend !== backend) {
        throw new BackendError(
          `'${variable.name}' lives on backend ${variable.backend.name}, but ${backend.name} is in use: make Variables after choosing a backend`,
        )
      }
      places[hostCount + i] = variable.place
    }
    const overwriting = this.#overwriting
    for (let i = 0; i < overwriting.length; i++) {
      const slot = overwriting[i]!
      places[slot] = places[slots[slot]!.alias]!
    }
    return places
  }

  #readOut(backend: Backend, place: Place, slot: PlanSlot): TypedArray {
    const data = backend.read(place, slot.dtype, slot.length)
    if (data instanceof Promise)
      throw new BackendError(
        `${backend.name}: values can only be copied out inside a step on a synchronous backend`,
      )
    return data
  }
}
