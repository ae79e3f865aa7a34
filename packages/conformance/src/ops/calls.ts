// Sample calls of the op table as the tests use them: run on a backend, with the tensors among the arguments replaced, and
// results compared. Read next: ../ops.test.ts.
import {
  isFloating,
  setBackend,
  sizeOf,
  type Backend,
  type DType,
  type Shape,
  type TypedArray,
} from '@nabla/engine'
import {
  manualSeed,
  SampleMaker,
  tensor,
  Tensor,
  type OpFacts,
  type Sample,
  type Tolerance,
} from '@nabla/tensor'

/** A function of the op table, whatever its arguments. */
export type Callable = ((...args: unknown[]) => unknown) & { readonly op: OpFacts; readonly method: boolean }

/** A result that has been computed. */
export interface Computed {
  readonly shape: Shape
  readonly dtype: DType
  readonly data: TypedArray
}

/** The seed of all samples: failures repeat themselves. */
const sampleSeed = 11

/** The samples of an op, made anew: tensors of one backend's plans are not used on another. */
export function samplesOf(fn: Callable, dtype: 'float32' | 'float64' = 'float32'): readonly Sample[] {
  return fn.op.samples(new SampleMaker(sampleSeed, dtype))
}

/** The arguments of a sample, and whether small steps can be tried on it. */
export function partsOf(sample: Sample): { args: readonly unknown[]; gradient: boolean } {
  return 'args' in sample ? { args: sample.args, gradient: false } : { args: sample, gradient: true }
}

/** The tensors in what a function returned: one, several, or the fields of an object. */
export function tensorsOf(returned: unknown): Tensor[] {
  if (returned instanceof Tensor) return [returned]
  return Object.values(Object(returned) as object).filter((item): item is Tensor => item instanceof Tensor)
}

/** Calls on a backend and computes the results. The stream of random numbers starts anew. */
export async function compute(backend: Backend, call: () => unknown): Promise<Computed[]> {
  setBackend(backend)
  manualSeed(0)
  const results = tensorsOf(await call())
  return Promise.all(
    results.map(async (result) => ({ shape: result.shape, dtype: result.dtype, data: await result.data() })),
  )
}

/** The same arguments with other tensors in their places, also inside of arrays and option objects. */
export function mapTensors(value: unknown, replace: (tensor: Tensor) => Tensor): unknown {
  if (value instanceof Tensor) return replace(value)
  if (Array.isArray(value)) return value.map((item) => mapTensors(item, replace))
  if (!isPlainObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapTensors(item, replace)]))
}

/** The tensors among arguments, in the order in which {@link mapTensors} meets them. */
export function tensorsIn(args: unknown): Tensor[] {
  const found: Tensor[] = []
  mapTensors(args, (tensor) => {
    found.push(tensor)
    return tensor
  })
  return found
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/**
 * The same elements lying otherwise: in reverse order of dimensions, every second one along the last, from the second on,
 * with nonsense between. Scalars stay as they are.
 */
export function scattered(data: TypedArray, shape: Shape, dtype: DType): Tensor {
  const rank = shape.length
  if (rank === 0) return tensor(data, { shape, dtype })
  const reversed = [...shape].reverse()
  const base = reversed.map((size, dim) => (dim === rank - 1 ? 2 * size + 1 : size))
  const nonsense = isFloating(dtype) ? NaN : dtype === 'bool' ? 1 : 7_777_777
  const elements = new Float64Array(sizeOf(base)).fill(nonsense)
  const index = shape.map(() => 0)
  for (const element of data) {
    let place = 0
    for (let dim = rank - 1; dim >= 0; dim--) {
      place = place * base[rank - 1 - dim]! + (dim === 0 ? 2 * index[0]! + 1 : index[dim]!)
    }
    elements[place] = element
    for (let dim = rank - 1; dim >= 0 && ++index[dim]! === shape[dim]; dim--) index[dim] = 0
  }
  const whole = tensor(elements, { shape: base, dtype })
  const order = shape.map((_, dim) => rank - 1 - dim)
  return whole.slice(rank - 1, 1, undefined, 2).permute(order)
}

/** Says where two results differ by more than an op allows; null where they agree. */
export function differenceOf(
  actual: readonly Computed[],
  expected: readonly Computed[],
  tolerance: Tolerance,
): string | null {
  if (actual.length !== expected.length) return `${actual.length} results instead of ${expected.length}`
  for (const [i, { shape, dtype, data }] of expected.entries()) {
    const other = actual[i]!
    if (other.shape.join() !== shape.join())
      return `result ${i} is [${other.shape.join()}], not [${shape.join()}]`
    if (other.dtype !== dtype) return `result ${i} is ${other.dtype}, not ${dtype}`
    if (other.data.length !== sizeOf(shape))
      return `result ${i} has ${other.data.length} elements, not ${sizeOf(shape)}`
    const exact = !isFloating(dtype)
    const at = data.findIndex((value, element) => !isClose(other.data[element]!, value, tolerance, exact))
    if (at >= 0) return `result ${i}, element ${at}: ${other.data[at]} instead of ${data[at]}`
  }
  return null
}

function isClose(
  actual: number,
  expected: number,
  { relative, absolute }: Tolerance,
  exact: boolean,
): boolean {
  if (Object.is(actual, expected) || actual === expected) return true
  return !exact && Math.abs(actual - expected) <= absolute + relative * Math.abs(expected)
}
