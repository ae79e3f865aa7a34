// A run of the fuzzer: programs of consecutive seeds, each checked; failing ones cut down and described.
// Read next: generate.ts, check.ts, shrink.ts.
import { configure, createInterpreter, setBackend, type Backend } from '@nabla/engine'
import type { Tensor } from '@nabla/tensor'
import { isReal } from './builder.ts'
import { checkProgram, type Candidate } from './check.ts'
import { alone, callStep, largest, leafOf } from './execute.ts'
import { generateProgram } from './generate.ts'
import { leafData, printProgram, type Program } from './program.ts'
import { shrink, type StepType } from './shrink.ts'

/** What a run of the fuzzer found. */
export interface FuzzReport {
  readonly programs: number
  readonly steps: number
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
  for (; programs < count && failures.length < mostFailures; programs++) {
    const program = await generateProgram(seed + programs, interpreter)
    steps += program.steps.length
    const failure = await checkProgram(program, interpreter, candidates)
    if (failure !== null) failures.push(await describe(program, interpreter, candidates))
  }
  return { programs, steps, failures }
}

async function describe(program: Program, interpreter: Backend, candidates: readonly Candidate[]): Promise<string> {
  const first = (await checkProgram(program, interpreter, candidates))!
  const smallest = await shrink(
    program,
    (candidate) => typesOf(candidate, interpreter),
    async (candidate) => (await checkProgram(candidate, interpreter, candidates))?.run === first.run,
  )
  const last = (await checkProgram(smallest, interpreter, candidates)) ?? first
  return `seed ${program.seed}, ${last.run}: ${last.message}\n${printProgram(smallest)}`
}

/** The types of all steps' values, found by running the program one step at a time. */
async function typesOf(program: Program, backend: Backend): Promise<(StepType | null)[]> {
  setBackend(backend)
  configure({ fusion: false })
  const variables = program.variables.map(({ shape, dtype, range }, i) =>
    leafOf(leafData(program.seed, -1 - i, 0, shape, dtype, range), shape),
  )
  const values: (Tensor | null)[] = []
  const types: (StepType | null)[] = []
  for (const [index, step] of program.steps.entries()) {
    if (step.kind === 'assign') {
      variables[step.variable] = values[step.value]!
      values.push(null)
      types.push(null)
      continue
    }
    const value =
      step.kind === 'leaf'
        ? leafOf(leafData(program.seed, index, 0, step.shape, step.dtype, step.range), step.shape)
        : step.kind === 'read'
          ? variables[step.variable]!
          : await alone(callStep(step.name, step.args, values))
    values.push(value)
    types.push(step.kind === 'leaf' ? step : await typeOf(value))
  }
  configure({ fusion: true })
  return types
}

async function typeOf(value: Tensor): Promise<StepType> {
  const { shape, dtype } = value
  const data = await value.data()
  if (isReal(dtype)) return { shape, dtype, range: { kind: 'real', scale: Math.max(1, largest(data)) } }
  const low = data.reduce((a, b) => Math.min(a, b), Infinity)
  const high = data.reduce((a, b) => Math.max(a, b), -Infinity)
  return { shape, dtype, range: data.length === 0 ? { kind: 'whole', low: 0, high: 1 } : { kind: 'whole', low, high } }
}
