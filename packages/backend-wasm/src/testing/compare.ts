// For tests: the same launch on this backend and on the interpreter, and how far apart their results may be. The backend and
// the interpreter are made once, since every WebAssembly memory reserves a large range of addresses.
import { createInterpreter, type Backend, type TypedArray } from '@nabla/engine'
import { createWasmBackend } from '../backend.ts'
import { runLaunch, type TestLaunch } from './launches.ts'

let wasm: Backend | undefined
let interpreter: Backend | undefined

/** The backend under test. */
export function backendUnderTest(): Backend {
  return (wasm ??= createWasmBackend())
}

/** Runs a launch on both; null if the results agree, else where they do not. Integers and bools must be equal. */
export async function firstDifference(test: TestLaunch, tolerance: number): Promise<string | null> {
  interpreter ??= createInterpreter()
  const [got, wanted] = [await runLaunch(backendUnderTest(), test), await runLaunch(interpreter, test)]
  for (const [slot, { dtype }] of test.buffers.entries()) {
    const allowed = dtype === 'float32' || dtype === 'float64' ? tolerance : 0
    const at = differsAt(got[slot]!, wanted[slot]!, allowed)
    if (at >= 0)
      return `buffer ${slot} (${dtype}) at ${at}: ${got[slot]![at]} instead of ${wanted[slot]![at]}`
  }
  return null
}

function differsAt(got: TypedArray, wanted: TypedArray, tolerance: number): number {
  for (let i = 0; i < wanted.length; i++) {
    const [a, b] = [got[i]!, wanted[i]!]
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue
    if (!(Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b)))) return i
  }
  return -1
}
