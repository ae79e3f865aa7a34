import { philox4x32, philoxNormal, philoxUniform, type PhiloxStream } from '@nabla/engine'
import { expect, test } from 'vitest'
import type { FunctionBuilder } from '../wat/builder.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { createHarness, type Harness } from './harness.ts'
import { normals, philoxWords, roundKeys, transpose, uniforms, type FourVectors } from './philox.ts'

const stream: PhiloxStream = { key: [0x12345678, -77], counter: [5, 0x7fffffff, -9] }
const [key0, key1] = stream.key
const [c1, c2, c3] = stream.counter

// The input is the first counter word of each block; the four outputs are what `finish` makes of the words.
function generate(
  blocks: number,
  key: readonly [number, number],
  counter: readonly [number, number, number],
  finish: (f: FunctionBuilder, words: FourVectors) => readonly Wat[],
): Harness {
  const harness = createHarness(1, 4, 4 * blocks, (f, [block]) => {
    const keys = roundKeys(f, f.i32x4(key[0]), f.i32x4(key[1]))
    const rest = counter.map((word): Local => f.i32x4(word))
    return finish(f, philoxWords(f, [block!, rest[0]!, rest[1]!, rest[2]!], keys))
  })
  harness.inputs[0]!.int32.forEach((_, i) => (harness.inputs[0]!.int32[i] = i))
  harness.run()
  return harness
}

// Four blocks make sixteen elements, of which output q holds elements 4 q to 4 q + 3.
function elementOf(harness: Harness, element: number): number {
  const group = element >> 4
  return harness.outputs[(element >> 2) & 3]!.float32[4 * group + (element & 3)]!
}

test('equals the known answer that Random123 publishes', () => {
  const harness = generate(4, [0, 0], [0, 0, 0], (_, words) => words)
  const words = harness.outputs.map(({ int32 }) => (int32[0]! >>> 0).toString(16))
  expect(words).toEqual(['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8'])
})

test('equals the reference word by word', () => {
  const harness = generate(256, stream.key, stream.counter, (_, words) => words)
  for (let block = 0; block < 256; block++) {
    const words = harness.outputs.map(({ int32 }) => int32[block]! >>> 0)
    expect(words).toEqual(philox4x32([block, c1, c2, c3], [key0, key1]))
  }
})

test('uniform numbers are those of the reference, bit for bit and in its order', () => {
  const harness = generate(256, stream.key, stream.counter, (f, words) => transpose(f, uniforms(f, words)))
  for (let element = 0; element < 1024; element++) {
    expect(elementOf(harness, element)).toBe(philoxUniform(stream, element))
  }
})

test('normal numbers are those of the reference within 1e-6', () => {
  const harness = generate(16384, stream.key, stream.counter, (f, words) => transpose(f, normals(f, words)))
  let largest = 0
  for (let element = 0; element < 65536; element++) {
    largest = Math.max(largest, Math.abs(elementOf(harness, element) - philoxNormal(stream, element)))
  }
  expect(largest).toBeLessThan(1e-6)
  // The sample reaches into the tail, where an error of the radius would show.
  expect(Math.max(...harness.outputs[0]!.float32)).toBeGreaterThan(3)
})
