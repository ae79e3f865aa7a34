// Graph nodes: what an op call leaves behind. A node owns no memory; it says which op, of which inputs, with which
// attributes, gives a value of which shape and type. Programs are re-traced at every step, so making a node must cost
// next to nothing. Leaves are host arrays, Variables at a version, and plain numbers. Read next: lowering.ts for what
// an op is to the planner, plan/walk.ts for how a graph of nodes becomes the key of a plan.
import type { DType, TypedArray } from './dtype.ts'
import type { Op } from './lowering.ts'
import type { Shape } from './shape.ts'
import type { Variable } from './variable.ts'

/** What chooses the structure of an op: axes, windows, modes. Part of the plan's key. */
export type Attributes = { readonly [name: string]: AttributeValue }

/** Values that attributes may hold. */
export type AttributeValue = number | boolean | string | undefined | readonly AttributeValue[]

/** The attributes of ops that have none. */
export const noAttributes: Attributes = Object.freeze({})

/** The inputs of nodes that have none. */
export const noInputs: readonly never[] = Object.freeze([])

/** One value of the lazy graph. */
export class Node {
  readonly op: Op
  /** Emptied when the node has become a leaf and nothing needs its history. */
  inputs: readonly Node[]
  readonly attributes: Attributes
  readonly shape: Shape
  readonly dtype: DType
  /** The value of a number leaf; NaN is a value like any other. */
  number: number = 0
  /** Elements on the host: of a leaf made from data, or of a node that was computed and copied out. */
  host: TypedArray | null = null
  /** The Variable this node reads, and the version of it that it means. */
  variable: Variable | null = null
  version: number = 0
  /** Length of the longest chain of nodes still to be computed below this one. */
  depth: number
  /** Marks of the planner's walks; meaningless outside of one. */
  mark: number = 0
  ordinal: number = 0

  constructor(op: Op, inputs: readonly Node[], attributes: Attributes, shape: Shape, dtype: DType) {
    this.op = op
    this.inputs = inputs
    this.attributes = attributes
    this.shape = shape
    this.dtype = dtype
    let depth = 0
    for (let i = 0; i < inputs.length; i++) if (inputs[i]!.depth > depth) depth = inputs[i]!.depth
    this.depth = depth + 1
  }

  /** Called when the value exists and need not be computed any more. Subclasses may keep what gradients need. */
  forgetHistory(): void {
    this.inputs = noInputs
    this.depth = 0
  }

  /** Whether the node's history has been forgotten or never existed: it is read, not computed. */
  get isLeaf(): boolean {
    return this.host !== null || this.variable !== null || this.op.lowering.kind === 'leaf'
  }
}
