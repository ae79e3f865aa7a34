// The calling thread's side of a pool of workers: publish a job, work on it, wait for the chunks that others have begun.
// The protocol, word by word, is in words.ts; the claim is in work.ts. The caller never sleeps: the main thread of a page
// may not, and what it waits for is one chunk at most, never for a worker to wake up or even to start.
// Not here: whether a job is worth the workers (threads.ts). Read next: serve.ts, the other side.
import { BackendError, type ThreadReport } from '@nabla/engine'
import type { BlasPlace } from '../blas/gemm.ts'
import type { DeviceMemory } from '../memory.ts'
import { ChunkLog, logBytes } from './log.ts'
import { spawn, type RunningWorker } from './spawn.ts'
import { work } from './work.ts'
import { controlWords, word, type RunItems } from './words.ts'

/** Looks at the count of finished chunks between two looks at the clock. */
const looksPerClock = 16_384

/** Work to be split. */
export interface Job {
  /** The code, as this thread calls it, its number, and where the bytes of its module lie. */
  readonly run: RunItems
  readonly code: number
  readonly codePlace: number
  readonly codeBytes: number
  readonly param: number
  readonly items: number
  readonly chunks: number
  /** Scratch space of this thread and the distance to that of the next. */
  readonly scratch: number
  readonly scratchStride: number
  /** How long to wait, after this thread's own part, for chunks in progress. */
  readonly patience: number
  /** Who is told what each thread did, if anybody wants to know. */
  readonly report: ThreadReport | null
}

/** What came of a job. `lost`: a worker did not finish its chunk in time, and may still be at it. */
export type Outcome = 'done' | 'lost'

/** Some workers and the words they share with this thread. */
export class Pool {
  readonly #words: Int32Array
  readonly #workers: RunningWorker[] = []
  /** One for each thread, this one first. */
  readonly #logs: ChunkLog[] = []

  /** Asks `workers` workers to start. `failed` is told, later, of one that could not. */
  constructor(
    memory: DeviceMemory,
    workers: number,
    blas: BlasPlace | undefined,
    url: string | URL | undefined,
    failed: (reason: string) => void,
  ) {
    // Never given back: a worker that has been told to stop still reads and writes here for a moment.
    const control = memory.allocate(4 * controlWords)
    const logs = memory.allocate(logBytes(workers + 1))
    const origin = performance.timeOrigin
    this.#words = memory.int32.subarray(control / 4, control / 4 + controlWords)
    this.#words.fill(0)
    for (let thread = 0; thread <= workers; thread++) {
      this.#logs.push(new ChunkLog(memory.memory, logs, thread, origin))
      if (thread === 0) continue
      this.#workers.push(spawn({ memory: memory.memory, control, logs, origin, thread, blas }, url, failed))
    }
  }

  /** Workers that have started. */
  get started(): number {
    return Atomics.load(this.#words, word.started)
  }

  /** Workers that would have to be woken. */
  get parked(): number {
    return Atomics.load(this.#words, word.parked)
  }

  /** Does a job together with the workers. @throws BackendError when some chunk failed, after all have ended */
  run(job: Job): Outcome {
    const words = this.#words
    const itemsPerChunk = Math.ceil(job.items / job.chunks)
    const chunks = Math.ceil(job.items / itemsPerChunk)
    words[word.code] = job.code
    words[word.codePlace] = job.codePlace
    words[word.codeBytes] = job.codeBytes
    words[word.param] = job.param
    words[word.items] = job.items
    words[word.itemsPerChunk] = itemsPerChunk
    words[word.scratch] = job.scratch
    words[word.scratchStride] = job.scratchStride
    words[word.watched] = job.report === null ? 0 : 1
    if (job.report !== null) for (const log of this.#logs) log.clear()
    Atomics.store(words, word.done, 0)
    Atomics.store(words, word.left, chunks)
    Atomics.add(words, word.epoch, 1)
    if (Atomics.load(words, word.parked) > 0) Atomics.notify(words, word.epoch, chunks - 1)

    let cause: unknown
    const begun = performance.now()
    work(words, (from, to) => {
      try {
        if (job.report === null) job.run(job.param, from, to, job.scratch)
        else this.#logs[0]!.time(() => job.run(job.param, from, to, job.scratch))
      } catch (error) {
        cause ??= error
        throw error
      }
    })
    if (!this.#join(chunks, begun, job.patience)) return 'lost'
    if (job.report !== null) this.#logs.forEach((log, thread) => log.tell(job.report!, thread))
    if (words[word.failed] !== 0) throw this.#takeError(cause)
    return 'done'
  }

  /** Lets the workers end by themselves. */
  stop(): void {
    Atomics.store(this.#words, word.stop, 1)
    Atomics.add(this.#words, word.epoch, 1)
    Atomics.notify(this.#words, word.epoch)
  }

  /** Ends the workers by force. */
  terminate(): void {
    for (const worker of this.#workers) worker.terminate()
  }

  /** Waits until all chunks are finished; false if that took longer than `patience` and ten times the caller's own part. */
  #join(chunks: number, begun: number, patience: number): boolean {
    const words = this.#words
    let looks = 0
    let deadline = 0
    while (Atomics.load(words, word.done) < chunks) {
      if (++looks % looksPerClock !== 0) continue
      const now = performance.now()
      if (deadline === 0) deadline = now + Math.max(patience, 10 * (now - begun))
      if (now > deadline) return false
    }
    return true
  }

  #takeError(cause: unknown): BackendError {
    const words = this.#words
    const length = words[word.messageLength]!
    const message = String.fromCharCode(...words.subarray(word.message, word.message + length))
    words[word.failed] = 0
    return new BackendError(`a kernel failed: ${message}`, cause === undefined ? {} : { cause })
  }
}
