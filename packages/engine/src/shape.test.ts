import { expect, test } from 'vitest'
import { ShapeError, ValueError } from './errors.ts'
import {
  broadcastShapes,
  checkDim,
  checkDims,
  checkShape,
  formatShape,
  maxElements,
  rowMajorStrides,
  sameShape,
  sizeOf,
} from './shape.ts'

test('sizes, strides, equality and text', () => {
  expect([sizeOf([]), sizeOf([3, 4]), sizeOf([3, 0])]).toEqual([1, 12, 0])
  expect([rowMajorStrides([]), rowMajorStrides([5]), rowMajorStrides([2, 3, 4])]).toEqual([
    [],
    [1],
    [12, 4, 1],
  ])
  expect([
    sameShape([], []),
    sameShape([2, 3], [2, 3]),
    sameShape([2, 3], [3, 2]),
    sameShape([2], [2, 1]),
  ]).toEqual([true, true, false, false])
  expect([formatShape([]), formatShape([32, 10])]).toEqual(['[]', '[32, 10]'])
})

test('broadcasting aligns shapes at their end', () => {
  const cases = [
    { a: [], b: [2, 3], result: [2, 3] },
    { a: [3], b: [2, 3], result: [2, 3] },
    { a: [2, 1], b: [1, 3], result: [2, 3] },
    { a: [4, 1, 5], b: [6, 1], result: [4, 6, 5] },
    { a: [0], b: [1], result: [0] },
    { a: [1, 3], b: [0, 1], result: [0, 3] },
    { a: [7, 2], b: [7, 2], result: [7, 2] },
  ]
  for (const { a, b, result } of cases) {
    expect(broadcastShapes('add', a, b)).toEqual(result)
    expect(broadcastShapes('add', b, a)).toEqual(result)
  }
})

test('shapes that do not broadcast: the message names the op, both shapes and the pair', () => {
  expect(() => broadcastShapes('add', [2, 3], [4, 3, 4])).toThrow(
    'add: shapes [2, 3] and [4, 3, 4] do not broadcast: sizes 3 and 4 disagree in dimension -1.',
  )
  expect(() => broadcastShapes('mul', [2, 3], [4, 3])).toThrow('sizes 2 and 4 disagree in dimension -2.')
  expect(() => broadcastShapes('mul', [0], [2])).toThrow(ShapeError)
})

test('sizes given by users are whole and not negative, and not too many elements in all', () => {
  expect(checkShape('zeros', [])).toEqual([])
  expect(checkShape('zeros', [2, 0])).toEqual([2, 0])
  expect(checkShape('zeros', [maxElements])).toEqual([maxElements])
  for (const bad of [[-1], [1.5], [NaN], [Infinity], ['2'], [undefined], [2 ** 60, -1]]) {
    expect(() => checkShape('zeros', bad as number[])).toThrow(/^zeros: sizes must be non-negative integers/)
  }
  for (const bad of [3, 'ab', null, undefined, { length: 1 }]) {
    expect(() => checkShape('zeros', bad as unknown as number[])).toThrow(ValueError)
  }
  expect(() => checkShape('zeros', [65536, 32768])).toThrow(ShapeError)
  expect(() => checkShape('zeros', [2 ** 53 - 1, 2 ** 53 - 1])).toThrow(ShapeError)
})

test('dimensions count from either end', () => {
  expect([
    checkDim('sum', 0, 3),
    checkDim('sum', 2, 3),
    checkDim('sum', -1, 3),
    checkDim('sum', -3, 3),
  ]).toEqual([0, 2, 2, 0])
  expect(() => checkDim('sum', 3, 3)).toThrow(
    'sum: dimension 3 does not exist in a tensor of rank 3: it must lie in [-3, 2]',
  )
  expect(() => checkDim('sum', -4, 3)).toThrow(ShapeError)
  expect(() => checkDim('sum', 0, 0)).toThrow(/a scalar has none/)
  for (const bad of [0.5, NaN, '1', undefined]) {
    expect(() => checkDim('sum', bad as number, 3)).toThrow(ValueError)
  }
})

test('lists of dimensions are sorted and distinct; none given means all', () => {
  expect(checkDims('sum', undefined, 3)).toEqual([0, 1, 2])
  expect(checkDims('sum', undefined, 0)).toEqual([])
  expect(checkDims('sum', [], 3)).toEqual([])
  expect(checkDims('sum', -1, 3)).toEqual([2])
  expect(checkDims('sum', [-1, 0], 3)).toEqual([0, 2])
  // By value, not by text: 10 comes after 9.
  expect(checkDims('sum', [10, 9], 11)).toEqual([9, 10])
  expect(() => checkDims('sum', [0, -3], 3)).toThrow('sum: dimension 0 appears twice in [0, -3]')
  expect(() => checkDims('sum', [0, 5], 3)).toThrow(ShapeError)
})
