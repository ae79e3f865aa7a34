// The trace of a flush: one post-order walk over everything demanded, which writes the graph down as integers (the plan's
// exact key) and collects, in the same order, the host leaves, the Variables and the numbers that a plan is run with.
// Nothing here depends on values: two steps of a training loop give equal keys. Read next: cache.ts, build.ts.
import type { DType } from '../dtype.ts'
import { StaleValueError } from '../errors.ts'
import { hostOp, numberOp, variableOp } from '../lowering.ts'
import { noAttributes, type AttributeValue, type Node } from '../node.ts'
import { formatShape, sameShape } from '../shape.ts'
import type { Variable } from '../variable.ts'

/** What a flush is made of. Arrays are valid until the next walk. */
export interface Trace {
  /** The graph as integers; only the first `length` count. */
  readonly key: Int32Array
  readonly length: number
  /** Every node reached, inputs before users. */
  readonly nodes: readonly Node[]
  readonly hosts: readonly Node[]
  readonly variables: readonly Variable[]
  readonly numbers: readonly number[]
  /** Nodes whose values are copied out to the host. */
  readonly outputs: readonly Node[]
  readonly assignments: ReadonlyMap<Variable, Node>
}

const dtypeCode: Readonly<Record<DType, number>> = { bool: 0, int32: 1, float32: 2, float64: 3 }

// Separators that no operand position can be mistaken for.
const endOfAttributes = -1
const beginOutputs = -2
const beginAssignments = -3
const wideNumber = -4
const list = -5
const absent = -6
const asFirstInput = -7

let key = new Int32Array(1 << 14)
let length = 0
let epoch = 0
const texts = new Map<string, number>()
const wide = new Float64Array(1)
const wideHalves = new Int32Array(wide.buffer)

// What the walk under way has collected. Module variables and plain functions instead of closures: this is the hottest
// code of a step besides the kernels.
let nodes: Node[] = []
let hosts: Node[] = []
let variables: Variable[] = []
let numbers: number[] = []
const stack: Node[] = []

function put(value: number): void {
  if (length === key.length) makeRoom(1)
  key[length++] = value
}

/** Makes sure that so many more integers can be written without asking. */
function makeRoom(count: number): void {
  if (length + count <= key.length) return
  const larger = new Int32Array(Math.max(key.length * 2, length + count))
  larger.set(key)
  key = larger
}

function idOfText(text: string): number {
  let id = texts.get(text)
  if (id === undefined) texts.set(text, (id = texts.size))
  return id
}

function putAttribute(value: AttributeValue): void {
  if (typeof value === 'number') {
    if ((value | 0) === value && value >= 0) return put(value)
    put(wideNumber)
    wide[0] = value
    put(wideHalves[0]!)
    return put(wideHalves[1]!)
  }
  if (typeof value === 'boolean') return put(value ? 1 : 0)
  if (typeof value === 'string') return put(idOfText(value))
  if (value === undefined) return put(absent)
  put(list)
  put(value.length)
  for (let i = 0; i < value.length; i++) putAttribute(value[i])
}

function putShape({ shape, dtype }: Node): void {
  makeRoom(shape.length + 2)
  key[length++] = dtypeCode[dtype]
  key[length++] = shape.length
  for (let i = 0; i < shape.length; i++) key[length++] = shape[i]!
}

function ordinalOf(variable: Variable): number {
  if (variable.mark !== epoch) {
    variable.mark = epoch
    variable.ordinal = variables.push(variable) - 1
  }
  return variable.ordinal
}

/** Writes down a node whose inputs have been written. */
function enter(node: Node): void {
  node.mark = epoch
  node.ordinal = nodes.push(node) - 1
  if (node.host !== null) {
    put(hostOp.id)
    hosts.push(node)
  } else if (node.variable !== null) {
    if (node.variable.version !== node.version) throw staleError(node)
    put(variableOp.id)
    put(ordinalOf(node.variable))
  } else if (node.op === numberOp) {
    put(numberOp.id)
    put(dtypeCode[node.dtype])
    numbers.push(node.number!)
    return
  } else {
    const { inputs, attributes } = node
    makeRoom(inputs.length + 2)
    key[length++] = node.op.id
    for (let i = 0; i < inputs.length; i++) key[length++] = inputs[i]!.ordinal
    if (attributes !== noAttributes) {
      for (const name in attributes) {
        put(idOfText(name))
        putAttribute(attributes[name])
      }
    }
    put(endOfAttributes)
    const first = inputs[0]
    // Most values are shaped like their first input, and one integer says so.
    if (first !== undefined && first.dtype === node.dtype && sameShape(first.shape, node.shape)) {
      put(asFirstInput)
      return
    }
  }
  putShape(node)
}

/** Writes down everything below a root and then the root itself. Without recursion: chains are long. */
function reach(root: Node): void {
  stack.push(root)
  while (stack.length > 0) {
    const node = stack[stack.length - 1]!
    if (node.mark !== epoch) {
      if (node.host === null && node.variable === null) {
        const { inputs } = node
        const height = stack.length
        for (let i = inputs.length - 1; i >= 0; i--) {
          const input = inputs[i]!
          if (input.mark !== epoch) stack.push(input)
        }
        if (stack.length > height) continue
      }
      enter(node)
    }
    stack.pop()
  }
}

/**
 * Walks what `demanded` and `assigned` need. Candidates are copied out too where the walk reaches them.
 * @throws StaleValueError when a Variable that is read has been updated since
 */
export function walk(
  demanded: readonly Node[],
  assigned: ReadonlyMap<Variable, Node>,
  candidates: readonly Node[],
): Trace {
  length = 0
  epoch += 1
  nodes = []
  hosts = []
  variables = []
  numbers = []
  // Not empty where the last walk met a stale value.
  stack.length = 0
  for (const root of demanded) reach(root)
  for (const root of assigned.values()) reach(root)

  const outputs = new Set<Node>(demanded)
  for (const node of candidates) if (node.mark === epoch && !node.isLeaf) outputs.add(node)
  put(beginOutputs)
  for (const node of outputs) put(node.ordinal)
  put(beginAssignments)
  for (const [variable, node] of assigned) {
    put(ordinalOf(variable))
    put(node.ordinal)
  }
  const trace = {
    key,
    length,
    nodes,
    hosts,
    variables,
    numbers,
    outputs: [...outputs],
    assignments: assigned,
  }
  // The trace alone holds them from here on, so that they go when it does.
  nodes = []
  hosts = []
  variables = []
  return trace
}

/** The error of reading what can no longer be computed (R5). */
export function staleError(leaf: Node): StaleValueError {
  const name = leaf.variable?.name ?? 'variable'
  return new StaleValueError(
    `this value was computed from '${name}' ${formatShape(leaf.shape)} at version ${leaf.version}, which has since been ` +
      `updated to version ${leaf.variable?.version}. Read it before optimizer.step(), or call keep() on it before the step`,
  )
}
