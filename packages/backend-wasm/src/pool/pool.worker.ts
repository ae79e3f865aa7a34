// Where a worker begins, in Node and in browsers. `npm run workers` bundles it into pool.worker.inlined.ts.
import { serve } from './serve.ts'
import type { WorkerStart } from './words.ts'

const node = globalThis.process?.getBuiltinModule?.('node:worker_threads')

if (node === undefined) {
  globalThis.addEventListener('message', (event: MessageEvent<WorkerStart>) => serve(event.data), {
    once: true,
  })
} else {
  serve(node.workerData as WorkerStart)
}
