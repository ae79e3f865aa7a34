// Lowerings: the closed set of things an op can be to the planner. A backend never sees an op, only what these become.
// Ops themselves (with names, shape inference and gradients) are objects of @nabla/tensor. Read next: plan/plan.ts.
import type { DType } from './dtype.ts'
import type { Expr } from './expr.ts'
import type { ReduceFunction } from './kernel.ts'
import type { Attributes, Node } from './node.ts'
import type { RoutineName, RoutineSpec } from './routine.ts'
import type { Shape } from './shape.ts'
import type { Layout, ViewMap } from './view.ts'

/** An operation as the engine knows it. */
export interface Op {
  /** Its place in plan keys; from {@link nextOpId}. */
  readonly id: number
  readonly name: string
  readonly lowering: Lowering
}

let opCount = 0

/** A new op's number. */
export function nextOpId(): number {
  return opCount++
}

/** What an op is made of. */
export type Lowering =
  | LeafLowering
  | MapLowering
  | ViewLowering
  | ReduceLowering
  | PositionLowering
  | AssembleLowering
  | RoutineLowering
  | CompositeLowering

/** A value that exists already: host data, a Variable, a number, a constant. */
export interface LeafLowering {
  readonly kind: 'leaf'
  readonly leaf: 'host' | 'variable' | 'number'
}

/** One output element from the elements of the inputs at the same place; inputs broadcast by NumPy's rule. */
export interface MapLowering {
  readonly kind: 'map'
  readonly expr: (inputs: readonly Expr[], attributes: Attributes) => Expr
}

/** Index arithmetic only. */
export interface ViewLowering {
  readonly kind: 'view'
  readonly view: (input: Shape, attributes: Attributes, output: Shape) => ViewMap
}

/** A reduction over `attributes.dims` (sorted, non-negative); reduced dimensions stay with size 1. */
export interface ReduceLowering {
  readonly kind: 'reduce'
  readonly fn: ReduceFunction
}

/** int32 values `attributes.start` + the sum over dims of `attributes.coefficients[d]` * index; no inputs, no memory. */
export interface PositionLowering {
  readonly kind: 'position'
}

/**
 * A value put together from its inputs: input i lies at `attributes.starts[i][d]` with a step of `attributes.steps[i][d]`
 * along each dimension; whatever no input covers is `attributes.fill`. Padding, concatenation and zero-insertion.
 * Where inputs overlap the result is undefined, so ops must not let them.
 */
export interface AssembleLowering {
  readonly kind: 'assemble'
}

/** A routine of the backend. */
export interface RoutineLowering {
  readonly kind: 'routine'
  /** How each memory input may lie. Number inputs come after these. */
  readonly operands: readonly OperandKind[]
  /** The operand (`rowMajor`) that the result may be written over, if any: the routine takes both at one place. */
  readonly overwrites?: number
  /** Whether its specification may carry maps of the result along ({@link ContractSpec.epilogue}). Default: not. */
  readonly epilogue?: boolean
  /** The specification for inputs at these layouts. `slots` holds the inputs' plan slots, then the output's. */
  readonly specify: (call: RoutineCall) => RoutineSpec
}

/** How an operand may lie: at any strides, with its last axis contiguous, or row-major without gaps. */
export type OperandKind = 'strided' | 'rows' | 'rowMajor'

/** What a routine's specification is made from. */
export interface RoutineCall {
  readonly inputs: readonly Layout[]
  readonly shape: Shape
  readonly dtype: DType
  readonly attributes: Attributes
  readonly slots: readonly number[]
  /** Plan numbers of the number inputs. */
  readonly numbers: readonly number[]
}

/** An expression of other ops over the inputs and numbers, made when a plan is built. */
export interface CompositeLowering {
  readonly kind: 'composite'
  readonly expand: (
    inputs: readonly Node[],
    attributes: Attributes,
    output: { shape: Shape; dtype: DType },
  ) => Node
  /** The routine that does all of it, on backends that claim it ({@link Backend.claims}). */
  readonly whole?: RoutineLowering & { readonly name: RoutineName }
}

const leaf = (name: string, kind: LeafLowering['leaf']): Op => ({
  id: nextOpId(),
  name,
  lowering: { kind: 'leaf', leaf: kind },
})

/** A value whose elements are on the host. */
export const hostOp: Op = leaf('tensor', 'host')
/** A read of a Variable. */
export const variableOp: Op = leaf('variable', 'variable')
/** A number given to an op: changes at will without a new plan (R2). */
export const numberOp: Op = leaf('number', 'number')
