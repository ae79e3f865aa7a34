// Launches small enough to be worked out by hand.
import { expect, test } from 'vitest'
import type { Backend } from '../backend.ts'
import { bytesOf, hostArray, type DType } from '../dtype.ts'
import { BackendError } from '../errors.ts'
import { call, cast, constant, type Expr } from '../expr.ts'
import {
  strideClass,
  type Access,
  type Accumulator,
  type Kernel,
  type Launch,
  type Store,
} from '../kernel.ts'
import { createInterpreter } from './index.ts'

interface Argument {
  readonly role?: 'input' | 'output' | 'position'
  readonly dtype?: DType
  /** What the buffer holds at first; nothing for a position. */
  readonly data?: readonly number[]
  /** Uses the buffer of another argument. */
  readonly over?: number
  readonly strides: readonly number[]
  readonly offset?: number
}

interface Case {
  readonly outer?: readonly number[]
  readonly inner?: readonly number[]
  readonly args: readonly Argument[]
  readonly numbers?: readonly { dtype: DType; value: number }[]
  readonly stages?: readonly (readonly Accumulator[])[]
  readonly stores: readonly Store[]
  readonly round?: boolean
}

/** Runs a launch and gives the contents of every buffer afterwards. */
async function run(given: Case): Promise<number[][]> {
  const { outer = [], inner = [], args, numbers = [], stages = [], stores, round = false } = given
  const backend: Backend = createInterpreter({ round })
  const sizes = [...outer, ...inner]
  const accesses = args.map(({ strides, offset = 0 }): Access => ({ strides, offset }))
  const kernel: Kernel = {
    outerRank: outer.length,
    innerRank: inner.length,
    args: args.map(({ role = 'input', dtype = role === 'position' ? 'int32' : 'float32', strides }) => ({
      role,
      dtype,
      classes: strides.map((stride, axis) => strideClass(stride, sizes[axis]!)),
    })),
    numbers: numbers.map(({ dtype }) => dtype),
    stages: stages.map((accumulators) => ({ accumulators })),
    stores,
  }
  const slots = args.map(({ role, over }, i) => (role === 'position' ? -1 : (over ?? i)))
  const places = args.map(({ data = [], dtype = 'float32' }) => {
    const place = backend.allocate(data.length * bytesOf(dtype))
    backend.write(place, dtype, hostArray(dtype, data))
    return place
  })
  const launch: Launch = { kernel, sizes, accesses, slots, numbers: numbers.map((_, i) => i) }
  backend.kernel(launch).run(
    places,
    numbers.map(({ value }) => value),
  )
  return Promise.all(
    args.map(async ({ data = [], dtype = 'float32' }, i) => [
      ...(await backend.read(places[i]!, dtype, data.length)),
    ]),
  )
}

const load = (arg: number, dtype: DType = 'float32'): Expr => ({ kind: 'load', arg, dtype })
const number = (index: number, dtype: DType = 'float32'): Expr => ({ kind: 'number', index, dtype })
const accumulator = (stage: number, index = 0, dtype: DType = 'float32'): Expr => ({
  kind: 'accumulator',
  stage,
  index,
  dtype,
})
const zeros = (length: number): number[] => Array.from({ length }, () => 0)

/** Applies an expression of one or two inputs to arrays. */
async function apply(
  expr: (a: Expr, b: Expr) => Expr,
  dtype: DType,
  a: readonly number[],
  b: readonly number[] = a,
): Promise<number[]> {
  const value = expr(load(0, dtype), load(1, dtype))
  const results = await run({
    outer: [a.length],
    args: [
      { dtype, data: a, strides: [1] },
      { dtype, data: b, strides: [1] },
      { role: 'output', dtype: value.dtype, data: zeros(a.length), strides: [1] },
    ],
    stores: [{ level: 'element', arg: 2, value }],
  })
  return results[2]!
}

test('softmax: two stages with a stash, then a store, row by row', async () => {
  const exponential = call('exp', call('sub', load(0), accumulator(0)))
  const [, y] = await run({
    outer: [2],
    inner: [3],
    args: [
      { data: [Math.log(1), Math.log(2), Math.log(5), 1000, 1000, -Infinity], strides: [3, 1] },
      { role: 'output', data: zeros(6), strides: [3, 1] },
    ],
    stages: [
      [{ fn: 'max', value: load(0), dtype: 'float32' }],
      [{ fn: 'sum', value: exponential, dtype: 'float32', stash: 1 }],
    ],
    stores: [{ level: 'element', arg: 1, value: call('div', load(1), accumulator(1)) }],
  })
  expect(y!.slice(3)).toEqual([0.5, 0.5, 0])
  ;[1 / 8, 2 / 8, 5 / 8].forEach((expected, i) => expect(y![i]).toBeCloseTo(expected, 6))
})

test('column sums: the outer axis walks columns, the inner one rows', async () => {
  const [, sums] = await run({
    outer: [3],
    inner: [2],
    args: [
      { data: [1, 2, 3, 10, 20, 30], strides: [1, 3] },
      { role: 'output', data: zeros(3), strides: [1, 0] },
    ],
    stages: [[{ fn: 'sum', value: load(0), dtype: 'float32' }]],
    stores: [{ level: 'row', arg: 1, value: accumulator(0) }],
  })
  expect(sums).toEqual([11, 22, 33])
})

test('several reductions in one stage, over two inner axes', async () => {
  const fns = ['sum', 'prod', 'max', 'min'] as const
  const results = await run({
    inner: [2, 2],
    args: [
      { data: [3, -1, 4, 2], strides: [2, 1] },
      ...fns.map((): Argument => ({ role: 'output', data: [0], strides: [0, 0] })),
    ],
    stages: [fns.map((fn): Accumulator => ({ fn, value: load(0), dtype: 'float32' }))],
    stores: fns.map((_, i): Store => ({ level: 'row', arg: i + 1, value: accumulator(0, i) })),
  })
  expect(results.slice(1)).toEqual([[8], [-24], [4], [-1]])
})

test('reductions over nothing give the identity', async () => {
  const identities = async (dtype: DType): Promise<number[]> => {
    const fns = ['sum', 'prod', 'max', 'min'] as const
    const results = await run({
      outer: [1],
      inner: [0],
      args: [
        { dtype, data: [], strides: [0, 1] },
        ...fns.map((): Argument => ({ role: 'output', dtype, data: [7], strides: [1, 0] })),
      ],
      stages: [fns.map((fn): Accumulator => ({ fn, value: load(0, dtype), dtype }))],
      stores: fns.map((_, i): Store => ({ level: 'row', arg: i + 1, value: accumulator(0, i, dtype) })),
    })
    return results.slice(1).map(([value]) => value!)
  }
  expect(await identities('float32')).toEqual([0, 1, -Infinity, Infinity])
  expect(await identities('float64')).toEqual([0, 1, -Infinity, Infinity])
  expect(await identities('int32')).toEqual([0, 1, -2147483648, 2147483647])
  expect(await identities('bool')).toEqual([0, 1, 0, 1])
})

test('an empty outer space writes nothing', async () => {
  const results = await run({
    outer: [0],
    inner: [2],
    args: [{ role: 'output', data: [5, 6], strides: [2, 1] }],
    stores: [{ level: 'element', arg: 0, value: constant(1, 'float32') }],
  })
  expect(results[0]).toEqual([5, 6])
})

test('positions are values: offset + sum of index times stride', async () => {
  const results = await run({
    outer: [2],
    inner: [3],
    args: [
      { role: 'position', strides: [10, -1], offset: 5 },
      { role: 'output', dtype: 'int32', data: zeros(6), strides: [3, 1] },
    ],
    stores: [{ level: 'element', arg: 1, value: load(0, 'int32') }],
  })
  expect(results[1]).toEqual([5, 4, 3, 15, 14, 13])
})

test('strides in and out: a transpose into every second element, read backwards', async () => {
  const results = await run({
    outer: [2],
    inner: [2],
    args: [
      // Row-major [2, 2] read from its end: flipped along both axes, and transposed by the order of the strides.
      { data: [1, 2, 3, 4], strides: [-1, -2], offset: 3 },
      { role: 'output', data: zeros(8), strides: [4, 2], offset: 1 },
    ],
    stores: [{ level: 'element', arg: 1, value: load(0) }],
  })
  expect(results[1]).toEqual([0, 4, 0, 2, 0, 3, 0, 1])
})

test('float64 elements keep their precision and their strides', async () => {
  const results = await run({
    outer: [3],
    args: [
      { dtype: 'float64', data: [0.1, 0.2, 0.3], strides: [-1], offset: 2 },
      { role: 'output', dtype: 'float64', data: zeros(6), strides: [2] },
    ],
    stores: [{ level: 'element', arg: 1, value: call('mul', load(0, 'float64'), 3) }],
  })
  expect(results[1]).toEqual([0.3 * 3, 0, 0.2 * 3, 0, 0.1 * 3, 0])
})

test('a row value sees the row at its start, and numbers of the run', async () => {
  const results = await run({
    outer: [2],
    inner: [2],
    args: [
      { data: [1, 2, 3, 4], strides: [2, 1] },
      { data: [10, 20], strides: [1, 0] },
      { role: 'output', data: zeros(2), strides: [1, 0] },
    ],
    numbers: [{ dtype: 'float32', value: 0.5 }],
    stages: [[{ fn: 'sum', value: load(0), dtype: 'float32' }]],
    stores: [{ level: 'row', arg: 2, value: call('add', load(1), call('mul', accumulator(0), number(0))) }],
  })
  expect(results[2]).toEqual([11.5, 23.5])
})

test('outputs that lie over inputs: every value of a place is computed before any is stored', async () => {
  const results = await run({
    outer: [2],
    args: [
      { data: [1, 2], strides: [1] },
      { data: [10, 20], strides: [1] },
      { role: 'output', over: 0, strides: [1] },
      { role: 'output', over: 1, strides: [1] },
    ],
    stores: [
      { level: 'element', arg: 2, value: load(1) },
      { level: 'element', arg: 3, value: load(0) },
    ],
  })
  expect(results.slice(0, 2)).toEqual([
    [10, 20],
    [1, 2],
  ])
})

test('int32 arithmetic wraps to 32 bits without losing low bits', async () => {
  const lowest = -2147483648
  expect(await apply((a, b) => call('add', a, b), 'int32', [2147483647], [1])).toEqual([lowest])
  expect(await apply((a, b) => call('mul', a, b), 'int32', [123456789], [987654321])).toEqual([-67153019])
  expect(await apply((a) => call('square', a), 'int32', [123456789])).toEqual([-1757895751])
  expect(await apply((a) => call('neg', a), 'int32', [lowest])).toEqual([lowest])
  expect(
    await apply((a, b) => call('pow', a, b), 'int32', [3, -2, 2, -1, 7, 0], [21, 3, -1, -3, 0, -1]),
  ).toEqual([1870418611, -8, 0, -1, 1, 0])
  expect(
    await apply((a, b) => call('floorDivide', a, b), 'int32', [7, -7, 7, 5, lowest], [2, 2, -2, 0, -1]),
  ).toEqual([3, -4, -4, 0, lowest])
  expect(await apply((a, b) => call('remainder', a, b), 'int32', [7, -7, 7, 5], [3, 3, -3, 0])).toEqual([
    1, 2, -2, 0,
  ])
  expect(await apply((a, b) => call('fmod', a, b), 'int32', [7, -7, 7, 5], [3, 3, -3, 0])).toEqual([
    1, -1, 1, 0,
  ])
  const results = await run({
    inner: [3],
    args: [
      { dtype: 'int32', data: [2147483647, 1, 5], strides: [1] },
      { role: 'output', dtype: 'int32', data: [0], strides: [0] },
      { role: 'output', dtype: 'int32', data: [0], strides: [0] },
    ],
    stages: [
      [
        { fn: 'sum', value: load(0, 'int32'), dtype: 'int32' },
        { fn: 'prod', value: load(0, 'int32'), dtype: 'int32' },
      ],
    ],
    stores: [
      { level: 'row', arg: 1, value: accumulator(0, 0, 'int32') },
      { level: 'row', arg: 2, value: accumulator(0, 1, 'int32') },
    ],
  })
  expect(results.slice(1)).toEqual([[-2147483643], [2147483643]])
})

test('casts: truncation stops at the ends of int32, NaN becomes 0; to bool is "not zero"', async () => {
  const floats = [1.9, -1.9, 3e9, -3e9, NaN, Infinity]
  expect(await apply((a) => cast(a, 'int32'), 'float32', floats)).toEqual([
    1, -1, 2147483647, -2147483648, 0, 2147483647,
  ])
  expect(await apply((a) => cast(a, 'bool'), 'float32', [0, -0, 0.5, NaN])).toEqual([0, 0, 1, 1])
  expect(await apply((a) => cast(a, 'float32'), 'bool', [0, 1])).toEqual([0, 1])
  expect(await apply((a) => cast(a, 'float64'), 'int32', [-5, 7])).toEqual([-5, 7])
})

test('NaN wins in maximum and minimum, and in their reductions', async () => {
  expect(await apply((a, b) => call('max', a, b), 'float32', [NaN, 1, 2], [1, NaN, 3])).toEqual([NaN, NaN, 3])
  expect(await apply((a, b) => call('min', a, b), 'float32', [NaN, 1, 2], [1, NaN, 3])).toEqual([NaN, NaN, 2])
  const results = await run({
    inner: [3],
    args: [
      { data: [1, NaN, 2], strides: [1] },
      { role: 'output', data: [0], strides: [0] },
    ],
    stages: [[{ fn: 'max', value: load(0), dtype: 'float32' }]],
    stores: [{ level: 'row', arg: 1, value: accumulator(0) }],
  })
  expect(results[1]).toEqual([NaN])
})

test('where chooses by its condition and takes the type of the others', async () => {
  const positive = (a: Expr): Expr => call('where', call('gt', a, 0), a, call('neg', a))
  expect(await apply(positive, 'int32', [3, -4])).toEqual([3, 4])
  expect(await apply((a) => call('where', a, constant(2, 'float32'), 3), 'bool', [1, 0])).toEqual([2, 3])
})

test('float32 keeps float64 precision between kernels unless rounding is asked for', async () => {
  // 0.1 goes through a float32 buffer and comes back as float64.
  const keep = async (round: boolean): Promise<number> => {
    const results = await run({
      inner: [1],
      round,
      args: [
        { role: 'output', data: [0], strides: [1] },
        { role: 'output', dtype: 'float64', data: [0], strides: [1] },
      ],
      numbers: [{ dtype: 'float64', value: 0.1 }],
      stages: [[{ fn: 'sum', value: number(0, 'float64'), dtype: 'float64', stash: 0 }]],
      stores: [{ level: 'element', arg: 1, value: cast(load(0), 'float64') }],
    })
    return results[1]![0]!
  }
  expect(await keep(false)).toBe(0.1)
  expect(await keep(true)).toBe(Math.fround(0.1))
})

test('a deep graph of shared values is computed once per value', async () => {
  // Sixty doublings as a tree would be 2^60 steps.
  const doubled = (a: Expr): Expr => Array.from({ length: 60 }).reduce<Expr>((x) => call('add', x, x), a)
  expect(await apply(doubled, 'float64', [1])).toEqual([2 ** 60])
})

test('a chain of many thousand calls needs no deep stack', async () => {
  const chained = (a: Expr): Expr => Array.from({ length: 50_000 }).reduce<Expr>((x) => call('add', x, 1), a)
  expect(await apply(chained, 'float64', [1, 2])).toEqual([50_001, 50_002])
})

test('a launch that leaves its buffers is refused', async () => {
  const outside = run({
    outer: [4],
    args: [
      { data: [1, 2, 3], strides: [1] },
      { role: 'output', data: zeros(4), strides: [1] },
    ],
    stores: [{ level: 'element', arg: 1, value: load(0) }],
  })
  await expect(outside).rejects.toThrow(BackendError)
})
