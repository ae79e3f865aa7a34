import { DTypeError, ShapeError, ValueError } from '@nabla/engine'
import { logSoftmax, manualSeed, ones, randn, tensor, type Tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { ctcLoss } from './sequence.ts'

const int = (data: number[] | number[][]): Tensor => tensor(data, { dtype: 'int32' })

/** The loss of one sequence by adding up all alignments. */
function byEnumeration(logProbs: number[][], target: readonly number[]): number {
  const classes = logProbs[0]!.length
  let probability = 0
  const visit = (t: number, path: readonly number[], logP: number): void => {
    if (t === logProbs.length) {
      const merged = path.filter((label, i) => label !== 0 && label !== path[i - 1])
      if (merged.join() === target.join()) probability += Math.exp(logP)
      return
    }
    for (let label = 0; label < classes; label++) visit(t + 1, [...path, label], logP + logProbs[t]![label]!)
  }
  visit(0, [], 0)
  return -Math.log(probability)
}

test('the loss is that of all alignments together', async () => {
  manualSeed(3)
  const logProbs = tensor(await logSoftmax(randn([5, 3, 3]), -1).data(), { shape: [5, 3, 3] })
  const rows = (await logProbs.permute([1, 0, 2]).toArray()) as number[][][]
  // Different lengths of both; a label twice in a row; filling behind the ends.
  const expected = [
    byEnumeration(rows[0]!, [1, 2, 1]),
    byEnumeration(rows[1]!.slice(0, 4), [2, 2]),
    byEnumeration(rows[2]!.slice(0, 3), []),
  ]
  const targets = int([
    [1, 2, 1],
    [2, 2, 0],
    [1, 1, 1],
  ])
  const options = { reduction: 'none' } as const
  const losses = await ctcLoss(logProbs, targets, [5, 4, 3], [3, 2, 0], options).data()
  expect([...losses]).toEqual(expected.map((value) => expect.closeTo(value, 4)))
  const mean = expected[0]! / 3 + expected[1]! / 2 + expected[2]!
  expect(await ctcLoss(logProbs, targets, int([5, 4, 3]), int([3, 2, 0])).item()).toBeCloseTo(mean / 3, 4)
})

test('targets that do not fit into the inputs are impossible', async () => {
  const logProbs = logSoftmax(ones([2, 1, 3]), -1)
  const targets = int([[1, 1]])
  expect(await ctcLoss(logProbs, targets, [2], [2]).item()).toBe(Infinity)
  expect(await ctcLoss(logProbs, targets, [2], [2], { zeroInfinity: true }).item()).toBe(0)
})

test('what cannot be is refused', () => {
  const x = ones([4, 2, 3])
  const targets = int([[1], [2]])
  expect(() => ctcLoss(x, int([[1]]), [4, 4], [1, 1])).toThrow(ShapeError)
  expect(() => ctcLoss(x, ones([2, 1]), [4, 4], [1, 1])).toThrow(DTypeError)
  expect(() => ctcLoss(x, targets, [4, 5], [1, 1])).toThrow(
    /inputLengths must be integers from 1 to 4; got 5/,
  )
  expect(() => ctcLoss(x, targets, [4, 4], [1])).toThrow(
    /targetLengths must be one per sequence, \[2\]; got \[1\]/,
  )
  expect(() => ctcLoss(x, targets, [4, 4], [1, 1], { blank: 3 })).toThrow(ValueError)
  expect(() => ctcLoss(x, targets, [4, 4], [1, 1], { reduction: 'max' as 'sum' })).toThrow(
    /unknown reduction/,
  )
})
