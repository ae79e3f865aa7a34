// The control words: what the thread that calls and its workers tell each other, as 32-bit words in the memory they share.
// Nothing is ever sent by message after a worker has started. Bundled into the worker. Read next: work.ts.

import type { BlasPlace } from '../blas/gemm.ts'

/** Index of each control word. Those that threads fight over lie on cache lines of their own (16 words). */
export const word = {
  /** Rises with every job; workers that have nothing to do wait for it to change. */
  epoch: 0,
  /** Chunks of the job that nobody has claimed yet. Storing it publishes a job; it may fall below 0. */
  left: 16,
  /** Chunks that are finished. */
  done: 32,
  /** Workers that wait, or are about to. */
  parked: 48,
  // The job. It cannot change while a claimed chunk is unfinished.
  /** Number of the code to run. */
  code: 64,
  /** Where the bytes of its module lie, for workers that meet it for the first time. */
  codePlace: 65,
  codeBytes: 66,
  /** What it is called with: a parameter block, and a range of so many items at a time. */
  param: 67,
  items: 68,
  itemsPerChunk: 69,
  /** Scratch space: that of the calling thread, and how far apart those of the threads are. */
  scratch: 70,
  scratchStride: 71,
  /** Not 0: threads note begin and end of their chunks. */
  watched: 72,
  // The pool.
  /** Workers that have started. */
  started: 80,
  /** Not 0: workers shall end. */
  stop: 81,
  // The first error of a job: whether there is one, and its message, a character a word.
  failed: 96,
  messageLength: 97,
  message: 98,
} as const

/** Characters of a message that are kept. */
export const longestMessage = 158

/** Words in all. */
export const controlWords: number = word.message + longestMessage

/** What a worker is started with. */
export interface WorkerStart {
  readonly memory: WebAssembly.Memory
  /** Address of the control words. */
  readonly control: number
  /** Address of the threads' logs, and the caller's `performance.timeOrigin`, which their times are told in. */
  readonly logs: number
  readonly origin: number
  /** 1 for the first worker; the calling thread counts as 0. */
  readonly thread: number
  /** The library that computes products, if one is in use. */
  readonly blas?: BlasPlace | undefined
}

/** Code that does items `from` to `to` of the work described at `param`, with scratch space of the thread's own. */
export type RunItems = (param: number, from: number, to: number, scratch: number) => void
