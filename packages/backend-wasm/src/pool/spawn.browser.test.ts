// Workers in a browser whose script comes from a URL, as pages with a strict Content-Security-Policy need it.
import { expect, test } from 'vitest'
import { createMemory } from '../memory.ts'
import { allRunning, eager, until } from '../testing/threads.ts'
import { workerSource } from './pool.worker.inlined.ts'
import { Threads } from './threads.ts'

test('the script of workers may come from a URL', async () => {
  const workerUrl = URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }))
  const threads = new Threads(createMemory(), { count: 2, workerUrl, policy: eager })
  await allRunning(threads, 2)
  threads.stop()
})

test('a script that cannot be loaded leaves one thread, and is said', async () => {
  const threads = new Threads(createMemory(), { count: 2, workerUrl: '/no/such/script.js', policy: eager })
  expect(threads.areWorth(1)).toBe(false)
  await until(() => threads.notes.join().includes('workers failed'), 'the note')
  expect(threads.running).toBe(1)
  expect(threads.areWorth(1e12)).toBe(false)
})

test('the main thread of a page may not wait, and shares work all the same', async () => {
  const words = new Int32Array(new SharedArrayBuffer(4))
  expect(() => Atomics.wait(words, 0, 0, 1)).toThrow(TypeError)
  const threads = new Threads(createMemory(), { count: 3, policy: eager })
  await allRunning(threads, 3)
  expect(threads.areWorth(1)).toBe(true)
  threads.stop()
})
