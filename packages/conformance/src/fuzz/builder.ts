// The growing program that the fuzzer's operations add steps to. Every step is computed at once, alone, so operations can
// look at shapes and at how large values have become, and what would overflow is tamed before it spreads.
// Read before: program.ts. Read next: operations.ts.
import type { DType, Shape } from '@nabla/engine'
import type { Tensor } from '@nabla/tensor'
import { alone, callStep, largest, leafOf } from './execute.ts'
import {
  leafData,
  type Argument,
  type LeafRange,
  type Program,
  type Step,
  type VariableDeclaration,
} from './program.ts'
import type { Random } from './random.ts'

/** A value of the program being made. */
export interface Entry {
  readonly index: number
  readonly shape: Shape
  readonly dtype: DType
  readonly size: number
  /** Largest magnitude of its elements. */
  readonly magnitude: number
  /**
   * Whether float32 arithmetic gives exactly these elements. Only such values are compared, floored or made integers:
   * a rounding error of others could tip them over, which would be nobody's mistake.
   */
  readonly exact: boolean
  readonly value: Tensor
}

/** Values larger than this are squashed before they are used again. */
const mostReal = 30
const mostWhole = 1000

/** A program being made. */
export class Builder {
  readonly random: Random
  readonly seed: number
  readonly steps: Step[] = []
  readonly entries: Entry[] = []
  readonly variables: VariableDeclaration[] = []
  #values: (Tensor | null)[] = []
  /** What each Variable holds at this point. */
  #current: Entry[] = []

  constructor(seed: number, random: Random) {
    this.seed = seed
    this.random = random
  }

  /** A new leaf with data of its own. */
  leaf(shape: Shape, dtype: DType, range: LeafRange): Entry {
    const data = leafData(this.seed, this.steps.length, 0, shape, dtype, range)
    return this.#enter({ kind: 'leaf', shape, dtype, range }, leafOf(data, shape), true)
  }

  /** A new Variable; {@link read} gives its value. */
  variable(shape: Shape, dtype: DType, range: LeafRange): number {
    const index = this.variables.push({ shape, dtype, range }) - 1
    const value = leafOf(leafData(this.seed, -1 - index, 0, shape, dtype, range), shape)
    this.#current.push(this.#describe(-1, value, false))
    return index
  }

  /** The present value of a Variable. Never exact: in later rounds it has been computed. */
  read(variable: number): Entry {
    return this.#enter({ kind: 'read', variable }, this.#current[variable]!.value, false)
  }

  /** Assigns a Variable. */
  assign(variable: number, entry: Entry): void {
    this.steps.push({ kind: 'assign', variable, value: entry.index })
    this.#values.push(null)
    this.#current[variable] = entry
  }

  /** A call of a method (or of a function of lists). Entries among the arguments stand for their values. */
  async call(name: string, ...given: unknown[]): Promise<Entry> {
    const args = given.map(argumentOf)
    const value = await alone(callStep(name, args, this.#values))
    const operands = given.flat().filter((arg): arg is Entry => isEntry(arg))
    const exact = exactOps.has(name) && operands.every((operand) => operand.exact)
    return this.#enter({ kind: 'call', name, args }, value, exact || !isReal(value.dtype))
  }

  /** The same value, or a tamer one where its elements have become large. */
  async tame(entry: Entry): Promise<Entry> {
    if (isReal(entry.dtype)) {
      if (entry.magnitude <= mostReal) return entry
      return this.random.chance(0.5) ? this.call('tanh', entry) : this.call('mul', entry, 1 / entry.magnitude)
    }
    return entry.magnitude <= mostWhole ? entry : this.call('clamp', entry, { min: -20, max: 20 })
  }

  /** Some value that meets a condition; later ones are likelier. Null when there is none. */
  find(condition: (entry: Entry) => boolean): Entry | null {
    const found = this.entries.filter(condition)
    return found.length === 0 ? null : this.random.pickLate(found)
  }

  /** The finished program. */
  finish(parts: Pick<Program, 'outputs' | 'gradients' | 'rounds' | 'finish'>): Program {
    return { seed: this.seed, variables: this.variables, steps: this.steps, ...parts }
  }

  #enter(step: Step, value: Tensor, exact: boolean): Entry {
    const index = this.steps.push(step) - 1
    this.#values.push(value)
    const entry = this.#describe(index, value, exact)
    this.entries.push(entry)
    return entry
  }

  #describe(index: number, value: Tensor, exact: boolean): Entry {
    const { shape, dtype, size } = value
    return { index, shape, dtype, size, magnitude: largest(value.host!), exact, value }
  }
}

// Ops whose float32 results have no rounding error when their operands have none.
const exactOps = new Set(
  (
    'neg abs relu maximum minimum where clamp amax amin reshape permute transpose expand slice flip unfold cat stack pad ' +
    'roll full arange squeeze unsqueeze diagonal tril triu gather indexSelect repeatInterleave tile select narrow sign sort maskedFill'
  ).split(' '),
)

/** Whether a type holds reals. */
export function isReal(dtype: DType): boolean {
  return dtype === 'float32' || dtype === 'float64'
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && 'magnitude' in value
}

function argumentOf(given: unknown): Argument {
  if (isEntry(given)) return { step: given.index }
  if (Array.isArray(given) && given.length > 0 && given.every(isEntry))
    return { steps: given.map((entry) => entry.index) }
  return { json: given }
}
