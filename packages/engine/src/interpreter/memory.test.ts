import { expect, test } from 'vitest'
import { BackendError } from '../errors.ts'
import { createInterpreter } from './index.ts'

test('what is written is read back, in every type', () => {
  const backend = createInterpreter()
  const place = backend.allocate(64)
  backend.write(place, 'float64', Float64Array.of(0.1, -0))
  expect(backend.read(place, 'float64', 2)).toEqual(Float64Array.of(0.1, -0))
  backend.write(place, 'float32', Float32Array.of(0.1, NaN))
  expect(backend.read(place, 'float32', 2)).toEqual(Float32Array.of(0.1, NaN))
  backend.write(place, 'int32', Int32Array.of(-2147483648, 7))
  expect(backend.read(place, 'int32', 2)).toEqual(Int32Array.of(-2147483648, 7))
  backend.write(place, 'bool', Uint8Array.of(0, 1, 255))
  expect(backend.read(place, 'bool', 3)).toEqual(Uint8Array.of(0, 1, 1))
  expect(backend.read(place, 'float32', 0)).toEqual(new Float32Array(0))
})

test('slots that share bytes in the arena share memory here', () => {
  const backend = createInterpreter()
  const slots = [
    { bytes: 16, offset: 0, first: 0, last: 0 },
    { bytes: 8, offset: 8, first: 1, last: 1 },
  ]
  const [whole, end] = backend.reserve(slots, 16) as [number, number]
  backend.write(whole, 'int32', Int32Array.of(1, 2, 3, 4))
  expect(backend.read(end, 'int32', 2)).toEqual(Int32Array.of(3, 4))
  backend.write(end, 'float64', Float64Array.of(0.25))
  expect(backend.read(whole, 'int32', 2)).toEqual(Int32Array.of(1, 2))
  expect(backend.read(end, 'float64', 1)).toEqual(Float64Array.of(0.25))
})

test('a new arena holds nothing of the old one, and Variables keep theirs', () => {
  const backend = createInterpreter()
  const own = backend.allocate(8)
  backend.write(own, 'float32', Float32Array.of(1, 2))
  const slot = [{ bytes: 8, offset: 0, first: 0, last: 0 }]
  const [before] = backend.reserve(slot, 8) as [number]
  backend.write(before, 'float32', Float32Array.of(3, 4))
  for (const bytes of [8, 4096, 8]) {
    const [after] = backend.reserve(slot, bytes) as [number]
    expect(backend.read(after, 'float32', 2)).toEqual(Float32Array.of(NaN, NaN))
  }
  expect(backend.read(own, 'float32', 2)).toEqual(Float32Array.of(1, 2))
})

test('copies move whole elements, over themselves too', () => {
  const backend = createInterpreter()
  const place = backend.allocate(32)
  backend.write(place, 'float64', Float64Array.of(1, 2, 3, 4))
  backend.copy(place, place + 8, 24)
  expect(backend.read(place, 'float64', 4)).toEqual(Float64Array.of(1, 1, 2, 3))
})

test('released memory is counted, its numbers are used again, and using it is an error', () => {
  const backend = createInterpreter()
  const first = backend.allocate(100)
  expect(backend.info().bytes.inUse).toBe(100)
  backend.release(first)
  expect(backend.info().bytes.inUse).toBe(0)
  expect(() => backend.read(first, 'float32', 1)).toThrow(BackendError)
  expect(() => backend.release(first)).toThrow(/released already/)
  expect(backend.allocate(4)).toBe(first)
})

test('reading and writing past the end of a block is an error', () => {
  const backend = createInterpreter()
  const place = backend.allocate(8)
  expect(() => backend.write(place, 'float32', new Float32Array(3))).toThrow(BackendError)
  expect(() => backend.read(place, 'float64', 2)).toThrow(BackendError)
  expect(() => backend.copy(place, place, 12)).toThrow(BackendError)
  expect(() => backend.allocate(2 ** 40)).toThrow(/cannot allocate/)
})
