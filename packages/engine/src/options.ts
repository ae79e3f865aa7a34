// What can be set about the engine, and what values make sense. Read next: control.ts, where it is set.
import { ValueError } from './errors.ts'

/** Settings of `configure`. */
export interface EngineOptions {
  /** `lazy` (the default) computes at flush; `eager` computes after every op, for debugging (R11). */
  mode?: 'lazy' | 'eager'
  /** Whether work is fused into kernels (the default). Without, every primitive is a step of its own: for debugging. */
  fusion?: boolean
  /** Threads that compute, the calling one included, where the backend can choose. Results do not depend on it (R7). */
  threads?: number
  /**
   * How many milliseconds `await x.data()`, `await x.realize()` and `inSlices` compute before they let the rest of the
   * program run. Default: 25 on the main thread of a page, which may not stand still, and no limit elsewhere (`Infinity`).
   * A slice ends with a step of a plan, never within one.
   */
  slice?: number
}

/** @throws ValueError for values that make no sense */
export function checkOptions({ mode, threads, slice }: EngineOptions): void {
  if (mode !== undefined && mode !== 'lazy' && mode !== 'eager') {
    throw new ValueError(`configure: unknown mode '${String(mode)}'. Known: lazy, eager`)
  }
  if (threads !== undefined && (!Number.isInteger(threads) || threads < 1)) {
    throw new ValueError(`configure: threads must be a whole number from 1 on, got ${String(threads)}`)
  }
  if (slice !== undefined && (typeof slice !== 'number' || !(slice > 0))) {
    throw new ValueError(`configure: slice must be a number of milliseconds above 0, got ${String(slice)}`)
  }
}
