// Attention and its gradient against plain loops: every mask, shared heads, any strides, blocks that are cut off; and the
// promise about bits for any number of threads.
import type { AttentionSizes } from '@nabla/engine'
import { expect, test } from 'vitest'
import { seeded } from '../contract/testing.ts'
import { createMemory } from '../memory.ts'
import { Threads } from '../pool/threads.ts'
import { sameBits, startThreads } from '../testing/threads.ts'
import { createAttention } from './attention.ts'
import { keyBlock, queryBlock } from './gradient.ts'
import { makeCase, reference, run, type CaseOptions } from './testing.ts'

const memory = createMemory({ maximumBytes: 2 ** 28 })
const alone = new Threads(memory, { count: 1 })
const masks = ['none', 'bool', 'real'] as const

function check(sizes: AttentionSizes, options: CaseOptions, seed: number): void {
  const made = makeCase(sizes, options, seeded(seed))
  const written = run(memory, alone, made)
  const expected = reference(made)
  for (const name of ['forward', 'gradient'] as const) {
    const at = written[name].findIndex((value, i) => {
      return !(Math.abs(value - expected[name][i]!) <= 2e-5 * (1 + Math.abs(expected[name][i]!)))
    })
    if (at >= 0) {
      expect.unreachable(
        `${name} ${at}: ${written[name][at]} instead of ${expected[name][at]} in ${JSON.stringify([sizes, options])}`,
      )
    }
  }
}

test('attention and its gradient are right for sizes of every kind', () => {
  const random = seeded(1)
  for (let i = 0; i < 150; i++) {
    const keyHeads = 1 + random(2)
    const sizes: AttentionSizes = {
      batch: 1 + random(2),
      heads: keyHeads * (1 + random(3)),
      keyHeads,
      queries: 1 + random(i % 5 === 0 ? 80 : 20),
      keys: 1 + random(i % 7 === 0 ? 150 : 20),
      ...(i % 4 === 0 ? { queries: 11, keys: 11 } : {}),
      features: 1 + random(20),
      values: 1 + random(20),
    }
    const offset = random(2) === 0 ? 0 : random(sizes.keys + 3)
    check(sizes, { causal: i % 2 === 0, mask: masks[i % 3]!, offset }, i)
  }
})

test('few queries of whole vectors are right', () => {
  const random = seeded(9)
  for (let i = 0; i < 60; i++) {
    const sizes: AttentionSizes = {
      batch: 1 + random(2),
      heads: 4,
      keyHeads: i % 4 === 0 ? 2 : 4,
      queries: 1 + random(2),
      keys: 1 + random(30),
      features: 4 * (1 + random(4)),
      values: 4 * (1 + random(12)),
    }
    check(sizes, { causal: i % 2 === 0, mask: masks[i % 3]!, offset: random(sizes.keys + 2) }, i)
  }
})

test('they are right where there are several blocks of keys and of queries', () => {
  const sizes = { batch: 1, heads: 2, keyHeads: 1, features: 9, values: 8 }
  const long = { ...sizes, queries: 2 * queryBlock + 5, keys: 2 * keyBlock + 3 }
  check(long, { causal: true, mask: 'none', offset: 0 }, 1)
  check(long, { causal: true, mask: 'bool', offset: keyBlock - 2 }, 2)
  check(long, { causal: false, mask: 'real', offset: 0 }, 3)
  // Keys beyond the last query's place: nobody sees them.
  check({ ...long, queries: 3 }, { causal: true, mask: 'none', offset: 1 }, 4)
})

test('a query that a mask hides everything from attends to everything it may see alike', () => {
  const sizes = { batch: 1, heads: 1, keyHeads: 1, queries: 5, keys: 5, features: 4, values: 3 }
  for (const causal of [false, true]) {
    const made = makeCase(sizes, { causal, mask: 'bool', offset: 0 }, seeded(5))
    new Int32Array(made.buffers.mask.buffer).fill(0)
    const { forward } = run(memory, alone, made)
    const { v } = made.forward
    const firstColumn = [0, 1, 2, 3, 4].map((key) => made.buffers.v[v.offset + key * v.strides[2]!]!)
    const last = firstColumn.reduce((sum, value) => sum + value, 0) / 5
    expect(forward[4 * 3]).toBeCloseTo(last, 5)
    expect(forward[0]).toBeCloseTo(causal ? firstColumn[0]! : last, 5)
  }
})

test('scores beyond the range of exponentials do not overflow', () => {
  const sizes = { batch: 1, heads: 1, keyHeads: 1, queries: 9, keys: 12, features: 4, values: 4 }
  const made = makeCase(sizes, { causal: false, mask: 'none', offset: 0 }, seeded(6))
  const large = { ...made, numbers: [400, 0] }
  const { forward, gradient } = run(memory, alone, large)
  const expected = reference(large)
  forward.forEach((value, i) => expect(value).toBeCloseTo(expected.forward[i]!, 2))
  expect(gradient.every(Number.isFinite)).toBe(true)
})

test('the bits do not depend on the number of threads', async () => {
  const sizes = { batch: 2, heads: 4, keyHeads: 2, queries: 70, keys: 140, features: 12, values: 12 }
  const made = makeCase(sizes, { causal: true, mask: 'real', offset: 70 }, seeded(7))
  const first = run(memory, alone, made)
  for (const count of [2, 3, 4]) {
    const threads = await startThreads(memory, count)
    // A worker that has just started may come late for the first few.
    for (let round = 0; round < 20; round++) {
      const again = run(memory, threads, made)
      expect(sameBits([again.forward, again.gradient], [first.forward, first.gradient])).toBe(true)
    }
    expect(threads.all).toBeGreaterThan(threads.own)
    threads.stop()
  }
})

test('other types than float32 are left to others', () => {
  const sizes = { batch: 1, heads: 1, keyHeads: 1, queries: 1, keys: 1, features: 1, values: 1 }
  const { forward } = makeCase(sizes, { causal: false, mask: 'none', offset: 0 }, seeded(8))
  expect(createAttention(memory, alone).attention({ ...forward, dtype: 'float64' })).toBeNull()
})
