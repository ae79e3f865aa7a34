// Ways to run a training loop. The same loop must give the same numbers on WebAssembly, where everything of a step is one
// plan; on the interpreter; and eagerly, op by op, where nothing can be too late or out of date.
import { configure, createInterpreter, engine, setBackend, type Backend } from '@nabla/engine'
import { manualSeed } from '@nabla/tensor'
import { expect } from 'vitest'

/** The backend that is installed by default. */
const wasm: Backend = engine.backend

/** A training loop: gives the numbers by which it is judged. Called anew for each way. */
export type Loop = () => Promise<readonly number[]>

/** Runs a loop on the default backend, from a fixed seed. */
export async function runLoop(loop: Loop): Promise<readonly number[]> {
  manualSeed(1)
  return loop()
}

/** Runs a loop every way there is and expects the same numbers, which it returns. */
export async function sameEveryWay(loop: Loop): Promise<readonly number[]> {
  const usual = await runLoop(loop)
  expect(usual.length).toBeGreaterThan(0)
  expect(usual.every(Number.isFinite)).toBe(true)
  try {
    setBackend(createInterpreter())
    expectClose(usual, await runLoop(loop))
    configure({ mode: 'eager' })
    expectClose(usual, await runLoop(loop))
  } finally {
    configure({ mode: 'lazy' })
    setBackend(wasm)
  }
  return usual
}

/** Expects numbers to agree as float32 results of some training steps do. */
export function expectClose(
  actual: readonly number[],
  expected: readonly number[],
  tolerance: number = 1e-4,
): void {
  expect(actual.length).toBe(expected.length)
  const at = actual.findIndex(
    (value, i) => !(Math.abs(value - expected[i]!) <= tolerance * (1 + Math.abs(expected[i]!))),
  )
  if (at >= 0)
    expect.fail(
      `number ${at} is ${actual[at]}, not ${expected[at]}\n${actual.join(' ')}\n${expected.join(' ')}`,
    )
}
