// NABLA_PROFILE writes a profile with a row for each thread when a program ends. Who reports what: log.test.ts.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TraceEvent } from '@nabla/engine'
import { expect, test } from 'vitest'

const run = promisify(execFile)

/** Takes the exponential of 262,144 numbers on two threads, often enough for the worker to start and take part. */
const program = `
  import { call, engine, hostOp, nextOpId, noAttributes, Node, setBackend, startProfile } from '@nabla/engine'
  import { createWasmBackend } from './src/backend.ts'
  setBackend(createWasmBackend({ threads: 2 }))
  const expr = ([x]) => call('exp', x)
  const op = { id: nextOpId(), name: 'exp', lowering: { kind: 'map', expr } }
  const x = new Node(hostOp, [], noAttributes, [1 << 18], 'float32')
  x.host = new Float32Array(1 << 18)
  // On a busy machine the worker may sleep through many launches.
  for (let i = 0; i < 5000; i++) {
    const probe = startProfile()
    await engine.read(new Node(op, [x], noAttributes, x.shape, x.dtype))
    if (probe.stop().some(({ cat, tid }) => cat === 'chunk' && tid === 1) && i > 20) break
    if (engine.backend.info().threads < 2) await new Promise((resolve) => setTimeout(resolve, 5))
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
