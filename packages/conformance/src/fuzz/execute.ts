// Running a program of the fuzzer. Either as users run programs, with the planner seeing as much at once as it can; or
// one step at a time, every value copied to the host and Variables being nothing but a list: then no fusion, no memory
// plan and no assignment exists that could be wrong, and what comes out is the truth that other runs are held to.
// Read before: program.ts. Read next: check.ts.
import { configure, engine, flush, setBackend, type Backend, type TypedArray } from '@nabla/engine'
import { arange, cat, full, stack, tensor, Tensor, Variable } from '@nabla/tensor'
import { leafData, type Argument, type Program, type Step } from './program.ts'

/** A value that a run gave, with the name it has in the printed program. */
export interface Observation {
  readonly name: string
  readonly data: TypedArray
}

/** Where and how a program is run. */
export interface RunOptions {
  readonly backend: Backend
  readonly fusion: boolean
}

type Call = (...args: unknown[]) => Tensor

// Functions that are no methods of tensors, because they take a list of them or none.
const freeFunctions: Readonly<Record<string, Call>> = {
  cat: cat as unknown as Call,
  stack: stack as unknown as Call,
  full: full as unknown as Call,
  arange: arange as unknown as Call,
}

/** Makes a step's value of the values before it. */
export function callStep(name: string, args: readonly Argument[], values: readonly (Tensor | null)[]): Tensor {
  const given = args.map((arg): unknown => {
    if ('step' in arg) return values[arg.step]!
    if ('steps' in arg) return arg.steps.map((step) => values[step]!)
    return arg.json
  })
  const free = freeFunctions[name]
  if (free !== undefined) return free(...given)
  const [self, ...rest] = given
  const method = (self as unknown as Record<string, Call>)[name]
  if (method === undefined) throw new Error(`tensors have no method '${name}'`)
  return method.apply(self, rest)
}

/** A tensor of given elements. */
export function leafOf(data: TypedArray, shape: readonly number[]): Tensor {
  return tensor(data, { shape, dtype: dtypeOf(data) })
}

function dtypeOf(data: TypedArray): 'float32' | 'float64' | 'int32' | 'bool' {
  if (data instanceof Float32Array) return 'float32'
  if (data instanceof Float64Array) return 'float64'
  return data instanceof Int32Array ? 'int32' : 'bool'
}

/** Runs a program the way users run theirs. */
export async function runProgram(program: Program, { backend, fusion }: RunOptions): Promise<Observation[]> {
  setBackend(backend)
  configure({ fusion })
  const variables = program.variables.map(({ shape, dtype, range }, i) => {
    const data = leafData(program.seed, -1 - i, 0, shape, dtype, range)
    return new Variable(data, { shape, dtype, name: `v${i}` })
  })
  const observations: Observation[] = []
  try {
    for (let round = 0; round < program.rounds; round++) {
      const values: (Tensor | null)[] = []
      for (const [index, step] of program.steps.entries()) {
        values.push(trace(program, step, index, round, values, variables))
      }
      observations.push(...(await lookAt(program, round, values)))
      for (const [i, variable] of variables.entries()) {
        observations.push({ name: `round ${round}: v${i}`, data: await variable.read() })
      }
    }
  } finally {
    for (const variable of variables) variable.dispose()
    configure({ fusion: true })
  }
  return observations
}

function trace(
  program: Program,
  step: Step,
  index: number,
  round: number,
  values: readonly (Tensor | null)[],
  variables: readonly Variable[],
): Tensor | null {
  switch (step.kind) {
    case 'leaf':
      return leafOf(leafData(program.seed, index, round, step.shape, step.dtype, step.range), step.shape)
    case 'read':
      return variables[step.variable]!.value
    case 'assign':
      variables[step.variable]!.value = values[step.value]!
      return null
    case 'call':
      return callStep(step.name, step.args, values)
  }
}

async function lookAt(
  program: Program,
  round: number,
  values: readonly (Tensor | null)[],
): Promise<Observation[]> {
  const outputs = program.outputs.map((output) => ({ name: `round ${round}: t${output}`, value: values[output]! }))
  if (program.finish === 'kept') {
    for (const output of outputs) { if (output.value.variable !== null) output.value = output.value.add(0); output.value.keep() } // VARKEEP
    flush()
  }
  if (program.finish === 'oneByOne') {
    const observations: Observation[] = []
    for (const { name, value } of outputs) observations.push({ name, data: await value.data() })
    return observations
  }
  return Promise.all(outputs.map(async ({ name, value }) => ({ name, data: await value.data() })))
}

/** What a run of single steps found: the observations, and the largest magnitude of any value on the way. */
export interface Truth {
  readonly observations: readonly Observation[]
  readonly magnitude: number
}

/** Runs a program one step at a time. */
export async function runStepwise(program: Program, backend: Backend): Promise<Truth> {
  setBackend(backend)
  configure({ fusion: false })
  try {
    const variables = program.variables.map(({ shape, dtype, range }, i) =>
      leafOf(leafData(program.seed, -1 - i, 0, shape, dtype, range), shape),
    )
    const observations: Observation[] = []
    let magnitude = 1
    for (let round = 0; round < program.rounds; round++) {
      const values: (Tensor | null)[] = []
      for (const [index, step] of program.steps.entries()) {
        const value = await stepAlone(program, step, index, round, values, variables)
        if (value !== null) magnitude = Math.max(magnitude, largest(await value.data()))
        values.push(value)
      }
      for (const output of program.outputs) {
        observations.push({ name: `round ${round}: t${output}`, data: await values[output]!.data() })
      }
      for (const [i, value] of variables.entries()) {
        observations.push({ name: `round ${round}: v${i}`, data: await value.data() })
      }
    }
    return { observations, magnitude }
  } finally {
    configure({ fusion: true })
  }
}

async function stepAlone(
  program: Program,
  step: Step,
  index: number,
  round: number,
  values: readonly (Tensor | null)[],
  variables: Tensor[],
): Promise<Tensor | null> {
  switch (step.kind) {
    case 'leaf':
      return leafOf(leafData(program.seed, index, round, step.shape, step.dtype, step.range), step.shape)
    case 'read':
      return variables[step.variable]!
    case 'assign':
      variables[step.variable] = values[step.value]!
      return null
    case 'call':
      return alone(callStep(step.name, step.args, values))
  }
}

/** A value computed by a plan of its own, with no history. */
export async function alone(value: Tensor): Promise<Tensor> {
  engine.realize([value])
  return leafOf(await value.data(), value.shape)
}

/** The largest finite magnitude among elements. */
export function largest(data: TypedArray): number {
  let most = 0
  for (const element of data) {
    const size = Math.abs(element)
    if (size > most && Number.isFinite(size)) most = size
  }
  return most
}
