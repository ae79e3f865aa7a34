import { expect, test } from 'vitest'
import { bytesOf, checkDType, dtypeOfArray, hostArray, isFloating, promote, type DType } from './dtype.ts'
import { ValueError } from './errors.ts'

const all: readonly DType[] = ['bool', 'int32', 'float32', 'float64']

test('known types pass, others are an error that lists the known ones', () => {
  for (const dtype of all) expect(checkDType(dtype)).toBe(dtype)
  expect(() => checkDType('float23')).toThrow(/unknown dtype 'float23'. Did you mean 'float32'\?.*bool/)
  expect(() => checkDType('toString')).toThrow(ValueError)
  expect(() => checkDType(undefined as unknown as string)).toThrow(ValueError)
})

test('sizes on the device, and which types are floating', () => {
  expect(all.map(bytesOf)).toEqual([4, 4, 4, 8])
  expect(all.map(isFloating)).toEqual([false, false, true, true])
})

test('promotion takes the later of bool, int32, float32, float64, whichever comes first', () => {
  all.forEach((a, i) => {
    all.forEach((b, j) => expect(promote(a, b)).toBe(all[Math.max(i, j)]))
  })
})

test('host arrays have the type of their elements and are copies', () => {
  const kinds = all.map((dtype) => hostArray(dtype, 2).constructor)
  expect(kinds).toEqual([Uint8Array, Int32Array, Float32Array, Float64Array])
  const data = Float64Array.of(1.5, -2.5)
  const copy = hostArray('float64', data)
  data[0] = 9
  expect(copy).toEqual(Float64Array.of(1.5, -2.5))
  expect(hostArray('int32', [1.9, -1.9])).toEqual(Int32Array.of(1, -1))
})

test('typed arrays without a type of their own become the next wider one', () => {
  expect(dtypeOfArray(new Float64Array(1))).toBe('float64')
  expect(dtypeOfArray(new Float32Array(1))).toBe('float32')
  for (const Kind of [Int32Array, Int16Array, Int8Array, Uint16Array, Uint8Array, Uint8ClampedArray]) {
    expect(dtypeOfArray(new Kind(1))).toBe('int32')
  }
})
