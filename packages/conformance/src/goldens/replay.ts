// Replaying cases that are calls: forward, and backward from the given cotangents to the gradients of the inputs.
// Read before: format.ts, compare.ts. Read next: ops.ts, losses.ts.
import { grad } from '@nabla/autograd'
import { Tensor } from '@nabla/tensor'
import { expectNumbers, expectTensor, usual, type Tolerance } from './compare.ts'
import {
  elementsOf,
  isGoldenTensor,
  MissingFeature,
  outcomeOf,
  toTensor,
  type GoldenCase,
  type GoldenFile,
  type GoldenTensor,
  type Outcome,
} from './format.ts'

/** A case that is a call. */
export interface CallCase extends GoldenCase {
  readonly op: string
  readonly args: readonly unknown[]
  readonly kwargs: Readonly<Record<string, unknown>>
  readonly inputs: Readonly<Record<string, GoldenTensor>>
  readonly outputs: readonly (GoldenTensor | null)[]
  readonly cotangents?: readonly (GoldenTensor | null)[]
  readonly grads?: Readonly<Record<string, GoldenTensor | null>>
}

/**
 * The arguments of a call by the names of the mapping's parameters; those not given are undefined. They are as untyped as
 * the file they come from.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- what a golden file holds is not known to the compiler
export type Given = Readonly<Record<string, any>>

/** What a call gives: a tensor, or several. Those whose size depends on data give a promise of one. */
type Returned = Tensor | readonly Tensor[]

/** How a function of another library is called here. */
export interface Mapping {
  /** Names of the other function's parameters, in their order. */
  readonly parameters: readonly string[]
  readonly call: (given: Given, test: CallCase) => Returned | Promise<Returned>
  readonly tolerance: Tolerance
}

/** A mapping; `parameters` are separated by blanks. */
export function mapping(parameters: string, call: Mapping['call'], tolerance: Tolerance = usual): Mapping {
  return { parameters: parameters.split(' '), call, tolerance }
}

/** Replays all cases of a file. */
export async function replayAll(
  file: GoldenFile<CallCase>,
  mappings: Readonly<Record<string, Mapping>>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const test of file.cases) {
    outcomes.push(
      await outcomeOf(test.id, async () => {
        const found = mappings[test.op]
        if (found === undefined) throw new MissingFeature(`nothing here corresponds to ${test.op}`)
        await replay(test, found)
      }),
    )
  }
  return outcomes
}

async function replay(test: CallCase, { parameters, call, tolerance }: Mapping): Promise<void> {
  const inputs = Object.fromEntries(
    Object.entries(test.inputs).map(([name, golden]) => {
      const requiresGrad = test.grads !== undefined && name in test.grads
      return [name, toTensor(golden, requiresGrad ? { requiresGrad } : {})]
    }),
  )
  const returned = await call(givenOf(test, parameters, inputs), test)
  const outputs: readonly Tensor[] = returned instanceof Tensor ? [returned] : returned
  if (outputs.length !== test.outputs.length) {
    throw new Error(`${outputs.length} results instead of ${test.outputs.length}`)
  }
  for (const [i, expected] of test.outputs.entries()) {
    if (expected !== null) await expectTensor(`output ${i}`, outputs[i]!, expected, tolerance)
  }
  await replayGradients(test, inputs, outputs, tolerance)
}

/** Positional and keyword arguments under the names of the parameters. */
function givenOf(test: CallCase, parameters: readonly string[], inputs: Readonly<Record<string, Tensor>>): Given {
  const given: Record<string, unknown> = {}
  const values = test.args.map((arg) => resolve(arg, inputs))
  // A parameter with an ellipsis takes all positional arguments that are left.
  const rest = parameters.findIndex((name) => name.startsWith('...'))
  const single = rest < 0 ? values : values.slice(0, rest)
  single.forEach((value, i) => {
    if (parameters[i] === undefined) throw new MissingFeature(`${test.op} takes ${parameters.length} arguments here`)
    given[parameters[i]!] = value
  })
  if (rest >= 0) given[parameters[rest]!.slice(3)] = values.slice(rest)
  for (const [name, value] of Object.entries(test.kwargs)) {
    if (!parameters.includes(name)) throw new MissingFeature(`${test.op} has no ${name} here`)
    given[name] = resolve(value, inputs)
  }
  return given
}

function resolve(value: unknown, inputs: Readonly<Record<string, Tensor>>): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, inputs))
  if (typeof value === 'object' && value !== null && '$' in value) return inputs[value.$ as string]!
  if (isGoldenTensor(value)) return toTensor(value)
  if (value === 'Infinity' || value === '-Infinity' || value === 'NaN') return Number(value)
  return value ?? undefined
}

async function replayGradients(
  test: CallCase,
  inputs: Readonly<Record<string, Tensor>>,
  outputs: readonly Tensor[],
  tolerance: Tolerance,
): Promise<void> {
  if (test.grads === undefined || test.cotangents === undefined) return
  const from: Tensor[] = []
  const gradOutputs: Tensor[] = []
  test.cotangents.forEach((cotangent, i) => {
    if (cotangent === null || !outputs[i]!.requiresGrad) return
    from.push(outputs[i]!)
    gradOutputs.push(toTensor(cotangent))
  })
  const names = Object.keys(test.grads)
  const sources = names.map((name) => inputs[name]!)
  const zeros = (): number[][] => sources.map((source) => Array.from({ length: source.size }, () => 0))
  const gradients =
    from.length === 0
      ? zeros()
      : await Promise.all(grad(from, sources, { gradOutputs, allowUnused: true }).map((gradient) => gradient.data()))
  for (const [i, name] of names.entries()) {
    const expected = test.grads[name]
    const numbers = expected === null || expected === undefined ? zeros()[i]! : elementsOf(expected)
    expectNumbers(`gradient of ${name}`, gradients[i]!, numbers, tolerance)
  }
}
