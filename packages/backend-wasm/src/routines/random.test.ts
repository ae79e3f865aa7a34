// Random numbers against the engine's reference of the stream.
import { philoxNormal, philoxUniform, type PhiloxStream, type RandomSpec } from '@nabla/engine'
import { expect, test } from 'vitest'
import { createMemory } from '../memory.ts'
import { Threads } from '../pool/threads.ts'
import { createRandom } from './random.ts'

const memory = createMemory({ maximumBytes: 2 ** 28 })
const random = createRandom(memory, new Threads(memory, { count: 1 }))

function draw(
  distribution: RandomSpec['distribution'],
  dtype: 'float32' | 'float64',
  length: number,
  numbers: readonly number[],
): number[] {
  const bytes = dtype === 'float64' ? 8 : 4
  const place = memory.allocate((length + 2) * bytes)
  const view = dtype === 'float64' ? memory.float64 : memory.float32
  view.fill(99, place / bytes, place / bytes + length + 2)
  // The plan has other numbers as well: those of this routine begin at the second.
  const spec: RandomSpec = { name: 'random', distribution, dtype, length, numbers: [1, 2, 3, 4], slots: [0] }
  const executable = random(spec)!
  executable.run([place], [0.5, ...numbers])
  executable.dispose()
  const result = [...view.subarray(place / bytes, place / bytes + length + 2)]
  expect(result.splice(length), 'nothing is written past the end').toEqual([99, 99])
  memory.release(place)
  return result
}

/** Words above 2^31, as a plan hands them over: float64 numbers that hold unsigned integers. */
const numbers = [0xdeadbeef, 3, 0x80000001, 0xfffffff0]
const stream: PhiloxStream = { key: [numbers[0]!, numbers[1]!], counter: [0, numbers[2]!, numbers[3]!] }
const lengths = [0, 1, 3, 4, 15, 16, 17, 63, 1000]

test('uniform numbers are those of the reference, for any length', () => {
  for (const length of lengths) {
    const expected = Array.from({ length }, (_, element) => philoxUniform(stream, element))
    expect(draw('uniform', 'float32', length, numbers)).toEqual(expected)
    expect(draw('uniform', 'float64', length, numbers)).toEqual(expected)
  }
})

test('normal numbers are those of the reference: float64 exactly, float32 to its precision', () => {
  for (const length of lengths) {
    const expected = Array.from({ length }, (_, element) => philoxNormal(stream, element))
    expect(draw('normal', 'float64', length, numbers)).toEqual(expected)
    draw('normal', 'float32', length, numbers).forEach((value, i) => {
      expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-6)
    })
  }
})

test('the known answer of Random123, in 24 bits', () => {
  const words = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]
  expect(draw('uniform', 'float32', 4, [0, 0, 0, 0])).toEqual(words.map((word) => (word >>> 8) / 2 ** 24))
})

test('key and counter tell streams apart', () => {
  const base = draw('uniform', 'float32', 8, [1, 2, 3, 4])
  for (let i = 0; i < 4; i++) {
    const changed = [1, 2, 3, 4].map((word, j) => (i === j ? word + 1 : word))
    expect(draw('uniform', 'float32', 8, changed)).not.toEqual(base)
  }
})

test('a large sample has the moments of its distribution', () => {
  const values = draw('normal', 'float32', 200_000, [7, 8, 9, 10])
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  expect(Math.abs(mean)).toBeLessThan(0.01)
  expect(Math.abs(variance - 1)).toBeLessThan(0.01)
})

test('integers are left to others', () => {
  const spec: RandomSpec = {
    name: 'random',
    distribution: 'uniform',
    dtype: 'int32',
    length: 4,
    numbers: [0, 1, 2, 3],
    slots: [0],
  }
  expect(random(spec)).toBeNull()
})
