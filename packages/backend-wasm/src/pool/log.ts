// What threads did, for profiles: begin and end of every chunk of a job, in words that all of them share. Each thread has a
// piece of its own; the caller empties them before a job and reads them after it. Bundled into the worker.
// Read next: serve.ts and pool.ts, which keep a log while the word `watched` says so.
import type { ThreadReport } from '@nabla/engine'

/** Chunks of one job that a thread notes; most jobs have 32 at most. More are left out. */
const mostChunks = 255

const floatsPerThread = 2 * (mostChunks + 1)

/** Bytes of the logs of so many threads. */
export function logBytes(threads: number): number {
  return threads * floatsPerThread * Float64Array.BYTES_PER_ELEMENT
}

/** A thread's piece: how many chunks, one free place, then begin and end of each. */
export class ChunkLog {
  readonly #floats: Float64Array
  /** What to add to this thread's clock to have the caller's. */
  readonly #shift: number

  /** @param place of the logs of all threads @param origin the caller's `performance.timeOrigin` */
  constructor(memory: WebAssembly.Memory, place: number, thread: number, origin: number) {
    this.#floats = new Float64Array(memory.buffer, place + logBytes(thread), floatsPerThread)
    this.#shift = performance.timeOrigin - origin
  }

  clear(): void {
    this.#floats[0] = 0
  }

  /** Does something and notes when; also when it fails. */
  time(work: () => void): void {
    const begin = performance.now()
    try {
      work()
    } finally {
      const floats = this.#floats
      const count = floats[0]!
      if (count < mostChunks) {
        floats[2 * count + 2] = begin + this.#shift
        floats[2 * count + 3] = performance.now() + this.#shift
        floats[0] = count + 1
      }
    }
  }

  /** Hands on what has been noted. */
  tell(report: ThreadReport, thread: number): void {
    const floats = this.#floats
    for (let i = 1; i <= floats[0]!; i++) report(thread, floats[2 * i]!, floats[2 * i + 1]!)
  }
}
