// Every op of the table, on every sample of its own: WebAssembly agrees with the float64 interpreter, results have the
// shape and type that were promised, and wrong calls are refused with the error the op describes.
import { createInterpreter, type Backend } from '@nabla/engine'
import { createWasmBackend } from '@nabla/backend-wasm'
import { expect, test } from 'vitest'
import { ops, SampleMaker, setBackend, Tensor } from './index.ts'

const wasm = createWasmBackend()
const interpreter = createInterpreter()

interface Result {
  readonly shape: readonly number[]
  readonly dtype: string
  readonly data: ArrayLike<number>
}

function tensorsOf(returned: unknown): Tensor[] {
  if (returned instanceof Tensor) return [returned]
  return Object.values(Object(returned)).filter((item) => item instanceof Tensor)
}

async function resultsOn(backend: Backend, run: () => unknown): Promise<Result[]> {
  setBackend(backend)
  return Promise.all(
    tensorsOf(await run()).map(async (tensor) => ({
      shape: tensor.shape,
      dtype: tensor.dtype,
      data: await tensor.data(),
    })),
  )
}

function expectClose(actual: Result, expected: Result, relative: number, absolute: number): void {
  expect({ shape: actual.shape, dtype: actual.dtype }).toEqual({
    shape: expected.shape,
    dtype: expected.dtype,
  })
  expect(actual.data.length).toBe(actual.shape.reduce((size, length) => size * length, 1))
  for (let i = 0; i < expected.data.length; i++) {
    const [a, b] = [actual.data[i]!, expected.data[i]!]
    const close = Object.is(a, b) || a === b || Math.abs(a - b) <= absolute + relative * Math.abs(b)
    if (!close) expect.fail(`element ${i}: ${a} instead of ${b}`)
  }
}

for (const [name, fn] of Object.entries(ops)) {
  const run = fn as unknown as (...args: unknown[]) => unknown
  const { samples, wrong, tolerance } = fn.op
  const count = samples(new SampleMaker(3)).length
  for (let i = 0; i < count; i++) {
    const call = (): unknown => {
      const sample = samples(new SampleMaker(3))[i]!
      return run(...('args' in sample ? sample.args : sample))
    }
    test(`${name}, sample ${i}`, async () => {
      const expected = await resultsOn(interpreter, call)
      const actual = await resultsOn(wasm, call)
      expect(expected.length).toBeGreaterThan(0)
      expect(actual.length).toBe(expected.length)
      actual.forEach((result, k) => expectClose(result, expected[k]!, tolerance.relative, tolerance.absolute))
    })
  }
  wrong.forEach(({ args, error, message }, i) => {
    test(`${name}, wrong call ${i}`, () => {
      const values = args(new SampleMaker(3))
      let thrown: unknown = null
      try {
        run(...values)
      } catch (failure) {
        thrown = failure
      }
      expect(thrown).toBeInstanceOf(Error)
      expect((thrown as Error).name).toBe(error)
      expect((thrown as Error).message).toMatch(message)
    })
  })
}
