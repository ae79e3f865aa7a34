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

let nodesMade = 0

/**
 * One value of the lazy graph. All fields are set in the constructor, in one order, and only declared here: a field with an
 * initializer would cost a call of its own, and thousands of nodes are made in each step.
 */
export class Node {
  declare readonly op: Op
  /** Emptied when the node has become a leaf and nothing needs its history. */
  declare inputs: readonly Node[]
  declare readonly attributes: Attributes
  declare readonly shape: Shape
  declare readonly dtype: DType
  /** The value of a number leaf; NaN is a value like any other. Null for everything else. */
  declare number: number | null
  /** Elements on the host: of a leaf made from data, or of a node that was computed and copied out. */
  declare host: TypedArray | null
  /** The Variable this node reads, and the version of it that it means. */
  declare variable: Variable | null
  declare version: number
  /** Length of the longest chain of nodes still to be computed below this one. */
  declare depth: number
  /** How many nodes had been made before it. */
  declare readonly made: number
  /** Marks of the planner's walks; meaningless outside of one. */
  declare mark: number
  declare ordinal: number

  constructor(op: Op, inputs: readonly Node[], attributes: Attributes, shape: Shape, dtype: DType) {
    this.op = op
    this.inputs = inputs
    this.attributes = attributes
    this.shape = shape
    this.dtype = dtype
    this.number = null
    this.host = null
    this.variable = null
    this.version = 0
    let depth = 0
    for (let i = 0; i < inputs.length; i++) if (inputs[i]!.depth > depth) depth = inputs[i]!.depth
    this.depth = depth + 1
    this.made = nodesMade++
    this.mark = 0
    this.ordinal = 0
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
