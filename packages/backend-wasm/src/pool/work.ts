// What every thread does with a job, the calling one too: claim chunks, from the last to the first, until none is left.
// Who claims which is chance; what a chunk is and where its results go is not, so results never depend on it.
// Bundled into the worker. Read next: serve.ts for the worker around it, pool.ts for the caller.
import { longestMessage, word } from './words.ts'

/**
 * Claims and does chunks. A count above 0 is a chunk that is really owned: the job's words cannot change before it is
 * counted as done, so nobody has to ask which job a late claim belongs to.
 */
export function work(words: Int32Array, runItems: (from: number, to: number) => void): void {
  for (;;) {
    const left = Atomics.sub(words, word.left, 1)
    if (left <= 0) return
    const perChunk = words[word.itemsPerChunk]!
    const from = (left - 1) * perChunk
    try {
      runItems(from, Math.min(from + perChunk, words[word.items]!))
    } catch (error) {
      report(words, error)
    }
    Atomics.add(words, word.done, 1)
  }
}

/** Leaves the first error of a job for the caller to find. */
function report(words: Int32Array, error: unknown): void {
  if (Atomics.compareExchange(words, word.failed, 0, 1) !== 0) return
  const message = String(error instanceof Error ? error.message : error).slice(0, longestMessage)
  for (let i = 0; i < message.length; i++) words[word.message + i] = message.charCodeAt(i)
  words[word.messageLength] = message.length
}
