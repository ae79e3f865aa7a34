// What programs say to the engine: settings, backends, flushes, profiles. Not here: how it does them (engine.ts).
import type { Backend, BackendInfo } from './backend.ts'
import { engine } from './engine.ts'
import type { EngineOptions } from './options.ts'
import type { Profile } from './profile/events.ts'

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

/**
 * Does what `run` does, without keeping a page from living: the work of an optimizer's step, or of {@link flush}, is done in
 * slices (see {@link EngineOptions.slice}), and the rest of the program runs in between. Whoever needs a result meanwhile
 * has the work finished at once, so nobody ever sees it half done. Off the main thread of a page it is the same as calling
 * `run`.
 * @returns what `run` returns, when all is computed
 */
export function inSlices<T>(run: () => T): Promise<T> {
  return engine.inSlices(run)
}

/** Computes all pending assignments now. */
export function flush(): void {
  engine.flush()
}
