// Which path a contraction takes, as documented in plan.ts.
import type { ContractSpec } from '@nabla/engine'
import { expect, test } from 'vitest'
import { kBlockOf, planContract } from './plan.ts'

function matmul(m: number, n: number, k: number, form: string, batch = 1): ContractSpec {
  const [a, b, c] = [...form].map((letter) => letter === 'T') as [boolean, boolean, boolean]
  return {
    name: 'contract',
    dtype: 'float32',
    batch: [batch],
    m: [m],
    n: [n],
    k: [k],
    a: { offset: 0, batch: [m * k], m: [a ? 1 : k], k: [a ? m : 1] },
    b: { offset: 0, batch: [k * n], k: [b ? 1 : n], n: [b ? k : 1] },
    c: { offset: 0, batch: [m * n], m: [c ? 1 : n], n: [c ? m : 1] },
    slots: [0, 1, 2],
  }
}

const pathOf = (...args: Parameters<typeof matmul>): string => planContract(matmul(...args)).path

test('a few rows: dot products where k is contiguous, rows where n is', () => {
  expect(pathOf(1, 512, 128, 'NTN')).toBe('dot')
  expect(pathOf(3, 512, 128, 'NTN')).toBe('dot')
  expect(pathOf(1, 512, 128, 'NNN')).toBe('row')
  expect(pathOf(512, 1, 128, 'NTN')).toBe('dot')
  expect(pathOf(512, 2, 128, 'TTN')).toBe('row')
  expect(pathOf(1, 512, 8, 'NTN')).toBe('packed')
})

test('small products with contiguous rows of B need no packing, large ones do', () => {
  expect(pathOf(64, 64, 64, 'NNN')).toBe('direct')
  expect(pathOf(8, 2048, 512, 'NNN')).toBe('direct')
  expect(pathOf(64, 64, 64, 'NTN')).toBe('packed')
  expect(pathOf(128, 128, 128, 'NNN')).toBe('packed')
})

test('rows as few as a tile has columns are columns of a strip, beside which nothing is packed', () => {
  expect(pathOf(2048, 8, 2048, 'NTN')).toBe('strip')
  expect(planContract(matmul(8, 1000, 512, 'NTN'))).toMatchObject({ path: 'strip', swapped: true })
  expect(pathOf(2048, 9, 2048, 'NTN')).toBe('packed')
  expect(pathOf(2048, 4, 2048, 'NTN')).toBe('packed')
})

test('the batch has no say', () => {
  for (const form of ['NNN', 'NTN', 'TNN', 'TTT']) {
    for (const [m, n, k] of [
      [64, 64, 64],
      [3, 50, 20],
      [130, 140, 150],
    ] as const) {
      const one = planContract(matmul(m, n, k, form, 1))
      const many = planContract(matmul(m, n, k, form, 100))
      expect([many.path, many.swapped, many.kBlock]).toEqual([one.path, one.swapped, one.kBlock])
    }
  }
})

test('the transposed product is taken where it fills tiles better', () => {
  // 10 columns would be padded to 16; as rows they are padded to 12.
  expect(planContract(matmul(256, 10, 128, 'NNN')).swapped).toBe(true)
  expect(planContract(matmul(256, 256, 128, 'NNN')).swapped).toBe(false)
  // Columns of C that are scattered in memory cost extra, the more the shorter the sum is.
  expect(planContract(matmul(256, 256, 16, 'NNT')).swapped).toBe(true)
  const { extents, m, n } = planContract(matmul(256, 10, 128, 'TNN'))
  expect([m, n]).toEqual([10, 256])
  expect(extents.aM).toEqual({ sizes: [10], strides: [1], length: 10 })
  expect(extents.cN).toEqual({ sizes: [256], strides: [10], length: 256 })
})

test('long sums are taken in equal parts', () => {
  expect([1, 384, 385, 768, 1000].map(kBlockOf)).toEqual([1, 384, 196, 384, 336])
})

test('nothing to do, and sums of nothing', () => {
  expect(pathOf(0, 5, 5, 'NNN')).toBe('nothing')
  expect(pathOf(5, 5, 0, 'NNN')).toBe('zeros')
  expect(pathOf(5, 0, 0, 'NNN')).toBe('nothing')
})

test('element types without a packed path take strips', () => {
  expect(planContract({ ...matmul(64, 64, 64, 'NNN'), dtype: 'float64' }).path).toBe('strip')
  expect(planContract({ ...matmul(1, 64, 64, 'NTN'), dtype: 'int32' }).path).toBe('strip')
})
