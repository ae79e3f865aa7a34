// Tensor: a value of the lazy graph with the methods people use. It owns no memory and is never freed by hand; making
// one costs next to nothing, for programs are re-traced at every step. The ops that are also methods are not written
// here: fluent.ts gives this class its methods from the op table, and the interface below takes their types from the
// modules of the op families. Not here: Variables, which own memory (variable.ts). Read next: op.ts.
import {
  engine,
  hostOp,
  isFloating,
  longestChain,
  Node,
  nextOpId,
  noAttributes,
  ValueError,
  type Attributes,
  type DType,
  type Op,
  type Shape,
  type TypedArray,
} from '@nabla/engine'
import type ndarray from 'ndarray'
import type { Fluent } from './fluent.ts'
import { toNdarray, toNested, type Nested } from './host.ts'
import type * as activation from './ops/activation.ts'
import type * as arithmetic from './ops/arithmetic.ts'
import type * as adaptivePool from './ops/adaptive-pool.ts'
import type * as conv from './ops/conv.ts'
import type * as einsum from './ops/einsum.ts'
import type * as indexing from './ops/indexing.ts'
import type * as linalg from './ops/linalg.ts'
import type * as matrix from './ops/matrix.ts'
import type * as decompositions from './ops/decompositions.ts'
import type * as matrixFunctions from './ops/matrix-functions.ts'
import type * as complex from './ops/complex.ts'
import type * as fourier from './ops/fourier.ts'
import type * as spectrogram from './ops/spectrogram.ts'
import type * as grid from './ops/grid.ts'
import type * as selection from './ops/selection.ts'
import type * as counting from './ops/counting.ts'
import type * as arrange from './ops/arrange.ts'
import type * as specialForms from './ops/special-forms.ts'
import type * as tensorProducts from './ops/tensor-products.ts'
import type * as pool from './ops/pool.ts'
import type * as scatter from './ops/scatter.ts'
import type * as overwrite from './ops/overwrite.ts'
import type * as sorting from './ops/sorting.ts'
import type * as attention from './ops/attention.ts'
import type * as distance from './ops/distance.ts'
import type * as image from './ops/image.ts'
import type * as normalization from './ops/normalization.ts'
import type * as resize from './ops/resize.ts'
import type * as softmax from './ops/softmax.ts'
import type * as compare from './ops/compare.ts'
import type * as diagonal from './ops/diagonal.ts'
import type * as elementwise from './ops/elementwise.ts'
import type * as join from './ops/join.ts'
import type * as padding from './ops/padding.ts'
import type * as reduce from './ops/reduce.ts'
import type * as repeat from './ops/repeat.ts'
import type * as scan from './ops/scan.ts'
import type * as slicing from './ops/slicing.ts'
import type * as special from './ops/special.ts'
import type * as statistics from './ops/statistics.ts'
import type * as view from './ops/view.ts'
import type * as window from './ops/window.ts'
import { formatArray, type FormatOptions } from './print.ts'

// Whether ops record what gradients need. One flag, because a program is traced on one thread.
let recording = true

/** Whether ops record gradients just now: false inside of {@link noGrad}. */
export function isGradEnabled(): boolean {
  return recording
}

/** Sets the flag and returns what it was. For code that cannot nest a function; others call {@link noGrad}. */
export function setGradEnabled(enabled: boolean): boolean {
  const before = recording
  recording = enabled
  return before
}

// Whether gradients are being passed back. What is made meanwhile is no longer than what it passes through, so it is never
// computed before it is asked for.
let passing = false

/** Chains of more pending nodes that carry gradients are computed without being asked. */
const longestHistory = 16_384

/** Sets whether gradients are being passed back, and returns what it was. */
export function setPassing(value: boolean): boolean {
  const before = passing
  passing = value
  return before
}

/**
 * Runs `fn` without recording gradients: no result made inside requires one.
 * @throws ValueError when `fn` is asynchronous, because what it does after its first `await` would record again.
 */
export function noGrad<T>(fn: () => T): T {
  const before = setGradEnabled(false)
  try {
    const result = fn()
    if (result instanceof Promise) {
      // Its own failure, if any, is beside the point: the caller gets the error below.
      result.catch(() => {})
      throw new ValueError(
        'noGrad: the function is asynchronous, and after its first await gradients would be recorded again. ' +
          'Wrap each synchronous part, for example `const y = noGrad(() => model.forward(x))`',
      )
    }
    return result
  } finally {
    recording = before
  }
}

/** The node of {@link Tensor.detach}: the same elements, no way back for gradients. */
export const detachOp: Op = {
  id: nextOpId(),
  name: 'detach',
  lowering: { kind: 'view', view: () => ({ kind: 'reshape' }) },
}

/**
 * An n-dimensional array of one element type, computed when it is needed.
 *
 * Made by `tensor()` and other creation functions, and by every op. Elements are read with `await x.data()`,
 * `await x.item()` or `await x.toArray()`.
 */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging
export class Tensor extends Node {
  declare inputs: readonly Tensor[]
  /** Whether gradients flow through this value. */
  declare requiresGrad: boolean
  /** Marks of the walk that gradients take; meaningless outside of one. */
  declare backwardWalk: number
  declare backwardPlace: number

  constructor(op: Op, inputs: readonly Tensor[], attributes: Attributes, shape: Shape, dtype: DType) {
    super(op, inputs, attributes, shape, dtype)
    this.requiresGrad = recording && someRequireGrad(inputs) && isFloating(dtype)
    this.backwardWalk = 0
    this.backwardPlace = 0
  }

  /** Number of dimensions. */
  get rank(): number {
    return this.shape.length
  }

  /** Number of elements. */
  get size(): number {
    let size = 1
    for (const length of this.shape) size *= length
    return size
  }

  /** The elements in row-major order, in a typed array of their own. Bools arrive as 0 and 1. */
  data(): Promise<TypedArray> {
    return engine.read(this)
  }

  /** The only element. @throws ValueError when there is not exactly one */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw new ValueError(
        `item: the tensor has ${this.size} elements (shape [${this.shape.join(', ')}]); use data() or toArray()`,
      )
    }
    return (await this.data())[0]!
  }

  /** The elements as nested arrays; a number (or boolean) for a scalar. */
  async toArray(): Promise<Nested> {
    return toNested(await this.data(), this.shape, this.dtype)
  }

  /** The elements as an `ndarray`. */
  async toNdarray(): Promise<ndarray.NdArray<TypedArray>> {
    return toNdarray(await this.data(), this.shape)
  }

  /** Computes the value now. Later uses read it instead of computing it again. */
  async realize(): Promise<this> {
    await engine.realizeInSlices([this])
    return this
  }

  /** Has the next step compute this value and keeps it readable after it, when what it was made from has changed. */
  keep(): this {
    engine.keep(this)
    return this
  }

  /** The same value with no way back for gradients. */
  detach(): Tensor {
    if (!this.requiresGrad) return this
    const result = new Tensor(detachOp, [this], noAttributes, this.shape, this.dtype)
    result.requiresGrad = false
    engine.created(result)
    return result
  }

  /** Shape and type, without computing anything. {@link format} shows the elements. */
  override toString(): string {
    const gradient = this.requiresGrad ? ', requiresGrad' : ''
    return `Tensor([${this.shape.join(', ')}], ${this.dtype}${gradient})`
  }

  /** The elements as text, laid out as NumPy does it. */
  async format(options: FormatOptions = {}): Promise<string> {
    return formatArray(await this.data(), this.shape, this.dtype, options)
  }

  /** Writes {@link format} to the console. */
  async print(options: FormatOptions = {}): Promise<void> {
    console.log(await this.format(options))
  }

  /**
   * Called by the engine when the value has been computed. A value that carries gradients keeps its inputs: the walk of
   * the engine stops at computed values, while the walk of the gradient goes on through them.
   */
  override forgetHistory(): void {
    if (this.requiresGrad) this.depth = 0
    else super.forgetHistory()
  }
}

/** The ops that are methods as well: `x.exp()` is `exp(x)`. */
// The methods are installed at run time from the same modules, which a test checks.
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging
export interface Tensor
  extends
    Fluent<typeof activation>,
    Fluent<typeof arithmetic>,
    Fluent<typeof compare>,
    Fluent<typeof diagonal>,
    Fluent<typeof elementwise>,
    Fluent<typeof adaptivePool>,
    Fluent<typeof conv>,
    Fluent<typeof einsum>,
    Fluent<typeof indexing>,
    Fluent<typeof linalg>,
    Fluent<typeof matrix>,
    Fluent<typeof decompositions>,
    Fluent<typeof matrixFunctions>,
    Fluent<typeof complex>,
    Fluent<typeof fourier>,
    Fluent<typeof spectrogram>,
    Fluent<typeof grid>,
    Fluent<typeof selection>,
    Fluent<typeof counting>,
    Fluent<typeof arrange>,
    Fluent<typeof specialForms>,
    Fluent<typeof tensorProducts>,
    Fluent<typeof pool>,
    Fluent<typeof scatter>,
    Fluent<typeof overwrite>,
    Fluent<typeof sorting>,
    Fluent<typeof attention>,
    Fluent<typeof distance>,
    Fluent<typeof image>,
    Fluent<typeof normalization>,
    Fluent<typeof resize>,
    Fluent<typeof softmax>,
    Fluent<typeof join>,
    Fluent<typeof padding>,
    Fluent<typeof reduce>,
    Fluent<typeof repeat>,
    Fluent<typeof scan>,
    Fluent<typeof slicing>,
    Fluent<typeof special>,
    Fluent<typeof statistics>,
    Fluent<typeof view>,
    Fluent<typeof window> {}

/** Makes the node of one op call. Shape and type have been checked by the op. */
export function makeNode(
  op: Op,
  inputs: readonly Tensor[],
  attributes: Attributes,
  shape: Shape,
  dtype: DType,
): Tensor {
  const node = new Tensor(op, inputs, attributes, shape, dtype)
  if (passing) node.depth = 0
  else if (node.depth > longestChain) return longNode(node)
  engine.created(node)
  return node
}

/**
 * A node at the end of a long chain. What carries gradients is held on to until they have passed, so that computing it
 * early frees nothing, and its parts would be computed once more on the way back: such chains may be longer. For what is
 * computed from them without gradients, they do not count.
 */
function longNode(node: Tensor): Tensor {
  if (node.requiresGrad) engine.created(node, longestHistory)
  else {
    node.depth = 1
    for (const { requiresGrad, depth } of node.inputs)
      if (!requiresGrad) node.depth = Math.max(node.depth, depth + 1)
    engine.created(node)
  }
  return node
}

/** Makes a leaf of elements that are on the host, in the type's own array, which is not copied. */
export function makeHostLeaf(elements: TypedArray, shape: Shape, dtype: DType): Tensor {
  const leaf = new Tensor(hostOp, noTensors, noAttributes, shape, dtype)
  leaf.host = elements
  leaf.depth = 0
  return leaf
}

/** The inputs of leaves. */
export const noTensors: readonly Tensor[] = Object.freeze([])

/** Whether gradients flow through any of `inputs`. */
export function someRequireGrad(inputs: readonly Tensor[]): boolean {
  for (let i = 0; i < inputs.length; i++) if (inputs[i]!.requiresGrad) return true
  return false
}
