// Golden values: what PyTorch, scikit-learn and others compute is computed here too. No case that is mapped may fail, and
// the number that pass may only grow. Read next: goldens/run.ts, goldens/ops.ts.
import { fileURLToPath } from 'node:url'
import { createInterpreter, engine, setBackend } from '@nabla/engine'
import { afterEach, expect, test } from 'vitest'
import { countsOf, replayFolder } from './goldens/files.ts'
import '@nabla/tensor'

const folder = fileURLToPath(new URL('../goldens', import.meta.url))
const wasm = engine.backend

/** How many cases of each file pass at least. Raise these when more do. */
const passing: Readonly<Record<string, number>> = {
  ops: 360,
  losses: 54,
  layers: 43,
  optimizers: 21,
  metrics: 64,
  schedulers: 13,
  distributions: 17,
}

afterEach(() => setBackend(wasm))

for (const backend of ['wasm', 'interpreter']) {
  test(`golden values on ${backend}`, { timeout: 120_000 }, async () => {
    if (backend === 'interpreter') setBackend(createInterpreter())
    expect(engine.backend.name).toBe(backend)
    const results = await replayFolder(folder)
    const failures = Object.entries(results).flatMap(([name, outcomes]) =>
      outcomes
        .filter(({ status }) => status === 'fail')
        .map(({ id, message }) => `${name}: ${id}: ${message}`),
    )
    expect(failures).toEqual([])
    expect(Object.keys(results).sort()).toEqual(Object.keys(passing).sort())
    for (const [name, least] of Object.entries(passing)) {
      const { pass, missing, total } = countsOf(results[name]!)
      console.log(`${backend}, ${name}: ${pass} of ${total} pass, ${missing} have no counterpart yet`)
      expect(pass, name).toBeGreaterThanOrEqual(least)
    }
  })
}
