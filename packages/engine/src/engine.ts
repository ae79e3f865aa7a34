// The engine at run time: which backend is in use, what has been demanded and assigned but not yet computed, and the
// flush that computes it. One flush = one trace of the demanded graph, looked up as a plan (built on a miss), run, and
// settled. This is the project's one global. Read next: plan/walk.ts (trace and key), plan/build.ts (a new plan).
import type { Backend, BackendInfo } from './backend.ts'
import { hostArray, type TypedArray } from './dtype.ts'
import { BackendError, NablaError, ValueError } from './errors.ts'
import type { Node } from './node.ts'
import { buildPlan } from './plan/build.ts'
import { PlanCache } from './plan/cache.ts'
import type { Plan } from './plan/plan.ts'
import { profileAsAsked } from './profile/environment.ts'
import type { Profile } from './profile/events.ts'
import { Recorder } from './profile/recorder.ts'
import { staleError, walk, type Trace } from './plan/walk.ts'
import { sizeOf } from './shape.ts'
import type { Variable } from './variable.ts'

/** Chains of more pending nodes than this are computed without being asked, so that memory stays bounded (R9). */
const longestChain = 2048

/** How many values may wait to be kept; older ones are let go first. */
const mostKept = 64

/** Settings of {@link configure}. */
export interface EngineOptions {
  /** `lazy` (the default) computes at flush; `eager` computes after every op, for debugging (R11). */
  mode?: 'lazy' | 'eager'
  /** Whether work is fused into kernels (the default). Without, every primitive is a step of its own: for debugging. */
  fusion?: boolean
  /** Threads that compute, the calling one included, where the backend can choose. Results do not depend on it (R7). */
  threads?: number
}

/** Counts since start; what tests and `explain` read. */
export interface EngineStatistics {
  /** Plans built, that is, structures seen for the first time. */
  plansBuilt: number
  /** Flushes that found their plan ready. */
  planHits: number
}

class Engine {
  readonly statistics: EngineStatistics = { plansBuilt: 0, planHits: 0 }
  readonly cache: PlanCache = new PlanCache()
  #backend: Backend | null = null
  #mode: 'lazy' | 'eager'
  #fusion = true
  #threads: number | undefined
  #busy = false
  #assignments = new Map<Variable, Node>()
  // Values that stay readable if the next flush computes them anyway, and those that were asked to be computed.
  #candidates: Node[] = []
  // Candidates of the step before, for programs whose steps overlap (two optimizers that share a forward pass).
  #agedCandidates: Node[] = []
  #kept: Node[] = []
  #recorder: Recorder | null = null
  #demand: { nodes: Node[]; done: Promise<void> } | null = null

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
    const { mode, fusion, threads } = options
    if (mode !== undefined && mode !== 'lazy' && mode !== 'eager') {
      throw new ValueError(`configure: unknown mode '${String(mode)}'. Known: lazy, eager`)
    }
    if (threads !== undefined) {
      if (!Number.isInteger(threads) || threads < 1) {
        throw new ValueError(`configure: threads must be a whole number from 1 on, got ${String(threads)}`)
      }
      this.#backend?.threads?.(threads)
      this.#threads = threads
    }
    if (mode !== undefined) this.#mode = mode
    if (fusion !== undefined && fusion !== this.#fusion) {
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

  /** Called for every node an op makes. Almost always does nothing. */
  created(node: Node): void {
    if (this.#busy) return
    if (node.depth > longestChain || this.#mode === 'eager') this.#run([node])
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

  /** Called by a Variable that was assigned. */
  recordAssignment(variable: Variable, node: Node): void {
    this.#assignments.set(variable, node)
    if (this.#mode === 'eager') this.flush()
  }

  /** Called by a Variable that is disposed. */
  forgetAssignment(variable: Variable): void {
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
    if (this.#assignments.size > 0 || this.#kept.length > 0) this.#run([])
  }

  /** Computes values now, so that they are leaves afterwards. */
  realize(nodes: readonly Node[]): void {
    const pending = nodes.filter((node) => !node.isLeaf)
    if (pending.length > 0) this.#run(pending)
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

  #startDemand(): { nodes: Node[]; done: Promise<void> } {
    const nodes: Node[] = []
    const done = Promise.resolve().then(() => {
      this.#demand = null
      try {
        this.realize(nodes)
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
    if (variable.version !== node.version) throw staleError(node)
    return variable.backend.read(variable.place, variable.dtype, sizeOf(variable.shape))
  }

  #run(demanded: readonly Node[]): void {
    const assignments = this.#assignments
    let settled = false
    const roots =
      this.#kept.length === 0
        ? demanded
        : [...demanded, ...this.#kept.filter((node) => !node.isLeaf || isVariableLeaf(node))]
    const backend = this.backend
    const recorder = this.#recorder
    const { plansBuilt } = this.statistics
    this.#busy = true
    try {
      recorder?.flush()
      const trace = walk(roots, assignments, [...this.#agedCandidates, ...this.#candidates])
      recorder?.traced(trace)
      const plan = this.planOf(trace)
      recorder?.planned(plan, this.statistics.plansBuilt === plansBuilt)
      plan.run(backend, trace, recorder?.clockOf(plan))
      for (const [variable, node] of trace.assignments) variable.settle(node)
      recorder?.finished(plan)
      settled = true
    } catch (error) {
      // A failed step changes nothing. A failed read says nothing about the assignments that wait beside it.
      if (demanded.length === 0) {
        for (const variable of assignments.keys()) variable.revert()
        settled = true
      }
      throw error
    } finally {
      this.#busy = false
      this.#kept = []
      if (settled && assignments.size > 0) {
        this.#assignments = new Map()
        this.#agedCandidates = this.#candidates.filter((node) => !node.isLeaf)
        this.#candidates = []
      } else {
        this.#candidates = this.#candidates.filter((node) => !node.isLeaf)
      }
    }
  }
}

/** A read of a Variable: the one kind of leaf that can go stale. */
function isVariableLeaf(node: Node): boolean {
  return node.variable !== null && node.host === null
}

/** The one engine of this process. */
export const engine: Engine = /* @__PURE__ */ new Engine()

/** Sets how the engine works. */
export function configure(options: EngineOptions): void {
  engine.configure(options)
}

/** Where work runs: backend, threads, what keeps it from being faster, memory (R10). */
export function backendInfo(): BackendInfo {
  return engine.backend.info()
}

/** Installs a backend; `@nabla/tensor` installs WebAssembly by itself. */
export function setBackend(backend: Backend): void {
  engine.setBackend(backend)
}

/**
 * Begins a profile: how long every flush takes, in it every kernel with its arithmetic and bytes, and what each thread does.
 * `NABLA_PROFILE=1` takes one of a whole program in Node. Results do not depend on it; recording costs a few microseconds
 * a step.
 */
export function startProfile(): Profile {
  return engine.startProfile()
}

/** Computes all pending assignments now. */
export function flush(): void {
  engine.flush()
}
