// Metrics of all values at once beside values worked out by hand.
import { ShapeError, ValueError } from '@nabla/engine'
import { tensor, Variable } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { bleu, sacreBleu, tokenize13a } from './bleu.ts'
import {
  adjustedRandIndex,
  completeness,
  fowlkesMallows,
  homogeneity,
  mutualInformation,
  normalizedMutualInformation,
  randIndex,
  vMeasure,
} from './clustering.ts'
import { calinskiHarabasz, daviesBouldin, silhouette } from './clusterShape.ts'
import {
  averagePrecision,
  calibrationCurve,
  calibrationError,
  precisionRecallCurve,
  rocAuc,
  rocCurve,
} from './curves.ts'
import { boxIou, nonMaximumSuppression } from './detection.ts'
import { coverageError, labelRankingAveragePrecision, labelRankingLoss, ndcg } from './ranking.ts'
import {
  retrievalAveragePrecision,
  retrievalFallOut,
  retrievalHitRate,
  retrievalPrecision,
  retrievalRecall,
  retrievalReciprocalRank,
  retrievalRPrecision,
} from './retrieval.ts'
import { pairwiseCosineSimilarity } from './similarity.ts'
import {
  characterErrorRate,
  editDistance,
  matchErrorRate,
  wordErrorRate,
  wordInformationLost,
  wordInformationPreserved,
} from './text.ts'

test('ROC: equal scores are one threshold', async () => {
  const scores = [0.9, 0.8, 0.8, 0.3]
  const labels = [1, 1, 0, 0]
  expect(await rocCurve(scores, labels)).toEqual({
    falsePositiveRate: [0, 0, 0.5, 1],
    truePositiveRate: [0, 0.5, 1, 1],
    thresholds: [Infinity, 0.9, 0.8, 0.3],
  })
  // Of the four pairs three are in order, and one is tied.
  expect(await rocAuc(scores, labels)).toBe(3.5 / 4)
  expect(await rocAuc(Float32Array.from(scores), new Variable(labels))).toBe(3.5 / 4)
  // The tied pair counts as many times as its weights say.
  expect(await rocAuc(scores, labels, { sampleWeight: [1, 3, 1, 1] })).toBeCloseTo((1 * 2 + 3 * 1.5) / 8, 12)
  await expect(rocAuc(scores, [1, 1, 1, 1])).rejects.toThrow(/labels are all the same/)
  await expect(rocAuc(scores, [1, 0])).rejects.toThrow(ShapeError)
  await expect(rocAuc([], [])).rejects.toThrow(ValueError)
})

test('ROC of many classes: each against the rest', async () => {
  const scores = tensor([
    [0.7, 0.2, 0.1],
    [0.3, 0.4, 0.3],
    [0.2, 0.2, 0.6],
    [0.5, 0.3, 0.2],
  ])
  // Class 0: 0.7 | 0.3 0.2 0.5; class 1: 0.4 0.3 | 0.2 0.2; class 2: 0.6 | ...
  expect(await rocAuc(scores, [0, 1, 2, 1])).toBe(1)
  // Class 0: 0.3 | 0.7 0.2 0.5 = 1/3; class 1: 0.2 0.3 | 0.4 0.2 = 1.5/4; class 2: 0.6 | ... = 1.
  const labels = [1, 0, 2, 1]
  expect(await rocAuc(scores, labels)).toBeCloseTo((1 / 3 + 3 / 8 + 1) / 3, 12)
  expect(await rocAuc(scores, labels, { average: 'weighted' })).toBeCloseTo((1 / 3 + 2 * (3 / 8) + 1) / 4, 12)
  await expect(rocAuc(scores, [0, 1, 1, 1])).rejects.toThrow(/class 2: labels are all the same/)
})

test('precision and recall over thresholds', async () => {
  const scores = [0.9, 0.8, 0.7, 0.6]
  const labels = [1, 0, 1, 0]
  expect(await precisionRecallCurve(scores, labels)).toEqual({
    precision: [1, 1 / 2, 2 / 3, 1 / 2],
    recall: [1 / 2, 1 / 2, 1, 1],
    thresholds: scores,
  })
  expect(await averagePrecision(scores, labels)).toBeCloseTo(1 / 2 + (1 / 2) * (2 / 3), 12)
  await expect(averagePrecision(scores, [0, 0, 0, 0])).rejects.toThrow(/there is no label 1/)
})

test('calibration', async () => {
  const probabilities = [0.1, 0.5, 0.6, 1]
  const labels = [0, 1, 0, 1]
  expect(await calibrationCurve(probabilities, labels, { bins: 2 })).toEqual({
    actual: [1 / 2, 1 / 2],
    predicted: [0.3, 0.8],
    counts: [2, 2],
  })
  expect(await calibrationError(probabilities, labels, { bins: 2 })).toBeCloseTo(0.25, 12)
  await expect(calibrationCurve([1.5], [1])).rejects.toThrow(/element 0 is 1.5, which is no probability/)
  await expect(calibrationCurve([0.5], [1], { bins: 0 })).rejects.toThrow(/bins must be a positive integer/)
})

test('divisions into groups: names do not matter', async () => {
  const actual = [0, 0, 1, 1]
  const renamed = [7, 7, 3, 3]
  for (const measure of [
    normalizedMutualInformation,
    homogeneity,
    completeness,
    vMeasure,
    randIndex,
    fowlkesMallows,
  ]) {
    expect(await measure(renamed, actual), measure.name).toBeCloseTo(1, 12)
  }
  expect(await adjustedRandIndex(renamed, actual)).toBe(1)
  // Each thing by itself: pure, but in pieces.
  const apart = [0, 1, 2, 3]
  expect(await homogeneity(apart, actual)).toBeCloseTo(1, 12)
  expect(await completeness(apart, actual)).toBeCloseTo(1 / 2, 12)
  expect(await vMeasure(apart, actual)).toBeCloseTo(2 / 3, 12)
  expect(await mutualInformation(apart, actual)).toBeCloseTo(Math.log(2), 12)
  expect(await normalizedMutualInformation(apart, actual)).toBeCloseTo(2 / 3, 12)
  // Of 6 pairs the 4 that are apart in both are treated alike.
  expect(await randIndex(apart, actual)).toBeCloseTo(4 / 6, 12)
  expect(await adjustedRandIndex(apart, actual)).toBe(0)
  expect(await fowlkesMallows(apart, actual)).toBe(0)
  // [2, 1 | 0, 1]: 1 pair together in both, 3 and 2 in each.
  expect(await fowlkesMallows([0, 0, 0, 1], actual)).toBeCloseTo(1 / Math.sqrt(6), 12)
  await expect(randIndex([0, 1], [0])).rejects.toThrow(/inputs of shapes \[2\] and \[1\] do not fit/)
})

test('shapes of groups', async () => {
  const points = [[0], [2], [10], [14]]
  const labels = [0, 0, 1, 1]
  // Spreads 1 and 2, centres 1 and 12.
  expect(await daviesBouldin(points, labels)).toBeCloseTo(3 / 11, 12)
  expect(await calinskiHarabasz(points, labels)).toBeCloseTo(((2 * 5.5 ** 2 * 2) / 1 / 10) * 2, 12)
  const parts = [(12 - 2) / 12, (10 - 2) / 10, (9 - 4) / 9, (13 - 4) / 13]
  expect(await silhouette(points, labels)).toBeCloseTo(parts.reduce((a, b) => a + b) / 4, 12)
  await expect(silhouette(points, [0, 0, 0, 0])).rejects.toThrow(/at least two groups; there are 1/)
  await expect(daviesBouldin([1, 2], [0, 1])).rejects.toThrow(ShapeError)
})

test('orders beside relevances', async () => {
  const scores = [[3, 2, 1]]
  expect(await ndcg(scores, [[1, 0, 2]])).toBeCloseTo((1 + 2 / 2) / (2 + 1 / Math.log2(3)), 12)
  expect(await ndcg([3, 2, 1], [1, 0, 2], { k: 1 })).toBe(1 / 2)
  // Tied scores share their places.
  expect(await ndcg([1, 1], [1, 0])).toBeCloseTo((1 + 1 / Math.log2(3)) / 2, 12)
  expect(
    await ndcg(
      [
        [1, 2],
        [1, 2],
      ],
      [
        [0, 0],
        [0, 1],
      ],
    ),
  ).toBe(1 / 2)
  expect(await labelRankingAveragePrecision([[0.9, 0.5, 0.1]], [[0, 1, 1]])).toBeCloseTo(
    (1 / 2 + 2 / 3) / 2,
    12,
  )
  expect(await labelRankingLoss([[0.9, 0.5, 0.1]], [[0, 1, 0]])).toBe(1 / 2)
  expect(
    await coverageError(
      [
        [0.9, 0.5, 0.1],
        [0.9, 0.5, 0.1],
      ],
      [
        [0, 1, 0],
        [1, 0, 0],
      ],
    ),
  ).toBe(1.5)
  await expect(ndcg([1, 2], [1, 2, 3])).rejects.toThrow(ShapeError)
  await expect(ndcg([1, 2], [1, 2], { k: 0 })).rejects.toThrow(/k must be a positive integer/)
})

test('one query', async () => {
  // By falling score: no, yes, no, yes, yes.
  const scores = [0.9, 0.8, 0.7, 0.6, 0]
  const relevant = [0, 1, 0, 1, 1]
  expect(await retrievalAveragePrecision(scores, relevant)).toBeCloseTo((1 / 2 + 2 / 4 + 3 / 5) / 3, 12)
  expect(await retrievalAveragePrecision(scores, relevant, { above: 0 })).toBe(1 / 2)
  expect(await retrievalReciprocalRank(scores, relevant)).toBe(1 / 2)
  expect(await retrievalReciprocalRank(scores, relevant, { k: 1 })).toBe(0)
  expect(await retrievalRPrecision(scores, relevant)).toBe(1 / 3)
  expect(await retrievalPrecision(scores, relevant, { k: 2 })).toBe(1 / 2)
  expect(await retrievalRecall(scores, relevant, { k: 2 })).toBe(1 / 3)
  expect(await retrievalHitRate(scores, relevant, { k: 1 })).toBe(0)
  expect(await retrievalHitRate(scores, relevant, { k: 2 })).toBe(1)
  expect(await retrievalFallOut(scores, relevant, { k: 2 })).toBe(1 / 2)
  await expect(retrievalRecall(scores, relevant, { k: 1.5 })).rejects.toThrow(ValueError)
})

test('errors of texts', () => {
  const predictions = ['the cat sat', 'a dog']
  const references = ['the cat sat down', 'the dog']
  expect(editDistance([...'kitten'], [...'sitting'])).toBe(3)
  expect(wordErrorRate(predictions, references)).toBe(2 / 6)
  expect(matchErrorRate(predictions, references)).toBe(2 / 6)
  expect(wordInformationPreserved(predictions, references)).toBeCloseTo((4 / 6) * (4 / 5), 12)
  expect(wordInformationLost(predictions, references)).toBeCloseTo(1 - (4 / 6) * (4 / 5), 12)
  expect(characterErrorRate(['abc'], ['abd'])).toBeCloseTo(1 / 3, 12)
  expect(() => wordErrorRate(['a'], [])).toThrow(/there are 1 predictions and 0 references/)
  expect(() => wordErrorRate(['a'], [''])).toThrow(/the references are empty/)
})

test('BLEU', () => {
  expect(bleu(['the cat is on the mat'], ['the cat is on the mat'])).toBe(1)
  // One word of two, no pair: 0, unless smoothed.
  expect(bleu(['a b'], ['a c'], { maxOrder: 2 })).toBe(0)
  expect(bleu(['a b'], ['a c'], { maxOrder: 2, smoothing: 'addOne' })).toBeCloseTo(
    Math.sqrt((1 / 2) * (1 / 2)),
    12,
  )
  expect(bleu(['a b'], ['a c'], { maxOrder: 2, smoothing: 'exp' })).toBeCloseTo(
    Math.sqrt((1 / 2) * (1 / 2)),
    12,
  )
  // Too short: exp(1 - 4/2); the closest of several references counts.
  expect(bleu(['a b'], ['a b c d'], { maxOrder: 1 })).toBeCloseTo(Math.exp(-1), 12)
  expect(bleu(['a b'], [['a b c d', 'b x']], { maxOrder: 1 })).toBe(1)
  // A word counts as often as it is in a reference.
  expect(bleu(['the the the'], ['the cat sat'], { maxOrder: 1 })).toBeCloseTo(1 / 3, 12)
  expect(bleu(['x'], ['y'], { smoothing: 'exp' })).toBe(0)
  expect(tokenize13a('Hello, world: 3,000.5 &amp; "no-one" 9-5.')).toEqual([
    'Hello',
    ',',
    'world',
    ':',
    '3,000.5',
    '&',
    '"',
    'no-one',
    '"',
    '9',
    '-',
    '5',
    '.',
  ])
  expect(sacreBleu(['Hello, my big world!'], ['Hello , my big world !'])).toBeCloseTo(100, 10)
  expect(() => bleu(['a'], [[]])).toThrow(/prediction 0 has no reference/)
  expect(() => bleu(['a'], ['a'], { tokenizer: 'zh' as '13a' })).toThrow(/unknown tokenizer 'zh'/)
})

test('boxes', async () => {
  const boxes = tensor([
    [0, 0, 2, 2],
    [1, 0, 3, 2],
    [5, 5, 6, 6],
    [1, 1, 1, 1],
  ])
  const overlaps = await boxIou(boxes, boxes.slice(0, 0, 2)).data()
  const expected = [1, 1 / 3, 1 / 3, 1, 0, 0, 0, 0]
  for (const [i, value] of expected.entries()) expect(overlaps[i]).toBeCloseTo(value, 6)
  expect(await nonMaximumSuppression(boxes, [0.5, 0.9, 0.7, 0.1], { threshold: 0.3 })).toEqual([1, 2, 3])
  expect(await nonMaximumSuppression(boxes, [0.5, 0.9, 0.7, 0.1], { threshold: 0.4 })).toEqual([1, 2, 0, 3])
  expect(() => boxIou([[1, 2]], boxes)).toThrow(/expected boxes \[N, 4\]; got \[1, 2\]/)
  await expect(nonMaximumSuppression(boxes, [1])).rejects.toThrow(/4 boxes and 1 scores/)
})

test('cosines of pairs of rows', async () => {
  const found = await pairwiseCosineSimilarity(
    [
      [2, 0],
      [0, 0],
    ],
    [
      [1, 0],
      [3, 3],
      [0, -1],
    ],
  ).data()
  for (const [i, value] of [1, Math.SQRT1_2, 0, 0, 0, 0].entries()) expect(found[i]).toBeCloseTo(value, 6)
  expect(() => pairwiseCosineSimilarity([[1]], [[1, 2]])).toThrow(ShapeError)
})
