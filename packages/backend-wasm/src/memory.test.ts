import { BackendError } from '@nabla/engine'
import { expect, test } from 'vitest'
import { createMemory, sharingAllowed, slackBytes } from './memory.ts'

test('memory grows on demand and keeps what it holds', () => {
  const memory = createMemory({ maximumBytes: 64 * 2 ** 20 })
  const first = memory.allocate(400)
  memory.float32.fill(1.5, first / 4, first / 4 + 100)
  const before = memory.bytes.reserved
  const second = memory.allocate(20 * 2 ** 20)
  expect(memory.bytes.reserved).toBeGreaterThan(before)
  memory.float64[second / 8] = 2.5
  expect([...memory.float32.subarray(first / 4, first / 4 + 100)]).toEqual(
    Array.from({ length: 100 }, () => 1.5),
  )
  for (const view of [memory.float32, memory.float64, memory.int32, memory.uint8]) {
    expect(view.byteLength).toBe(memory.memory.buffer.byteLength)
  }
})

test('there is slack before the first block and behind the last', () => {
  const memory = createMemory({ maximumBytes: 2 ** 20 })
  let [first, end] = [Infinity, 0]
  const size = 2 ** 16 - 64
  for (let i = 0; i < 15; i++) {
    const place = memory.allocate(size)
    first = Math.min(first, place)
    end = Math.max(end, place + size)
  }
  expect(first).toBeGreaterThanOrEqual(slackBytes)
  expect(end).toBeLessThanOrEqual(memory.memory.buffer.byteLength - slackBytes)
})

test('beyond the limit the error says what was asked for and what is in use', () => {
  const memory = createMemory({ maximumBytes: 2 ** 20 })
  memory.allocate(512 * 1024)
  expect(() => memory.allocate(600_000)).toThrow(BackendError)
  expect(() => memory.allocate(600_000)).toThrow(/600000 bytes were asked for, 524288 are in use.*1048576/)
  // What still fits is still given.
  expect(memory.allocate(256 * 1024)).toBeGreaterThan(0)
  expect(() => memory.allocate(NaN)).toThrow(BackendError)
  expect(() => memory.allocate(-1)).toThrow(BackendError)
})

test('released memory is used again', () => {
  const memory = createMemory({ maximumBytes: 2 ** 20 })
  for (let i = 0; i < 100; i++) memory.release(memory.allocate(700_000))
  expect(memory.bytes.inUse).toBe(0)
})

test('memory is shared exactly where that is allowed', () => {
  expect(createMemory({ maximumBytes: 2 ** 16 }).shared).toBe(sharingAllowed())
  expect(createMemory({ maximumBytes: 2 ** 16, shared: false }).shared).toBe(false)
})
