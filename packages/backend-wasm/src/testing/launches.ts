// For tests: builds launches by hand, runs them on any backend and gives back what its buffers hold afterwards. Output
// buffers begin with a filler, so that a write outside of the output shows. Not part of the package's API.
import {
  hostArray,
  strideClass,
  type Access,
  type Accumulator,
  type AccumulatorExpr,
  type Backend,
  type DType,
  type Expr,
  type Kernel,
  type KernelArgument,
  type Launch,
  type LoadExpr,
  type NumberExpr,
  type ReduceFunction,
  type Stage,
  type Store,
  type StrideClass,
  type TypedArray,
} from '@nabla/engine'

/** What output buffers hold before a launch. */
const filler = 77

/** A launch with the contents of its buffers and its numbers. */
export interface TestLaunch {
  readonly launch: Launch
  readonly buffers: readonly { readonly dtype: DType; readonly data: TypedArray }[]
  readonly numbers: readonly number[]
}

/** Where an argument lies: strides per axis (outer first) and an offset, in elements. */
export interface Place {
  readonly strides: readonly number[]
  readonly offset?: number
}

/** Collects the parts of a launch over axes of the given sizes. */
export class LaunchBuilder {
  readonly #outer: readonly number[]
  readonly #inner: readonly number[]
  readonly #args: KernelArgument[] = []
  readonly #accesses: Access[] = []
  readonly #slots: number[] = []
  readonly #buffers: { dtype: DType; data: TypedArray }[] = []
  readonly #numberTypes: DType[] = []
  readonly #numbers: number[] = []
  readonly #stages: Stage[] = []
  readonly #stores: Store[] = []

  constructor(outer: readonly number[], inner: readonly number[]) {
    this.#outer = outer
    this.#inner = inner
  }

  /** An input over a buffer of its own. */
  input(dtype: DType, data: ArrayLike<number>, place: Place): LoadExpr {
    return this.inputAt(dtype, this.buffer(dtype, data), place)
  }

  /** An input over an existing buffer. */
  inputAt(dtype: DType, slot: number, place: Place): LoadExpr {
    return { kind: 'load', arg: this.#argument('input', dtype, slot, place), dtype }
  }

  /** An output with a buffer of `length` elements; the number of the argument. */
  output(dtype: DType, length: number, place: Place): number {
    return this.outputAt(
      dtype,
      this.buffer(
        dtype,
        Array.from({ length }, () => (dtype === 'bool' ? 1 : filler)),
      ),
      place,
    )
  }

  /** An output over an existing buffer; the number of the argument. */
  outputAt(dtype: DType, slot: number, place: Place): number {
    return this.#argument('output', dtype, slot, place)
  }

  /** The value `offset + sum(index * stride)` itself. */
  position(place: Place): LoadExpr {
    return { kind: 'load', arg: this.#argument('position', 'int32', -1, place), dtype: 'int32' }
  }

  /** A number handed over at the run. */
  number(dtype: DType, value: number): NumberExpr {
    this.#numbers.push(value)
    return { kind: 'number', index: this.#numberTypes.push(dtype) - 1, dtype }
  }

  /** A buffer; its slot. */
  buffer(dtype: DType, data: ArrayLike<number>): number {
    // What a bool array holds is 0 or 1.
    const elements = dtype === 'bool' ? Array.from(data, (value) => (value !== 0 ? 1 : 0)) : data
    return this.#buffers.push({ dtype, data: hostArray(dtype, elements) }) - 1
  }

  /** A stage of one reduction. */
  reduce(fn: ReduceFunction, value: Expr, stash?: number): AccumulatorExpr {
    return this.stage([
      stash === undefined ? { fn, value, dtype: value.dtype } : { fn, value, dtype: value.dtype, stash },
    ])[0]!
  }

  /** A stage of several reductions. */
  stage(accumulators: readonly Accumulator[]): AccumulatorExpr[] {
    const stage = this.#stages.push({ accumulators }) - 1
    return accumulators.map(({ dtype }, index) => ({ kind: 'accumulator', stage, index, dtype }))
  }

  /** A result once per outer item. */
  row(arg: number, value: Expr): void {
    this.#stores.push({ level: 'row', arg, value })
  }

  /** A result at every inner position. */
  element(arg: number, value: Expr): void {
    this.#stores.push({ level: 'element', arg, value })
  }

  /** The launch. `classOf` may declare fewer facts than the strides would allow. */
  build(classOf: (stride: number, size: number) => StrideClass = strideClass): TestLaunch {
    const sizes = [...this.#outer, ...this.#inner]
    const kernel: Kernel = {
      outerRank: this.#outer.length,
      innerRank: this.#inner.length,
      args: this.#args.map((arg, i) => ({
        ...arg,
        classes: this.#accesses[i]!.strides.map((stride, axis) => classOf(stride, sizes[axis]!)),
      })),
      numbers: this.#numberTypes,
      stages: this.#stages,
      stores: this.#stores,
    }
    const numbers = this.#numbers.map((_, i) => i)
    const launch: Launch = { kernel, sizes, accesses: this.#accesses, slots: this.#slots, numbers }
    return { launch, buffers: this.#buffers, numbers: this.#numbers }
  }

  #argument(
    role: KernelArgument['role'],
    dtype: DType,
    slot: number,
    { strides, offset = 0 }: Place,
  ): number {
    const rank = this.#outer.length + this.#inner.length
    if (strides.length !== rank) throw new Error(`${strides.length} strides for ${rank} axes`)
    this.#accesses.push({ offset, strides })
    this.#slots.push(slot)
    return this.#args.push({ role, dtype, classes: [] }) - 1
  }
}

/** Runs a launch once and returns the contents of all buffers. */
export async function runLaunch(
  backend: Backend,
  { launch, buffers, numbers }: TestLaunch,
): Promise<TypedArray[]> {
  // Eight bytes an element suffice for every type of every backend.
  const places = buffers.map(({ data }) => backend.allocate(8 * data.length + 8))
  buffers.forEach(({ dtype, data }, i) => backend.write(places[i]!, dtype, data))
  const executable = backend.kernel(launch)
  executable.run(places, numbers)
  const results: TypedArray[] = []
  for (const [i, { dtype, data }] of buffers.entries())
    results.push(await backend.read(places[i]!, dtype, data.length))
  executable.dispose()
  for (const place of places) backend.release(place)
  return results
}

/** Strides of a row-major array. */
export function rowMajor(...sizes: readonly number[]): number[] {
  const strides = sizes.map(() => 1)
  for (let i = sizes.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * sizes[i + 1]!
  return strides
}

/** Smooth numbers between -scale and scale that do not repeat. */
export function wave(length: number, scale = 3, phase = 0): number[] {
  return Array.from({ length }, (_, i) => scale * Math.sin(i * 12.9898 + i * i * 1e-3 + phase))
}
