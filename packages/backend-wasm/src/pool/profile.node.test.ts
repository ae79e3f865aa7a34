// Profiles of work on several threads: each has a row, and NABLA_PROFILE writes the file when a program ends.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TraceEvent } from '@nabla/engine'
import { expect, test } from 'vitest'
import { createKernelCache } from '../compile.ts'
import { createMemory } from '../memory.ts'
import { softmax } from '../testing/kernels.ts'
import { runThreaded, startThreads } from '../testing/threads.ts'

const run = promisify(execFile)

test('every thread reports its chunks within the time of the launch, and none when nobody watches', async () => {
  const memory = createMemory()
  const cache = createKernelCache(memory)
  const threads = await startThreads(memory, 3)
  const chunks: { thread: number; begin: number; end: number }[] = []
  const watch = () => threads.watch((thread, begin, end) => chunks.push({ thread, begin, end }))
  watch()
  const begun = performance.now()
  // On a busy machine a worker may sleep through a launch.
  for (let i = 0; i < 2000 && new Set(chunks.map(({ thread }) => thread)).size < 3; i++) {
    chunks.length = 0
    runThreaded(memory, cache, threads, softmax(201, 40))
  }
  const ended = performance.now()
  expect([...new Set(chunks.map(({ thread }) => thread))].sort()).toEqual([0, 1, 2])
  expect(chunks).toHaveLength(29) // 201 rows, 7 at a time
  for (const { begin, end } of chunks) {
    expect(begin).toBeGreaterThanOrEqual(begun)
    expect(end).toBeGreaterThanOrEqual(begin)
    expect(end).toBeLessThanOrEqual(ended)
  }
  for (const thread of [0, 1, 2]) {
    const own = chunks.filter((chunk) => chunk.thread === thread)
    own.forEach(({ begin }, i) => expect(begin).toBeGreaterThanOrEqual(i === 0 ? begun : own[i - 1]!.end))
  }
  threads.watch(null)
  chunks.length = 0
  runThreaded(memory, cache, threads, softmax(201, 40))
  expect(chunks).toEqual([])
  threads.stop()
})

/** Takes the exponential of 262,144 numbers on two threads, often enough for the worker to start and take part. */
const program = `
  import { call, engine, hostOp, nextOpId, noAttributes, Node, setBackend } from '@nabla/engine'
  import { createWasmBackend } from './src/backend.ts'
  setBackend(createWasmBackend({ threads: 2 }))
  const expr = ([x]) => call('exp', x)
  const op = { id: nextOpId(), name: 'exp', lowering: { kind: 'map', expr } }
  const x = new Node(hostOp, [], noAttributes, [1 << 18], 'float32')
  x.host = new Float32Array(1 << 18)
  for (let i = 0; i < 400; i++) {
    await engine.read(new Node(op, [x], noAttributes, x.shape, x.dtype))
    if (engine.backend.info().threads < 2) await new Promise((resolve) => setTimeout(resolve, 5))
    else if (i > 20) break
  }
`

test(
  'NABLA_PROFILE writes a profile of the program with a row for each thread',
  { timeout: 120_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nabla-profile-'))
    const file = join(folder, 'trace.json')
    const flags = [
      '--conditions=@nabla/source',
      '--import',
      '../../tools/run/register.mjs',
      '--input-type=module',
    ]
    const { stderr } = await run(process.execPath, [...flags, '--eval', program], {
      cwd: new URL('../..', import.meta.url),
      env: { ...process.env, NABLA_PROFILE: file },
      timeout: 90_000,
    })
    expect(stderr).toContain(`profile written to ${file}`)
    const events = JSON.parse(readFileSync(file, 'utf8')) as TraceEvent[]
    const rows = events.filter(({ ph }) => ph === 'M').map(({ args }) => args!['name'])
    expect(rows).toEqual(['the thread that calls', 'worker 1'])
    expect(events.filter(({ name, cat }) => name === 'exp' && cat === 'step').length).toBeGreaterThan(20)
    // A worker's chunk lies within some step of the calling thread.
    const steps = events.filter(({ cat }) => cat === 'step')
    const chunks = events.filter(({ cat, tid }) => cat === 'chunk' && tid === 1)
    expect(chunks.length).toBeGreaterThan(0)
    const slack = 50 // microseconds: clocks of threads agree, but are read at different moments
    for (const { ts, dur } of chunks) {
      expect(steps.some((step) => step.ts - slack <= ts && ts + dur! <= step.ts + step.dur! + slack)).toBe(
        true,
      )
    }
    rmSync(folder, { recursive: true })
  },
)
