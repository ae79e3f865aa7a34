import { ShapeError, ValueError } from '@nabla/engine'
import { tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import {
  gaussianNllLoss,
  huberLoss,
  klDiv,
  l1Loss,
  logCoshLoss,
  mseLoss,
  poissonNllLoss,
  quantileLoss,
  smoothL1Loss,
} from './regression.ts'

const x = tensor([0, 1, 4])
const y = tensor([0.5, 1, 1])

test('the plain distances, in every reduction', async () => {
  expect(await mseLoss(x, y, { reduction: 'none' }).toArray()).toEqual([0.25, 0, 9])
  expect(await mseLoss(x, y).item()).toBeCloseTo(9.25 / 3, 6)
  expect(await mseLoss(x, y, { reduction: 'sum' }).item()).toBe(9.25)
  expect(await l1Loss(x, y, { reduction: 'none' }).toArray()).toEqual([0.5, 0, 3])
})

test('huber and smooth L1 are parabolas near zero and lines beyond', async () => {
  expect(await huberLoss(x, y, { delta: 2, reduction: 'none' }).toArray()).toEqual([0.125, 0, 4])
  expect(await smoothL1Loss(x, y, { beta: 2, reduction: 'none' }).toArray()).toEqual([0.0625, 0, 2])
  expect(await smoothL1Loss(x, y, { beta: 0, reduction: 'none' }).toArray()).toEqual([0.5, 0, 3])
})

test('log cosh does not overflow where cosh does', async () => {
  const [near, far] = (await logCoshLoss(tensor([1, 500]), tensor([0, 0]), {
    reduction: 'none',
  }).toArray()) as number[]
  expect(near).toBeCloseTo(Math.log(Math.cosh(1)), 6)
  expect(far).toBeCloseTo(500 - Math.LN2, 3)
})

test('a quantile costs more on one side', async () => {
  const values = await quantileLoss(tensor([0, 2]), tensor([1, 1]), {
    quantile: 0.9,
    reduction: 'none',
  }).data()
  expect(values[0]).toBeCloseTo(0.9, 6)
  expect(values[1]).toBeCloseTo(0.1, 6)
})

test('poisson counts of 0 make no NaN with the full formula', async () => {
  const counts = tensor([0, 1, 5])
  const full = await poissonNllLoss(tensor([0, 0, 0]), counts, { full: true, reduction: 'none' }).data()
  const stirling = 5 * Math.log(5) - 5 + 0.5 * Math.log(2 * Math.PI * 5)
  expect([...full].map((value) => Number(value.toFixed(5)))).toEqual([
    1,
    1,
    Number((1 + stirling).toFixed(5)),
  ])
})

test('gaussian variances may be one per example', async () => {
  const means = tensor([
    [0, 0],
    [1, 1],
  ])
  const targets = tensor([
    [1, 0],
    [1, 3],
  ])
  const values = await gaussianNllLoss(means, targets, tensor([1, 4]), { reduction: 'none' }).toArray()
  const half = Math.log(4) / 2
  expect(values).toEqual([
    [0.5, 0],
    [Math.fround(half), expect.closeTo(half + 0.5, 6)],
  ])
})

test('klDiv: batchmean is the divergence, and a target of 0 adds nothing', async () => {
  const target = tensor([[0.5, 0.5, 0]])
  const predicted = tensor([[0.25, 0.25, 0.5]]).log()
  expect(await klDiv(predicted, target, { reduction: 'batchmean' }).item()).toBeCloseTo(Math.LN2, 6)
  const certain = tensor([[0.25, 0.75]])
  expect(await klDiv(certain.log(), certain.log(), { logTarget: true }).item()).toBeCloseTo(0, 6)
})

test('shapes that would broadcast are refused; dimensions of size 1 are forgiven', async () => {
  expect(await mseLoss(tensor([[1], [2]]), tensor([1, 4])).item()).toBe(2)
  expect(() => mseLoss(tensor([[1, 2]]), tensor([1, 2, 3]))).toThrow(ShapeError)
  expect(() => mseLoss(tensor([[1, 2]]), tensor([1, 2, 3]))).toThrow(/mseLoss: \[3\] does not fit .*\[1, 2\]/)
  expect(() => gaussianNllLoss(tensor([[1, 2]]), tensor([[1, 2]]), tensor([1, 2, 3]))).toThrow(
    /variance \[3\]/,
  )
})

test('options out of range are refused', () => {
  expect(() => mseLoss(x, y, { reduction: 'average' as 'mean' })).toThrow(
    /unknown reduction 'average'.*mean, sum, none/,
  )
  expect(() => huberLoss(x, y, { delta: 0 })).toThrow(ValueError)
  expect(() => smoothL1Loss(x, y, { beta: NaN })).toThrow(/beta/)
  expect(() => quantileLoss(x, y, { quantile: 1.5 })).toThrow(/quantile must lie between 0 and 1; got 1.5/)
})
