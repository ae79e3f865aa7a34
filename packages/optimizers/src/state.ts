// An optimizer's state as data, and its way back. Read next: optimizer.ts.
import { formatShape, sameShape, ShapeError, ValueError, type Shape } from '@nabla/engine'
import { flush, Tensor, tensor, Variable, type NumericArray, type Parameter } from '@nabla/tensor'
import type { Group } from './groups.ts'

/** A remembered tensor: the Variable itself, or elements that were stored. */
export type SlotValue = Variable | Tensor | { readonly data: NumericArray; readonly shape: Shape }

/** What is remembered about one parameter. */
export interface ParameterState {
  step: number
  numbers: Record<string, number>
  slots: Record<string, SlotValue>
}

/** What `state()` gives and `loadState()` takes. */
export interface OptimizerState<Options> {
  /** Hyperparameters of each group, and the positions of its parameters. */
  groups: { options: Options; params: number[] }[]
  /** By position of the parameter. */
  parameters: Record<string, ParameterState>
}

interface Restored<Options> {
  options: Options[]
  memory: Map<Parameter, { step: number; numbers: Record<string, number>; slots: Record<string, Variable> }>
}

interface SlotShape {
  readonly name: string
  readonly shape: Shape
}

/** Checks a state against an optimizer's groups and makes Variables of its values. */
export function restore<Options>(
  optimizer: string,
  groups: readonly Group<Options>[],
  parameters: readonly Parameter[],
  state: OptimizerState<Options>,
  slotsOf: (group: Options, parameter: Parameter) => readonly SlotShape[],
): Restored<Options> {
  const sizes = groups.map((group) => group.params.length)
  const given = state.groups.map((group) => group.params.length)
  if (!sameShape(sizes, given)) {
    throw new ValueError(
      `${optimizer}: the state is of groups with [${given.join(', ')}] parameters; this optimizer has [${sizes.join(', ')}]`,
    )
  }
  const options = state.groups.map((group) => ({ ...group.options }))
  const memory: Restored<Options>['memory'] = new Map()
  for (const [key, saved] of Object.entries(state.parameters)) {
    const parameter = parameters[Number(key)]
    if (parameter === undefined)
      throw new ValueError(
        `${optimizer}: the state is about parameter ${key}; there are ${parameters.length}`,
      )
    const group = groups.findIndex(({ params }) => params.includes(parameter))
    const wanted = slotsOf(options[group]!, parameter)
    const missing = wanted.map(({ name }) => name).filter((name) => !(name in saved.slots))
    if (missing.length > 0) {
      throw new ValueError(
        `${optimizer}: the state of parameter ${key} lacks ${missing.join(', ')}; it has ${Object.keys(saved.slots).join(', ') || 'nothing'}`,
      )
    }
    const slots = Object.fromEntries(
      wanted.map((slot) => [slot.name, slotOf(optimizer, slot, saved.slots[slot.name]!, parameter)]),
    )
    memory.set(parameter, { step: saved.step, numbers: { ...saved.numbers }, slots })
  }
  flush()
  return { options, memory }
}

function slotOf(
  optimizer: string,
  { name, shape }: SlotShape,
  value: SlotValue,
  parameter: Parameter,
): Variable {
  if (!sameShape(value.shape, shape)) {
    throw new ShapeError(
      `${optimizer}: ${name} of ${parameter.name} has shape ${formatShape(value.shape)}, not ${formatShape(shape)}`,
    )
  }
  const options = { name: `${parameter.name}.${name}` }
  if (value instanceof Variable) return new Variable(value.value.to(parameter.dtype), options)
  if (value instanceof Tensor) return new Variable(value.to(parameter.dtype), options)
  return new Variable(tensor(value.data, { shape: value.shape, dtype: parameter.dtype }), options)
}

/**
 * Gives Variables the values of a state.
 * @throws ValueError, ShapeError when they do not correspond, before any changes
 */
export function assignSlots(
  owner: string,
  variables: readonly Variable[],
  values: readonly SlotValue[],
): void {
  if (values.length !== variables.length) {
    throw new ValueError(
      `${owner}: the state is of ${values.length} parameters; there are ${variables.length}`,
    )
  }
  for (const [i, { shape, name }] of variables.entries()) {
    if (sameShape(values[i]!.shape, shape)) continue
    throw new ShapeError(
      `${owner}: ${name} has shape ${formatShape(shape)}, not ${formatShape(values[i]!.shape)}`,
    )
  }
  for (const [i, variable] of variables.entries()) variable.value = tensorOf(values[i]!).to(variable.dtype)
  flush()
}

function tensorOf(value: SlotValue): Tensor {
  if (value instanceof Variable) return value.value
  return value instanceof Tensor ? value : tensor(value.data, { shape: value.shape })
}
