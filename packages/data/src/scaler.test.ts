import { ShapeError, ValueError } from '@nabla/engine'
import { expect, test } from 'vitest'
import { StandardScaler, type Matrix } from './index.ts'

test('columns are standardised with the population variance, each on its own', () => {
  const matrix: Matrix = { data: Float32Array.of(1, 10, 2, 30, 3, 50, 6, 70), shape: [4, 2] }
  const scaler = new StandardScaler().fit(matrix)
  expect([...scaler.mean]).toEqual([3, 40])
  expect(scaler.scale[0]).toBeCloseTo(Math.sqrt(14 / 4), 12)
  expect(scaler.scale[1]).toBeCloseTo(Math.sqrt(500), 12)
  const other: Matrix = { data: Float32Array.of(3, 40), shape: [1, 2] }
  expect([...scaler.transform(other).data]).toEqual([0, 0])
  const back = scaler.inverse(scaler.transform(matrix))
  back.data.forEach((value, i) => expect(value).toBeCloseTo(matrix.data[i]!, 4))
})

test('a constant column is only centred, also where its mean is not exact', () => {
  for (const value of [0.1, 1e-8, 123456.7, -3]) {
    for (const rows of [3, 7, 1000]) {
      const matrix: Matrix = { data: new Float32Array(rows).fill(value), shape: [rows, 1] }
      const scaler = new StandardScaler()
      const scaled = scaler.fitTransform(matrix)
      expect(scaler.scale[0]).toBe(1)
      expect(Math.max(...scaled.data.map(Math.abs))).toBeLessThan(1e-6 * Math.abs(value))
    }
  }
})

test('a column far from zero keeps its spread', () => {
  const matrix: Matrix = { data: Float32Array.of(1e6, 1e6 + 1, 1e6 + 2), shape: [3, 1] }
  expect(new StandardScaler().fit(matrix).scale[0]).toBeCloseTo(Math.sqrt(2 / 3), 9)
})

test('matrices that cannot be used are refused with the reason', () => {
  const scaler = new StandardScaler()
  expect(() => scaler.inverse({ data: Float32Array.of(1), shape: [1, 1] })).toThrow(/call fit\(\) first/)
  expect(() => scaler.fit({ data: new Float32Array(0), shape: [0, 2] })).toThrow(ValueError)
  expect(() => scaler.fit({ data: Float32Array.of(1, 2, 3), shape: [2, 2] })).toThrow(ShapeError)
  expect(() => scaler.fit({ data: Float32Array.of(1), shape: [1] as unknown as [number, number] })).toThrow(
    ShapeError,
  )
  expect(() => scaler.fit({ data: Float32Array.of(1, NaN, 3, 4), shape: [2, 2] })).toThrow(/row 0, column 1/)
  expect(() => scaler.fit({ data: Float32Array.of(1, 2, Infinity, 4), shape: [2, 2] })).toThrow(
    /row 1, column 0/,
  )
})
