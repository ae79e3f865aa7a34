// Inlines a worker made of two files and talks to it.
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { transformSync } from 'oxc-transform'
import { expect, test } from 'vitest'
import { inlinedName, inlineWorker } from './inlineWorker.mjs'

const worker = fileURLToPath(new URL('fixtures/worker/double.worker.ts', import.meta.url))

test('the inlined source runs as a worker and needs no other file', async () => {
  const { code } = transformSync('x.ts', await inlineWorker(worker))
  const { workerSource } = await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(code)}`)
  const running = new Worker(workerSource, { eval: true })
  const answer = await new Promise((resolve, reject) => {
    running.on('message', resolve).on('error', reject)
    running.postMessage(21)
  })
  expect(answer).toBe(42)
})

test('the inlined file stands beside its worker', () => {
  expect(inlinedName('packages/x/src/pool.worker.ts')).toBe('packages/x/src/pool.worker.inlined.ts')
})
