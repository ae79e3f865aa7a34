// L-BFGS: a quasi-Newton method, for whole data sets and few parameters (physics-informed networks, logistic regression,
// style transfer). Each step calls a closure several times, so `step` is asynchronous and takes it as its argument.
// The vectors of its history live on the host in float64: they are as many as `historySize` times two, each with as many
// elements as there are parameters. Read next: lineSearch.ts.
import { formatShape, hostArray, sameShape, ShapeError, ValueError } from '@nabla/engine'
import { flush, tensor, type Parameter, type Tensor } from '@nabla/tensor'
import { checkNonNegative, makeGroups, withoutUndefined } from './groups.ts'
import { strongWolfe, type LinePoint } from './lineSearch.ts'

/** Hyperparameters of {@link LBFGS}. */
export interface LBFGSOptions {
  /** Length of a step, or where the line search begins. Default 1. */
  lr: number
  /** Most directions per step. Default 20. */
  maxIterations: number
  /** Most calls of the closure per step. Default 1.25 times `maxIterations`. */
  maxEvaluations: number
  /** The step ends when no gradient is larger. Default 1e-7. */
  toleranceGrad: number
  /** The step ends when neither the loss nor any parameter changes by more. Default 1e-9. */
  toleranceChange: number
  /** How many changes are remembered. Default 100. */
  historySize: number
  /** How far to go: as far as the rate says, or until the strong Wolfe conditions hold. Default `none`. */
  lineSearch: 'none' | 'strongWolfe'
}

/** What `state()` gives and `loadState()` takes: plain numbers and arrays. */
export interface LBFGSState {
  readonly options: LBFGSOptions
  readonly iterations: number
  readonly evaluations: number
  readonly curvature: number
  readonly distance: number
  readonly direction: Float64Array | null
  readonly previousGradient: Float64Array | null
  readonly changes: readonly { readonly position: Float64Array; readonly gradient: Float64Array }[]
}

/** Computes the loss, calls `backward` on it, and returns it. */
export type Closure = () => Tensor | Promise<Tensor>

interface Change {
  readonly position: Float64Array
  readonly gradient: Float64Array
}

const defaults: Omit<LBFGSOptions, 'maxEvaluations'> = {
  lr: 1,
  maxIterations: 20,
  toleranceGrad: 1e-7,
  toleranceChange: 1e-9,
  historySize: 100,
  lineSearch: 'none',
}

/** Limited-memory BFGS (Nocedal 1980; Nocedal and Wright 2006, algorithm 7.5). */
export class LBFGS {
  readonly #parameters: readonly Parameter[]
  #options: LBFGSOptions
  #iterations: number = 0
  #evaluations: number = 0
  #curvature: number = 1
  #distance: number = 1
  #direction: Float64Array | null = null
  #previousGradient: Float64Array | null = null
  #changes: Change[] = []

  /** @throws ValueError for an empty list, a parameter listed twice, and hyperparameters out of range */
  constructor(parameters: Iterable<Parameter>, options: Partial<LBFGSOptions> = {}) {
    this.#parameters = makeGroups('LBFGS', parameters, {})[0]!.params
    const chosen = { ...defaults, ...withoutUndefined(options) }
    this.#options = { maxEvaluations: Math.floor(chosen.maxIterations * 1.25), ...chosen }
    for (const name of ['lr', 'toleranceGrad', 'toleranceChange'] as const) {
      checkNonNegative('LBFGS', name, this.#options[name])
    }
    for (const name of ['maxIterations', 'maxEvaluations', 'historySize'] as const) {
      if (Number.isInteger(this.#options[name]) && this.#options[name] > 0) continue
      throw new ValueError(`LBFGS: ${name} must be a positive integer; got ${this.#options[name]}`)
    }
    if (!['none', 'strongWolfe'].includes(chosen.lineSearch)) {
      throw new ValueError(`LBFGS: unknown line search '${chosen.lineSearch}'. Known: none, strongWolfe`)
    }
  }

  /** The length of a step. */
  get lr(): number {
    return this.#options.lr
  }

  set lr(value: number) {
    checkNonNegative('LBFGS', 'lr', value)
    this.#options = { ...this.#options, lr: value }
  }

  /**
   * Goes along up to `maxIterations` directions. The closure computes the loss anew, calls `backward` and returns the loss;
   * gradients are cleared before each call.
   * @returns the loss before the step
   * @throws ValueError when the closure leaves no gradient at all; ShapeError for one of another shape
   */
  async step(closure: Closure): Promise<number> {
    const { maxIterations, maxEvaluations, toleranceGrad, toleranceChange } = this.#options
    let point = await this.#evaluate(closure)
    const before = point.loss
    let position = await this.#position()
    let evaluations = 1
    for (let iteration = 0; iteration < maxIterations && evaluations < maxEvaluations; iteration++) {
      if (largest(point.gradient) <= toleranceGrad) break
      const direction = this.#nextDirection(point.gradient)
      const slope = dot(point.gradient, direction)
      if (slope > -toleranceChange) break
      const first = this.#iterations === 1 ? Math.min(1, 1 / sumOfAbsolutes(point.gradient)) : 1
      const next = await this.#go(closure, position, direction, point, slope, first * this.#options.lr)
      evaluations += next.evaluations
      const moved = largest(direction) * next.distance
      const change = Math.abs(next.point.loss - point.loss)
      position = along(position, direction, next.distance)
      point = next.point
      this.#distance = next.distance
      if (moved <= toleranceChange || change < toleranceChange) break
    }
    this.#clearGradients()
    return before
  }

  /** Everything needed to go on later. */
  state(): LBFGSState {
    return {
      options: { ...this.#options },
      iterations: this.#iterations,
      evaluations: this.#evaluations,
      curvature: this.#curvature,
      distance: this.#distance,
      direction: this.#direction,
      previousGradient: this.#previousGradient,
      changes: [...this.#changes],
    }
  }

  /** Goes on where another one was. @throws ShapeError for a state of another number of parameters */
  loadState(state: LBFGSState): void {
    const size = this.#parameters.reduce((sum, parameter) => sum + sizeOfParameter(parameter), 0)
    const found = state.previousGradient?.length ?? size
    if (found !== size) throw new ShapeError(`LBFGS: the state is of ${found} numbers; there are ${size}`)
    this.#options = { ...state.options }
    this.#iterations = state.iterations
    this.#evaluations = state.evaluations
    this.#curvature = state.curvature
    this.#distance = state.distance
    this.#direction = state.direction
    this.#previousGradient = state.previousGradient
    this.#changes = [...state.changes]
  }

  /** Moves along the direction and leaves the parameters there. */
  async #go(
    closure: Closure,
    position: Float64Array,
    direction: Float64Array,
    point: Evaluated,
    slope: number,
    distance: number,
  ): Promise<{ distance: number; point: Evaluated; evaluations: number }> {
    const at = async (candidate: number): Promise<LinePoint<Float64Array>> => {
      this.#place(along(position, direction, candidate))
      const { loss, gradient } = await this.#evaluate(closure)
      return { distance: candidate, value: loss, slope: dot(gradient, direction), extra: gradient }
    }
    if (this.#options.lineSearch === 'none') {
      const { value, extra } = await at(distance)
      return { distance, point: { loss: value, gradient: extra }, evaluations: 1 }
    }
    const evaluationsBefore = this.#evaluations
    const start = { distance: 0, value: point.loss, slope, extra: point.gradient }
    const { toleranceChange } = this.#options
    const best = await strongWolfe(at, start, distance, { toleranceChange, scale: largest(direction) })
    this.#place(along(position, direction, best.distance))
    return {
      distance: best.distance,
      point: { loss: best.value, gradient: best.extra },
      evaluations: this.#evaluations - evaluationsBefore,
    }
  }

  /** The two loops of the algorithm: the gradient times what is known about the inverse of the Hessian. */
  #nextDirection(gradient: Float64Array): Float64Array {
    this.#iterations += 1
    if (this.#previousGradient !== null && this.#direction !== null) {
      const change: Change = {
        gradient: along(gradient, this.#previousGradient, -1),
        position: this.#direction.map((x) => x * this.#distance),
      }
      const curvature = dot(change.gradient, change.position)
      // Only changes along which the function is convex keep the estimate positive definite.
      if (curvature > 1e-10) {
        this.#changes.push(change)
        if (this.#changes.length > this.#options.historySize) this.#changes.shift()
        this.#curvature = curvature / dot(change.gradient, change.gradient)
      }
    }
    let q: Float64Array = gradient.map((x) => -x)
    const weights: number[] = []
    for (const [i, { position, gradient: y }] of [...this.#changes.entries()].reverse()) {
      weights[i] = dot(position, q) / dot(y, position)
      q = along(q, y, -weights[i]!)
    }
    let direction: Float64Array = q.map((x) => x * this.#curvature)
    for (const [i, { position, gradient: y }] of this.#changes.entries()) {
      direction = along(direction, position, weights[i]! - dot(y, direction) / dot(y, position))
    }
    this.#previousGradient = gradient
    this.#direction = direction
    // Nothing has been moved along it yet; and if the step ends here, nothing will be.
    this.#distance = 0
    return direction
  }

  async #evaluate(closure: Closure): Promise<Evaluated> {
    this.#clearGradients()
    this.#evaluations += 1
    const loss = await closure()
    if (this.#parameters.every((parameter) => parameter.grad === null)) {
      throw new ValueError(
        'LBFGS: the closure left no gradient; it must call backward(loss) and return the loss',
      )
    }
    const gradients = this.#parameters.map(({ grad, shape, name }) => {
      if (grad !== null && !sameShape(grad.shape, shape)) {
        throw new ShapeError(
          `LBFGS: the gradient of ${name} has shape ${formatShape(grad.shape)}, not ${formatShape(shape)}`,
        )
      }
      return grad
    })
    const [value, ...parts] = await Promise.all([
      loss.item(),
      ...this.#parameters.map(
        async (parameter, i) => (await gradients[i]?.data()) ?? new Float64Array(sizeOfParameter(parameter)),
      ),
    ])
    return { loss: value, gradient: concatenated(parts) }
  }

  async #position(): Promise<Float64Array> {
    return concatenated(await Promise.all(this.#parameters.map((parameter) => parameter.read())))
  }

  #place(position: Float64Array): void {
    let offset = 0
    for (const parameter of this.#parameters) {
      const { shape, dtype } = parameter
      const size = sizeOfParameter(parameter)
      const elements = hostArray(dtype, position.slice(offset, offset + size))
      parameter.value = tensor(elements, { shape, dtype })
      offset += size
    }
    flush()
  }

  #clearGradients(): void {
    for (const parameter of this.#parameters) parameter.grad = null
  }
}

interface Evaluated {
  readonly loss: number
  readonly gradient: Float64Array
}

function sizeOfParameter({ shape }: Parameter): number {
  return shape.reduce((product, size) => product * size, 1)
}

function concatenated(parts: readonly ArrayLike<number>[]): Float64Array {
  const whole = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

/** a + factor · b. */
function along(a: Float64Array, b: Float64Array, factor: number): Float64Array {
  return a.map((x, i) => x + factor * b[i]!)
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

function largest(x: Float64Array): number {
  return x.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
}

function sumOfAbsolutes(x: Float64Array): number {
  return x.reduce((sum, value) => sum + Math.abs(value), 0)
}
