// Random tensors: equal seeds, equal numbers; other calls, other numbers; and the distributions they claim.
import { engine } from '@nabla/engine'
import { expect, test } from 'vitest'
import { bernoulli, Generator, manualSeed, normal, rand, randint, randn, randperm, uniform } from './index.ts'

test('a seed repeats everything after it', async () => {
  manualSeed(42)
  const first = [await rand([5]).toArray(), await randn([5]).toArray(), await randperm(5).toArray()]
  manualSeed(42)
  expect([await rand([5]).toArray(), await randn([5]).toArray(), await randperm(5).toArray()]).toEqual(first)
  manualSeed(43)
  expect(await rand([5]).toArray()).not.toEqual(first[0])
})

test('each call draws anew and builds no new plan', async () => {
  const generator = new Generator(1)
  const a = await rand([8], { generator }).toArray()
  const before = engine.statistics.plansBuilt
  const b = await rand([8], { generator }).toArray()
  expect(engine.statistics.plansBuilt).toBe(before)
  expect(b).not.toEqual(a)
})

test('a generator goes on where another one was', async () => {
  const one = new Generator(5)
  await rand([3], { generator: one }).data()
  const two = new Generator(0)
  two.state = one.state
  expect(await rand([3], { generator: two }).toArray()).toEqual(await rand([3], { generator: one }).toArray())
})

async function moments(
  values: Promise<ArrayLike<number>>,
): Promise<{ mean: number; deviation: number; low: number; high: number }> {
  const data = Array.from(await values)
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length
  const deviation = Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length)
  return { mean, deviation, low: Math.min(...data), high: Math.max(...data) }
}

// Bounds are about four standard errors wide.
test('the distributions have the moments they claim', async () => {
  const generator = new Generator(7)
  const n = 10_000
  const u = await moments(uniform(-1, 3, [n], { generator }).data())
  expect(Math.abs(u.mean - 1)).toBeLessThan(0.05)
  expect(Math.abs(u.deviation - 4 / Math.sqrt(12))).toBeLessThan(0.03)
  expect(u.low).toBeGreaterThanOrEqual(-1)
  expect(u.high).toBeLessThan(3)
  const g = await moments(normal(2, 0.5, [n], { generator }).data())
  expect(Math.abs(g.mean - 2)).toBeLessThan(0.02)
  expect(Math.abs(g.deviation - 0.5)).toBeLessThan(0.015)
  const b = await moments(bernoulli(0.3, [n], { generator }).data())
  expect(Math.abs(b.mean - 0.3)).toBeLessThan(0.02)
  const k = await moments(randint(-2, 3, [n], { generator }).data())
  expect([k.low, k.high]).toEqual([-2, 2])
  expect(Math.abs(k.mean)).toBeLessThan(0.06)
})

test('randperm is a permutation, and each place gets each number', async () => {
  const generator = new Generator(9)
  const order = Array.from(await randperm(1000, { generator }).data())
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  const firsts = await Promise.all(Array.from({ length: 60 }, () => randperm(3, { generator }).data()))
  expect(new Set(firsts.map((p) => p[0]))).toEqual(new Set([0, 1, 2]))
})

test('bad seeds are refused', () => {
  expect(() => manualSeed(-1)).toThrow('a seed must be a whole number')
  expect(() => new Generator(0.5)).toThrow('a seed must be a whole number')
})
