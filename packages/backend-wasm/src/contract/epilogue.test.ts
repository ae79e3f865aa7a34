// Maps fused into contractions: the same bits as the product followed by a kernel, on every path, for results of any order
// of axes, arguments of any strides, and any number of threads.
import type { DType } from '@nabla/engine'
import { expect, test } from 'vitest'
import { createMemory } from '../memory.ts'
import { Threads } from '../pool/threads.ts'
import { startThreads } from '../testing/threads.ts'
import { planEpilogue } from './epilogue.ts'
import { mappedCase, runMapped } from '../testing/maps.ts'
import { planContract } from './plan.ts'
import { partsOf } from './split.ts'
import { seeded, type Sizes } from './testing.ts'

const memory = createMemory({ maximumBytes: 2 ** 28 })
const alone = new Threads(memory, { count: 1 })

const products: readonly Sizes[] = [
  { batch: [], m: [30], n: [40], k: [20] },
  { batch: [], m: [3], n: [200], k: [40] },
  { batch: [2], m: [1], n: [70], k: [90] },
  { batch: [], m: [130], n: [5, 16], k: [30] },
  { batch: [], m: [6, 4], n: [3, 40], k: [25] },
  { batch: [3], m: [9], n: [24], k: [400] },
  { batch: [2, 2], m: [12], n: [18], k: [7] },
  { batch: [], m: [64], n: [2, 2], k: [300] },
  { batch: [], m: [20], n: [1], k: [33] },
  { batch: [], m: [1], n: [1], k: [5] },
  { batch: [], m: [14], n: [530], k: [9] },
]

test('maps give the same bits within the step of a product and after it', () => {
  const random = seeded(1)
  const reached = new Map<string, number>()
  for (let round = 0; round < 20; round++) {
    for (const sizes of products) {
      const dtype = (['float32', 'float32', 'float32', 'int32', 'float64'] as const)[round % 5]!
      const mapped = mappedCase(sizes, dtype, random)
      const { spec } = mapped
      const { path, swapped } = planContract(spec)
      const way = planEpilogue(spec, spec.epilogue!) === null ? 'after' : `in ${path}`
      reached.set(way, (reached.get(way) ?? 0) + 1)
      const [within, after] = runMapped(memory, alone, mapped, random)
      expect(within, `${way} ${swapped} ${JSON.stringify(spec)}`).toEqual(after)
    }
  }
  expect([...reached.keys()].sort()).toEqual([
    'after',
    'in direct',
    'in dot',
    'in packed',
    'in row',
    'in strip',
  ])
})

test('a product over nothing is zeros to its maps', () => {
  const mapped = mappedCase({ batch: [], m: [4], n: [20], k: [0] }, 'float32', seeded(2))
  const [within, after] = runMapped(memory, alone, mapped, seeded(3))
  expect(within).toEqual(after)
})

test('threads share them with the product', { timeout: 60_000 }, async () => {
  const pools = await Promise.all([2, 3, 4].map((count) => startThreads(memory, count)))
  const random = seeded(4)
  const large: readonly Sizes[] = [
    { batch: [], m: [260], n: [256], k: [40] },
    { batch: [], m: [64], n: [8, 64], k: [100] },
    { batch: [5], m: [60], n: [64], k: [50] },
    { batch: [], m: [2], n: [4000], k: [40] },
  ]
  for (let round = 0; round < 12; round++) {
    for (const sizes of large) {
      const dtype: DType = round % 6 === 5 ? 'float64' : 'float32'
      const mapped = mappedCase(sizes, dtype, random)
      expect(partsOf(planContract(mapped.spec)).length).toBeGreaterThan(1)
      const seed = random(1000)
      const [, after] = runMapped(memory, alone, mapped, seeded(seed))
      for (const threads of pools) {
        const [within] = runMapped(memory, threads, mapped, seeded(seed))
        expect(within, JSON.stringify(mapped.spec)).toEqual(after)
      }
    }
  }
  for (const threads of pools) {
    expect(threads.own).toBeLessThan(threads.all)
    threads.stop()
  }
})

test('one executable serves other places and numbers, and gives all its memory back', () => {
  const random = seeded(5)
  const mapped = mappedCase({ batch: [], m: [40], n: [50], k: [30] }, 'float32', random)
  runMapped(memory, alone, mapped, random)
  const before = memory.bytes.inUse
  for (let i = 0; i < 3; i++) {
    const [within, after] = runMapped(memory, alone, mapped, random)
    expect(within).toEqual(after)
  }
  expect(memory.bytes.inUse).toBe(before)
})
