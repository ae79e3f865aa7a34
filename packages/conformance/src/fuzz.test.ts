// Fuzzing of the planner: random programs give the same values one step at a time, unfused, fused, and on WebAssembly.
// NABLA_FUZZ_SEED and NABLA_FUZZ_COUNT choose other programs and more of them. Read next: fuzz/fuzz.ts.
import { expect, test } from 'vitest'
import { wasmBackend } from './backends.ts'
import { fuzz } from './fuzz/fuzz.ts'

const environment = process.env
const seed = Number(environment['NABLA_FUZZ_SEED'] ?? 1)
const count = Number(environment['NABLA_FUZZ_COUNT'] ?? 600)

test(`${count} random programs from seed ${seed} on`, { timeout: 600_000 }, async () => {
  console.log(`fuzzing ${count} programs: NABLA_FUZZ_SEED=${seed} NABLA_FUZZ_COUNT=${count}`)
  const wasm = wasmBackend()
  const { programs, steps, unstable, failures } = await fuzz({
    seed,
    count,
    candidates: [
      { name: 'wasm, fused', backend: wasm, fusion: true },
      { name: 'wasm, unfused', backend: wasm, fusion: false },
    ],
  })
  console.log(
    `${programs} programs of ${steps} steps in all; ${unstable} hang on the last bits of their inputs`,
  )
  expect(failures.join('\n\n')).toBe('')
  expect(programs).toBe(count)
  // Such programs are not judged: more than a few would mean that the fuzzer looks away.
  expect(unstable).toBeLessThanOrEqual(count / 100)
})
