// What all optimizers share: groups of parameters, the Variables in which an algorithm remembers things, and the step,
// which is one plan for all parameters and changes nothing when it fails. An algorithm adds its rule alone: a pure
// function from tensors to tensors (sgd.ts is the shortest). Read next: sgd.ts, groups.ts.
import {
  engine,
  formatShape,
  hostArray,
  sameShape,
  ShapeError,
  sizeOf,
  type DType,
  type Shape,
} from '@nabla/engine'
import {
  formula,
  noGrad,
  numberTensor,
  Variable,
  type Formula,
  type Parameter,
  type Tensor,
} from '@nabla/tensor'
import { checkNonNegative, makeGroups, type Group, type Groups } from './groups.ts'
import { restore, type OptimizerState, type ParameterState } from './state.ts'

/** Hyperparameters that every optimizer has. */
export interface OptimizerOptions {
  /** Learning rate. */
  lr: number
  /** How strongly weights are drawn to zero. Default 0. */
  weightDecay: number
  /** Whether the objective is to grow instead of shrink. Default false. */
  maximize: boolean
}

/** What an algorithm remembers about one parameter. */
export interface Memory {
  /** Steps taken, this one included. */
  step: number
  /** Numbers, by name. */
  numbers: Record<string, number>
  /** What {@link Optimizer.scalars} gave for this step, as scalars that parameters share. */
  scalars: Readonly<Record<string, Tensor>>
  /** Tensors, by name; in the shape of the parameter unless the algorithm says otherwise. */
  slots: Record<string, Tensor>
}

/** What a rule gives back: the new parameter, and whatever it remembers anew. */
export interface Update {
  parameter: Tensor
  slots?: Record<string, Tensor>
  numbers?: Record<string, number>
}

/** What a remembered tensor starts from: a number in the shape of the parameter, or in a shape of its own. */
export type SlotStart = number | { readonly value: number; readonly shape: Shape }

interface Remembered {
  step: number
  numbers: Record<string, number>
  slots: Record<string, Variable>
}

interface Pending {
  readonly parameter: Parameter
  readonly memory: Remembered
  readonly update: Update
}

/** The base of all optimizers. `Options` are the hyperparameters, which each group of parameters may set for itself. */
export abstract class Optimizer<Options extends OptimizerOptions> {
  /** The groups of parameters with their hyperparameters, which may be changed between steps. */
  readonly groups: readonly Group<Options>[]
  readonly #memory = new Map<Parameter, Remembered>()

  /**
   * @param parameters parameters, or groups `{ params, lr, ... }` with hyperparameters of their own
   * @param options hyperparameters of groups that say nothing else
   * @throws ValueError for an empty list, a parameter listed twice, and hyperparameters out of range
   */
  constructor(parameters: Groups<Options>, options: Options) {
    this.groups = makeGroups(this.constructor.name, parameters, options)
    for (const group of this.groups) this.checkGroup(group)
  }

  /** The learning rate of the first group. Setting it sets that of all groups. */
  get lr(): number {
    return this.groups[0]!.lr
  }

  set lr(value: number) {
    checkNonNegative(this.constructor.name, 'lr', value)
    for (const group of this.groups) group.lr = value
  }

  /**
   * Takes the gradients that `backward` left and updates all parameters that have one, in one plan with everything else
   * that waits to be written. Then there are no gradients any more. When it fails, nothing has changed: neither
   * parameters nor what the optimizer remembers, and the gradients are still there.
   * @throws ShapeError for a gradient that has not its parameter's shape
   */
  step(): void {
    const updates: Pending[] = []
    noGrad(() => {
      for (const group of this.groups) this.#addUpdates(group, updates)
    })
    for (const { parameter, memory, update } of updates) {
      parameter.value = update.parameter
      const { slots } = update
      for (const name in slots) memory.slots[name]!.value = slots[name]!
    }
    engine.flush()
    for (const { parameter, memory, update } of updates) {
      parameter.grad = null
      if (memory.step === 0) this.#memory.set(parameter, memory)
      memory.step += 1
      if (update.numbers !== undefined) Object.assign(memory.numbers, update.numbers)
    }
  }

  /** Forgets all gradients. After {@link step} there are none. */
  zeroGrad(): void {
    for (const group of this.groups) for (const parameter of group.params) parameter.grad = null
  }

  /**
   * Everything needed to go on later: hyperparameters, and what is remembered about each parameter, by its position in
   * the list. The Variables are those in use: read them to store them.
   */
  state(): OptimizerState<Options> {
    const all = this.#parameters()
    const groups = this.groups.map(({ params, ...options }) => ({
      options: options as unknown as Options,
      params: params.map((parameter) => all.indexOf(parameter)),
    }))
    const parameters: Record<string, ParameterState> = {}
    for (const [i, parameter] of all.entries()) {
      const memory = this.#memory.get(parameter)
      if (memory !== undefined)
        parameters[i] = { step: memory.step, numbers: { ...memory.numbers }, slots: { ...memory.slots } }
    }
    return { groups, parameters }
  }

  /**
   * Goes on where another optimizer of the same kind and shape was.
   * @throws ValueError when groups or what is remembered do not correspond, ShapeError for values of another shape
   */
  loadState(state: OptimizerState<Options>): void {
    const name = this.constructor.name
    const restored = restore(name, this.groups, this.#parameters(), state, (group, parameter) =>
      Object.entries(this.slots(group, parameter.shape)).map(([slot, start]) => ({
        name: slot,
        shape: typeof start === 'number' ? parameter.shape : start.shape,
      })),
    )
    for (const [i, group] of this.groups.entries()) Object.assign(group, restored.options[i])
    this.#memory.clear()
    for (const [parameter, memory] of restored.memory) this.#memory.set(parameter, memory)
  }

  /** @throws ValueError for hyperparameters out of range. Algorithms with further ones add to this. */
  protected checkGroup(group: Options): void {
    checkNonNegative(this.constructor.name, 'lr', group.lr)
    checkNonNegative(this.constructor.name, 'weightDecay', group.weightDecay)
  }

  /** Names of the tensors that are remembered about a parameter of `shape`, with what they start from. */
  protected abstract slots(options: Options, shape: Shape): Readonly<Record<string, SlotStart>>

  /**
   * Numbers of the rule that all parameters of a group have in common when they are at the same step. The rule finds them as
   * scalars in its memory: made once, they are less to record than numbers that each parameter brings by itself.
   */
  protected scalars(_options: Options, _step: number): Readonly<Record<string, number>> {
    return {}
  }

  /** The rule: from a parameter and its gradient to the new parameter. Everything is lazy and nothing is assigned. */
  protected abstract update(parameter: Tensor, gradient: Tensor, memory: Memory, options: Options): Update

  #parameters(): Parameter[] {
    return this.groups.flatMap((group) => group.params)
  }

  #addUpdates(group: Group<Options>, updates: Pending[]): void {
    let shared: Memory['scalars'] = {}
    let sharedBy = ''
    for (const parameter of group.params) {
      const gradient = parameter.grad
      if (gradient === null || !parameter.requiresGrad) continue
      if (!sameShape(gradient.shape, parameter.shape)) {
        throw new ShapeError(
          `${this.constructor.name}: the gradient of ${parameter.name} has shape ${formatShape(gradient.shape)}, not ${formatShape(parameter.shape)}`,
        )
      }
      const memory = this.#memory.get(parameter) ?? this.#newMemory(parameter, group)
      const step = memory.step + 1
      const sharing = `${step} ${parameter.dtype}`
      if (sharing !== sharedBy) {
        shared = leavesOf(this.scalars(group, step), parameter.dtype)
        sharedBy = sharing
      }
      const slots: Record<string, Tensor> = {}
      for (const name in memory.slots) slots[name] = memory.slots[name]!.value
      const direction = group.maximize ? gradient.neg() : gradient
      const view: Memory = { step, numbers: memory.numbers, scalars: shared, slots }
      updates.push({ parameter, memory, update: this.update(parameter.value, direction, view, group) })
    }
  }

  #newMemory(parameter: Parameter, options: Options): Remembered {
    const slots: Record<string, Variable> = {}
    for (const [name, start] of Object.entries(this.slots(options, parameter.shape))) {
      const { value, shape } = typeof start === 'number' ? { value: start, shape: parameter.shape } : start
      const initial = hostArray(parameter.dtype, sizeOf(shape)).fill(value)
      slots[name] = new Variable(initial, { shape, name: `${parameter.name}.${name}` })
    }
    return { step: 0, numbers: {}, slots }
  }
}

/** Classic weight decay: the gradient of (weightDecay / 2) · |parameter|² is added to the gradient. */
export function withDecay(gradient: Tensor, parameter: Tensor, weightDecay: number): Tensor {
  return weightDecay === 0 ? gradient : gradient.add(parameter.mul(weightDecay))
}

/** first · a + second · b, as one node. */
export const weightedSum: Formula = formula('weightedSum', ([first, a, second, b]) =>
  first.mul(a).add(second.mul(b)),
)

/** average · decay + value · (1 - decay): the running average that most algorithms keep. */
export function runningAverage(average: Tensor, value: Tensor, decay: number): Tensor {
  const [a, b] = [numberTensor(decay, average.dtype), numberTensor(1 - decay, average.dtype)]
  return weightedSum([average, a, value, b], average)
}

function leavesOf(numbers: Readonly<Record<string, number>>, dtype: DType): Memory['scalars'] {
  const leaves: Record<string, Tensor> = {}
  for (const name in numbers) leaves[name] = numberTensor(numbers[name]!, dtype)
  return leaves
}
