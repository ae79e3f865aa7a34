// Contractions against plain loops: random specifications of every kind, every path, and the promise about bits.
import type { ContractSpec, DType, TypedArray } from '@nabla/engine'
import { expect, test } from 'vitest'
import { planContract } from './plan.ts'
import {
  Bench,
  caseOf,
  check,
  product,
  randomCase,
  randomValues,
  seeded,
  type Case,
  type Layout,
  type Random,
  type Sizes,
} from './testing.ts'

/** Splits a size into up to three axes. */
function axesOf(size: number, random: Random): number[] {
  const axes: number[] = []
  let rest = size
  for (const factor of [2, 3, 5, 7]) {
    if (axes.length === 2 || rest % factor > 0 || random(2) > 0) continue
    axes.push(factor)
    rest /= factor
  }
  if (rest > 1 || random(3) === 0) axes.splice(random(axes.length + 1), 0, rest)
  return axes
}

function randomSizes(random: Random, kind: number): Sizes {
  const pick = (limits: readonly number[]): number => 1 + random(limits[kind % limits.length]!)
  // Whole tiles of eight half of the time, on either side.
  const even = (size: number): number => (size > 8 && random(2) === 0 ? size - (size % 8) : size)
  return {
    batch: axesOf(random(3) === 0 ? 1 + random(4) : 1, random),
    m: axesOf(even(pick([40, 3, 12, 140, 60])), random),
    n: axesOf(even(pick([40, 300, 60, 3, 9, 600])), random),
    k: axesOf(pick([30, 60, 20, 40, 500, 8, 900]), random),
  }
}

const multiplications = ({ batch, m, n, k }: Sizes): number => product([...batch, ...m, ...n, ...k])

test('random layouts of float32 agree with plain loops', () => {
  const random = seeded(1)
  const bench = new Bench()
  const reached = new Map<string, number>()
  for (let done = 0, i = 0; done < 500; i++) {
    const sizes = randomSizes(random, i)
    if (multiplications(sizes) > 300_000) continue
    const made = randomCase(sizes, 'float32', random)
    const { path, swapped } = planContract(made.spec)
    reached.set(`${path} ${swapped}`, (reached.get(`${path} ${swapped}`) ?? 0) + 1)
    check(bench, made, random)
    done++
  }
  for (const path of ['packed', 'direct', 'row', 'dot']) {
    for (const swapped of [true, false]) expect(reached.get(`${path} ${swapped}`), path).toBeGreaterThan(3)
  }
})

test('random layouts of float64 and int32 agree with plain loops', () => {
  const random = seeded(2)
  const bench = new Bench()
  for (let i = 0; i < 200; i++) {
    const sizes = randomSizes(random, i)
    if (multiplications(sizes) > 200_000) continue
    check(bench, randomCase(sizes, i % 2 === 0 ? 'float64' : 'int32', random), random)
  }
})

/** A row-major matrix, or a transposed one, in a buffer of its own, batch after batch. */
function matrix(batch: number, rows: number, columns: number, transposed: boolean): Layout {
  const strides = [rows * columns, transposed ? 1 : columns, transposed ? rows : 1]
  return { offset: 0, strides, length: batch * rows * columns }
}

function matmul(
  batch: number,
  m: number,
  n: number,
  k: number,
  form: string,
  dtype: DType = 'float32',
): Case {
  const sizes = { batch: [batch], m: [m], n: [n], k: [k] }
  const a = matrix(batch, m, k, form[0] === 'T')
  const b = matrix(batch, k, n, form[1] === 'T')
  return caseOf(sizes, dtype, a, b, matrix(batch, m, n, form[2] === 'T'))
}

const forms = ['NNN', 'NTN', 'TNN', 'TTN', 'NNT', 'NTT', 'TNT', 'TTT']

test('matrix products in all transpositions, around the edges of tiles and blocks', () => {
  const random = seeded(3)
  const bench = new Bench()
  const reached = new Set<string>()
  const sizes = [
    [1, 1, 1, 1],
    [2, 4, 8, 4],
    [1, 5, 9, 3],
    [1, 121, 33, 7],
    [1, 13, 515, 5],
    [2, 9, 17, 385],
    [1, 64, 64, 64],
    [1, 70, 72, 400],
    [3, 1, 37, 50],
    [2, 3, 70, 800],
    [1, 90, 2, 67],
    [5, 2, 2, 16],
    [1, 2, 4100, 35],
  ] as const
  for (const [batch, m, n, k] of sizes) {
    for (const form of forms) {
      const made = matmul(batch, m, n, k, form)
      reached.add(planContract(made.spec).path)
      check(bench, made, random)
    }
  }
  expect([...reached].sort()).toEqual(['direct', 'dot', 'packed', 'row', 'strip'])
})

test('bits do not depend on layouts, batches or the swap, except where a dot path is taken', () => {
  const random = seeded(4)
  const bench = new Bench()
  const sizes = [
    [5, 300, 50],
    [17, 23, 383],
    [40, 9, 1000],
    [7, 8, 2000],
    [64, 64, 64],
    [130, 70, 400],
    [300, 5, 800],
    [2, 50, 900],
  ] as const
  for (const [m, n, k] of sizes) {
    const a = randomValues(m * k, 'float32', random)
    const b = randomValues(k * n, 'float32', random)
    const transposed = (values: TypedArray, rows: number, columns: number): TypedArray =>
      Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!)
    let first: TypedArray | undefined
    const paths = new Set<string>()
    for (const form of forms) {
      const { spec, lengths } = matmul(1, m, n, k, form)
      const plan = planContract(spec)
      if (plan.path === 'dot') continue
      paths.add(`${plan.path} ${plan.swapped}`)
      const left = form[0] === 'T' ? transposed(a, m, k) : a
      const right = form[1] === 'T' ? transposed(b, k, n) : b
      const got = bench.run(spec, left, right, lengths[2])
      // Transposing an n x m matrix gives C back from its transposed form.
      const plain = form[2] === 'T' ? transposed(got, n, m) : got
      first ??= plain
      expect(plain, `${m} x ${n} x ${k} ${form}`).toEqual(first)
    }
    const twice = Float32Array.from([...a, ...a])
    const { spec, lengths } = matmul(2, m, n, k, 'NNN')
    const batched = bench.run(spec, twice, Float32Array.from([...b, ...b]), lengths[2])
    if (planContract(spec).path !== 'dot') expect(batched.slice(m * n)).toEqual(first)
    if (m > 3 && m <= 8) expect(paths.size).toBeGreaterThan(1)
  }
})

interface Convolution {
  readonly batch: number
  readonly groups: number
  readonly inputs: number
  readonly outputs: number
  readonly size: readonly [number, number]
  readonly window: readonly [number, number]
  readonly stride: number
  readonly dilation: number
}

/** Forward convolution over an image that is padded already: windows of the image are overlapping strides. */
function convolution(c: Convolution): Case {
  const [height, width] = c.size
  const [kh, kw] = c.window
  const oh = Math.floor((height - (kh - 1) * c.dilation - 1) / c.stride) + 1
  const ow = Math.floor((width - (kw - 1) * c.dilation - 1) / c.stride) + 1
  const perGroup = c.inputs / c.groups
  const outPerGroup = c.outputs / c.groups
  const plane = height * width
  const spec: ContractSpec = {
    name: 'contract',
    dtype: 'float32',
    batch: [c.groups],
    m: [outPerGroup],
    n: [c.batch, oh, ow],
    k: [perGroup, kh, kw],
    a: { offset: 0, batch: [outPerGroup * perGroup * kh * kw], m: [perGroup * kh * kw], k: [kh * kw, kw, 1] },
    b: {
      offset: 0,
      batch: [perGroup * plane],
      k: [plane, c.dilation * width, c.dilation],
      n: [c.inputs * plane, c.stride * width, c.stride],
    },
    c: { offset: 0, batch: [outPerGroup * oh * ow], m: [oh * ow], n: [c.outputs * oh * ow, ow, 1] },
    slots: [0, 1, 2],
  }
  return {
    spec,
    lengths: [c.outputs * perGroup * kh * kw, c.batch * c.inputs * plane, c.batch * c.outputs * oh * ow],
  }
}

const convolutions: readonly Convolution[] = [
  { batch: 3, groups: 1, inputs: 2, outputs: 5, size: [9, 11], window: [3, 3], stride: 1, dilation: 1 },
  { batch: 2, groups: 1, inputs: 3, outputs: 16, size: [18, 18], window: [3, 3], stride: 1, dilation: 1 },
  { batch: 2, groups: 1, inputs: 4, outputs: 6, size: [13, 14], window: [3, 2], stride: 2, dilation: 1 },
  { batch: 2, groups: 1, inputs: 3, outputs: 4, size: [15, 13], window: [3, 3], stride: 1, dilation: 2 },
  { batch: 2, groups: 2, inputs: 6, outputs: 8, size: [10, 9], window: [3, 3], stride: 2, dilation: 2 },
  { batch: 4, groups: 1, inputs: 8, outputs: 12, size: [4, 4], window: [1, 1], stride: 2, dilation: 1 },
  { batch: 8, groups: 1, inputs: 8, outputs: 16, size: [2, 2], window: [1, 1], stride: 1, dilation: 1 },
]

test('convolutions: strides, dilations and groups', () => {
  const random = seeded(5)
  const bench = new Bench()
  for (const c of convolutions) check(bench, convolution(c), random)
})

test('gradients of convolutions: sums over image positions, windows read backwards', () => {
  const random = seeded(6)
  const bench = new Bench()
  for (const c of convolutions.slice(0, 3)) {
    const { spec, lengths } = convolution(c)
    const { batch, m, n, k } = spec
    // Of the weights: the image positions are summed over, the window is what remains.
    const weights: ContractSpec = {
      ...spec,
      n: k,
      k: n,
      a: { offset: 0, batch: spec.c.batch, m: spec.c.m, k: spec.c.n },
      b: { offset: 0, batch: spec.b.batch, k: spec.b.n, n: spec.b.k },
      c: { offset: 0, batch: spec.a.batch, m: spec.a.m, n: spec.a.k },
    }
    check(bench, { spec: weights, lengths: [lengths[2], lengths[1], lengths[0]] }, random)
    // A correlation with the window turned around: all its strides are negative.
    const window = k.slice(1) as [number, number]
    const end = spec.b.k[1]! * (window[0] - 1) + spec.b.k[2]! * (window[1] - 1)
    const [channels, row, column] = spec.b.k as [number, number, number]
    const turned: ContractSpec = { ...spec, b: { ...spec.b, offset: end, k: [channels, -row, -column] } }
    check(bench, { spec: turned, lengths }, random)
    expect(product([...batch, ...m])).toBe(c.outputs)
  }
})

test('sums of no terms are zeros, and empty results are left alone', () => {
  const bench = new Bench()
  for (const dtype of ['float32', 'float64', 'int32'] as const) {
    const { spec } = matmul(2, 3, 4, 0, 'NNT', dtype)
    const none = randomValues(0, dtype, seeded(7))
    const room = bench.run({ ...spec, c: { ...spec.c, offset: 1 } }, none, none, 26)
    expect([...room]).toEqual([12345, ...Array.from({ length: 24 }, () => 0), 12345])
    for (const [batch, m, n] of [
      [0, 3, 4],
      [2, 0, 4],
      [2, 3, 0],
    ] as const) {
      const empty = matmul(batch, m, n, 5, 'NNN', dtype)
      const [a, b] = empty.lengths.map((length) => randomValues(length, dtype, seeded(8)))
      expect([...bench.run(empty.spec, a!, b!, 2)]).toEqual([12345, 12345])
    }
  }
})

test('no axes at all: a product of two numbers, an outer product, a sum', () => {
  const bench = new Bench()
  const values = Float32Array.of(2, 3, 5, 7)
  const none = { batch: [], m: [], n: [], k: [] }
  const scalar = (strides: { m?: number[]; n?: number[]; k?: number[] }): ContractSpec => {
    const { m = [], n = [], k = [] } = strides
    const sizes = { batch: [], m: m.map(() => 2), n: n.map(() => 2), k: k.map(() => 4) }
    return {
      name: 'contract',
      dtype: 'float32',
      ...none,
      ...sizes,
      a: { offset: 0, batch: [], m, k },
      b: { offset: 0, batch: [], k, n },
      c: { offset: 0, batch: [], m: m.map(() => 2), n },
      slots: [0, 1, 2],
    }
  }
  expect([...bench.run(scalar({}), values, values, 1)]).toEqual([4])
  expect([...bench.run(scalar({ m: [1], n: [1] }), values, values, 4)]).toEqual([4, 6, 6, 9])
  expect([...bench.run(scalar({ k: [1] }), values, values, 1)]).toEqual([87])
})

test('one executable serves other places, and gives all its memory back', () => {
  const bench = new Bench()
  const { memory } = bench
  const { spec } = matmul(1, 10, 10, 10, 'NTN')
  bench.run(spec, new Float32Array(100), new Float32Array(100), 100)
  const before = memory.bytes.inUse
  const places = Array.from({ length: 4 }, () => memory.allocate(400))
  const executable = bench.contract(spec)!
  const again = bench.contract(spec)!
  const at = (place: number): Float32Array => memory.float32.subarray(place / 4, place / 4 + 100)
  at(places[0]!).fill(1)
  at(places[1]!).fill(2)
  at(places[3]!).fill(3)
  executable.run([places[0]!, places[1]!, places[2]!], [])
  expect(at(places[2]!)).toEqual(new Float32Array(100).fill(20))
  executable.dispose()
  again.run([places[0]!, places[3]!, places[2]!], [])
  expect(at(places[2]!)).toEqual(new Float32Array(100).fill(30))
  again.dispose()
  for (const place of places) memory.release(place)
  expect(memory.bytes.inUse).toBe(before)
})

test('bools are left to others', () => {
  expect(new Bench().contract(matmul(1, 2, 2, 2, 'NNN', 'bool').spec)).toBeNull()
})
