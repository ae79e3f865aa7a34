// Scans against running results in float64.
import type { DType, ReduceFunction, ScanSpec } from '@nabla/engine'
import { expect, test } from 'vitest'
import { createMemory } from '../memory.ts'
import { Threads } from '../pool/threads.ts'
import { createScan } from './scan.ts'

const memory = createMemory({ maximumBytes: 2 ** 28 })
const scan = createScan(memory, new Threads(memory, { count: 1 }))
const functions = ['sum', 'prod', 'max', 'min'] as const

function run(fn: ReduceFunction, dtype: DType, rows: number, values: readonly number[]): number[] {
  const bytes = dtype === 'float64' ? 8 : 4
  const source = memory.allocate(values.length * bytes)
  const out = memory.allocate(values.length * bytes)
  const view = dtype === 'float64' ? memory.float64 : dtype === 'float32' ? memory.float32 : memory.int32
  view.set(values, source / bytes)
  const spec: ScanSpec = { name: 'scan', fn, dtype, rows, length: values.length / rows, slots: [0, 1] }
  const executable = scan(spec)!
  executable.run([source, out], [])
  executable.dispose()
  const result = [...view.subarray(out / bytes, out / bytes + values.length)]
  memory.release(source)
  memory.release(out)
  return result
}

const combine: Readonly<Record<ReduceFunction, (a: number, b: number) => number>> = {
  sum: (a, b) => a + b,
  prod: (a, b) => a * b,
  max: Math.max,
  min: Math.min,
}

function reference(fn: ReduceFunction, rows: number, values: readonly number[]): number[] {
  const length = values.length / rows
  const result: number[] = []
  values.forEach((value, i) => {
    result.push(i % length === 0 ? value : combine[fn](result[i - 1]!, value))
  })
  return result
}

let state = 3
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return state / 2 ** 32
}

for (const fn of functions) {
  test(`running ${fn}`, () => {
    for (const [rows, length] of [
      [1, 1],
      [3, 7],
      [5, 64],
      [1, 1000],
    ] as const) {
      const values = Array.from({ length: rows * length }, () => Math.fround(random() + 0.5))
      const expected = reference(fn, rows, values)
      expect(run(fn, 'float64', rows, values)).toEqual(expected)
      // Sums are kept in float64, so a float32 row is as exact as its elements are.
      expect(run(fn, 'float32', rows, values)).toEqual(expected.map(Math.fround))
      const integers = Array.from({ length: rows * length }, () => Math.floor(random() * 9) - 4)
      const wrapped = reference(fn, rows, fn === 'prod' ? integers.map(Math.sign) : integers)
      const given = fn === 'prod' ? integers.map(Math.sign) : integers
      // A running product of signs may be -0 in the reference; integers have only one zero.
      expect(run(fn, 'int32', rows, given)).toEqual(wrapped.map((value) => value + 0))
    }
  })
}

test('integers wrap around', () => {
  expect(run('sum', 'int32', 1, [2 ** 31 - 1, 1])).toEqual([2 ** 31 - 1, -(2 ** 31)])
  expect(run('prod', 'int32', 1, [65536, 65536, 3])).toEqual([65536, 0, 0])
})

test('a NaN stays', () => {
  for (const fn of functions) {
    for (const dtype of ['float32', 'float64'] as const) {
      expect(run(fn, dtype, 1, [1, NaN, 2])).toEqual([1, NaN, NaN])
    }
  }
})

test('no rows, and bools, which are left to others', () => {
  expect(run('sum', 'float32', 1, [])).toEqual([])
  expect(scan({ name: 'scan', fn: 'sum', dtype: 'bool', rows: 1, length: 2, slots: [0, 1] })).toBeNull()
})
