// A program of the fuzzer: a list of steps as data, which can be run on any backend, printed as TypeScript and cut down.
// A program may assign Variables, and is run for several rounds with other leaf values, as a training loop would.
// Read next: execute.ts (running), generate.ts (making), shrink.ts (cutting down).
import { hostArray, sizeOf, type DType, type Shape, type TypedArray } from '@nabla/engine'
import { Random } from './random.ts'

/** An argument of a call: the value of an earlier step, several of them, or anything that JSON can hold. */
export type Argument =
  | { readonly step: number }
  | { readonly steps: readonly number[] }
  | { readonly json: unknown }

/** How leaf data is drawn: reals between -scale and scale, or whole numbers from `low` to `high`. */
export type LeafRange =
  | { readonly kind: 'real'; readonly scale: number }
  | { readonly kind: 'whole'; readonly low: number; readonly high: number }

/** One step of a program; its value is named by its position. */
export type Step =
  | { readonly kind: 'leaf'; readonly shape: Shape; readonly dtype: DType; readonly range: LeafRange }
  | { readonly kind: 'read'; readonly variable: number }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Argument[] }
  | { readonly kind: 'assign'; readonly variable: number; readonly value: number }

/** A Variable of a program. */
export interface VariableDeclaration {
  readonly shape: Shape
  readonly dtype: DType
  readonly range: LeafRange
}

/**
 * When results are looked at: all before the assignments are written, one after the other, or after the assignments
 * were written, having been kept.
 */
export type Finish = 'together' | 'oneByOne' | 'kept'

/** A program. */
export interface Program {
  readonly seed: number
  readonly variables: readonly VariableDeclaration[]
  readonly steps: readonly Step[]
  /** Steps whose values are looked at. */
  readonly outputs: readonly number[]
  /** Leaves by which the sum of all real outputs is differentiated; these gradients are looked at as well. */
  readonly gradients: readonly number[]
  readonly rounds: number
  readonly finish: Finish
}

/** The elements of a leaf in a round: they depend on the seed, the step and the round only. */
export function leafData(
  seed: number,
  step: number,
  round: number,
  shape: Shape,
  dtype: DType,
  range: LeafRange,
): TypedArray {
  const random = new Random(Math.imul(seed ^ 0x51ab, 2654435761) + step * 7919 + round * 104729)
  const next = (): number => {
    if (range.kind === 'whole') return random.whole(range.low, range.high)
    return (2 * random.uniform() - 1) * range.scale
  }
  return hostArray(dtype, Float64Array.from({ length: sizeOf(shape) }, next))
}

/** The steps that a step uses. */
export function inputsOf(step: Step): number[] {
  if (step.kind === 'assign') return [step.value]
  if (step.kind !== 'call') return []
  return step.args.flatMap((arg) => ('step' in arg ? [arg.step] : 'steps' in arg ? [...arg.steps] : []))
}

/** The program as TypeScript, to be read or pasted into a test. */
export function printProgram(program: Program): string {
  const lines: string[] = []
  program.variables.forEach(({ shape, dtype, range }, i) => {
    lines.push(`const v${i} = new Variable(random([${shape.join(', ')}], '${dtype}', ${printRange(range)}))`)
  })
  const repeated = program.rounds > 1
  if (repeated) lines.push(`for (let round = 0; round < ${program.rounds}; round++) {`)
  const indent = repeated ? '  ' : ''
  program.steps.forEach((step, i) => lines.push(`${indent}${printStep(step, i)}`))
  const names = program.outputs.map((output) => `t${output}`)
  const derivatives = program.gradients.map((leaf) => `the gradient of t${leaf}`)
  lines.push(`${indent}look at ${[...names, ...derivatives].join(', ') || 'nothing'} (${program.finish})`)
  if (repeated) lines.push('}')
  return lines.join('\n')
}

function printStep(step: Step, index: number): string {
  switch (step.kind) {
    case 'leaf':
      return `const t${index} = random([${step.shape.join(', ')}], '${step.dtype}', ${printRange(step.range)})`
    case 'read':
      return `const t${index} = v${step.variable}.value`
    case 'assign':
      return `v${step.variable}.value = t${step.value}`
    case 'call': {
      const [first, ...rest] = step.args
      const args = rest.map(printArgument).join(', ')
      if (first !== undefined && 'step' in first)
        return `const t${index} = t${first.step}.${step.name}(${args})`
      return `const t${index} = ${step.name}(${step.args.map(printArgument).join(', ')})`
    }
  }
}

function printArgument(arg: Argument): string {
  if ('step' in arg) return `t${arg.step}`
  if ('steps' in arg) return `[${arg.steps.map((step) => `t${step}`).join(', ')}]`
  return printJson(arg.json)
}

function printJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(printJson).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([name, inner]) => `${name}: ${printJson(inner)}`)
    return `{ ${entries.join(', ')} }`
  }
  return typeof value === 'string' ? `'${value}'` : String(value)
}

function printRange(range: LeafRange): string {
  return range.kind === 'real' ? `within ${range.scale}` : `from ${range.low} to ${range.high}`
}
