// Variables and parameters: the values that live on the device and can be assigned (R4). A Variable is used like a
// tensor in every op. Not here: how memory is held and when assignments are written (the engine's Variable).
import {
  engine,
  isFloating,
  GradientError,
  noAttributes,
  Variable as EngineVariable,
  variableOp,
  type DType,
} from '@nabla/engine'
import { toHost, type TensorData } from './host.ts'
import { isGradEnabled, noTensors, Tensor } from './tensor.ts'

/** Settings of a new Variable. */
export interface VariableOptions {
  /** Default: the type of the data. */
  dtype?: DType
  /** For flat data: its shape. */
  shape?: readonly number[]
  /** What error messages call it. */
  name?: string
}

/**
 * A value that stays on the device and can be assigned: running statistics, moments, caches. Every op takes one where it
 * takes a tensor and means its present value.
 */
export class Variable extends EngineVariable {
  /**
   * @param initial nested arrays, a typed array, an ndarray, or a tensor (then computed at the next flush)
   */
  constructor(initial: TensorData | Tensor, options: VariableOptions = {}) {
    const fromTensor = initial instanceof Tensor
    const first = fromTensor ? zerosLike(initial) : toHost('Variable', initial, options.shape, options.dtype)
    super(first.data, first.shape, first.dtype, options.name)
    if (fromTensor && initial.host === null) this.value = initial
  }

  /** The present value. Read again after an assignment: a tensor means the value at the time it was taken. */
  get value(): Tensor {
    // A pending value has a history, and gradients must stop at the Variable: so it is written first. Outside of
    // gradients (in an optimizer, say) the pending value itself is as good and costs nothing.
    if (this.requiresGrad && isGradEnabled() && this.current.variable !== this) engine.flush()
    const current = this.current as Tensor
    if (current.variable === this) current.requiresGrad = this.requiresGrad && isFloating(this.dtype)
    return current
  }

  /** Records an assignment, which the next flush writes. @throws ShapeError, DTypeError */
  set value(tensor: Tensor) {
    this.assign(tensor.detach())
  }

  override toString(): string {
    return `${this.constructor.name}(${this.name}, [${this.shape.join(', ')}], ${this.dtype})`
  }

  protected override createLeaf(): Tensor {
    const leaf = new Tensor(variableOp, noTensors, noAttributes, this.shape, this.dtype)
    leaf.variable = this
    leaf.version = this.version
    leaf.depth = 0
    leaf.requiresGrad = this.requiresGrad
    return leaf
  }
}

/** A Variable that is trained: `backward` adds to its `grad`, and an optimizer takes the gradient from there. */
export class Parameter extends Variable {
  /** Set to false to freeze the parameter. */
  override requiresGrad: boolean = true
  /** The gradient found by `backward`, or null. Cleared by the optimizer's step. */
  grad: Tensor | null = null

  /** @throws GradientError for types that have no derivative */
  constructor(initial: TensorData | Tensor, options: VariableOptions = {}) {
    super(initial, { name: 'parameter', ...options })
    if (!isFloating(this.dtype)) {
      this.dispose()
      throw new GradientError(
        `${this.name}: a parameter must be float32 or float64, not ${this.dtype}; use a Variable`,
      )
    }
  }
}

function zerosLike(tensor: Tensor): ReturnType<typeof toHost> {
  if (tensor.host !== null) return { data: tensor.host, shape: tensor.shape, dtype: tensor.dtype }
  return toHost('Variable', new Float32Array(tensor.size), tensor.shape, tensor.dtype)
}
