// Weights that are computed from other parameters whenever a layer uses them: split into length and direction, or divided
// by their largest singular value. Names in the state dictionary are those of torch.nn.utils.parametrizations.
import { ShapeError, ValueError } from '@nabla/engine'
import { noGrad, Parameter, randn, Variable, type Tensor } from '@nabla/tensor'
import { integer, nonNegative, positiveInteger } from './check.ts'
import { ModuleDict } from './containerNamed.ts'
import { Module, type Member } from './module.ts'

/** What a weight is computed by. */
abstract class Parametrization extends Module {
  abstract override forward(): Tensor
}

/** v · g / |v|, norms being taken over all dimensions but one. */
class WeightNormalisation extends Parametrization {
  /** g, of size 1 in all dimensions but one. */
  readonly original0: Parameter
  /** v, of the shape of the weight. */
  readonly original1: Parameter
  readonly #dims: readonly number[]

  constructor(weight: Parameter, dim: number | null) {
    super()
    this.#dims = weight.shape.map((_, i) => i).filter((i) => i !== dim)
    const lengths = weight.value.detach().norm(this.#dims, { keepdim: dim !== null })
    this.original0 = new Parameter(lengths, { name: `${weight.name}.original0` })
    this.original1 = weight
  }

  override forward(): Tensor {
    const direction = this.original1.value
    return direction.mul(this.original0.value.div(direction.norm(this.#dims, { keepdim: true })))
  }
}

/** The weight divided by its largest singular value, which power iteration follows while training. */
class SpectralNormalisation extends Parametrization {
  readonly original: Parameter
  readonly #u: Variable
  readonly #v: Variable
  readonly #dim: number
  readonly #iterations: number
  readonly #eps: number

  constructor(weight: Parameter, dim: number, iterations: number, eps: number) {
    super()
    this.original = weight
    this.#dim = dim
    this.#iterations = iterations
    this.#eps = eps
    const { dtype } = weight
    const matrix = this.#matrix(weight.value.detach())
    const start = this.#unit(randn([matrix.shape[0]!], { dtype }))
    // Near enough before the first step, as in PyTorch.
    const { u, v } = this.#iterate(matrix, start, 15)
    this.#u = new Variable(u, { dtype, name: `${weight.name}.u` })
    this.#v = new Variable(v, { dtype, name: `${weight.name}.v` })
  }

  override forward(): Tensor {
    const weight = this.original.value
    const matrix = this.#matrix(weight)
    let [u, v] = [this.#u.value, this.#v.value]
    if (this.training) {
      const next = noGrad(() => this.#iterate(matrix.detach(), u, this.#iterations))
      u = next.u
      v = next.v
      this.#u.value = u
      this.#v.value = v
    }
    return weight.div(u.mul(matrix.matmul(v)).sum())
  }

  override members(): Iterable<[string, Member]> {
    return [
      ['original', this.original],
      ['0._u', this.#u],
      ['0._v', this.#v],
    ]
  }

  // Dimension `dim` as rows, all others as columns.
  #matrix(weight: Tensor): Tensor {
    return weight.movedim(this.#dim, 0).reshape([weight.shape[this.#dim]!, -1])
  }

  #iterate(matrix: Tensor, start: Tensor, times: number): { u: Tensor; v: Tensor } {
    let u = start
    let v = start
    for (let i = 0; i < times; i++) {
      v = this.#unit(matrix.transpose().matmul(u))
      u = this.#unit(matrix.matmul(v))
    }
    return { u, v }
  }

  #unit(vector: Tensor): Tensor {
    return vector.div(vector.norm().maximum(this.#eps))
  }
}

/**
 * Splits a layer's weight into length and direction, which are then trained instead of it (Salimans and Kingma 2016).
 * Changes the layer and returns it: `const layer = weightNorm(new Linear(4, 2))`.
 *
 * State: `parametrizations.weight.original0` (lengths, of size 1 in all dimensions but `dim`) and `...original1`
 * (directions) take the place of `weight`.
 * @param name the field that holds the weight
 * @param dim along which each slice has a length of its own; null: the weight has one
 * @throws ValueError when the layer has no such parameter
 */
export function weightNorm<M extends Module>(module: M, name: string = 'weight', dim: number | null = 0): M {
  return parametrize(
    'weightNorm',
    module,
    name,
    dim,
    (weight, place) => new WeightNormalisation(weight, place),
  )
}

/** Settings of {@link spectralNorm}. */
export interface SpectralNormOptions {
  /** The field that holds the weight. Default `weight`. */
  name?: string
  /** Steps of power iteration per call in training. Default 1. */
  iterations?: number
  /** Smallest length that vectors are divided by. Default 1e-12. */
  eps?: number
  /** The dimension of outputs. Default 0; transposed convolutions have it at 1. */
  dim?: number
}

/**
 * Divides a layer's weight by its largest singular value (Miyato et al. 2018, algorithm 1). Changes the layer and returns
 * it.
 *
 * State: `parametrizations.weight.original`, `parametrizations.weight.0._u` and `..._v` take the place of `weight`.
 * @throws ValueError when the layer has no such parameter
 * @throws ShapeError for a weight of less than two dimensions
 */
export function spectralNorm<M extends Module>(module: M, options: SpectralNormOptions = {}): M {
  const { name = 'weight', iterations = 1, eps = 1e-12, dim = 0 } = options
  positiveInteger('spectralNorm', 'iterations', iterations)
  nonNegative('spectralNorm', 'eps', eps)
  return parametrize('spectralNorm', module, name, dim, (weight, place) => {
    if (weight.shape.length < 2) {
      throw new ShapeError(
        `spectralNorm: ${name} must have at least two dimensions; it has ${weight.shape.length}`,
      )
    }
    return new SpectralNormalisation(weight, place ?? 0, iterations, eps)
  })
}

// The field becomes a getter, which no walk over fields sees; what it is computed from is found under `parametrizations`.
function parametrize<M extends Module>(
  caller: string,
  module: M,
  name: string,
  dim: number | null,
  make: (weight: Parameter, dim: number | null) => Parametrization,
): M {
  const fields = module as unknown as Record<string, unknown> & { parametrizations?: ModuleDict }
  const weight = Object.hasOwn(fields, name) ? fields[name] : undefined
  if (!(weight instanceof Parameter)) {
    throw new ValueError(`${caller}: ${module.constructor.name} has no parameter in a field '${name}'`)
  }
  const rank = weight.shape.length
  const place = dim === null ? null : integer(caller, 'dim', dim < 0 ? dim + rank : dim)
  if (place !== null && (place < 0 || place >= rank))
    throw new ValueError(`${caller}: ${name} has ${rank} dimensions; got dim ${dim}`)
  const rule = make(weight, place)
  Object.defineProperty(module, name, { get: () => rule.forward(), enumerable: false, configurable: true })
  fields.parametrizations ??= new ModuleDict()
  fields.parametrizations.set(name, rule)
  return module
}
