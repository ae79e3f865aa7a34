import { BackendError } from '@nabla/engine'
import { expect, test } from 'vitest'
import { blockAlignment, createBlocks } from './blocks.ts'
import { Random } from './testing/random.ts'

test('pieces are aligned, apart from each other, and come back whole', () => {
  const blocks = createBlocks(64, 64 + 100 * 64)
  const random = new Random(1)
  const held = new Map<number, number>()
  for (let i = 0; i < 2000; i++) {
    const bytes = random.below(600)
    const place = random.chance(0.6) ? blocks.take(bytes) : null
    if (place !== null) {
      expect(place % blockAlignment).toBe(0)
      for (const [other, size] of held)
        expect(place + Math.max(1, bytes) <= other || other + size <= place).toBe(true)
      held.set(place, Math.max(1, bytes))
    } else if (held.size > 0) {
      const [first] = held.keys()
      blocks.giveBack(first!)
      held.delete(first!)
    }
  }
  for (const place of held.keys()) blocks.giveBack(place)
  expect(blocks.inUse).toBe(0)
  expect(blocks.take(100 * 64)).toBe(64)
})

test('the smallest gap that fits is taken', () => {
  const blocks = createBlocks(0, 64 * 20)
  const [large, , small] = [blocks.take(64 * 8)!, blocks.take(64), blocks.take(64 * 2)!, blocks.take(64 * 9)]
  blocks.giveBack(large)
  blocks.giveBack(small)
  expect(blocks.take(64 * 2)).toBe(small)
})

test('new bytes join the last gap', () => {
  const blocks = createBlocks(0, 64 * 4)
  blocks.take(64 * 2)
  expect(blocks.take(64 * 5)).toBeNull()
  expect(blocks.missing(64 * 5)).toBe(64 * 3)
  blocks.extend(64 * 7)
  expect(blocks.take(64 * 5)).toBe(64 * 2)
  expect(blocks.missing(64)).toBe(64)
})

test('giving back twice, or what was never taken, is an error', () => {
  const blocks = createBlocks(0, 640)
  const place = blocks.take(10)!
  blocks.giveBack(place)
  expect(() => blocks.giveBack(place)).toThrow(BackendError)
  expect(() => blocks.giveBack(64)).toThrow(/no block begins at byte 64/)
})
