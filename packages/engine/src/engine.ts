// The engine at run time: which backend is in use, what has been demanded and assigned but not yet computed, and the
// flush that computes it. One flush = one trace of the demanded graph, looked up as a plan (built on a miss), run, and
// settled. This is the project's one global. Read next: plan/walk.ts (trace and key), plan/build.ts (a new plan).
import type { Backend } from './backend.ts'
import { hostArray, type TypedArray } from './dtype.ts'
import { BackendError, NablaError, OutOfMemoryError } from './errors.ts'
import { describeMemoryUse } from './memoryUse.ts'
import type { Node } from './node.ts'
import { checkOptions, type EngineOptions } from './options.ts'
import { buildPlan } from './plan/build.ts'
import { PlanCache } from './plan/cache.ts'
import type { Plan } from './plan/plan.ts'
import { profileAsAsked } from './profile/environment.ts'
import type { Profile } from './profile/events.ts'
import { Recorder } from './profile/recorder.ts'
import { staleError, walk, type Trace } from './plan/walk.ts'
import { sizeOf } from './shape.ts'
import { SlicedWork, usualSlice } from './slices.ts'
import type { Variable } from './variable.ts'

/** Chains of more pending nodes than this are computed without being asked, so that memory stays bounded (R9). */
export const longestChain = 2048

/** How many values may wait to be kept; older ones are let go first. */
const mostKept = 64

/** Counts since start; what tests and `explain` read. */
export interface EngineStatistics {
  /** Plans built, that is, structures seen for the first time. */
  plansBuilt: number
  /** Flushes that found their plan ready. */
  planHits: number
}

/** Sees a value that an op has just made, and what it was made from. */
export type Observer = (node: Node, inputs: readonly Node[]) => void

class Engine {
  readonly statistics: EngineStatistics = { plansBuilt: 0, planHits: 0 }
  readonly cache: PlanCache = new PlanCache()
  /** What Variables hold; kept up to date by them. */
  readonly variableUse: { count: number; bytes: number } = { count: 0, bytes: 0 }
  #backend: Backend | null = null
  #mode: 'lazy' | 'eager'
  #fusion = true
  #threads: number | undefined
  #busy = false
  #observer: Observer | null = null
  #assigning = true
  #assignments = new Map<Variable, Node>()
  // Values that stay readable if the next flush computes them anyway, and those that were asked to be computed.
  #candidates: Node[] = []
  // Candidates of the step before, for programs whose steps overlap (two optimizers that share a forward pass).
  #agedCandidates: Node[] = []
  #kept: Node[] = []
  #recorder: Recorder | null = null
  #demand: { nodes: Node[]; done: Promise<void> } | null = null
  #slice = usualSlice
  // The one flush that has begun and not ended; whoever needs memory or Variables ends it first.
  #underWay: SlicedWork | null = null
  // Whether flushes only begin, because somebody waits for them.
  #beginsOnly = false

  constructor() {
    this.#mode = globalThis.process?.env?.['NABLA_MODE'] === 'eager' ? 'eager' : 'lazy'
    profileAsAsked(() => this.startProfile())
  }

  /** The backend that computes. @throws BackendError when none has been installed */
  get backend(): Backend {
    if (this.#backend === null) {
      throw new BackendError(
        "no backend is installed: import '@nabla/tensor' (which installs WebAssembly) or call setBackend()",
      )
    }
    return this.#backend
  }

  /** Installs a backend. Variables keep living on the one they were made on. */
  setBackend(backend: Backend): void {
    if (this.#backend === backend) return
    if (this.#backend !== null) this.flush()
    this.cache.clear()
    this.#backend?.watch?.(null)
    if (this.#recorder !== null) backend.watch?.(this.#recorder.report)
    if (this.#threads !== undefined) backend.threads?.(this.#threads)
    this.#backend = backend
  }

  get hasBackend(): boolean {
    return this.#backend !== null
  }

  get mode(): 'lazy' | 'eager' {
    return this.#mode
  }

  configure(options: EngineOptions): void {
    checkOptions(options)
    const { mode, fusion, threads, slice } = options
    if (threads !== undefined) {
      this.#backend?.threads?.(threads)
      this.#threads = threads
    }
    if (slice !== undefined) this.#slice = slice
    if (mode !== undefined) this.#mode = mode
    if (fusion !== undefined && fusion !== this.#fusion) {
      this.#finish()
      this.#fusion = fusion
      this.cache.clear()
    }
  }

  /** Begins to record what flushes do. Several profiles may be taken at a time. */
  startProfile(): Profile {
    const recorder = (this.#recorder ??= new Recorder())
    if (recorder.users === 0) this.#backend?.watch?.(recorder.report)
    recorder.users += 1
    const first = recorder.length
    let ended = false
    return {
      stop: () => {
        if (!ended) recorder.users -= 1
        ended = true
        if (recorder.users === 0 && this.#recorder === recorder) {
          this.#recorder = null
          this.#backend?.watch?.(null)
        }
        return recorder.eventsFrom(first)
      },
    }
  }

  /** Called for every node an op makes. Almost always does nothing. @param longest how long the chain below it may be */
  created(node: Node, longest: number = longestChain): void {
    if (this.#busy) return
    if (this.#observer !== null) this.#show(node, this.#observer)
    else if (node.depth > longest || this.#mode === 'eager') this.realize([node])
  }

  /** Computing a value makes it forget what it was made from, and that is shown as well. */
  #show(node: Node, observer: Observer): void {
    const { inputs } = node
    this.realize([node])
    observer(node, inputs)
  }

  /**
   * Has every value computed as soon as an op makes it, and shown to `observer` with its inputs: for debugging tools. Null ends it.
   * @returns the observer before
   */
  observe(observer: Observer | null): Observer | null {
    const before = this.#observer
    this.#observer = observer
    return before
  }

  /**
   * Runs `fn` without computing anything because of what it makes, in eager mode neither: for functions that are traced to
   * be transformed, whose inputs have no values.
   */
  tracing<T>(fn: () => T): T {
    const before = this.#busy
    this.#busy = true
    try {
      return fn()
    } finally {
      this.#busy = before
    }
  }

  /** Runs `fn` so that assignments to Variables come to nothing: for what is called again and has assigned them before. */
  withoutAssignments<T>(fn: () => T): T {
    const before = this.#assigning
    this.#assigning = false
    try {
      return fn()
    } finally {
      this.#assigning = before
    }
  }

  /** Whether assignments count just now. */
  get assigning(): boolean {
    return this.#assigning
  }

  /** Called by a Variable that was assigned. */
  recordAssignment(variable: Variable, node: Node): void {
    this.#assignments.set(variable, node)
    if (this.#mode === 'eager') this.flush()
  }

  /** Called by a Variable that is disposed. */
  forgetAssignment(variable: Variable): void {
    this.#finish()
    this.#assignments.delete(variable)
  }

  /** Lets a value stay readable after the next step, provided that step computes it anyway (R5). */
  keepIfComputed(node: Node): void {
    if (node.isLeaf) return
    this.#candidates.push(node)
    if (this.#candidates.length > mostKept) this.#candidates.shift()
  }

  /** Has a value computed by the next flush and lets it stay readable after that (R5). */
  keep(node: Node): void {
    const { variable } = node
    if (variable !== null && node.host === null && variable.version !== node.version) throw staleError(node)
    if (!node.isLeaf || isVariableLeaf(node)) this.#kept.push(node)
  }

  /** Computes everything that has been assigned and not yet written. Does nothing when there is nothing. */
  flush(): void {
    this.#finish()
    if (this.#assignments.size === 0 && this.#kept.length === 0) return
    if (this.#beginsOnly) this.#begin([])
    else this.#work([], false).next()
  }

  /** Computes values now, so that they are leaves afterwards. */
  realize(nodes: readonly Node[]): void {
    this.#finish()
    const pending = nodes.filter((node) => !node.isLeaf)
    if (pending.length > 0) this.#work(pending, false).next()
  }

  /** The same as {@link realize}, in slices. */
  async realizeInSlices(nodes: readonly Node[]): Promise<void> {
    if (this.#slice === Infinity) return this.realize(nodes)
    // Not waited for: until then a Variable that is read here might be updated again.
    this.#finish()
    const pending = nodes.filter((node) => !node.isLeaf)
    if (pending.length > 0) await this.#inSlices(this.#begin(pending))
  }

  /** What `run` does, with the last flush in it done in slices. See the function of this name. */
  async inSlices<T>(run: () => T): Promise<T> {
    if (this.#slice === Infinity) return run()
    this.#finish()
    this.#beginsOnly = true
    let result: T
    try {
      result = run()
    } finally {
      this.#beginsOnly = false
    }
    if (this.#underWay !== null) await this.#inSlices(this.#underWay)
    return result
  }

  /** A copy of a value's elements. Values that are demanded in one tick are computed together. */
  async read(node: Node): Promise<TypedArray> {
    if (!node.isLeaf) {
      this.#demand ??= this.#startDemand()
      this.#demand.nodes.push(node)
      await this.#demand.done
      // A value whose plan failed together with others is tried alone, so that it is blamed only for its own fault.
      if (!node.isLeaf) this.realize([node])
    }
    return this.#readLeaf(node)
  }

  /** The trace of what computing these values would take; for `explain`. */
  trace(nodes: readonly Node[]): Trace {
    return walk(nodes, new Map(), [])
  }

  /** The plan of a trace, from the cache or newly built. */
  planOf(trace: Trace): Plan {
    this.#finish()
    const known = this.cache.find(trace)
    if (known !== undefined) {
      this.statistics.planHits += 1
      return known
    }
    const busy = this.#busy
    this.#busy = true
    try {
      const plan = buildPlan(trace, this.backend, this.#fusion)
      this.cache.add(trace, plan)
      this.statistics.plansBuilt += 1
      return plan
    } finally {
      this.#busy = busy
    }
  }

  /** Runs something that takes device memory. Where there is none left, the error says what the rest is used for. */
  explainingMemory<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      this.#explainMemory(error)
      throw error
    }
  }

  #explainMemory(error: unknown): void {
    if (error instanceof OutOfMemoryError) {
      error.explain(() => describeMemoryUse(this.cache.plans(), this.variableUse))
    }
  }

  #startDemand(): { nodes: Node[]; done: Promise<void> } {
    const nodes: Node[] = []
    const done = Promise.resolve().then(async () => {
      this.#demand = null
      try {
        await this.realizeInSlices(nodes)
      } catch (error) {
        if (!(error instanceof NablaError) || nodes.length === 1) throw error
      }
    })
    return { nodes, done }
  }

  async #readLeaf(node: Node): Promise<TypedArray> {
    if (node.host !== null) return hostArray(node.dtype, node.host)
    const variable = node.variable
    if (variable === null) return hostArray(node.dtype, [node.number!])
    this.#finish()
    if (variable.version !== node.version) throw staleError(node)
    return variable.backend.read(variable.place, variable.dtype, sizeOf(variable.shape))
  }

  /** Begins a flush that is done in slices. What cannot be planned fails here. */
  #begin(demanded: readonly Node[]): SlicedWork {
    const work = new SlicedWork(this.#work(demanded, true))
    if (!work.finished) this.#underWay = work
    return work
  }

  async #inSlices(work: SlicedWork): Promise<void> {
    await work.drive(this.#slice)
    if (this.#underWay === work) this.#underWay = null
    work.throwFailure()
  }

  /** Ends what is under way. Should it fail, whoever waits for it is told. */
  #finish(): void {
    const work = this.#underWay
    if (work === null) return
    this.#underWay = null
    const busy = this.#busy
    work.advance(Infinity)
    this.#busy = busy
  }

  /** One flush: all at once, or with a pause before every step of its plan. */
  *#work(demanded: readonly Node[], pausing: boolean): Generator<void, void> {
    const assignments = this.#assignments
    const candidates = this.#candidates
    const kept = this.#kept
    // What comes in a pause is of the next flush.
    this.#assignments = new Map()
    this.#candidates = []
    this.#kept = []
    let settled = false
    const roots =
      kept.length === 0
        ? demanded
        : [...demanded, ...kept.filter((node) => !node.isLeaf || isVariableLeaf(node))]
    const backend = this.backend
    const recorder = this.#recorder
    const { plansBuilt } = this.statistics
    const busy = this.#busy
    this.#busy = true
    try {
      recorder?.flush()
      const trace = walk(roots, assignments, [...this.#agedCandidates, ...candidates])
      recorder?.traced(trace)
      const plan = this.planOf(trace)
      recorder?.planned(plan, this.statistics.plansBuilt === plansBuilt)
      if (pausing) {
        for (const _ of plan.stepByStep(backend, trace, recorder?.clockOf(plan))) {
          // In a pause the engine is as it is between flushes.
          this.#busy = false
          yield
          this.#busy = true
          recorder?.resumed()
        }
      } else plan.run(backend, trace, recorder?.clockOf(plan))
      for (const [variable, node] of trace.assignments) variable.settle(node)
      recorder?.finished(plan)
      settled = true
    } catch (error) {
      this.#explainMemory(error)
      // A failed step changes nothing. A failed read says nothing about the assignments that wait beside it.
      if (demanded.length === 0) {
        for (const variable of assignments.keys()) if (!this.#assignments.has(variable)) variable.revert()
        settled = true
      }
      throw error
    } finally {
      this.#busy = busy
      if (!settled && assignments.size > 0)
        this.#assignments = new Map([...assignments, ...this.#assignments])
      const unread = candidates.filter((node) => !node.isLeaf)
      if (settled && assignments.size > 0) this.#agedCandidates = unread
      else this.#candidates = [...unread, ...this.#candidates]
    }
  }
}

/** A read of a Variable: the one kind of leaf that can go stale. */
function isVariableLeaf(node: Node): boolean {
  return node.variable !== null && node.host === null
}

/** The one engine of this process. */
export const engine: Engine = /* @__PURE__ */ new Engine()
