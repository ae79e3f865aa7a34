import { expect, test } from 'vitest'
import { philox4x32, philoxNormal, philoxUniform, philoxWord, type PhiloxStream } from './philox.ts'

const hex = (words: readonly number[]): string =>
  words.map((word) => word.toString(16).padStart(8, '0')).join(' ')

test('equals the known answers that Random123 publishes (kat_vectors, philox4x32 10)', () => {
  expect(hex(philox4x32([0, 0, 0, 0], [0, 0]))).toBe('6627e8d5 e169c58d bc57ac4c 9b00dbd8')
  expect(hex(philox4x32([-1, -1, -1, -1], [-1, -1]))).toBe('408f276d 41c83b0e a20bc7c6 6d5451fd')
  const piCounter = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344] as const
  const piKey = [0xa4093822, 0x299f31d0] as const
  expect(hex(philox4x32(piCounter, piKey))).toBe('d16cfe09 94fdcceb 5001e420 24126ea1')
})

test('equals the algorithm written with exact integers', () => {
  const exact = (counter: readonly number[], key: readonly number[]): number[] => {
    const word = (x: bigint): bigint => x & 0xffffffffn
    let [c0, c1, c2, c3] = counter.map((x) => BigInt(x >>> 0)) as [bigint, bigint, bigint, bigint]
    let [key0, key1] = key.map((x) => BigInt(x >>> 0)) as [bigint, bigint]
    for (let round = 0; round < 10; round++) {
      const product0 = 0xd2511f53n * c0
      const product1 = 0xcd9e8d57n * c2
      ;[c0, c1, c2, c3] = [
        (product1 >> 32n) ^ c1 ^ key0,
        word(product1),
        (product0 >> 32n) ^ c3 ^ key1,
        word(product0),
      ]
      key0 = word(key0 + 0x9e3779b9n)
      key1 = word(key1 + 0xbb67ae85n)
    }
    return [c0, c1, c2, c3].map(Number)
  }
  for (let i = 0; i < 200; i++) {
    const counter = [i, Math.imul(i, 0x9e3779b9), ~i, Math.imul(i, i)] as const
    const key = [Math.imul(i, 0x85ebca6b), -i] as const
    expect(philox4x32(counter, key)).toEqual(exact(counter, key))
  }
})

test('elements take the words of one counter after the other', () => {
  const stream: PhiloxStream = { key: [7, 11], counter: [1, 2, 3] }
  expect([8, 9, 10, 11].map((element) => philoxWord(stream, element))).toEqual(
    philox4x32([2, 1, 2, 3], [7, 11]),
  )
})

test('uniform numbers fill [0, 1) evenly, and float32 holds them exactly', () => {
  const stream: PhiloxStream = { key: [1, 2], counter: [0, 0, 0] }
  const counts = Array.from({ length: 16 }, () => 0)
  const n = 16_000
  for (let element = 0; element < n; element++) {
    const x = philoxUniform(stream, element)
    expect(x).toBe(Math.fround(x))
    counts[Math.floor(x * 16)]!++
  }
  // Chi-squared with 15 degrees of freedom is below 30.6 in 99 of 100 samples.
  const chiSquared = counts.reduce((sum, count) => sum + (count - n / 16) ** 2 / (n / 16), 0)
  expect(chiSquared).toBeLessThan(30.6)
})

test('normal numbers have the moments of a standard normal distribution', () => {
  const stream: PhiloxStream = { key: [3, 4], counter: [0, 0, 0] }
  const n = 20_000
  const sums = [0, 0, 0, 0]
  for (let element = 0; element < n; element++) {
    const x = philoxNormal(stream, element)
    for (let power = 1; power <= 4; power++) sums[power - 1]! += x ** power / n
  }
  // Each bound is three standard errors wide: sqrt(1, 2, 15, 96 over n).
  expect(Math.abs(sums[0]!)).toBeLessThan(0.022)
  expect(Math.abs(sums[1]! - 1)).toBeLessThan(0.03)
  expect(Math.abs(sums[2]!)).toBeLessThan(0.083)
  expect(Math.abs(sums[3]! - 3)).toBeLessThan(0.21)
})
