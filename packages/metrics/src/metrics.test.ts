import { engine, ShapeError, ValueError } from '@nabla/engine'
import { Parameter, tensor, type Tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { Accuracy } from './accuracy.ts'
import { ConfusionMatrix } from './confusion.ts'
import { Mean, MeanAbsoluteError, MeanSquaredError } from './mean.ts'
import { F1, Precision, Recall } from './precisionRecall.ts'
import { metric } from './table.ts'

const labels = (data: number[]): Tensor => tensor(data, { dtype: 'int32' })

// Three classes: the predictions are 0, 1, 1, 2.
const scores = tensor([
  [3, 1, 0],
  [0, 2, 1],
  [0, 2, 1],
  [0, 0, 5],
])

test('accuracy of scores, in several batches', async () => {
  const accuracy = new Accuracy()
  accuracy.update(scores, labels([0, 1, 2, 2]))
  accuracy.update(scores.slice(0, 0, 2), labels([0, 0]))
  expect(await accuracy.compute()).toBe(4 / 6)
  // Computing forgets nothing; resetting does.
  expect(await accuracy.compute()).toBe(4 / 6)
  accuracy.reset()
  accuracy.update(scores, labels([0, 1, 1, 2]))
  expect(await accuracy.compute()).toBe(1)
})

test('accuracy of probabilities of yes, as column or list, and of logits', async () => {
  const accuracy = new Accuracy()
  accuracy.update(tensor([[0.9], [0.2], [0.6]]), tensor([1, 0, 0]))
  expect(await accuracy.compute()).toBe(2 / 3)
  const logits = new Accuracy({ threshold: 0 })
  logits.update(tensor([2.5, -1, 0.25]), tensor([true, false, true]))
  expect(await logits.compute()).toBe(1)
})

test('accuracy of labels, of one-hot targets, of single labels of many, and of images', async () => {
  const plain = new Accuracy()
  plain.update([0, 2, 1, 1], [0, 2, 2, 1])
  plain.update(new Int32Array([5]), new Int32Array([5]))
  expect(await plain.compute()).toBe(4 / 5)
  const oneHot = new Accuracy()
  oneHot.update(scores, tensor([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1], { shape: [4, 3] }))
  expect(await oneHot.compute()).toBe(3 / 4)
  const multilabel = new Accuracy({ multilabel: true })
  multilabel.update(tensor([[0.9, 0.1, 0.7]]), tensor([[1, 1, 1]]))
  expect(await multilabel.compute()).toBe(2 / 3)
  const image = new Accuracy()
  image.update(scores.transpose().reshape([1, 3, 2, 2]), labels([0, 1, 1, 0]).reshape([1, 2, 2]))
  expect(await image.compute()).toBe(3 / 4)
})

test('precision, recall and F1 of two classes are those of class 1', async () => {
  const all = [new Precision(), new Recall(), new F1()]
  for (const one of all) {
    one.update(tensor([0.9, 0.8, 0.3, 0.1, 0.7]), tensor([1, 0, 1, 0, 1]))
    one.update(tensor([0.9]), tensor([1]))
  }
  const [precision, recall, f1] = await Promise.all(all.map((one) => one.compute()))
  expect([precision, recall, f1]).toEqual([3 / 4, 3 / 4, 3 / 4])
  expect(await all[0]!.perClass()).toEqual([1 / 2, 3 / 4])
})

test('averages over classes', async () => {
  // Predicted 0, 1, 1, 2 beside 0, 1, 2, 2: precision 1, 1/2, 1; recall 1, 1, 1/2.
  const y = labels([0, 1, 2, 2])
  const expected = { macro: 2.5 / 3, micro: 3 / 4, weighted: (1 + 1 / 2 + 2 * 1) / 4 }
  for (const average of ['macro', 'micro', 'weighted'] as const) {
    const precision = new Precision({ average })
    precision.update(scores, y)
    expect(await precision.compute()).toBeCloseTo(expected[average], 12)
  }
  const recall = new Recall()
  recall.update(scores, y)
  expect(await recall.perClass()).toEqual([1, 1, 1 / 2])
  const f1 = new F1()
  f1.update(scores, y)
  expect(await f1.compute()).toBeCloseTo((1 + 2 / 3 + 2 / 3) / 3, 12)
})

test('a class that is nowhere counts nowhere', async () => {
  const recall = new Recall({ classes: 4 })
  recall.update([0, 1, 1], [0, 1, 2])
  expect(await recall.perClass()).toEqual([1, 1, 0, 0])
  expect(await recall.compute()).toBeCloseTo(2 / 3, 12)
})

test('the confusion matrix has actual classes as rows', async () => {
  const matrix = new ConfusionMatrix()
  matrix.update(scores, labels([0, 1, 2, 2]))
  matrix.update(scores.slice(0, 0, 1), labels([2]))
  expect(await matrix.compute()).toEqual([
    [1, 0, 0],
    [0, 1, 0],
    [1, 1, 1],
  ])
  const binary = new ConfusionMatrix()
  binary.update(tensor([0.9, 0.1, 0.8]), tensor([1, 1, 0]))
  expect(await binary.compute()).toEqual([
    [0, 1],
    [1, 1],
  ])
})

test('means, weighted by the size of batches', async () => {
  const mean = new Mean('loss')
  mean.update(tensor(2), 10)
  mean.update(5, 20)
  expect(await mean.compute()).toBe(4)
  mean.reset()
  mean.update([1, 2, 3, 4])
  expect(await mean.compute()).toBe(2.5)
  const squared = new MeanSquaredError()
  squared.update([[1], [2]], [3, 2])
  const absolute = new MeanAbsoluteError()
  absolute.update([1, 2], [3, 2])
  expect([await squared.compute(), await absolute.compute()]).toEqual([2, 1])
})

test('a mean of many small numbers loses none of them', async () => {
  const mean = new Mean()
  mean.update(tensor([1e8], { dtype: 'float64' }))
  for (let i = 0; i < 9; i++) mean.update(tensor([1]))
  expect(await mean.compute()).toBe((1e8 + 9) / 10)
})

test('updates join the plan of the step and survive it', async () => {
  const weight = new Parameter([[0.5, -0.5]])
  const accuracy = new Accuracy()
  const mean = new Mean()
  let plans = 0
  for (let step = 0; step < 5; step++) {
    const x = tensor([[1], [-1]])
    const predicted = x.mul(weight) // [2, 2]
    accuracy.update(predicted, labels([0, 1]))
    mean.update(predicted.sum())
    // A step as an optimizer does it.
    weight.value = weight.value.mul(0.5)
    engine.flush()
    if (step === 0) plans = engine.statistics.plansBuilt
  }
  expect(engine.statistics.plansBuilt).toBe(plans)
  expect(await accuracy.compute()).toBe(1)
  expect(await mean.compute()).toBe(0)
})

test('R9: without any step, at most one batch waits and all batches share a plan', async () => {
  const accuracy = new Accuracy()
  const first = scores.add(0)
  accuracy.update(first, labels([0, 1, 2, 2]))
  accuracy.update(scores.add(0), labels([0, 1, 2, 2]))
  accuracy.update(scores.add(0), labels([0, 1, 2, 2]))
  const plans = engine.statistics.plansBuilt
  for (let batch = 0; batch < 50; batch++) accuracy.update(scores.add(0), labels([0, 1, 2, 2]))
  expect(engine.statistics.plansBuilt).toBe(plans)
  expect(await accuracy.compute()).toBe(3 / 4)
})

test('counts are exact where float32 is not', async () => {
  const accuracy = new Accuracy()
  // 2^24 + 1 is the first whole number that float32 lacks.
  const many = new Uint8Array(2 ** 20)
  for (let batch = 0; batch < 16; batch++) accuracy.update(many, many)
  accuracy.update([0, 0, 0], [0, 1, 1])
  expect(await accuracy.compute()).toBe((2 ** 24 + 1) / (2 ** 24 + 3))
})

test('wrong input is refused', async () => {
  await expect(new Accuracy().compute()).rejects.toThrow(/accuracy: there is nothing to compute/)
  expect(() => new Accuracy().update(scores, labels([0, 1]))).toThrow(ShapeError)
  expect(() => new Accuracy().update(scores, labels([0, 1]))).toThrow(
    /predictions \[4, 3\] do not fit targets \[2\]/,
  )
  expect(() => new Accuracy().update('high' as unknown as Tensor, labels([0]))).toThrow(ValueError)
  expect(() => new F1().update(scores, labels([0, 1, 2, 3]))).toThrow(/f1: target 3 is no class: there are 3/)
  expect(() => new F1().update([0, 1, 2], [0, 1, 2])).toThrow(/give \{ classes \}/)
  expect(() => new F1({ classes: 2 }).update([0, 1, 2], [0, 1, 1])).toThrow(/prediction 2 is no class/)
  expect(() => new F1({ classes: 4 }).update(scores, labels([0, 1, 2, 2]))).toThrow(/about 3 classes, not 4/)
  expect(() => new F1({ average: 'mean' as 'macro' })).toThrow(/unknown average 'mean'/)
  expect(() => new ConfusionMatrix({ classes: 1 })).toThrow(/classes must be an integer of at least 2; got 1/)
  expect(() => new Mean().update(1, NaN)).toThrow(/weight must be a number/)
  expect(() => new MeanSquaredError().update([1, 2], [1, 2, 3])).toThrow(ShapeError)
  const binary = new Precision({ average: 'binary' })
  binary.update(scores, labels([0, 1, 2, 2]))
  await expect(binary.compute()).rejects.toThrow(/average 'binary' needs two classes; there are 3/)
})

test('metrics by name are new ones each time', () => {
  expect(metric('f1')).toBeInstanceOf(F1)
  expect(metric('accuracy')).not.toBe(metric('accuracy'))
  expect(() => metric('acuracy' as 'accuracy')).toThrow(/unknown metric 'acuracy'. Did you mean 'accuracy'\?/)
})
