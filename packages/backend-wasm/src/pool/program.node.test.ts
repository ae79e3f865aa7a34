// Programs of their own, in Node: one that uses threads ends by itself, and the number of threads comes from outside.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { createMemory } from '../memory.ts'
import { Threads } from './threads.ts'
import { whyNoWorkers } from './spawn.ts'

const run = promisify(execFile)

/** Launches a kernel on some ten thousand rows until workers run, and a few times after that. */
const program = `
  import { createKernelCache } from './src/compile.ts'
  import { createMemory } from './src/memory.ts'
  import { Threads } from './src/pool/threads.ts'
  import { softmax } from './src/testing/kernels.ts'
  import { runThreaded } from './src/testing/threads.ts'
  const memory = createMemory()
  const cache = createKernelCache(memory)
  const threads = new Threads(memory)
  const launch = softmax(10_000, 30)
  for (let i = 0; i < 2000 && threads.running < 3; i++) {
    runThreaded(memory, cache, threads, launch)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  for (let i = 0; i < 5; i++) runThreaded(memory, cache, threads, launch)
  console.log('threads', threads.running, threads.notes.join())
`

test('a program that uses threads ends by itself', { timeout: 120_000 }, async () => {
  const flags = [
    '--conditions=@nabla/source',
    '--import',
    '../../tools/run/register.mjs',
    '--input-type=module',
  ]
  const { stdout } = await run(process.execPath, [...flags, '--eval', program], {
    cwd: new URL('../..', import.meta.url),
    env: { ...process.env, NABLA_THREADS: '3' },
    timeout: 90_000,
  })
  expect(stdout.trim()).toBe('threads 3')
})

test('the environment sets the number of threads, and what is no number is refused', () => {
  const before = process.env['NABLA_THREADS']
  try {
    process.env['NABLA_THREADS'] = '1'
    expect(new Threads(createMemory({ maximumBytes: 2 ** 20 })).notes.join()).toContain('one thread: no more')
    process.env['NABLA_THREADS'] = 'many'
    expect(() => new Threads(createMemory({ maximumBytes: 2 ** 20 }))).toThrow(/NaN is no number of threads/)
  } finally {
    if (before === undefined) delete process.env['NABLA_THREADS']
    else process.env['NABLA_THREADS'] = before
  }
})

test('a page that is not isolated gets one thread and is told what to do', () => {
  expect(whyNoWorkers()).toBeNull()
  Object.defineProperty(globalThis, 'crossOriginIsolated', { value: false, configurable: true })
  try {
    const threads = new Threads(createMemory({ maximumBytes: 2 ** 20 }), { count: 4 })
    expect(threads.areWorth(1e12)).toBe(false)
    expect(threads.notes.join()).toContain('Cross-Origin-Opener-Policy')
  } finally {
    Reflect.deleteProperty(globalThis, 'crossOriginIsolated')
  }
})
