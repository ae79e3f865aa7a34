import { DTypeError, ShapeError, ValueError } from '@nabla/engine'
import { tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { crossEntropy, multilabelMarginLoss, multiMarginLoss, nllLoss } from './classification.ts'
import { loss } from './table.ts'

const labels = (data: number[]) => tensor(data, { dtype: 'int32' })
const logits = [
  [2, 0.5, -1],
  [0, 3, 1],
  [0.1, 0.2, 0.3],
]

// The definition, in plain numbers.
function negativeLogs(rows: number[][]): number[][] {
  return rows.map((row) => {
    const total = row.reduce((sum, value) => sum + Math.exp(value), 0)
    return row.map((value) => Math.log(total) - value)
  })
}
const costs = negativeLogs(logits)

test('cross-entropy of class indices, in every reduction', async () => {
  const y = labels([0, 2, 1])
  const expected = [costs[0]![0]!, costs[1]![2]!, costs[2]![1]!]
  const sum = expected.reduce((a, b) => a + b)
  const each = await crossEntropy(tensor(logits), y, { reduction: 'none' }).data()
  expect([...each]).toEqual(expected.map((value) => expect.closeTo(value, 5)))
  expect(await crossEntropy(tensor(logits), y, { reduction: 'sum' }).item()).toBeCloseTo(sum, 5)
  expect(await crossEntropy(tensor(logits), y).item()).toBeCloseTo(sum / 3, 5)
})

test('it stays finite for huge logits', async () => {
  expect(await crossEntropy(tensor([[1e4, -1e4]]), labels([1])).item()).toBe(2e4)
})

test('nllLoss takes what logSoftmax gives', async () => {
  const x = tensor(costs).neg()
  expect(await nllLoss(x, labels([0, 2, 1])).item()).toBeCloseTo(
    await crossEntropy(tensor(logits), labels([0, 2, 1])).item(),
    5,
  )
})

test('weights divide the mean by their sum', async () => {
  const weight = tensor([1, 2, 4])
  const value = await crossEntropy(tensor(logits), labels([0, 2, 1]), { weight }).item()
  expect(value).toBeCloseTo((costs[0]![0]! + 4 * costs[1]![2]! + 2 * costs[2]![1]!) / 7, 5)
})

test('ignored examples count nowhere, whether or not the index is a class', async () => {
  const mean = (costs[0]![0]! + costs[2]![1]!) / 2
  expect(await crossEntropy(tensor(logits), labels([0, -100, 1])).item()).toBeCloseTo(mean, 5)
  expect(await crossEntropy(tensor(logits), labels([0, 2, 1]), { ignoreIndex: 2 }).item()).toBeCloseTo(
    mean,
    5,
  )
  // The same for labels that are computed, which cannot be counted beforehand.
  const computed = labels([1, 3, 2]).sub(1)
  expect(await crossEntropy(tensor(logits), computed, { ignoreIndex: 2 }).item()).toBeCloseTo(mean, 5)
  const weighted = await crossEntropy(tensor(logits), labels([0, 2, 1]), {
    ignoreIndex: 2,
    weight: tensor([1, 2, 4]),
  }).item()
  expect(weighted).toBeCloseTo((costs[0]![0]! + 2 * costs[2]![1]!) / 3, 5)
  const smooth = await crossEntropy(tensor(logits), labels([0, -100, 1]), { labelSmoothing: 0.3 }).item()
  const even = (row: number[]): number => row.reduce((a, b) => a + b) / 3
  expect(smooth).toBeCloseTo(0.7 * mean + (0.3 * (even(costs[0]!) + even(costs[2]!))) / 2, 5)
})

test('targets may be distributions', async () => {
  const target = [0.2, 0.3, 0.5]
  const expected = target.reduce((sum, p, i) => sum + p * costs[1]![i]!, 0)
  expect(await crossEntropy(tensor([logits[1]!]), tensor([target])).item()).toBeCloseTo(expected, 5)
  const oneHot = tensor([[0, 1, 0]])
  const smooth = await crossEntropy(tensor([logits[1]!]), oneHot, { labelSmoothing: 0.3 }).item()
  expect(smooth).toBeCloseTo(
    await crossEntropy(tensor([logits[1]!]), labels([1]), { labelSmoothing: 0.3 }).item(),
    5,
  )
})

test('images of classes, and single examples', async () => {
  const flat = await crossEntropy(tensor(logits), labels([0, 2, 1]), { reduction: 'none' }).data()
  // [1, C, 3]: the classes come second
  const image = tensor(logits).transpose().reshape([1, 3, 3])
  const each = await crossEntropy(image, labels([0, 2, 1]).reshape([1, 3]), { reduction: 'none' }).data()
  expect([...each]).toEqual([...flat].map((value) => expect.closeTo(value, 5)))
  const single = await crossEntropy(tensor(logits[0]!), labels([0]).reshape([])).item()
  expect(single).toBeCloseTo(flat[0]!, 5)
})

test('multi-class margins', async () => {
  const x = tensor([[0.1, 0.2, 0.4, 0.8]])
  expect(await multiMarginLoss(x, labels([3])).item()).toBeCloseTo((0.3 + 0.4 + 0.6) / 4, 5)
  expect(await multiMarginLoss(x, labels([3]), { p: 2, weight: tensor([1, 1, 1, 2]) }).item()).toBeCloseTo(
    (2 * (0.09 + 0.16 + 0.36)) / 4,
    5,
  )
  // Two right classes, 3 and 0; what stands after -1 does not count.
  const several = multilabelMarginLoss(x, tensor([[3, 0, -1, 1]], { dtype: 'int32' }))
  expect(await several.item()).toBeCloseTo(0.25 * (0.4 + 0.6 + 1.1 + 1.3), 5)
})

test('labels outside of the classes are named with their position', () => {
  expect(() => crossEntropy(tensor(logits), labels([0, 3, 1]))).toThrow(ValueError)
  expect(() => crossEntropy(tensor(logits), labels([0, 3, 1]))).toThrow(
    'crossEntropy: target 3 at [1] is no class: there are 3, numbered from 0',
  )
  expect(() => crossEntropy(tensor(logits), labels([0, -1, 1]))).toThrow(/target -1 at \[1\]/)
  expect(() => nllLoss(tensor(logits), labels([0, 3, 1]))).toThrow(/nllLoss: target 3/)
})

test('labels must be whole, and shaped like the examples', async () => {
  // Plain arrays arrive as float32; whole numbers among them are labels all the same.
  expect(await crossEntropy(tensor(logits), tensor([0, 2, 1])).item()).toBeCloseTo(
    await crossEntropy(tensor(logits), labels([0, 2, 1])).item(),
    6,
  )
  expect(() => crossEntropy(tensor(logits), tensor([0, 0.5, 1]))).toThrow(DTypeError)
  expect(() => crossEntropy(tensor(logits), tensor([0, 2, 1]).add(0))).toThrow(
    /class indices must be int32; got float32/,
  )
  expect(() => crossEntropy(tensor(logits), labels([0, 1]))).toThrow(ShapeError)
  expect(() => crossEntropy(tensor(logits), labels([0, 1]))).toThrow(
    /predictions \[3, 3\] need class indices \[3\]; got \[2\]/,
  )
  expect(() => crossEntropy(labels([0, 1]), tensor([0.5]))).toThrow(/predictions must be real; got int32/)
  expect(() => crossEntropy(tensor(logits), tensor(logits).to('int32'))).toThrow(
    /are probabilities and must be real/,
  )
})

test('options out of range are refused', () => {
  const y = labels([0, 2, 1])
  expect(() => crossEntropy(tensor(logits), y, { labelSmoothing: 2 })).toThrow(/labelSmoothing/)
  expect(() => crossEntropy(tensor(logits), y, { weight: tensor([1, 2]) })).toThrow(
    /one number per class, \[3\]; got \[2\]/,
  )
  expect(() => crossEntropy(tensor(logits), y, { reduction: 'total' as 'sum' })).toThrow(
    /unknown reduction 'total'/,
  )
})

test('losses by name', () => {
  expect(loss('crossEntropy')).toBe(crossEntropy)
  expect(() => loss('crossentropi' as 'crossEntropy')).toThrow(
    /unknown loss 'crossentropi'. Did you mean 'crossEntropy'\?/,
  )
})
