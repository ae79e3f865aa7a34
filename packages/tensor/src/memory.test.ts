// A program that runs out of device memory is told what the memory is used for.
import { backendInfo, BackendError, engine, OutOfMemoryError, setBackend } from '@nabla/engine'
import { createWasmBackend } from '@nabla/backend-wasm'
import { beforeAll, expect, test } from 'vitest'
import { randn, Variable, type Tensor } from './index.ts'

const mebibyte = 2 ** 20

beforeAll(() => setBackend(createWasmBackend({ maximumBytes: 8 * mebibyte, threads: 1 })))

/** A product and what follows it, with a value of `rows` KiB between. */
function large(rows: number): Tensor {
  const x = randn([rows, 8])
  return x
    .matmul(randn([8, 256]))
    .softmax(-1)
    .matmul(randn([256, 1]))
    .sum()
}

function errorOf(work: () => unknown): Error {
  try {
    work()
  } catch (error) {
    return error as Error
  }
  throw new Error('no error was thrown')
}

test('a step that needs too much names the largest plans, with their largest values, and the Variables', async () => {
  const weight = new Variable(new Float32Array(mebibyte / 4), { name: 'weight' })
  expect(Number.isFinite(await large(1024).item())).toBe(true)
  const used = backendInfo().bytes.inUse
  const error = await large(16_384)
    .item()
    .catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(OutOfMemoryError)
  expect(error).toBeInstanceOf(BackendError)
  const { message } = error as Error
  expect(message).toMatch(
    /^out of memory: \d+ bytes were asked for, \d+ are in use and this memory ends at 8388608/,
  )
  expect(message).toMatch(/Use smaller batches, or dispose of Variables/)
  expect(message).toMatch(/Variables hold 1\.0 MiB \(1 of them\)/)
  const plans = message.split('\n').filter((line) => line.startsWith('- '))
  expect(plans).toHaveLength(2)
  // The plan that failed is the largest; its rows of 1 KiB are its largest value.
  expect(plans[0]).toMatch(
    /^- 32\.0 MiB for \d+ steps.*largest values: 16\.0 MiB by contract \(1x16384x256x8\)/,
  )
  expect(plans[1]).toMatch(/^- 2\.0 MiB/)
  // Smaller work goes on. The plan that failed keeps its tables, for a time when there is room for it.
  expect(Number.isFinite(await large(1024).item())).toBe(true)
  expect(backendInfo().bytes.inUse).toBeLessThanOrEqual(used + mebibyte / 2)
  weight.dispose()
})

test('a Variable that does not fit says the same, and counts only when it exists', () => {
  const before = { ...engine.variableUse }
  const first = new Variable(new Float32Array(mebibyte / 2))
  const error = errorOf(() => new Variable(new Float32Array(2 * mebibyte)))
  expect(error).toBeInstanceOf(OutOfMemoryError)
  expect(error.message).toMatch(/Variables hold 2\.0 MiB \(1 of them\)\.\nPlans share one arena/)
  first.dispose()
  expect(engine.variableUse).toEqual(before)
})
