// Streaming metrics beside values worked out by hand. Each gets its data in two updates, which must make no difference.
import { engine, ShapeError, ValueError } from '@nabla/engine'
import { tensor, type Tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { Accuracy, TopKAccuracy, ZeroOneLoss } from './accuracy.ts'
import { ConfusionMatrix } from './confusion.ts'
import { BalancedAccuracy, CohenKappa, MatthewsCorrelation } from './confusionScores.ts'
import { PeakSignalNoiseRatio } from './image.ts'
import { MeanAbsoluteError } from './mean.ts'
import type { PredictionMetric } from './metric.ts'
import { FBeta, Jaccard } from './precisionRecall.ts'
import { BrierScore, HingeLoss, LogLoss, Perplexity } from './probabilities.ts'
import {
  ExplainedVariance,
  GammaDeviance,
  MaxError,
  MeanAbsolutePercentageError,
  MeanSquaredLogError,
  PearsonCorrelation,
  PinballLoss,
  PoissonDeviance,
  R2Score,
  RootMeanSquaredError,
  SymmetricMeanAbsolutePercentageError,
} from './regression.ts'

async function inTwoParts(metric: PredictionMetric, predictions: Tensor, targets: Tensor): Promise<number> {
  const half = Math.floor(targets.shape[0]! / 2)
  for (const [from, to] of [
    [0, half],
    [half, targets.shape[0]!],
  ] as const) {
    metric.update(predictions.slice(0, from, to), targets.slice(0, from, to))
  }
  return metric.compute()
}

const ids = (values: number[]): Tensor => tensor(values, { dtype: 'int32' })

// [actual][predicted]: [[2, 1, 0], [0, 1, 1], [0, 0, 1]].
const predicted = ids([0, 0, 1, 1, 2, 2])
const actual = ids([0, 0, 0, 1, 1, 2])

test('scores from the confusion matrix', async () => {
  const classes = { classes: 3 }
  expect(await inTwoParts(new BalancedAccuracy(classes), predicted, actual)).toBeCloseTo(
    (2 / 3 + 1 / 2 + 1) / 3,
    12,
  )
  // 4 of 6 agree; chance gives (3·2 + 2·2 + 1·2) / 36.
  expect(await inTwoParts(new CohenKappa(classes), predicted, actual)).toBeCloseTo(
    (4 / 6 - 1 / 3) / (1 - 1 / 3),
    12,
  )
  // (4·6 - 12) / √((36 - 14)(36 - 12)).
  expect(await inTwoParts(new MatthewsCorrelation(classes), predicted, actual)).toBeCloseTo(
    12 / Math.sqrt(22 * 24),
    12,
  )
  expect(await inTwoParts(new ZeroOneLoss(), predicted, actual)).toBeCloseTo(1 / 3, 12)
  expect(await inTwoParts(new MatthewsCorrelation(classes), ids([1, 1]), ids([0, 1]))).toBe(0)
  // A class that is not there has no share to be found.
  expect(await inTwoParts(new BalancedAccuracy({ classes: 4 }), predicted, actual)).toBeCloseTo(13 / 18, 12)
  const again = new CohenKappa(classes)
  again.update(actual, predicted)
  again.reset()
  again.update(actual, actual)
  expect(await again.compute()).toBe(1)
})

test('shares instead of counts in the confusion matrix', async () => {
  const of = async (normalize: 'actual' | 'predicted' | 'all'): Promise<number[][]> => {
    const matrix = new ConfusionMatrix({ classes: 3, normalize })
    matrix.update(ids([0, 0, 1, 1]), ids([0, 0, 0, 1]))
    return matrix.compute()
  }
  expect(await of('actual')).toEqual([
    [2 / 3, 1 / 3, 0],
    [0, 1, 0],
    [0, 0, 0],
  ])
  expect(await of('predicted')).toEqual([
    [1, 1 / 2, 0],
    [0, 1 / 2, 0],
    [0, 0, 0],
  ])
  expect(await of('all')).toEqual([
    [1 / 2, 1 / 4, 0],
    [0, 1 / 4, 0],
    [0, 0, 0],
  ])
  expect(() => new ConfusionMatrix({ normalize: 'rows' as 'all' })).toThrow(/unknown normalization 'rows'/)
})

test('F-beta and Jaccard of each class', async () => {
  const jaccard = new Jaccard({ classes: 3 })
  expect(await inTwoParts(jaccard, predicted, actual)).toBeCloseTo((2 / 3 + 1 / 3 + 1 / 2) / 3, 12)
  expect(await jaccard.perClass()).toEqual([2 / 3, 1 / 3, 1 / 2])
  const fBeta = new FBeta({ beta: 2, classes: 3 })
  fBeta.update(predicted, actual)
  // Precision 1, recall 2/3: 5 · P · R / (4 · P + R).
  expect((await fBeta.perClass())[0]).toBeCloseTo((5 * (2 / 3)) / (4 + 2 / 3), 12)
  expect(() => new FBeta({ beta: 0 })).toThrow(/beta must be a positive number; got 0/)
})

test('answers and errors may count differently', async () => {
  const accuracy = new Accuracy()
  accuracy.update(ids([0, 1]), ids([0, 0]), [3, 1])
  accuracy.update(ids([1]), ids([1]))
  expect(await accuracy.compute()).toBe(4 / 5)
  const error = new MeanAbsoluteError()
  error.update([1, 2], [0, 4], [3, 1])
  expect(await error.compute()).toBe(5 / 4)
  expect(() => accuracy.update(ids([0, 1]), ids([0, 0]), [1])).toThrow(ShapeError)
})

test('the best few', async () => {
  const scores = tensor([
    [0.1, 0.2, 0.7],
    [0.5, 0.3, 0.2],
    [0.2, 0.5, 0.3],
    [0.4, 0.35, 0.25],
  ])
  const labels = ids([2, 1, 0, 2])
  expect(await inTwoParts(new TopKAccuracy(1), scores, labels)).toBe(1 / 4)
  expect(await inTwoParts(new TopKAccuracy(2), scores, labels)).toBe(2 / 4)
  expect(await inTwoParts(new TopKAccuracy(3), scores, labels)).toBe(1)
  expect(() => new TopKAccuracy(0)).toThrow(ValueError)
  expect(() => new TopKAccuracy().update(scores, ids([1]))).toThrow(ShapeError)
})

test('losses of probabilities and scores', async () => {
  const rows = tensor([
    [0.5, 0.25, 0.25],
    [0.125, 0.75, 0.125],
  ])
  expect(await inTwoParts(new LogLoss(), rows, ids([0, 2]))).toBeCloseTo((Math.log(2) + Math.log(8)) / 2, 6)
  expect(await inTwoParts(new LogLoss(), tensor([0.5, 0.25]), ids([1, 0]))).toBeCloseTo(
    (Math.log(2) - Math.log(0.75)) / 2,
    6,
  )
  expect(await inTwoParts(new LogLoss({ logits: true }), tensor([0, 0]), ids([1, 0]))).toBeCloseTo(
    Math.log(2),
    6,
  )
  expect(await inTwoParts(new LogLoss({ logits: true }), rows.log(), ids([0, 2]))).toBeCloseTo(
    Math.log(16) / 2,
    6,
  )
  // A probability of 0 costs much, but not infinitely much.
  expect(await inTwoParts(new LogLoss(), tensor([0, 1]), ids([1, 1]))).toBeCloseTo((52 * Math.log(2)) / 2, 6)
  expect(await inTwoParts(new BrierScore(), tensor([0.5, 0.25]), ids([1, 0]))).toBeCloseTo(
    (0.25 + 0.0625) / 2,
    6,
  )
  expect(await inTwoParts(new BrierScore(), rows, ids([0, 2]))).toBeCloseTo(
    (0.25 + 2 * 0.0625 + 0.125 ** 2 + 0.75 ** 2 + 0.875 ** 2) / 2,
    6,
  )
  expect(await inTwoParts(new HingeLoss(), tensor([0.5, 2]), ids([1, -1]))).toBeCloseTo((0.5 + 3) / 2, 6)
  expect(await inTwoParts(new HingeLoss(), rows, ids([0, 2]))).toBeCloseTo((0.75 + 1.625) / 2, 6)
  expect(() => new LogLoss().update(ids([1]), ids([1]))).toThrow(/must be probabilities or scores, not int32/)
  expect(() => new LogLoss().update(rows, ids([0]))).toThrow(ShapeError)
})

test('perplexity is the number of tokens that are as likely, without padding', async () => {
  const logits = tensor([
    [
      [0, 0, 0, 0],
      [3, 3, 3, 3],
    ],
    [
      [0, 0, -Infinity, -Infinity],
      [9, 0, 0, 0],
    ],
  ])
  const perplexity = new Perplexity({ ignoreIndex: -100 })
  const tokens = tensor(
    [
      [1, 2],
      [0, -100],
    ],
    { dtype: 'int32' },
  )
  expect(await inTwoParts(perplexity, logits, tokens)).toBeCloseTo((4 * 4 * 2) ** (1 / 3), 5)
  expect(() => perplexity.update(logits, ids([1, 2]))).toThrow(ShapeError)
})

test('errors of quantities', async () => {
  const y = tensor([1, 2, 4, 5], { dtype: 'float64' })
  const x = tensor([2, 2, 3, 5], { dtype: 'float64' })
  const cases: [PredictionMetric, number][] = [
    [new RootMeanSquaredError(), Math.sqrt(1 / 2)],
    [new MeanAbsolutePercentageError(), (1 + 1 / 4) / 4],
    [new SymmetricMeanAbsolutePercentageError(), (2 / 3 + 2 / 7) / 4],
    [new MeanSquaredLogError(), (Math.log(3 / 2) ** 2 + Math.log(4 / 5) ** 2) / 4],
    [new PoissonDeviance(), (2 * (Math.log(1 / 2) + 1 + 4 * Math.log(4 / 3) - 1)) / 4],
    [new GammaDeviance(), (2 * (Math.log(2) + 1 / 2 - 1 + Math.log(3 / 4) + 4 / 3 - 1)) / 4],
    [new PinballLoss(0.75), (0.25 + 0.75) / 4],
    [new MaxError(), 1],
    [new R2Score(), 1 - 2 / 10],
    [new ExplainedVariance(), 1 - 2 / 10],
    [new PearsonCorrelation(), 7 / Math.sqrt(6 * 10)],
    [new PeakSignalNoiseRatio({ range: 10 }), 10 * Math.log10(200)],
  ]
  for (const [metric, expected] of cases) {
    expect(await inTwoParts(metric, x, y), metric.name).toBeCloseTo(expected, 10)
  }
})

test('errors at the edges', async () => {
  const zero = tensor([0, 0], { dtype: 'float64' })
  const one = tensor([1, 1], { dtype: 'float64' })
  expect(await inTwoParts(new PoissonDeviance(), one, zero)).toBe(2)
  expect(await inTwoParts(new R2Score(), one, one)).toBe(1)
  expect(await inTwoParts(new R2Score(), zero, one)).toBe(0)
  expect(await inTwoParts(new SymmetricMeanAbsolutePercentageError(), zero, zero)).toBe(0)
  expect(await inTwoParts(new PeakSignalNoiseRatio(), one, one)).toBe(Infinity)
  expect(() => new PinballLoss(1.5)).toThrow(/alpha must lie in \[0, 1\]; got 1.5/)
  expect(() => new PeakSignalNoiseRatio({ range: 0 })).toThrow(/range must be a positive number/)
  expect(() => new MaxError().update([1], [1, 2])).toThrow(ShapeError)
})

test('R9: updates share one plan, and at most one batch waits', async () => {
  const metrics = [new R2Score(), new MaxError(), new PoissonDeviance()]
  const update = (): void => {
    for (const metric of metrics) metric.update(tensor([2, 3]).add(0), tensor([1, 5]))
  }
  for (let batch = 0; batch < 4; batch++) update()
  engine.flush()
  const plans = engine.statistics.plansBuilt
  for (let batch = 0; batch < 20; batch++) {
    update()
    engine.flush()
  }
  expect(engine.statistics.plansBuilt - plans).toBeLessThanOrEqual(1)
  expect(await metrics[1]!.compute()).toBe(2)
})
