// Attention, dropout and normalisations: what they promise beside their formulas.
import { expect, test } from 'vitest'
import {
  batchNorm,
  dropout,
  flush,
  manualSeed,
  ones,
  SampleMaker,
  scaledDotProductAttention,
  tensor,
  Variable,
} from '../index.ts'

test('a query that may see nothing gets finite numbers, one that sees some nothing of the rest', async () => {
  const make = new SampleMaker(1)
  const [q, k] = [make.real([2, 4]), make.real([3, 4])]
  const v = tensor([[1], [10], [100]])
  const mask = tensor([
    [false, false, false],
    [true, false, false],
  ])
  const result = await scaledDotProductAttention(q, k, v, { mask }).data()
  expect(result[0]).toBeCloseTo(37, 4)
  expect(result[1]).toBe(1)
})

test('grouped queries are the same as repeated keys and values', async () => {
  const make = new SampleMaker(2)
  const q = make.real([2, 6, 3, 4])
  const k = make.real([2, 2, 5, 4])
  const v = make.real([2, 2, 5, 3])
  const mask = make.bools([2, 6, 3, 5])
  const grouped = await scaledDotProductAttention(q, k, v, { mask }).data()
  const repeated = await scaledDotProductAttention(q, k.repeatInterleave(3, 1), v.repeatInterleave(3, 1), {
    mask,
  }).data()
  grouped.forEach((value, i) => expect(value).toBeCloseTo(repeated[i]!, 5))
})

test('dropout keeps the expected sum and draws anew at every call', async () => {
  manualSeed(3)
  const x = ones([100, 100])
  const first = await dropout(x, 0.25).data()
  const second = await dropout(x, 0.25).data()
  const kept = first.filter((value) => value !== 0)
  expect(new Set(kept)).toEqual(new Set([Math.fround(1 / 0.75)]))
  expect(kept.length / first.length).toBeGreaterThan(0.72)
  expect(kept.length / first.length).toBeLessThan(0.78)
  expect(first).not.toEqual(second)
  expect(await dropout(x, 1).sum().item()).toBe(0)
})

test('batch normalisation in training moves running statistics, unbiased variances included', async () => {
  const runningMean = new Variable([0, 10])
  const runningVar = new Variable([1, 1])
  const x = tensor([
    [1, 4],
    [3, 8],
  ])
  const y = batchNorm(x, { training: true, runningMean, runningVar, momentum: 0.5, eps: 0 }).keep()
  flush()
  expect(await y.toArray()).toEqual([
    [-1, -1],
    [1, 1],
  ])
  expect(await runningMean.value.toArray()).toEqual([1, 8])
  expect(await runningVar.value.toArray()).toEqual([1.5, 4.5])
  const evaluated = batchNorm(tensor([[1, 8]]), { runningMean, runningVar, eps: 0 })
  expect(await evaluated.toArray()).toEqual([[0, 0]])
})
