// Whether a program gives the same values however it is run: one step at a time, unfused and fused on the reference
// interpreter, and on the backend under test. Read before: execute.ts. Read next: shrink.ts.
import { isFloating, type Backend, type TypedArray } from '@nabla/engine'
import { runProgram, runStepwise, type Observation, type Truth } from './execute.ts'
import type { Program } from './program.ts'

/** A backend that is held to the interpreter, and whether it runs programs fused. */
export interface Candidate {
  readonly name: string
  readonly backend: Backend
  readonly fusion: boolean
}

/** What went wrong, in words. */
export interface Failure {
  /** The run that disagrees, or could not be made. */
  readonly run: string
  readonly message: string
}

// Of the largest magnitude on the way. The truth rounds every value to float32; a run of the interpreter rounds none.
const againstTruth = 2e-4
const amongReferences = 2e-6

/** Runs a program every way there is. Null when all agree; `unstable` when they need not. */
export async function checkProgram(
  program: Program,
  interpreter: Backend,
  candidates: readonly Candidate[],
): Promise<Failure | 'unstable' | null> {
  const truth = await runStepwise(program, interpreter)
  const runs: readonly Candidate[] = [
    { name: 'interpreter, unfused', backend: interpreter, fusion: false },
    { name: 'interpreter, fused', backend: interpreter, fusion: true },
    ...candidates,
  ]
  let unfused: readonly Observation[] | null = null
  for (const { name, backend, fusion } of runs) {
    let observations: readonly Observation[]
    try {
      observations = await runProgram(program, { backend, fusion })
    } catch (error) {
      return { run: name, message: error instanceof Error ? (error.stack ?? error.message) : String(error) }
    }
    const apart = difference(observations, truth.observations, againstTruth * truth.magnitude)
    if (apart !== null) {
      if (await isUnstable(program, interpreter, truth)) return 'unstable'
      return { run: name, message: `against single steps: ${apart}` }
    }
    if (backend === interpreter && unfused !== null) {
      const inside = difference(observations, unfused, amongReferences * truth.magnitude)
      if (inside !== null) return { run: name, message: `against unfused: ${inside}` }
    }
    unfused ??= observations
  }
  return null
}

/**
 * Whether the truth itself jumps when its inputs change in the last bits: a gradient at a kink, say. Then no two ways of
 * computing need agree.
 */
async function isUnstable(program: Program, interpreter: Backend, truth: Truth): Promise<boolean> {
  for (const nudge of [4e-6, -4e-6]) {
    const moved = await runStepwise(program, interpreter, nudge)
    if (difference(moved.observations, truth.observations, againstTruth * truth.magnitude) !== null)
      return true
  }
  return false
}

/** The first difference between two runs, in words. */
function difference(
  actual: readonly Observation[],
  expected: readonly Observation[],
  tolerance: number,
): string | null {
  for (const [i, { name, data }] of expected.entries()) {
    const other = actual[i]!
    const limit = isFloating(typeOf(data)) ? tolerance : 0
    if (other.data.length !== data.length)
      return `${name} has ${other.data.length} elements, not ${data.length}`
    const at = data.findIndex((value, element) => !close(other.data[element]!, value, limit))
    if (at >= 0) {
      return `${name}[${at}] is ${other.data[at]}, not ${data[at]}\n  got      ${show(other.data)}\n  expected ${show(data)}`
    }
  }
  return null
}

function close(actual: number, expected: number, limit: number): boolean {
  return Object.is(actual, expected) || actual === expected || Math.abs(actual - expected) <= limit
}

function typeOf(data: TypedArray): 'float32' | 'int32' {
  return data instanceof Float32Array || data instanceof Float64Array ? 'float32' : 'int32'
}

function show(data: TypedArray): string {
  const shown = Array.from(data.subarray(0, 24), (value) => String(Number(value.toPrecision(6)))).join(' ')
  return data.length > 24 ? `${shown} ... (${data.length})` : shown
}
