// Checks derivatives against small differences, in float64 and along one random direction: cheap enough to run for every
// op, and as good as checking every element, since a wrong derivative is wrong along almost every direction.
import { GradientError, SampleMaker, tensor, Tensor } from '@nabla/tensor'
import { grad } from './gradients.ts'

/** Any function of tensors; several results come as an array or as the fields of an object. */
export type CheckedFunction = (...inputs: Tensor[]) => unknown

/** Settings of {@link gradcheck}. */
export interface GradcheckOptions {
  /** Half of the distance of the difference. Default 1e-5. */
  step?: number
  /** Largest relative difference. Default 1e-6. */
  tolerance?: number
  /** Whether the gradient is checked as well, by differences of itself. Default false. */
  secondOrder?: boolean
  /** Chooses the directions. Default 0. */
  seed?: number
}

/**
 * Compares the gradient of `fn` at `inputs` with the slope of the function itself. Inputs are taken as float64.
 * @throws GradientError with both numbers when they differ
 */
export async function gradcheck(
  fn: CheckedFunction,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): Promise<void> {
  const { step = 1e-5, tolerance = 1e-6, secondOrder = false, seed = 0 } = options
  const points = await Promise.all(inputs.map(async (input) => new Float64Array(await input.data())))
  const shapes = inputs.map((input) => input.shape)
  const make = new SampleMaker(seed + 1, 'float64')
  const direction = await Promise.all(shapes.map((shape) => make.real(shape, { low: -1, high: 1 }).data()))
  const at = (distance: number, requiresGrad: boolean): Tensor[] =>
    points.map((point, i) => {
      const moved = point.map((value, k) => value + distance * direction[i]![k]!)
      return tensor(moved, { shape: shapes[i]!, requiresGrad })
    })

  // A weighted sum of all results, with fixed random weights, makes one number of them.
  const weights: Tensor[] = []
  const combine = (results: readonly Tensor[]): Tensor => {
    const parts = results.map((result, i) => {
      weights[i] ??= make.real(result.shape, { low: -1, high: 1 })
      return result.to('float64').mul(weights[i]!).sum()
    })
    return parts.reduce((sum, part) => sum.add(part))
  }

  const sources = at(0, true)
  const results = realResultsOf(fn(...sources))
  if (results.length === 0) throw new GradientError('gradcheck: the function has no real result')
  const count = results.length
  const gradients = grad(combine(results), sources, { allowUnused: true })
  const along = await Promise.all(gradients.map((gradient) => gradient.data()))
  const analytic = along.reduce((sum, gradient, i) => sum + dot(gradient, direction[i]!), 0)

  const valueAt = async (distance: number): Promise<number> => {
    const moved = realResultsOf(fn(...at(distance, true)))
    if (moved.length !== count)
      throw new GradientError('gradcheck: the function gives a different number of results each time')
    return combine(moved).item()
  }
  const numeric = ((await valueAt(step)) - (await valueAt(-step))) / (2 * step)
  const difference = Math.abs(analytic - numeric)
  if (!(difference <= tolerance * (1 + Math.abs(numeric)))) {
    throw new GradientError(
      `gradcheck: the gradient says ${analytic}, the slope of the function is ${numeric}`,
    )
  }
  if (secondOrder) await checkGradientOf(fn, points, shapes, options)
}

// The gradient of a fixed combination of the results is a function like any other.
async function checkGradientOf(
  fn: CheckedFunction,
  points: readonly Float64Array[],
  shapes: readonly (readonly number[])[],
  options: GradcheckOptions,
): Promise<void> {
  const make = new SampleMaker((options.seed ?? 0) + 2, 'float64')
  const weights: Tensor[] = []
  const gradient = (...inputs: Tensor[]): Tensor[] => {
    const results = realResultsOf(fn(...inputs))
    const gradOutputs = results.map((result, i) => (weights[i] ??= make.real(result.shape)).to(result.dtype))
    return grad(results, inputs, { gradOutputs, createGraph: true, allowUnused: true })
  }
  const inputs = points.map((point, i) => tensor(point, { shape: shapes[i]! }))
  const { secondOrder: _, ...rest } = options
  await gradcheck(gradient, inputs, { ...rest, seed: (options.seed ?? 0) + 3 })
}

// Integers and bools among the results, such as positions, have no derivative.
function realResultsOf(returned: unknown): Tensor[] {
  const list = returned instanceof Tensor ? [returned] : Object.values(Object(returned))
  return list.filter((item): item is Tensor => item instanceof Tensor && item.dtype.startsWith('float'))
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
