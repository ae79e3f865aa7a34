// Offset tables: what they hold, what merges, and that they are shared and given back.
import { expect, test } from 'vitest'
import { createMemory } from '../memory.ts'
import { extentOf, hasRunsOfFour, isContiguous, offsetsOf, OffsetTables } from './tables.ts'

test('axes merge where the outer one runs on from the inner one', () => {
  expect(extentOf([4, 5], [5, 1])).toEqual({ sizes: [20], strides: [1], length: 20 })
  expect(extentOf([4, 5], [6, 1])).toEqual({ sizes: [4, 5], strides: [6, 1], length: 20 })
  expect(extentOf([2, 1, 3], [-6, 7, -2])).toEqual({ sizes: [6], strides: [-2], length: 6 })
  expect(extentOf([3, 4], [0, 0])).toEqual({ sizes: [12], strides: [0], length: 12 })
  expect(extentOf([], [])).toEqual({ sizes: [], strides: [], length: 1 })
  expect(extentOf([3, 0], [1, 1]).length).toBe(0)
})

test('contiguity, and runs of four', () => {
  expect(isContiguous(extentOf([4, 5], [5, 1]))).toBe(true)
  expect(isContiguous(extentOf([1], [9]))).toBe(true)
  expect(isContiguous(extentOf([5], [2]))).toBe(false)
  expect(hasRunsOfFour(extentOf([3, 4], [100, 1]))).toBe(true)
  expect(hasRunsOfFour(extentOf([4, 3], [100, 1]))).toBe(false)
})

test('offsets are bytes in the order of the flat index', () => {
  expect([...offsetsOf(extentOf([2, 3], [10, -1]), 4)]).toEqual([0, -4, -8, 40, 36, 32])
  expect([...offsetsOf(extentOf([2, 2, 2], [1, 0, 7]), 8)]).toEqual([0, 56, 0, 56, 8, 64, 8, 64])
  expect([...offsetsOf(extentOf([], []), 4)]).toEqual([0])
  // Positions beyond 2 GB wrap around, as addresses do.
  expect([...offsetsOf(extentOf([2], [2 ** 30]), 4)]).toEqual([0, 0])
})

test('tables are shared by equal strides, single axes also by length, and released by the last user', () => {
  const memory = createMemory({ maximumBytes: 2 ** 28 })
  const before = memory.bytes.inUse
  const tables = new OffsetTables(memory)
  const short = tables.acquire(extentOf([10], [3]), 4)
  const long = tables.acquire(extentOf([40], [3]), 4)
  expect(long.address).toBe(short.address)
  const double = tables.acquire(extentOf([10], [3]), 8)
  expect(double.address).not.toBe(short.address)
  const windows = [1, 2].map(() => tables.acquire(extentOf([5, 6], [1, 2]), 4))
  expect(windows[0]!.address).toBe(windows[1]!.address)
  expect([...memory.int32.subarray(windows[0]!.address / 4, windows[0]!.address / 4 + 8)]).toEqual([
    0, 8, 16, 24, 32, 40, 4, 12,
  ])
  for (const use of [short, double, windows[0]!]) tables.release(use)
  expect(tables.acquire(extentOf([64], [3]), 4).address).toBe(long.address)
  tables.release(long)
  tables.release(long)
  tables.release(windows[1]!)
  expect(memory.bytes.inUse).toBe(before)
})
