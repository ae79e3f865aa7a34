// Variables: the only owners of device memory (R4). Reading one gives a leaf that remembers the version it means;
// assigning one records a node, and the next flush writes it after all reads of the old version. What was computed from
// an old version and not yet evaluated can no longer be computed: reading it is a StaleValueError (R5).
// Read next: engine.ts, which holds the pending assignments.
import type { Backend, Place } from './backend.ts'
import { bytesOf, hostArray, type DType, type TypedArray } from './dtype.ts'
import { engine } from './engine.ts'
import { BackendError, DTypeError, ShapeError } from './errors.ts'
import { variableOp } from './lowering.ts'
import { noAttributes, noInputs, Node } from './node.ts'
import { formatShape, sameShape, sizeOf, type Shape } from './shape.ts'

interface Memory {
  readonly backend: Backend
  readonly place: Place
  readonly bytes: number
}

// Frees the memory of Variables that a program forgot. Programs that care call dispose() or use `using`.
const forgotten = /* @__PURE__ */ new FinalizationRegistry<Memory>(release)

function release({ backend, place, bytes }: Memory): void {
  backend.release(place)
  engine.variableUse.count -= 1
  engine.variableUse.bytes -= bytes
}

/** A value that lives on the device and can be assigned. */
export class Variable {
  readonly shape: Shape
  readonly dtype: DType
  /** What messages call it. */
  name: string
  /** Counts completed assignments. */
  version: number = 0
  /** Whether gradients flow to it; see Parameter in @nabla/layers. */
  requiresGrad: boolean = false
  #memory: Memory | null
  #current: Node
  /** Marks of the planner's walks. */
  mark: number = 0
  ordinal: number = 0

  /** Takes its first value from host data of `shape` (copied). */
  constructor(data: TypedArray, shape: Shape, dtype: DType, name: string = 'variable') {
    if (data.length !== sizeOf(shape)) {
      throw new ShapeError(
        `${name}: ${data.length} elements do not fill shape ${formatShape(shape)} (${sizeOf(shape)})`,
      )
    }
    this.shape = shape
    this.dtype = dtype
    this.name = name
    const backend = engine.backend
    const bytes = Math.max(data.length, 1) * bytesOf(dtype)
    const place = engine.explainingMemory(() => backend.allocate(bytes))
    engine.variableUse.count += 1
    engine.variableUse.bytes += bytes
    backend.write(place, dtype, data)
    this.#memory = { backend, place, bytes }
    forgotten.register(this, this.#memory, this)
    this.#current = this.createLeaf()
  }

  /** The present value: the last one assigned, whether or not it has been computed yet. */
  get current(): Node {
    this.assertAlive()
    // A leaf that was kept has its elements on the host now, for those who hold it; the Variable's own are here.
    if (this.#current.host !== null && this.#current.variable === this) this.#current = this.createLeaf()
    return this.#current
  }

  /** Where the elements are. */
  get place(): Place {
    return this.assertAlive().place
  }

  /** The backend that holds them. */
  get backend(): Backend {
    return this.assertAlive().backend
  }

  /** Records an assignment; nothing is computed before the next flush. @throws ShapeError, DTypeError */
  assign(node: Node): void {
    this.assertAlive()
    if (!sameShape(node.shape, this.shape)) {
      throw new ShapeError(
        `${this.name}: cannot assign shape ${formatShape(node.shape)} to a Variable of shape ${formatShape(this.shape)}`,
      )
    }
    if (node.dtype !== this.dtype) {
      throw new DTypeError(
        `${this.name}: cannot assign ${node.dtype} to a ${this.dtype} Variable; convert it with .to('${this.dtype}')`,
      )
    }
    if (!engine.assigning) return
    this.#current = node
    engine.recordAssignment(this, node)
  }

  /** Called by the engine when an assignment has been written: `node` now stands for the new version. */
  settle(node: Node): void {
    this.version += 1
    if (!node.isLeaf) {
      node.variable = this
      node.version = this.version
      node.forgetHistory()
    }
    if (this.#current === node) this.#current = this.createLeaf()
  }

  /** Called by the engine when a flush failed: the Variable is as it was before the assignment. */
  revert(): void {
    this.#current = this.createLeaf()
  }

  /** Copies the elements to the host. Pending assignments are flushed first. */
  async read(): Promise<TypedArray> {
    engine.flush()
    const memory = this.assertAlive()
    return hostArray(this.dtype, await memory.backend.read(memory.place, this.dtype, sizeOf(this.shape)))
  }

  /** Frees the memory now. Never required. Any later use is an error. */
  dispose(): void {
    if (this.#memory === null) return
    engine.forgetAssignment(this)
    forgotten.unregister(this)
    release(this.#memory)
    this.#memory = null
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** A leaf that reads the present version. Subclasses make their own kind of node. */
  protected createLeaf(): Node {
    const node = new Node(variableOp, noInputs, noAttributes, this.shape, this.dtype)
    node.variable = this
    node.version = this.version
    node.depth = 0
    return node
  }

  private assertAlive(): Memory {
    if (this.#memory === null)
      throw new BackendError(`${this.name}: the Variable has been disposed and cannot be used any more`)
    return this.#memory
  }
}
