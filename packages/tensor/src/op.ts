// What an op is (R6): one object with its name, what it is to the planner, its gradient, sample calls and calls that must
// fail. The exported function of an op carries that object; the method, the docs row and the generated tests follow from
// it. Not here: ops that work element by element, which map.ts makes even shorter. Read next: map.ts, ops/view.ts.
import {
  nextOpId,
  noAttributes,
  numberOp,
  sameShape,
  ValueError,
  type Attributes,
  type CompositeLowering,
  type DType,
  type Lowering,
  type Op,
  type Shape,
} from '@nabla/engine'
import type { SampleMaker } from './samples.ts'
import { isGradEnabled, makeNode, noTensors, someRequireGrad, Tensor } from './tensor.ts'
import { Variable } from './variable.ts'

/** What ops take where they take a tensor. A Variable means its present value, a number a scalar. */
export type TensorLike = Tensor | Variable | number

/** Inputs of a call as gradient rules see them. Typed as if there were always four: a rule names those its op has. */
export type RuleInputs = readonly [Tensor, Tensor, Tensor, Tensor, ...Tensor[]]

/** A call whose gradient is asked for. */
export interface GradientCall {
  readonly inputs: RuleInputs
  readonly output: Tensor
  readonly attributes: Attributes
}

/**
 * From the gradient of a call's output to the gradients of its inputs, in terms of tensor ops, so that gradients of
 * gradients need nothing more. Null: the derivative is zero (or the input has none, being a number or an integer). Each
 * gradient has the shape and type of its input. Rules may look at `inputs[i].requiresGrad` to save work.
 */
export type GradientRule = (call: GradientCall, upstream: Tensor) => readonly (Tensor | null)[]

/** Arguments of one sample call; the second form marks calls whose derivative cannot be tried by small steps. */
export type Sample = readonly unknown[] | { readonly args: readonly unknown[]; readonly gradient: false }

/** A call that must be refused. */
export interface WrongCall {
  readonly args: (make: SampleMaker) => readonly unknown[]
  /** Name of the error's class. */
  readonly error: 'ShapeError' | 'DTypeError' | 'ValueError' | 'GradientError'
  readonly message: RegExp
}

/** How far a backend may be from the float64 reference: |difference| <= absolute + relative * |expected|. */
export interface Tolerance {
  readonly relative: number
  readonly absolute: number
}

/** What the table holds about each function, whether it is one node or made of several. */
export interface OpFacts {
  readonly name: string
  readonly samples: (make: SampleMaker) => readonly Sample[]
  readonly wrong: readonly WrongCall[]
  readonly tolerance: Tolerance
}

/** A call on single examples that is to be made on a whole batch of them at once. */
export interface BatchCall {
  /** The node of one example. */
  readonly example: Tensor
  /** Its inputs with the batch as their first dimension; null for those that are the same for all examples. */
  readonly whole: readonly (Tensor | null)[]
  /** All inputs with the batch as their first dimension: what is the same for all is repeated, without a copy. */
  all(): RuleInputs
  /** Examples in the batch. */
  readonly size: number
}

/** Makes the call on a whole batch: the result has the batch as its first dimension. */
export type BatchRule = (call: BatchCall) => Tensor

/** An op that is a node of the graph. `gradient` null: no derivative, asking for one is an error. */
export interface TensorOp extends Op {
  readonly gradient: GradientRule | null
  /** For routines and what else cannot be derived from the lowering; see vmap in @nabla/autograd. */
  readonly batch?: BatchRule
}

/** A function of the table that is a method of tensors as well. */
export type OpFunction<F> = F & { readonly op: OpFacts; readonly method: true }

/** A function of the table that is no method: creation, and functions of lists of tensors. */
export type FreeFunction<F> = F & { readonly op: OpFacts; readonly method: false }

type AnyFunction = (...args: never[]) => unknown

/** What a definition says beside its function. */
export interface OpDefinition {
  name: string
  samples: (make: SampleMaker) => readonly Sample[]
  wrong?: readonly WrongCall[]
  /** Default: relative 1e-5, absolute 1e-6 for float32. */
  tolerance?: Tolerance
}

/** What single-node ops say in addition. */
export interface NodeOpDefinition<F extends AnyFunction> extends OpDefinition {
  lowering: Lowering
  gradient: GradientRule | null
  /** Makes the function: it checks its arguments (R1) and ends in {@link makeNode}. */
  call: (op: TensorOp) => F
}

const usualTolerance: Tolerance = { relative: 1e-5, absolute: 1e-6 }

/** An op that is a building block of others and no function of its own. */
export function createOp(
  name: string,
  lowering: Lowering,
  gradient: GradientRule | null,
  batch?: BatchRule,
): TensorOp {
  const op = { id: nextOpId(), name, lowering, gradient }
  return batch === undefined ? op : { ...op, batch }
}

/** A formula of tensor ops, called with its inputs, what its value is like, and what else it depends on. */
export type Formula = (
  inputs: readonly Tensor[],
  like: { readonly shape: Shape; readonly dtype: DType },
  attributes?: Attributes,
) => Tensor

/**
 * A formula of tensor ops that is one node, for gradient rules and optimizers: it is worked out when a plan is built, while
 * every step makes one node instead of many. Where gradients are recorded its ops are made at once instead, because the
 * node has no gradient of its own.
 * @param compute the value, from the inputs, the attributes and constants alone
 */
export function formula(
  name: string,
  compute: (inputs: RuleInputs, attributes: Attributes) => Tensor,
): Formula {
  const expand: CompositeLowering['expand'] = (inputs, attributes, { shape, dtype }) => {
    const value = compute(inputs as unknown as RuleInputs, attributes)
    if (sameShape(value.shape, shape) && value.dtype === dtype) return value
    throw new Error(`${name}: the formula gives ${String(value)} instead of [${shape.join(', ')}], ${dtype}`)
  }
  const op = createOp(name, { kind: 'composite', expand }, null)
  return (inputs, like, attributes = noAttributes) =>
    isGradEnabled() && someRequireGrad(inputs)
      ? compute(inputs as unknown as RuleInputs, attributes)
      : makeNode(op, inputs, attributes, like.shape, like.dtype)
}

/** Defines an op that is one node of the graph. */
export function defineOp<F extends AnyFunction>(definition: NodeOpDefinition<F>): OpFunction<F> {
  const op = createOp(definition.name, definition.lowering, definition.gradient)
  return complete(definition.call(op), { ...factsOf(definition), ...op }, true) as OpFunction<F>
}

/** Defines a function that is made of other ops; its gradient follows from theirs. */
export function defineFunction<F extends AnyFunction>(definition: OpDefinition & { call: F }): OpFunction<F> {
  return complete(definition.call, factsOf(definition), true) as OpFunction<F>
}

/** Like {@link defineFunction}, for functions that are no methods of tensors. */
export function defineFree<F extends AnyFunction>(definition: OpDefinition & { call: F }): FreeFunction<F> {
  return complete(definition.call, factsOf(definition), false) as FreeFunction<F>
}

function factsOf(definition: OpDefinition): OpFacts {
  return {
    name: definition.name,
    samples: definition.samples,
    wrong: definition.wrong ?? [],
    tolerance: definition.tolerance ?? usualTolerance,
  }
}

function complete(fn: AnyFunction, op: OpFacts, method: boolean): unknown {
  return Object.assign(fn, { op, method })
}

/** The tensor an argument means. Numbers become float32 scalars. @throws ValueError */
export function toTensor(op: string, value: TensorLike): Tensor {
  if (value instanceof Tensor) return value
  if (value instanceof Variable) return value.value
  if (typeof value === 'number') return numberTensor(value, 'float32')
  throw notATensor(op, value)
}

const scalarShape: Shape = Object.freeze([])

/** A scalar that changes at will without a new plan (R2). */
export function numberTensor(value: number, dtype: DType): Tensor {
  const leaf = new Tensor(numberOp, noTensors, noAttributes, scalarShape, dtype)
  leaf.number = value
  leaf.depth = 0
  return leaf
}

/** The error of an argument that is no tensor. */
export function notATensor(op: string, value: unknown): ValueError {
  const got = Array.isArray(value)
    ? 'an array; wrap it in tensor(...)'
    : value === null
      ? 'null'
      : `a value of type ${typeof value}`
  return new ValueError(`${op}: expected a tensor, a Variable or a number; got ${got}`)
}
