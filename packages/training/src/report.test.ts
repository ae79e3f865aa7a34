import { tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { classificationReport } from './report.ts'

// Worked out by hand: cats 2 of 2 found, dogs 1 of 3, birds 1 of 1.
const targets = [0, 0, 1, 1, 1, 2]
const predicted = [0, 0, 0, 1, 2, 2]

test('precision, recall and F1 of each class, and their means', async () => {
  const report = await classificationReport(predicted, targets, { names: ['cat', 'dog', 'bird'], classes: 3 })
  expect(report.classes).toEqual([
    { name: 'cat', precision: 2 / 3, recall: 1, f1: 0.8, support: 2 },
    { name: 'dog', precision: 1, recall: 1 / 3, f1: 0.5, support: 3 },
    { name: 'bird', precision: 1 / 2, recall: 1, f1: 2 / 3, support: 1 },
  ])
  expect(report.accuracy).toBeCloseTo(4 / 6, 12)
  expect(report.macro.recall).toBeCloseTo(7 / 9, 12)
  expect(report.weighted.recall).toBeCloseTo(4 / 6, 12)
  expect(report.weighted.precision).toBeCloseTo((2 * (2 / 3) + 3 + 1 / 2) / 6, 12)
  expect(String(report)).toBe(
    [
      '                  precision  recall      f1  support',
      '             cat     0.6667  1.0000  0.8000        2',
      '             dog     1.0000  0.3333  0.5000        3',
      '            bird     0.5000  1.0000  0.6667        1',
      '',
      '        accuracy                     0.6667        6',
      '   macro average     0.7222  0.7778  0.6556        6',
      'weighted average     0.8056  0.6667  0.6278        6',
    ].join('\n'),
  )
})

test('scores instead of labels; classes that never occur have 0', async () => {
  const scores = tensor([
    [0.9, 0.1, 0],
    [0.2, 0.8, 0],
  ])
  const report = await classificationReport(scores, [0, 1], { digits: 2 })
  expect(report.accuracy).toBe(1)
  expect(report.classes[2]).toEqual({ name: '2', precision: 0, recall: 0, f1: 0, support: 0 })
  expect(String(report).split('\n')[3]).toBe('               2       0.00    0.00  0.00        0')
})

test('bad input', async () => {
  await expect(classificationReport([0, 1], [0, 1])).rejects.toThrow(/give \{ classes \}/)
  await expect(classificationReport(predicted, targets, { classes: 3, names: ['cat'] })).rejects.toThrow(
    'classificationReport: 1 names for 3 classes',
  )
})
