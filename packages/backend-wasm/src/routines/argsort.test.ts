// Argsort against the sort of JavaScript, whose order of NaN and equal values is written out here.
import type { ArgsortSpec, DType } from '@nabla/engine'
import { expect, test } from 'vitest'
import { createMemory, type DeviceMemory } from '../memory.ts'
import { createArgsort } from './argsort.ts'

function viewOf(memory: DeviceMemory, dtype: DType): Float32Array | Float64Array | Int32Array {
  if (dtype === 'float64') return memory.float64
  return dtype === 'float32' ? memory.float32 : memory.int32
}

const memory = createMemory({ maximumBytes: 2 ** 28 })
const argsort = createArgsort(memory)

function sorted(values: readonly number[], dtype: DType, rows: number, descending: boolean): number[] {
  const length = values.length / rows
  const bytes = dtype === 'float64' ? 8 : 4
  const source = memory.allocate(values.length * bytes)
  const out = memory.allocate(values.length * 4)
  viewOf(memory, dtype).set(values, source / bytes)
  const spec: ArgsortSpec = { name: 'argsort', dtype, rows, length, descending, slots: [0, 1] }
  const executable = argsort(spec)!
  executable.run([source, out], [])
  executable.dispose()
  const result = [...memory.int32.subarray(out / 4, out / 4 + values.length)]
  memory.release(source)
  memory.release(out)
  return result
}

/** NaN above everything; equal values (-0 and 0 too) in the order they came in, ascending or descending. */
function reference(values: readonly number[], rows: number, descending: boolean): number[] {
  const length = values.length / rows
  const compare = (a: number, b: number): number => {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b))
    return a < b ? -1 : a > b ? 1 : 0
  }
  return Array.from({ length: rows }, (_, row) => values.slice(row * length, (row + 1) * length)).flatMap(
    (part) =>
      part
        .map((_, i) => i)
        .sort((i, j) => (descending ? compare(part[j]!, part[i]!) : compare(part[i]!, part[j]!))),
  )
}

let state = 1
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return state / 2 ** 32
}

const specials = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 1e-42, -1e-42, 3.4e38, -3.4e38]

for (const dtype of ['float32', 'float64', 'int32', 'bool'] as const) {
  test(`${dtype}: rows of every length, both ways, stable`, () => {
    const value = (): number => {
      if (dtype === 'bool') return Math.floor(random() * 2)
      if (dtype === 'int32') return Math.floor((random() - 0.5) * (random() < 0.5 ? 20 : 2 ** 32))
      const kind = random()
      if (kind < 0.2) return specials[Math.floor(random() * specials.length)]!
      return kind < 0.5 ? Math.floor(random() * 10) - 5 : Math.fround((random() - 0.5) * 1e3)
    }
    for (const [rows, length] of [
      [1, 1],
      [3, 2],
      [4, 7],
      [2, 48],
      [3, 49],
      [2, 300],
      [1, 5000],
    ] as const) {
      const values = Array.from({ length: rows * length }, value)
      for (const descending of [false, true]) {
        expect(sorted(values, dtype, rows, descending)).toEqual(reference(values, rows, descending))
      }
    }
  })
}

test('NaN comes last ascending and first descending, whatever its sign', () => {
  for (const length of [6, 60]) {
    const values = Array.from({ length }, (_, i) => (i % 3 === 1 ? NaN : length - i))
    const count = values.filter(Number.isNaN).length
    const ascending = sorted(values, 'float32', 1, false)
    const descending = sorted(values, 'float32', 1, true)
    expect(ascending.slice(-count).every((i) => i % 3 === 1)).toBe(true)
    expect(descending.slice(0, count).every((i) => i % 3 === 1)).toBe(true)
  }
  const source = memory.allocate(8)
  const out = memory.allocate(8)
  memory.int32.set([0xffc00000 | 0, 0x7f800000], source / 4)
  const spec: ArgsortSpec = {
    name: 'argsort',
    dtype: 'float32',
    rows: 1,
    length: 2,
    descending: false,
    slots: [0, 1],
  }
  argsort(spec)!.run([source, out], [])
  expect([...memory.int32.subarray(out / 4, out / 4 + 2)]).toEqual([1, 0])
})

test('doubles that differ in their last bits only, and empty rows', () => {
  const values = Array.from(
    { length: 100 },
    (_, i) => (i % 2 === 0 ? 1 : -1) * (1 + ((i * 37) % 100) * 2 ** -52),
  )
  expect(sorted(values, 'float64', 1, false)).toEqual(reference(values, 1, false))
  expect(sorted(values, 'float64', 2, true)).toEqual(reference(values, 2, true))
  expect(sorted([], 'float32', 1, false)).toEqual([])
})

test('a million numbers', () => {
  const values = Array.from({ length: 1_000_000 }, () => Math.fround(random() - 0.5))
  const order = sorted(values, 'float32', 1, false)
  let inOrder = true
  for (let i = 1; i < order.length; i++) inOrder &&= values[order[i - 1]!]! <= values[order[i]!]!
  expect(inOrder).toBe(true)
  expect(new Set(order).size).toBe(values.length)
})
