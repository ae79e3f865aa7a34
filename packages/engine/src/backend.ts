// What a backend is, on one screen. It turns launches and routine specifications into executables and looks after device
// memory; it knows no op by name. Places are numbers that only the backend understands (on WebAssembly: byte addresses).
// Implementations: the interpreter in interpreter/ (float64, the reference), @nabla/backend-wasm. Read next: plan/plan.ts.
import type { DType, TypedArray } from './dtype.ts'
import type { Launch } from './kernel.ts'
import type { RoutineName, RoutineSpec } from './routine.ts'

/** A piece of device memory, as its backend numbers it. */
export type Place = number

/** What a backend can take. The planner keeps within these. */
export interface BackendLimits {
  /** Most memory arguments (inputs and outputs together) of one kernel. */
  readonly args: number
  /** Most outputs of one kernel. */
  readonly outputs: number
  /** Most bytes of device memory in all. */
  readonly bytes: number
  readonly dtypes: readonly DType[]
  /** Whether `read` answers at once, so that values can be copied out inside a step. */
  readonly sync: boolean
}

/** Where work ran, in words and numbers (R10). */
export interface BackendInfo {
  readonly name: string
  readonly threads: number
  /** Why it is not faster: one line each, for example why only one thread runs. */
  readonly notes: readonly string[]
  /** The native library that computes products, where one is in use: version, processor, file. */
  readonly library?: string
  readonly bytes: { readonly inUse: number; readonly reserved: number }
  /** Kernels compiled since start. */
  readonly compiled: number
}

/** One buffer of a plan's arena: its bytes, and where the planner put it. Lifetimes are steps of the plan, inclusive. */
export interface ArenaSlot {
  readonly bytes: number
  readonly offset: number
  readonly first: number
  readonly last: number
}

/** Something that runs: `places` by plan slot, `numbers` by plan number. */
export interface Executable {
  run(places: readonly Place[], numbers: ArrayLike<number>): void
  /** Frees what the executable holds (parameter blocks, tables). It never runs again. */
  dispose(): void
}

/** Two executables as one. */
export function inSequence(first: Executable, second: Executable): Executable {
  return {
    run(places, numbers) {
      first.run(places, numbers)
      second.run(places, numbers)
    },
    dispose() {
      first.dispose()
      second.dispose()
    },
  }
}

/** Runs a routine of one kind, or says null where it cannot. */
export type RoutineFactory<S extends RoutineSpec = RoutineSpec> = (spec: S) => Executable | null

/**
 * Told by a backend what its threads did: thread 0 is the one that calls, the others are workers. Times are those of the
 * calling thread's `performance.now()`.
 */
export type ThreadReport = (thread: number, begin: number, end: number) => void

/** A device. */
export interface Backend {
  readonly name: string
  readonly limits: BackendLimits
  info(): BackendInfo
  /** Sets how many threads there may be, where that can be chosen. Results must not depend on it. @throws ValueError */
  threads?(count: number): void
  /** Has threads report every part of a step that they do, until called with null; for profiles. */
  watch?(report: ThreadReport | null): void
  /** Device memory that stays until released. @throws BackendError when there is none left, saying how much was asked */
  allocate(bytes: number): Place
  release(place: Place): void
  /**
   * Makes room for a plan's arena; returns the place of each slot, in the same array as the last time when nothing has
   * moved. What an arena held before is lost.
   */
  reserve(slots: readonly ArenaSlot[], bytes: number): readonly Place[]
  kernel(launch: Launch): Executable
  /** Whether it does composites whole that name this routine; others are expanded into ops. Default: none. */
  claims?(routine: RoutineName, dtype: DType): boolean
  /** Whether contractions do the `epilogue` of their specification. Without, its maps are kernels of their own. */
  readonly epilogues?: boolean
  readonly routines: { readonly [Name in RoutineName]?: RoutineFactory<Extract<RoutineSpec, { name: Name }>> }
  /** Copies host elements to a place. Bools arrive as bytes and become what the device stores. */
  write(place: Place, dtype: DType, data: TypedArray): void
  /** Copies `length` elements out into a host array of their own. */
  read(place: Place, dtype: DType, length: number): TypedArray | Promise<TypedArray>
  /** Copies bytes between places. */
  copy(from: Place, to: Place, bytes: number): void
}
