// Starting workers on this platform, and how many it would like. The only file here that knows Node from a browser.
import { sharingAllowed } from '../memory.ts'
import { workerSource } from './pool.worker.inlined.ts'
import type { WorkerStart } from './words.ts'

/** A worker that was asked to start. */
export interface RunningWorker {
  /** Ends it, wherever it is. */
  terminate(): void
}

/** More threads than this rarely gain anything, since all of them share one memory bus. */
const mostByDefault = 8

/** Threads to use unless somebody says otherwise: as many as there are processors, within reason. */
export function defaultThreads(): number {
  const os = globalThis.process?.getBuiltinModule?.('node:os')
  const processors = os?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1
  return Math.max(1, Math.min(mostByDefault, processors))
}

/** Why there cannot be workers here, or null. */
export function whyNoWorkers(): string | null {
  if (!sharingAllowed()) {
    return (
      'this page is not cross-origin isolated, so memory cannot be shared with threads: serve it with ' +
      '`Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`'
    )
  }
  // Asked without loading Node's module of threads, which takes longer than many a program.
  const inNode = globalThis.process?.getBuiltinModule !== undefined
  if (!inNode && typeof Worker === 'undefined') return 'this platform has no workers'
  return null
}

/**
 * Starts a worker. Programs end without waiting for it. `failed` is called when it cannot start or ends by an error.
 * @param url where a browser finds the worker's script, for pages whose policy forbids blob URLs
 */
export function spawn(
  start: WorkerStart,
  url: string | URL | undefined,
  failed: (reason: string) => void,
): RunningWorker {
  const threads = nodeThreads()
  if (threads !== undefined) {
    // Flags of the program are not passed on: loaders and the like would only slow the start down.
    const worker = new threads.Worker(workerSource, { eval: true, workerData: start, execArgv: [] })
    worker.unref()
    worker.on('error', (error) => failed(error.message))
    return { terminate: () => void worker.terminate() }
  }
  const worker = new Worker(url ?? blobUrl())
  worker.addEventListener('error', (event) => {
    // It is told here, and not to the page as an error nobody caught.
    event.preventDefault()
    failed(event.message || 'its script could not be loaded')
  })
  worker.postMessage(start)
  return { terminate: () => worker.terminate() }
}

/** Node's module of threads; nothing in browsers. */
function nodeThreads() {
  return globalThis.process?.getBuiltinModule?.('node:worker_threads')
}

let blob: string | undefined

function blobUrl(): string {
  blob ??= URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }))
  return blob
}
