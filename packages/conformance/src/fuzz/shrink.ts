// Cuts a failing program down to one that is small enough to be read and still fails. Every cut is tried and kept when
// the failure stays: fewer rounds, fewer outputs, no assignments, and calls replaced by one of their inputs or by a leaf.
// Read before: check.ts.
import type { DType, Shape } from '@nabla/engine'
import { inputsOf, type Argument, type LeafRange, type Program, type Step } from './program.ts'

/** The type of a step's value, which a leaf in its place must have. */
export interface StepType {
  readonly shape: Shape
  readonly dtype: DType
  readonly range: LeafRange
}

/**
 * The smallest program found that still fails.
 * @param typesOf types of the values of a program's steps; null for assignments
 * @param fails whether a program fails
 */
export async function shrink(
  program: Program,
  typesOf: (program: Program) => Promise<readonly (StepType | null)[]>,
  fails: (program: Program) => Promise<boolean>,
): Promise<Program> {
  let best = withoutUnused(program)
  if (!(await fails(best))) best = program
  for (let improved = true; improved;) {
    improved = false
    const types = await typesOf(best)
    for (const candidate of cuts(best, types)) {
      const smaller = withoutUnused(candidate)
      if (!(await stillFails(smaller, fails))) continue
      best = smaller
      improved = true
      break
    }
  }
  return best
}

async function stillFails(program: Program, fails: (program: Program) => Promise<boolean>): Promise<boolean> {
  try {
    return await fails(program)
  } catch {
    // A cut can make nonsense, such as an index out of range; that is another failure than the one looked for.
    return false
  }
}

function* cuts(program: Program, types: readonly (StepType | null)[]): Generator<Program> {
  if (program.rounds > 1) yield { ...program, rounds: program.rounds - 1 }
  for (const output of program.outputs) {
    yield { ...program, outputs: program.outputs.filter((other) => other !== output) }
  }
  for (const leaf of program.gradients) {
    yield { ...program, gradients: program.gradients.filter((other) => other !== leaf) }
  }
  if (program.finish !== 'together') yield { ...program, finish: 'together' }
  for (const [index, step] of program.steps.entries()) {
    if (step.kind === 'assign') yield replaced(program, index, null)
  }
  for (const [index, step] of program.steps.entries()) {
    if (step.kind === 'leaf' || step.kind === 'assign') continue
    const type = types[index]!
    if (type !== null && !program.gradients.includes(index))
      yield replaced(program, index, { kind: 'leaf', ...type })
    for (const input of inputsOf(step)) {
      const other = types[input]!
      if (other?.dtype === type?.dtype && other?.shape.join() === type?.shape.join())
        yield redirected(program, index, input)
    }
  }
}

function replaced(program: Program, index: number, step: Step | null): Program {
  if (step !== null) return { ...program, steps: program.steps.map((old, i) => (i === index ? step : old)) }
  return keepOnly(program, (i) => i !== index)
}

/** Users of step `from` use step `to` instead. */
function redirected(program: Program, from: number, to: number): Program {
  const rename = (step: number): number => (step === from ? to : step)
  return {
    ...program,
    steps: program.steps.map((step) => renamed(step, rename)),
    outputs: [...new Set(program.outputs.map(rename))],
  }
}

/** The program without steps that no output and no assignment needs. */
function withoutUnused(program: Program): Program {
  const needed = new Set<number>()
  const stack = [...program.outputs, ...program.gradients]
  program.steps.forEach((step, i) => {
    if (step.kind === 'assign') stack.push(i)
  })
  while (stack.length > 0) {
    const index = stack.pop()!
    if (needed.has(index)) continue
    needed.add(index)
    stack.push(...inputsOf(program.steps[index]!))
  }
  return keepOnly(program, (index) => needed.has(index))
}

function keepOnly(program: Program, isKept: (index: number) => boolean): Program {
  const positions = new Map<number, number>()
  const steps: Step[] = []
  program.steps.forEach((step, index) => {
    if (!isKept(index)) return
    positions.set(index, steps.length)
    steps.push(step)
  })
  const rename = (step: number): number => positions.get(step)!
  return {
    ...program,
    steps: steps.map((step) => renamed(step, rename)),
    outputs: program.outputs.filter(isKept).map(rename),
    gradients: program.gradients.filter(isKept).map(rename),
  }
}

function renamed(step: Step, rename: (step: number) => number): Step {
  if (step.kind === 'assign') return { ...step, value: rename(step.value) }
  if (step.kind !== 'call') return step
  const args = step.args.map((arg): Argument => {
    if ('step' in arg) return { step: rename(arg.step) }
    return 'steps' in arg ? { steps: arg.steps.map(rename) } : arg
  })
  return { ...step, args }
}
