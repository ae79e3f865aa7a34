// The threads of one backend: how many there shall be, when workers are started, and which work is worth sharing with
// them. What runs is decided by sizes alone, and so is how it is cut; results are the same with any number of threads.
// Workers are started late, so that small programs never have any. Read next: pool.ts, which shares a job.
import { BackendError, ValueError, type ThreadReport } from '@nabla/engine'
import type { BlasPlace } from '../blas/gemm.ts'
import type { DeviceMemory } from '../memory.ts'
import { Pool } from './pool.ts'
import { defaultThreads, whyNoWorkers } from './spawn.ts'
import type { RunItems } from './words.ts'

/** When work is shared, in nanoseconds of estimated work on one thread. Tests choose their own. */
export interface ThreadPolicy {
  /** Workers are started when work worth sharing adds up to this: starting them costs some 20 ms of another processor. */
  readonly startAfter: number
  /** The smallest job that is shared while some worker is awake; handing it over costs less than a microsecond. */
  readonly awake: number
  /**
   * So much work, in one job or in several that come one after the other, is worth waking workers for, which takes about
   * ten microseconds.
   */
  readonly asleep: number
  /** The smallest chunk. */
  readonly chunk: number
  /** Milliseconds to wait for a worker that is in a chunk before it is given up. */
  readonly patience: number
}

const usualPolicy: ThreadPolicy = {
  startAfter: 1_000_000,
  awake: 4_000,
  asleep: 30_000,
  chunk: 2_000,
  patience: 10_000,
}

/** Chunks of a job at most: four each for eight threads, so that all finish at about the same time. */
const mostChunks = 32

const mostThreads = 64

/** Options of {@link Threads}. */
export interface ThreadOptions {
  /** Threads in all, the calling one included. Default: `NABLA_THREADS`, or one for each processor, at most eight. */
  readonly count?: number | undefined
  /** Where a browser finds the worker's script. */
  readonly workerUrl?: string | URL | undefined
  readonly policy?: Partial<ThreadPolicy>
}

/** Code that any thread can run: as this thread calls it, and the bytes of its module. */
export interface SharedCode {
  readonly run: RunItems
  readonly bytes: Uint8Array
}

/** Work that can be shared. */
export interface SharedWork {
  readonly code: SharedCode
  readonly param: number
  readonly items: number
  /** See {@link Threads.chunksFor}. */
  readonly chunks: number
  /** Bytes of scratch space that each thread needs. */
  readonly scratchBytes: number
}

/** The threads of one backend. */
export class Threads {
  readonly #memory: DeviceMemory
  readonly #workerUrl: string | URL | undefined
  readonly #policy: ThreadPolicy
  readonly #published = new Map<SharedCode, { readonly id: number; readonly place: number }>()
  #wanted: number
  #pool: Pool | null = null
  /** The library that workers need to know of, if code calls one. */
  #blas: BlasPlace | undefined
  /** Why there is one thread and will be. */
  #obstacle: string | null
  /** Nanoseconds of work that would have been shared, had there been workers. */
  #missed = 0
  /** Nanoseconds of work that would have been shared since workers were woken last, had one been awake. */
  #slept = 0
  #report: ThreadReport | null = null
  #scratch: { readonly place: number; readonly bytes: number; readonly threads: number } | null = null

  /** @throws ValueError when `count` or `NABLA_THREADS` is no number of threads */
  constructor(memory: DeviceMemory, options: ThreadOptions = {}) {
    this.#memory = memory
    this.#workerUrl = options.workerUrl
    this.#policy = { ...usualPolicy, ...options.policy }
    this.#wanted = checkCount(options.count ?? countFromEnvironment() ?? defaultThreads())
    this.#obstacle = whyOneThread(memory)
  }

  /** Threads that run now, the calling one included. */
  get running(): number {
    return 1 + (this.#pool?.started ?? 0)
  }

  /** Why there are not more threads, one line each. */
  get notes(): readonly string[] {
    if (this.#obstacle !== null) return [`one thread: ${this.#obstacle}`]
    const wanted = this.#wanted
    if (wanted === 1) return ['one thread: no more were asked for, or there is one processor']
    if (this.#pool === null) return [`one thread so far: ${wanted} when there is work that gains from them`]
    const { running } = this
    if (running === wanted) return []
    return [`${running === 1 ? 'one thread' : `${running} threads`} so far: ${wanted} when all have started`]
  }

  /**
   * Sets how many threads there shall be, the calling one included. Workers that there are end when the number changes;
   * others start when there is work for them. @throws ValueError
   */
  set(count: number): void {
    if (checkCount(count) === this.#wanted && this.#obstacle === null) return
    this.stop()
    this.#wanted = count
    this.#obstacle = whyOneThread(this.#memory)
  }

  /** Has every chunk of shared work told to `report`; with null, no more. Work that one thread does alone has no chunks. */
  watch(report: ThreadReport | null): void {
    this.#report = report
  }

  /** Lets code on every thread call a native library. Workers that there are end; others start when there is work. */
  provide(blas: BlasPlace): void {
    this.stop()
    this.#blas = blas
  }

  /** Ends all workers. */
  stop(): void {
    this.#pool?.stop()
    this.#pool = null
    this.#missed = 0
  }

  /** In how many chunks so many items with this much estimated work are done, if they are shared. A matter of sizes alone. */
  chunksFor(items: number, nanoseconds: number): number {
    return Math.max(1, Math.min(items, mostChunks, Math.floor(nanoseconds / this.#policy.chunk)))
  }

  /** Whether work of this size, in several chunks, should be shared now; if there are no workers yet, they may be started. */
  areWorth(nanoseconds: number): boolean {
    if (this.#wanted === 1 || this.#obstacle !== null) return false
    const { awake, asleep, startAfter } = this.#policy
    if (nanoseconds < awake) return false
    const pool = this.#pool
    if (pool === null) {
      this.#missed += nanoseconds
      if (this.#missed >= startAfter) this.#start()
      return false
    }
    const { started } = pool
    if (started === 0) return false
    if (pool.parked < started) return true
    this.#slept += nanoseconds
    if (this.#slept < asleep) return false
    this.#slept = 0
    return true
  }

  /** Does all items, which are estimated to take so long on one thread: together with the workers if that is worth it. */
  run(work: SharedWork, nanoseconds: number): void {
    if (work.chunks > 1 && this.areWorth(nanoseconds)) this.runShared(work)
    else this.runAlone(work)
  }

  /** Does all items on this thread. */
  runAlone({ code, param, items, scratchBytes }: SharedWork): void {
    code.run(param, 0, items, this.ownScratch(scratchBytes))
  }

  /** Where this thread finds so many bytes of scratch space. They are good until the next work. */
  ownScratch(bytes: number): number {
    return this.#reserveScratch(bytes, 1)
  }

  /**
   * Does all items together with the workers; only after {@link Threads.areWorth} said so.
   * @throws BackendError when some item failed, or a worker was lost; after that there is one thread
   */
  runShared(work: SharedWork): void {
    const { code, param, items, chunks, scratchBytes } = work
    const pool = this.#pool!
    let scratch: number
    let published: { readonly id: number; readonly place: number }
    try {
      scratch = this.#reserveScratch(scratchBytes, this.#wanted)
      published = this.#publish(code)
    } catch (error) {
      // No memory left for what sharing needs: one thread needs less.
      if (!(error instanceof BackendError)) throw error
      return this.runAlone(work)
    }
    const outcome = pool.run({
      run: code.run,
      code: published.id,
      codePlace: published.place,
      codeBytes: code.bytes.length,
      param,
      items,
      chunks,
      scratch,
      scratchStride: this.#scratch?.bytes ?? 0,
      patience: this.#policy.patience,
      report: this.#report,
    })
    if (outcome === 'done') return
    this.#giveUp('a worker was lost in the middle of its work')
    throw new BackendError(
      'a worker thread did not finish its part of a kernel, so results of this step are missing. ' +
        'From here on one thread is used; configure({ threads }) starts workers again.',
    )
  }

  #start(): void {
    try {
      const pool = new Pool(this.#memory, this.#wanted - 1, this.#blas, this.#workerUrl, (reason) => {
        if (this.#pool === pool) this.#giveUp(`workers failed: ${reason}`)
      })
      this.#pool = pool
    } catch (error) {
      this.#giveUp(`workers could not be started: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  #giveUp(reason: string): void {
    this.#obstacle = reason
    this.#pool?.terminate()
    this.#pool = null
  }

  /** Puts the bytes of a module where workers find them, once. */
  #publish(code: SharedCode): { readonly id: number; readonly place: number } {
    let published = this.#published.get(code)
    if (published === undefined) {
      const place = this.#memory.allocate(code.bytes.length)
      this.#memory.uint8.set(code.bytes, place)
      published = { id: this.#published.size, place }
      this.#published.set(code, published)
    }
    return published
  }

  /** Scratch space of this thread; that of others follows. It moves when more is needed, which is never during a job. */
  #reserveScratch(bytes: number, threads: number): number {
    if (bytes === 0) return 0
    const present = this.#scratch
    if (present !== null && present.bytes >= bytes && present.threads >= threads) return present.place
    if (present !== null) this.#memory.release(present.place)
    this.#scratch = null
    // Whole cache lines, or two threads would write to the same one.
    const rounded = Math.ceil(Math.max(bytes, present?.bytes ?? 0) / 64) * 64
    this.#scratch = { place: this.#memory.allocate(rounded * threads), bytes: rounded, threads }
    return this.#scratch.place
  }
}

/** Why there cannot be more than one thread, or null. */
function whyOneThread(memory: DeviceMemory): string | null {
  return whyNoWorkers() ?? (memory.shared ? null : 'memory is not shared, as was asked for')
}

function countFromEnvironment(): number | undefined {
  const text = globalThis.process?.env?.['NABLA_THREADS']
  return text === undefined || text === '' ? undefined : Number(text)
}

function checkCount(count: number): number {
  if (Number.isInteger(count) && count >= 1 && count <= mostThreads) return count
  throw new ValueError(
    `threads: ${count} is no number of threads. Give a whole number from 1 to ${mostThreads}.`,
  )
}
