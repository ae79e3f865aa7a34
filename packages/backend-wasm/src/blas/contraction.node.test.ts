// Products by a native library against plain loops: random layouts, so that every form of an operand and every kind of
// copy is met, matrix products, convolutions and their gradients; and the promise that threads do not change a bit.
import type { ContractSpec, TypedArray } from '@nabla/engine'
import { describe, expect, test } from 'vitest'
import {
  Bench,
  check,
  contractOn,
  kernelOn,
  product,
  randomCase,
  randomValues,
  seeded,
  type Case,
  type MakeContract,
  type Random,
} from '../contract/testing.ts'
import { createMemory } from '../memory.ts'
import { Threads } from '../pool/threads.ts'
import { mappedCase, runMapped } from '../testing/maps.ts'
import { allRunning, CountingThreads, eager, sameBits } from '../testing/threads.ts'
import { createBlasContract } from './contraction.ts'
import type { OperandName } from './forms.ts'
import { planBlas } from './plan.ts'
import { libraryForTests } from './testing.ts'

const library = libraryForTests()

const make: MakeContract = (memory, threads) =>
  createBlasContract(memory, threads, library!, contractOn(memory, threads), kernelOn(memory, threads))

/** What the library does not do is refused. */
const makeAlone: MakeContract = (memory, threads) =>
  createBlasContract(memory, threads, library!, () => null, kernelOn(memory, threads))

/** A size of up to three axes. */
function axes(random: Random, most: number): number[] {
  const count = 1 + random(3)
  const each = Math.max(2, Math.floor(most ** (1 / count)))
  return Array.from({ length: count }, () => 1 + random(each))
}

interface Image {
  readonly batch: number
  readonly inputs: number
  readonly outputs: number
  readonly size: number
  readonly window: number
  readonly stride: number
}

const images: readonly Image[] = [
  { batch: 3, inputs: 8, outputs: 16, size: 13, window: 3, stride: 1 },
  { batch: 5, inputs: 12, outputs: 20, size: 6, window: 3, stride: 1 },
  { batch: 9, inputs: 16, outputs: 24, size: 4, window: 3, stride: 1 },
  { batch: 2, inputs: 6, outputs: 16, size: 21, window: 5, stride: 2 },
  { batch: 4, inputs: 16, outputs: 32, size: 15, window: 1, stride: 2 },
  { batch: 3, inputs: 8, outputs: 16, size: 16, window: 3, stride: 3 },
  { batch: 2, inputs: 40, outputs: 32, size: 30, window: 3, stride: 1 },
]

/** Forward convolution over a padded image, the gradient of its weights, and a correlation with the window turned. */
function convolutions({ batch, inputs, outputs, size, window, stride }: Image): Case[] {
  const out = Math.floor((size - window) / stride) + 1
  const plane = size * size
  const taps = window * window
  const weights = { m: [inputs * taps], k: [taps, window, 1] }
  const windows = { k: [plane, size, 1], n: [inputs * plane, stride * size, stride] }
  const results = { m: [out * out], n: [outputs * out * out, out, 1] }
  const common = { name: 'contract', dtype: 'float32', batch: [], slots: [0, 1, 2] } as const
  const lengths = [outputs * inputs * taps, batch * inputs * plane, batch * outputs * out * out] as const
  const forward: ContractSpec = {
    ...common,
    m: [outputs],
    n: [batch, out, out],
    k: [inputs, window, window],
    a: { offset: 0, batch: [], ...weights },
    b: { offset: 0, batch: [], ...windows },
    c: { offset: 0, batch: [], ...results },
  }
  const gradient: ContractSpec = {
    ...forward,
    n: forward.k,
    k: forward.n,
    a: { offset: 0, batch: [], m: results.m, k: results.n },
    b: { offset: 0, batch: [], k: windows.n, n: windows.k },
    c: { offset: 0, batch: [], m: weights.m, n: weights.k },
  }
  const turned: ContractSpec = {
    ...forward,
    a: { offset: taps - 1, batch: [], m: weights.m, k: [taps, -window, -1] },
  }
  return [
    { spec: forward, lengths },
    { spec: gradient, lengths: [lengths[2], lengths[1], lengths[0]] },
    { spec: turned, lengths },
  ]
}

describe.skipIf(library === null)('products by a native library', () => {
  test('random layouts agree with plain loops', () => {
    const random = seeded(21)
    const bench = new Bench(make)
    const forms = new Map<string, number>()
    let planned = 0
    for (let i = 0; planned < 300; i++) {
      expect(i).toBeLessThan(20_000)
      const sizes = {
        batch: random(3) === 0 ? axes(random, 4) : [],
        m: axes(random, 60),
        n: axes(random, 90),
        k: axes(random, 120),
      }
      if (product([...sizes.batch, ...sizes.m, ...sizes.n, ...sizes.k]) > 300_000) continue
      const made = randomCase(sizes, i % 4 === 0 ? 'float64' : 'float32', random)
      const plan = planBlas(made.spec)
      if (plan === null) continue
      planned++
      for (const name of ['a', 'b', 'c'] as const) count(forms, name, plan.forms[name])
      check(bench, made, random)
    }
    const expected = ['a', 'b'].flatMap((name) =>
      ['matrix', 'slab'].flatMap((kind) => [`${name} ${kind} false`, `${name} ${kind} true`]),
    )
    for (const form of [...expected, 'c matrix false', 'c slab false']) {
      expect(forms.get(form) ?? 0, form).toBeGreaterThan(10)
    }
  })

  test('what is too small, and integers, go to WebAssembly', () => {
    const random = seeded(22)
    const bench = new Bench(make)
    for (const [dtype, size] of [
      ['float32', 8],
      ['int32', 64],
    ] as const) {
      const made = randomCase({ batch: [2], m: [size], n: [size], k: [size] }, dtype, random)
      expect(planBlas(made.spec)).toBeNull()
      check(bench, made, random)
    }
  })

  test('convolutions, their gradients by weights and by inputs', () => {
    const random = seeded(23)
    const bench = new Bench(make)
    for (const image of images) {
      for (const made of convolutions(image)) {
        expect(planBlas(made.spec), JSON.stringify(image)).not.toBeNull()
        check(bench, made, random)
      }
    }
  })

  test('the bits are the same with one, two, three and four threads', async () => {
    const random = seeded(25)
    const cases = [
      randomCase({ batch: [], m: [130], n: [257], k: [300] }, 'float32', random),
      randomCase({ batch: [3], m: [64], n: [40, 3], k: [70] }, 'float64', random),
      ...images.flatMap(convolutions),
    ]
    const inputs = cases.map(({ spec, lengths }) =>
      lengths.slice(0, 2).map((length) => randomValues(length, spec.dtype, random)),
    )
    const wanted = cases.map(() => null as TypedArray | null)
    for (const count of [1, 2, 3, 4]) {
      let threads: CountingThreads | undefined
      const bench = new Bench((memory) => {
        threads = new CountingThreads(memory, { count, policy: eager })
        threads.provide(library!.place)
        return makeAlone(memory, threads)
      })
      if (count > 1) await allRunning(threads!, count)
      // Again until workers had their share: on a busy machine they come late.
      for (let round = 0; round === 0 || (count > 1 && byWorkers(threads!) < 20 && round < 50); round++) {
        cases.forEach(({ spec, lengths }, i) => {
          const got = bench.run(spec, inputs[i]![0]!, inputs[i]![1]!, lengths[2])
          wanted[i] ??= got
          expect(sameBits([got], [wanted[i]!]), `case ${i}, ${count} threads`).toBe(true)
        })
      }
      if (count > 1) expect(byWorkers(threads!)).toBeGreaterThan(0)
      threads!.stop()
    }
  })

  test('maps of a product follow it', () => {
    const random = seeded(27)
    const memory = createMemory()
    const threads = new Threads(memory, { count: 1 })
    for (const dtype of ['float32', 'float64'] as const) {
      const mapped = mappedCase({ batch: [2], m: [40], n: [3, 30], k: [50] }, dtype, random)
      expect(planBlas(mapped.spec, library!.smallest)).not.toBeNull()
      const [within, after] = runMapped(memory, threads, mapped, random, makeAlone)
      expect(within).toEqual(after)
    }
  })

  test('memory that has grown in between is the memory that is worked on', () => {
    const random = seeded(26)
    for (const shared of [true, false]) {
      const memory = createMemory({ shared })
      const threads = new Threads(memory, { count: 1 })
      const { spec } = randomCase({ batch: [], m: [32], n: [32], k: [32] }, 'float32', random)
      const layout = { offset: 0, batch: [] }
      const square = { ...spec, a: { ...layout, m: [32], k: [1] }, b: { ...layout, k: [32], n: [1] } }
      const product = { ...square, c: { ...layout, m: [32], n: [1] } }
      const executable = makeAlone(memory, threads)(product)!
      const low = [1, 2, 3].map(() => memory.allocate(4096))
      const before = memory.memory.buffer.byteLength
      memory.allocate(before)
      const high = [1, 2, 3].map(() => memory.allocate(4096))
      expect(high[0]).toBeGreaterThan(before)
      for (const places of [low, high]) {
        memory.float32.fill(0.5, places[0]! / 4, places[0]! / 4 + 1024)
        memory.float32.fill(2, places[1]! / 4, places[1]! / 4 + 1024)
        executable.run(places, [])
        const result = memory.float32.slice(places[2]! / 4, places[2]! / 4 + 1024)
        expect(result).toEqual(new Float32Array(1024).fill(32))
      }
      executable.dispose()
    }
  })

  test('an executable gives all its memory back', () => {
    const bench = new Bench(make)
    const random = seeded(27)
    const made = convolutions(images[0]!)[0]!
    check(bench, made, random)
    const before = bench.memory.bytes.inUse
    for (let i = 0; i < 3; i++) check(bench, made, random)
    expect(bench.memory.bytes.inUse).toBe(before)
  })

  test('more than one block in every direction', () => {
    const random = seeded(24)
    const bench = new Bench(make)
    // Windows of a signal: A and B are slabs, and C lies in pieces.
    const [channels, taps, count, batch, outputs] = [700, 5, 300, 2, 530]
    const length = count + taps - 1
    const spec: ContractSpec = {
      name: 'contract',
      dtype: 'float32',
      batch: [],
      m: [outputs],
      n: [batch, count],
      k: [channels, taps],
      a: { offset: taps - 1, batch: [], m: [taps], k: [taps * outputs, -1] },
      b: { offset: 0, batch: [], k: [length, 1], n: [channels * length, 1] },
      c: { offset: 0, batch: [], m: [count], n: [outputs * count, 1] },
      slots: [0, 1, 2],
    }
    const plan = planBlas(spec)!
    expect(plan.blocks.n).toBeLessThan(plan.sizes.n)
    expect(plan.blocks.k).toBeLessThan(plan.sizes.k)
    expect(plan.blocks.m).toBeLessThan(plan.sizes.m)
    checkSome(
      bench,
      { spec, lengths: [outputs * channels * taps, batch * channels * length, batch * outputs * count] },
      random,
    )
  })
})

/** Parts that were done by workers. */
function byWorkers(threads: CountingThreads): number {
  return threads.all - threads.own
}

function count(
  forms: Map<string, number>,
  name: OperandName,
  form: { isSlab: boolean; isTransposed: boolean },
): void {
  const key = `${name} ${form.isSlab ? 'slab' : 'matrix'} ${form.isTransposed}`
  forms.set(key, (forms.get(key) ?? 0) + 1)
}

/** Compares with WebAssembly instead of plain loops, which would take long. */
function checkSome(bench: Bench, { spec, lengths }: Case, random: Random): void {
  const usual = new Bench()
  const a = randomValues(lengths[0], spec.dtype, random)
  const b = randomValues(lengths[1], spec.dtype, random)
  const [got, expected] = [bench, usual].map((each) => Float32Array.from(each.run(spec, a, b, lengths[2])))
  const k = product(spec.k)
  const worst = got!.reduce((most, value, i) => Math.max(most, Math.abs(value - expected![i]!)), 0)
  expect(worst).toBeLessThan(1e-6 * k)
}
