// Random tensors. Numbers are counter-based (Philox 4x32-10): a generator holds a key and counts its calls, and each call
// hands both over at run time. So every step draws anew, nothing is compiled for it, and equal seeds give equal streams on
// every backend. Not here: dropout, which is made of these.
import {
  checkDType,
  checkShape,
  noAttributes,
  sizeOf,
  ValueError,
  type DType,
  type Shape,
} from '@nabla/engine'
import {
  createOp,
  defineFree,
  numberTensor,
  toTensor,
  type FreeFunction,
  type TensorLike,
  type TensorOp,
} from '../op.ts'
import { makeHostLeaf, makeNode, Tensor } from '../tensor.ts'
import { alongRows } from './common.ts'

/** A stream of random numbers: equal seeds give equal draws. */
export class Generator {
  #key: readonly [number, number]
  #calls = 0

  /** @param seed a whole number from 0 to 2^53 - 1 */
  constructor(seed: number) {
    this.#key = keyOf(seed)
  }

  /** Starts the stream of a seed from its beginning. */
  seed(seed: number): void {
    this.#key = keyOf(seed)
    this.#calls = 0
  }

  /** Key and counter of the next draw. */
  next(): readonly [key0: number, key1: number, counter0: number, counter1: number] {
    const call = this.#calls++
    return [this.#key[0], this.#key[1], call >>> 0, Math.floor(call / 2 ** 32) >>> 0]
  }

  /** How far the stream has been used, to store with a checkpoint. */
  get state(): { key: readonly [number, number]; calls: number } {
    return { key: this.#key, calls: this.#calls }
  }

  /** Goes on where another generator was. */
  set state(state: { key: readonly [number, number]; calls: number }) {
    this.#key = [state.key[0], state.key[1]]
    this.#calls = state.calls
  }
}

function keyOf(seed: number): readonly [number, number] {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new ValueError(`a seed must be a whole number from 0 to 2^53 - 1; got ${String(seed)}`)
  return [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0]
}

/** The generator used where none is given. Starts from 0, so that programs repeat themselves. */
export const defaultGenerator: Generator = new Generator(0)

/** Seeds {@link defaultGenerator}. */
export function manualSeed(seed: number): void {
  defaultGenerator.seed(seed)
}

/** What random functions take last. */
export interface RandomOptions {
  /** Default float32. */
  dtype?: DType
  generator?: Generator
}

const randomOp = (distribution: 'uniform' | 'normal'): TensorOp =>
  createOp(
    distribution,
    {
      kind: 'routine',
      operands: [],
      specify: ({ shape, dtype, slots, numbers }) => ({
        name: 'random',
        distribution,
        dtype,
        length: sizeOf(shape),
        numbers: [numbers[0]!, numbers[1]!, numbers[2]!, numbers[3]!],
        slots: [slots[0]!],
      }),
    },
    null,
  )
const uniformOp = randomOp('uniform')
const normalOp = randomOp('normal')

function draw(op: TensorOp, name: string, shape: Shape, options: RandomOptions | undefined): Tensor {
  checkShape(name, shape)
  const dtype = checkDType(options?.dtype ?? 'float32')
  if (dtype !== 'float32' && dtype !== 'float64')
    throw new ValueError(`${name}: dtype must be float32 or float64; got ${dtype}`)
  const stream = (options?.generator ?? defaultGenerator).next()
  const drawn = makeNode(
    op,
    stream.map((word) => numberTensor(word, 'float64')),
    noAttributes,
    [...shape],
    dtype,
  )
  draws?.add(drawn)
  return drawn
}

// The draws made inside of `collectDraws`; null outside.
let draws: Set<Tensor> | null = null

/** Runs `fn` and says which random tensors it drew: for functions that are traced to be transformed. */
export function collectDraws<T>(fn: () => T): { result: T; drawn: ReadonlySet<Tensor> } {
  const outer = draws
  const drawn = new Set<Tensor>()
  draws = drawn
  try {
    return { result: fn(), drawn }
  } finally {
    draws = outer
    for (const tensor of drawn) outer?.add(tensor)
  }
}

/** Uniform numbers in [0, 1). */
export const rand: FreeFunction<(shape: Shape, options?: RandomOptions) => Tensor> = defineFree({
  name: 'rand',
  call: (shape: Shape, options?: RandomOptions) => draw(uniformOp, 'rand', shape, options),
  samples: () => [
    [[3, 5], { generator: new Generator(1) }],
    [[], { generator: new Generator(2) }],
    [[0], { generator: new Generator(3) }],
  ],
  wrong: [
    {
      args: () => [[2], { dtype: 'int32' }],
      error: 'ValueError',
      message: /rand: dtype must be float32 or float64/,
    },
    { args: () => [[-2]], error: 'ValueError', message: /rand: sizes must be/ },
  ],
})

/** Standard normal numbers (mean 0, deviation 1). */
export const randn: FreeFunction<(shape: Shape, options?: RandomOptions) => Tensor> = defineFree({
  name: 'randn',
  call: (shape: Shape, options?: RandomOptions) => draw(normalOp, 'randn', shape, options),
  samples: () => [
    [[3, 5], { generator: new Generator(1) }],
    [[7], { generator: new Generator(2), dtype: 'float64' }],
  ],
})

/** Uniform numbers in [low, high). */
export const uniform: FreeFunction<
  (low: number, high: number, shape: Shape, options?: RandomOptions) => Tensor
> = defineFree({
  name: 'uniform',
  call: (low: number, high: number, shape: Shape, options?: RandomOptions) => {
    if (!(low <= high)) throw new ValueError(`uniform: low ${low} must not lie above high ${high}`)
    return draw(uniformOp, 'uniform', shape, options)
      .mul(high - low)
      .add(low)
  },
  samples: () => [[-2, 3, [4], { generator: new Generator(1) }]],
  wrong: [
    { args: () => [1, 0, [2]], error: 'ValueError', message: /uniform: low 1 must not lie above high 0/ },
  ],
})

/** Normal numbers with the given mean and standard deviation, which may be tensors that broadcast to the shape. */
export const normal: FreeFunction<
  (mean: TensorLike, deviation: TensorLike, shape: Shape, options?: RandomOptions) => Tensor
> = defineFree({
  name: 'normal',
  call: (mean: TensorLike, deviation: TensorLike, shape: Shape, options?: RandomOptions) => {
    if (typeof deviation === 'number' && !(deviation >= 0))
      throw new ValueError(`normal: the deviation must not be negative; got ${deviation}`)
    return draw(normalOp, 'normal', shape, options).mul(deviation).add(mean)
  },
  samples: () => [[1, 2, [4], { generator: new Generator(1) }]],
  wrong: [
    { args: () => [0, -1, [2]], error: 'ValueError', message: /normal: the deviation must not be negative/ },
  ],
})

/** Whole numbers (int32) from `low` up to and without `high`, at most 2^24 different ones. */
export const randint: FreeFunction<
  (low: number, high: number, shape: Shape, options?: RandomOptions) => Tensor
> = defineFree({
  name: 'randint',
  call: (low: number, high: number, shape: Shape, options?: RandomOptions) => {
    if (!Number.isInteger(low) || !Number.isInteger(high) || high <= low || high - low > 2 ** 24) {
      throw new ValueError(
        `randint: low and high must be whole numbers, high above low by at most 2^24; got ${low}, ${high}`,
      )
    }
    // In float64, where neither the product nor the sum can round up to the next number.
    const real = draw(uniformOp, 'randint', shape, { ...options, dtype: 'float64' })
    return real
      .mul(high - low)
      .floor()
      .to('int32')
      .add(low)
      .to(options?.dtype ?? 'int32')
  },
  samples: () => [[-3, 4, [10], { generator: new Generator(1) }]],
  wrong: [{ args: () => [3, 3, [2]], error: 'ValueError', message: /randint: low and high/ }],
})

/** true with probability `p` (a tensor of probabilities, or a number together with a shape). */
export const bernoulli: FreeFunction<(p: TensorLike, shape?: Shape, options?: RandomOptions) => Tensor> =
  defineFree({
    name: 'bernoulli',
    call: (p: TensorLike, shape?: Shape, options?: RandomOptions) => {
      if (typeof p === 'number' && !(p >= 0 && p <= 1))
        throw new ValueError(`bernoulli: p must lie in [0, 1]; got ${p}`)
      const probabilities = typeof p === 'number' ? p : toTensor('bernoulli', p)
      const size = shape ?? (probabilities instanceof Tensor ? probabilities.shape : [])
      return draw(uniformOp, 'bernoulli', size, { ...options, dtype: 'float32' })
        .lt(probabilities)
        .to(options?.dtype ?? 'bool')
    },
    samples: (make) => [
      [0.3, [5, 2], { generator: new Generator(1) }],
      {
        args: [make.real([6], { low: 0, high: 1 }), undefined, { generator: new Generator(1) }],
        gradient: false,
      },
    ],
    wrong: [{ args: () => [1.5, [2]], error: 'ValueError', message: /bernoulli: p must lie in \[0, 1\]/ }],
  })

/** The numbers from 0 to n - 1 (int32) in random order. */
export const randperm: FreeFunction<(n: number, options?: Omit<RandomOptions, 'dtype'>) => Tensor> =
  defineFree({
    name: 'randperm',
    call: (n: number, options?: Omit<RandomOptions, 'dtype'>) => {
      checkShape('randperm', [n])
      if (n === 0) return makeHostLeaf(new Int32Array(0), [0], 'int32')
      // Two draws make 48 bits, so that equal sort keys (which would favour the earlier one) practically never meet.
      const coarse = draw(uniformOp, 'randperm', [n], { ...options, dtype: 'float64' })
      const fine = draw(uniformOp, 'randperm', [n], { ...options, dtype: 'float64' })
      return makeNode(permutationOp, [coarse.add(fine.mul(2 ** -24))], noAttributes, [n], 'int32')
    },
    samples: () => [
      [10, { generator: new Generator(1) }],
      [1, { generator: new Generator(1) }],
    ],
    wrong: [{ args: () => [-1], error: 'ValueError', message: /randperm: sizes must be/ }],
  })

const permutationOp: TensorOp = createOp(
  'randperm',
  {
    kind: 'routine',
    operands: ['rowMajor'],
    specify: ({ shape, slots }) => ({
      name: 'argsort',
      dtype: 'float64',
      rows: sizeOf(shape.slice(0, -1)),
      length: shape[shape.length - 1]!,
      descending: false,
      slots: [slots[0]!, slots[1]!],
    }),
  },
  null,
  alongRows,
)
