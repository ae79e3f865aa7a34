// A worker's life: look for chunks, for a while without pause, then wait to be notified. Code it has not met yet it compiles
// from the bytes that lie in memory; engines know equal bytes again, so that costs little. Bundled into the worker.
// Read next: pool.ts, the other side.
import type { BlasPlace } from '../blas/gemm.ts'
import { importsOf } from '../hostFunctions.ts'
import { ChunkLog } from './log.ts'
import { work } from './work.ts'
import { controlWords, word, type RunItems, type WorkerStart } from './words.ts'

/** Looks at an empty job before a worker parks: a tenth of a millisecond, so that it is awake for the next kernel. */
const looks = 20_000

/** Serves until it is told to stop. Waits with `Atomics.wait`, which the main thread of a page must never do. */
export function serve({ memory, control, logs, origin, thread, blas }: WorkerStart): void {
  // Views of shared memory stay valid when it grows; they merely do not reach what was added.
  const words = new Int32Array(memory.buffer, control, controlWords)
  const log = new ChunkLog(memory, logs, thread, origin)
  const codes: RunItems[] = []
  const runItems = (from: number, to: number): void => {
    const id = words[word.code]!
    const run = (codes[id] ??= loadCode(memory, words[word.codePlace]! >>> 0, words[word.codeBytes]!, blas))
    const scratch = words[word.scratch]! + thread * words[word.scratchStride]!
    const param = words[word.param]!
    if (words[word.watched] === 0) run(param, from, to, scratch)
    else log.time(() => run(param, from, to, scratch))
  }
  Atomics.add(words, word.started, 1)
  let idle = 0
  while (Atomics.load(words, word.stop) === 0) {
    if (Atomics.load(words, word.left) > 0) {
      work(words, runItems)
      idle = 0
    } else if (++idle >= looks) {
      park(words)
      idle = 0
    }
  }
}

/** Waits for the next job. One that is published after `seen` was read changes the epoch, so the wait ends at once. */
function park(words: Int32Array): void {
  const seen = Atomics.load(words, word.epoch)
  Atomics.add(words, word.parked, 1)
  if (Atomics.load(words, word.left) <= 0 && Atomics.load(words, word.stop) === 0) {
    Atomics.wait(words, word.epoch, seen)
  }
  Atomics.sub(words, word.parked, 1)
}

function loadCode(
  memory: WebAssembly.Memory,
  place: number,
  length: number,
  blas: BlasPlace | undefined,
): RunItems {
  // An engine may tell this thread a moment late that the memory has grown; it does so at the turn of a loop.
  for (let turn = 0; turn < looks && memory.buffer.byteLength < place + length; turn++) continue
  // Modules cannot be made from shared bytes, hence the copy.
  const bytes = new Uint8Array(memory.buffer, place, length).slice()
  const module = new WebAssembly.Module(bytes)
  const names = WebAssembly.Module.imports(module).flatMap(({ kind, name }) =>
    kind === 'function' ? name : [],
  )
  return new WebAssembly.Instance(module, importsOf(memory, names, blas)).exports['k'] as RunItems
}
