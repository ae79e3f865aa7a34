// Running a program of the fuzzer. Either as users run programs, with the planner seeing as much at once as it can; or
// one step at a time, every value copied to the host and Variables being nothing but a list: then no fusion, no memory
// plan and no assignment exists that could be wrong, and what comes out is the truth that other runs are held to.
// Read before: program.ts. Read next: check.ts.
import { grad } from '@nabla/autograd'
import { configure, engine, flush, setBackend, type Backend, type TypedArray } from '@nabla/engine'
import { arange, cat, full, stack, tensor, Tensor, Variable } from '@nabla/tensor'
import { leafData, type Argument, type Program, type Step } from './program.ts'
import { Random } from './random.ts'

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
export function callStep(
  name: string,
  args: readonly Argument[],
  values: readonly (Tensor | null)[],
): Tensor {
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
export function leafOf(data: TypedArray, shape: readonly number[], requiresGrad: boolean = false): Tensor {
  return tensor(data, { shape, dtype: dtypeOf(data), requiresGrad })
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
      const values = traceRound(program, round, variables, 0)
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

/** Something with a value that can be replaced: a Variable, or what stands for one. */
interface Holder {
  value: Tensor
}

/** @param nudge by how much, in proportion, real leaves are moved */
function traceRound(
  program: Program,
  round: number,
  variables: readonly Holder[],
  nudge: number,
): readonly (Tensor | null)[] {
  const values: (Tensor | null)[] = []
  for (const [index, step] of program.steps.entries()) {
    values.push(traceStep(program, step, index, round, values, variables, nudge))
  }
  return values
}

function traceStep(
  program: Program,
  step: Step,
  index: number,
  round: number,
  values: readonly (Tensor | null)[],
  variables: readonly Holder[],
  nudge: number,
): Tensor | null {
  switch (step.kind) {
    case 'leaf': {
      const data = leafData(program.seed, index, round, step.shape, step.dtype, step.range)
      return leafOf(nudged(data, nudge), step.shape, program.gradients.includes(index))
    }
    case 'read':
      return variables[step.variable]!.value
    case 'assign':
      // Gradients end at an assignment.
      variables[step.variable]!.value = values[step.value]!.detach()
      return null
    case 'call':
      return callStep(step.name, step.args, values)
  }
}

/** Real elements each moved by up to a proportion, some up and some down. */
function nudged(data: TypedArray, nudge: number): TypedArray {
  if (nudge === 0 || data instanceof Int32Array || data instanceof Uint8Array) return data
  const random = new Random(data.length)
  return data.map((value) => value * (1 + nudge * (2 * random.uniform() - 1)))
}

interface NamedValue {
  readonly name: string
  readonly value: Tensor
}

/** Outputs, and gradients of the sum of all real ones. */
function resultsOf(program: Program, round: number, values: readonly (Tensor | null)[]): NamedValue[] {
  const outputs = program.outputs.map((output) => ({
    name: `round ${round}: t${output}`,
    value: values[output]!,
  }))
  const differentiable = outputs.map(({ value }) => value).filter((value) => value.requiresGrad)
  if (program.gradients.length === 0 || differentiable.length === 0) return outputs
  const total = differentiable.map((value) => value.sum()).reduce((a, b) => a.add(b))
  const sources = program.gradients.map((leaf) => values[leaf]!)
  const gradients = grad(total, sources, { allowUnused: true })
  const derivatives = program.gradients.map((leaf, i) => ({
    name: `round ${round}: gradient of t${leaf}`,
    value: gradients[i]!,
  }))
  return [...outputs, ...derivatives]
}

async function lookAt(
  program: Program,
  round: number,
  values: readonly (Tensor | null)[],
): Promise<Observation[]> {
  const results = resultsOf(program, round, values)
  if (program.finish === 'kept') {
    for (const { value } of results) value.keep()
    flush()
  }
  if (program.finish !== 'oneByOne') return Promise.all(results.map(observe))
  const observations: Observation[] = []
  for (const result of results) observations.push(await observe(result))
  return observations
}

async function observe({ name, value }: NamedValue): Promise<Observation> {
  return { name, data: await value.data() }
}

/** What a run of single steps found: the observations, and the largest magnitude of any value on the way. */
export interface Truth {
  readonly observations: readonly Observation[]
  readonly magnitude: number
}

/**
 * Runs a program one op at a time, Variables being nothing but a list.
 * @param nudge by how much, in proportion, real leaves are moved; a little shows whether results hang on the last bits of
 * their inputs
 */
export async function runStepwise(program: Program, backend: Backend, nudge: number = 0): Promise<Truth> {
  setBackend(backend)
  configure({ fusion: false, mode: 'eager' })
  try {
    const variables = program.variables.map(({ shape, dtype, range }, i): Holder => {
      return { value: leafOf(nudged(leafData(program.seed, -1 - i, 0, shape, dtype, range), nudge), shape) }
    })
    const observations: Observation[] = []
    let magnitude = 1
    for (let round = 0; round < program.rounds; round++) {
      const values = traceRound(program, round, variables, nudge)
      const results = await Promise.all(resultsOf(program, round, values).map(observe))
      const held = variables.map(({ value }, i) => ({ name: `round ${round}: v${i}`, value }))
      observations.push(...results, ...(await Promise.all(held.map(observe))))
      for (const value of values)
        if (value !== null) magnitude = Math.max(magnitude, largest(await value.data()))
      for (const { data } of results) magnitude = Math.max(magnitude, largest(data))
    }
    return { observations, magnitude }
  } finally {
    configure({ fusion: true, mode: 'lazy' })
  }
}

/** The values of a program's steps in its first round, computed one op at a time. */
export function stepValues(program: Program, backend: Backend): readonly (Tensor | null)[] {
  setBackend(backend)
  configure({ fusion: false, mode: 'eager' })
  try {
    const variables = program.variables.map(({ shape, dtype, range }, i): Holder => {
      return { value: leafOf(leafData(program.seed, -1 - i, 0, shape, dtype, range), shape) }
    })
    return traceRound(program, 0, variables, 0)
  } finally {
    configure({ fusion: true, mode: 'lazy' })
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
