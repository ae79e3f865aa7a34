// Reading inputs on the host, for metrics that need all values at once: sorting, counting pairs, comparing lists. Numbers
// given as typed or plain arrays keep their precision; tensors are read.
import { formatShape, ShapeError, ValueError, type Shape } from '@nabla/engine'
import { Tensor, tensor, Variable } from '@nabla/tensor'
import { toInput, type MetricInput } from './metric.ts'

/** Elements in float64, row-major, with their shape. */
export interface HostValues {
  readonly data: Float64Array
  readonly shape: Shape
}

/** The elements of an input of any shape. */
export async function hostValues(input: MetricInput): Promise<HostValues> {
  const isTensor = input instanceof Tensor || input instanceof Variable
  const x = isTensor ? toInput(input) : tensor(input, { dtype: 'float64' })
  return { data: Float64Array.from(await x.data()), shape: x.shape }
}

/**
 * Inputs of equally many elements.
 * @throws ShapeError naming both when they differ, ValueError when there are none
 */
export async function hostPair(
  metric: string,
  first: MetricInput,
  second: MetricInput,
): Promise<[HostValues, HostValues]> {
  const [a, b] = await Promise.all([hostValues(first), hostValues(second)])
  if (a.data.length !== b.data.length) {
    throw new ShapeError(
      `${metric}: inputs of shapes ${formatShape(a.shape)} and ${formatShape(b.shape)} do not fit`,
    )
  }
  if (a.data.length === 0)
    throw new ValueError(`${metric}: there is nothing to compute: the inputs are empty`)
  return [a, b]
}

/** The weights of `count` elements: ones, where none are given. @throws ShapeError for another number of them */
export async function hostWeights(
  metric: string,
  count: number,
  given: MetricInput | undefined,
): Promise<Float64Array> {
  if (given === undefined) return new Float64Array(count).fill(1)
  const { data, shape } = await hostValues(given)
  if (data.length === count) return data
  throw new ShapeError(`${metric}: sampleWeight ${formatShape(shape)} does not fit ${count} elements`)
}

/** The rows of a matrix. @throws ShapeError for another rank */
export function rowsOf(metric: string, { data, shape }: HostValues): Float64Array[] {
  if (shape.length !== 2)
    throw new ShapeError(`${metric}: expected a matrix [N, C]; got ${formatShape(shape)}`)
  const [rows, columns] = shape as [number, number]
  return Array.from({ length: rows }, (_, row) => data.subarray(row * columns, (row + 1) * columns))
}

/** Positions 0 to n - 1 by falling value; those of equal value in their order. */
export function byFallingValue(values: Float64Array): number[] {
  return Array.from(values.keys()).sort((a, b) => values[b]! - values[a]!)
}

/** Sum of all elements. */
export function sumOf(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]!
  return sum
}

/** Mean of all elements. */
export function meanOf(values: ArrayLike<number>): number {
  return sumOf(values) / values.length
}
