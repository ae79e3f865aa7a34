import { ShapeError, ValueError } from '@nabla/engine'
import { tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  hingeEmbeddingLoss,
  marginRankingLoss,
  multilabelSoftMarginLoss,
  softMarginLoss,
} from './binary.ts'
import { cosineEmbeddingLoss, tripletMarginLoss } from './embedding.ts'

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

test('binary cross-entropy of probabilities, and a wrong certainty costs 100', async () => {
  const values = await binaryCrossEntropy(tensor([0.9, 0.2, 0, 1]), tensor([1, 0, 1, 1]), {
    reduction: 'none',
  }).data()
  expect(values[0]).toBeCloseTo(-Math.log(0.9), 5)
  expect(values[1]).toBeCloseTo(-Math.log(0.8), 5)
  expect(values[2]).toBe(100)
  expect(values[3]).toBeCloseTo(0, 6)
  expect(await binaryCrossEntropy(tensor([NaN]), tensor([1])).item()).toBeNaN()
})

test('with logits it is the same, and exact where the sigmoid has run out of digits', async () => {
  const logits = [0.3, -2, 60, -200]
  const targets = [1, 0, 0, 1]
  const values = await binaryCrossEntropyWithLogits(tensor(logits), tensor(targets), {
    reduction: 'none',
  }).data()
  expect(values[0]).toBeCloseTo(-Math.log(sigmoid(0.3)), 5)
  expect(values[1]).toBeCloseTo(-Math.log(1 - sigmoid(-2)), 5)
  expect(values[2]).toBeCloseTo(60, 4)
  expect(values[3]).toBeCloseTo(200, 4)
})

test('weights: of elements, and of positive targets', async () => {
  const x = tensor([
    [0, 0],
    [0, 0],
  ])
  const y = tensor([
    [1, 1],
    [0, 0],
  ])
  const weighted = await binaryCrossEntropyWithLogits(x, y, {
    posWeight: tensor([1, 3]),
    reduction: 'none',
  }).data()
  expect([...weighted].map((value) => value / Math.LN2)).toEqual(
    [1, 3, 1, 1].map((n) => expect.closeTo(n, 5)),
  )
  const half = await binaryCrossEntropy(x.add(0.5), y, { weight: 2 }).item()
  expect(half).toBeCloseTo(2 * Math.LN2, 5)
  expect(() => binaryCrossEntropy(x.add(0.5), y, { weight: tensor([1, 2, 3]) })).toThrow(ShapeError)
})

test('one output per row meets a flat list of targets', async () => {
  const column = tensor([[0.5], [0.5]])
  expect(await binaryCrossEntropy(column, tensor([0, 1])).item()).toBeCloseTo(Math.LN2, 6)
  expect(() => binaryCrossEntropy(column, tensor([0, 1, 1]))).toThrow(
    /binaryCrossEntropy: \[3\] does not fit .*\[2, 1\]/,
  )
})

test('targets and probabilities outside of [0, 1] are named with their position', () => {
  const column = tensor([[0.5], [0.5]])
  expect(() => binaryCrossEntropy(column, tensor([1, 2]))).toThrow(ValueError)
  expect(() => binaryCrossEntropy(column, tensor([1, 2]))).toThrow(
    /target 2 at \[1\] does not lie between 0 and 1/,
  )
  expect(() => binaryCrossEntropy(tensor([1.5]), tensor([1]))).toThrow(/prediction 1.5 at \[0\]/)
  expect(() => binaryCrossEntropyWithLogits(tensor([[3]]), tensor([[-1]]))).toThrow(/target -1 at \[0, 0\]/)
})

test('margins', async () => {
  const signs = tensor([1, -1, -1])
  expect(await hingeEmbeddingLoss(tensor([2, 0.25, 3]), signs, { reduction: 'none' }).toArray()).toEqual([
    2, 0.75, 0,
  ])
  const ranked = marginRankingLoss(tensor([2, 2, 0]), tensor([1, 1, 1]), signs, {
    margin: 0.5,
    reduction: 'none',
  })
  expect(await ranked.toArray()).toEqual([0, 1.5, 0])
  expect(await softMarginLoss(tensor([0]), tensor([1])).item()).toBeCloseTo(Math.LN2, 6)
  const labels = multilabelSoftMarginLoss(tensor([[0, 0]]), tensor([[1, 0]]), { reduction: 'none' })
  expect((await labels.data())[0]).toBeCloseTo(Math.LN2, 6)
})

test('losses between vectors', async () => {
  const a = tensor([
    [1, 0],
    [1, 0],
    [0, 2],
  ])
  const b = tensor([
    [2, 0],
    [0, 1],
    [0, 1],
  ])
  const cosine = await cosineEmbeddingLoss(a, b, tensor([1, 1, -1]), {
    margin: 0.25,
    reduction: 'none',
  }).data()
  expect([...cosine]).toEqual([0, 1, 0.75].map((n) => expect.closeTo(n, 5)))
  const triplet = tripletMarginLoss(tensor([[0, 0]]), tensor([[3, 4]]), tensor([[0, 1]]), {
    reduction: 'none',
  })
  expect((await triplet.data())[0]).toBeCloseTo(5, 4)
  const swapped = tripletMarginLoss(tensor([[0, 0]]), tensor([[0, 1]]), tensor([[0, 1.5]]), {
    p: 1,
    swap: true,
    margin: 0,
  })
  expect(await swapped.item()).toBeCloseTo(0.5, 4)
  expect(() => cosineEmbeddingLoss(a, b, tensor([1]))).toThrow(
    /vectors \[3, 2\] need targets \[3\]; got \[1\]/,
  )
  expect(() => tripletMarginLoss(a, b, tensor([1, 2]))).toThrow(ShapeError)
})
