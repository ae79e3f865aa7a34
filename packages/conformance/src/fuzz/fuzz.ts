// A run of the fuzzer: programs of consecutive seeds, each checked; failing ones cut down and described.
// Read next: generate.ts, check.ts, shrink.ts.
import { createInterpreter, type Backend } from '@nabla/engine'
import type { Tensor } from '@nabla/tensor'
import { isReal } from './builder.ts'
import { checkProgram, type Candidate, type Failure } from './check.ts'
import { largest, stepValues } from './execute.ts'
import { generateProgram } from './generate.ts'
import { printProgram, type Program } from './program.ts'
import { shrink, type StepType } from './shrink.ts'

/** What a run of the fuzzer found. */
export interface FuzzReport {
  readonly programs: number
  readonly steps: number
  /** Programs whose results hang on the last bits of their inputs, so that a difference says nothing. */
  readonly unstable: number
  /** One text per failure: seed, difference, and the smallest program found that shows it. */
  readonly failures: readonly string[]
}

/** What a run is told. */
export interface FuzzOptions {
  readonly seed: number
  readonly count: number
  readonly candidates: readonly Candidate[]
  /** Give up after this many failures: one mistake shows in many programs. */
  readonly mostFailures?: number
}

/** Checks the programs of `count` seeds from `seed` on. */
export async function fuzz({ seed, count, candidates, mostFailures = 3 }: FuzzOptions): Promise<FuzzReport> {
  const interpreter = createInterpreter()
  const failures: string[] = []
  let steps = 0
  let programs = 0
  let unstable = 0
  for (; programs < count && failures.length < mostFailures; programs++) {
    const program = await generateProgram(seed + programs, interpreter)
    steps += program.steps.length
    const failure = await checkProgram(program, interpreter, candidates)
    if (failure === 'unstable') unstable += 1
    else if (failure !== null) failures.push(await describe(program, failure, interpreter, candidates))
  }
  return { programs, steps, unstable, failures }
}

async function describe(
  program: Program,
  first: Failure,
  interpreter: Backend,
  candidates: readonly Candidate[],
): Promise<string> {
  const check = async (smaller: Program): Promise<Failure | null> => {
    const failure = await checkProgram(smaller, interpreter, candidates)
    return failure === 'unstable' ? null : failure
  }
  const smallest = await shrink(
    program,
    (candidate) => typesOf(candidate, interpreter),
    async (candidate) => (await check(candidate))?.run === first.run,
  )
  const last = (await check(smallest)) ?? first
  return `seed ${program.seed}, ${last.run}: ${last.message}\n${printProgram(smallest)}`
}

/** The types of all steps' values, found by running the program one op at a time. */
async function typesOf(program: Program, backend: Backend): Promise<(StepType | null)[]> {
  const values = stepValues(program, backend)
  return Promise.all(
    program.steps.map(async (step, i) => {
      if (step.kind === 'leaf') return step
      return values[i] === null ? null : typeOf(values[i]!)
    }),
  )
}

async function typeOf(value: Tensor): Promise<StepType> {
  const { shape, dtype } = value
  const data = await value.data()
  if (isReal(dtype)) return { shape, dtype, range: { kind: 'real', scale: Math.max(1, largest(data)) } }
  if (data.length === 0) return { shape, dtype, range: { kind: 'whole', low: 0, high: 1 } }
  const elements = Array.from(data)
  return { shape, dtype, range: { kind: 'whole', low: Math.min(...elements), high: Math.max(...elements) } }
}
