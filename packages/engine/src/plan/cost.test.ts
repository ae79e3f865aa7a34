import { expect, test } from 'vitest'
import { setBackend } from '../control.ts'
import { engine } from '../engine.ts'
import { createInterpreter } from '../interpreter/index.ts'
import type { Node } from '../node.ts'
import type { RoutineSpec } from '../routine.ts'
import { costOfRoutine, type Cost } from './cost.ts'
import { embedding, host, map, matmul, permute, reduce, softmax } from './testing.ts'

setBackend(createInterpreter())

const costsOf = (node: Node): Cost[] =>
  engine.planOf(engine.trace([node])).parts.steps.map((step) => step.cost())
const ones = (...shape: number[]): Node => host(shape, () => 1)

test('a product takes two operations for each multiply-add and touches each matrix once', () => {
  expect(costsOf(matmul(ones(3, 5), ones(5, 7)))).toEqual([
    { flops: 2 * 3 * 5 * 7, bytes: 4 * (15 + 35 + 21) },
  ])
})

test('a kernel counts each function once for each element, however often its result is used', () => {
  const x = ones(10, 20)
  const product = map('mul', x, 3)
  expect(costsOf(map('add', product, map('exp', product)))).toEqual([{ flops: 3 * 200, bytes: 4 * 400 }])
})

test('what belongs to a row counts once a row, and a broadcast operand is read once', () => {
  // max, subtract, exp, sum; the division by the sum may be a product with its reciprocal, made once a row.
  const [cost] = costsOf(softmax(ones(8, 100), 1))
  expect(cost!.bytes).toBe(4 * 1600)
  expect(cost!.flops).toBeGreaterThanOrEqual(5 * 800)
  expect(cost!.flops).toBeLessThanOrEqual(7 * 800 + 8)
  const mean = map('mul', reduce('sum', ones(8, 100), [1]), 1 / 100)
  expect(costsOf(mean)).toEqual([{ flops: 800 + 8, bytes: 4 * (800 + 8) }])
  expect(costsOf(map('add', ones(8, 100), ones(100)))).toEqual([{ flops: 800, bytes: 4 * 1700 }])
})

test('a transposed operand is as large as a plain one', () => {
  const [cost] = costsOf(map('add', ones(4, 6), permute(ones(6, 4), [1, 0])))
  expect(cost!.bytes).toBe(4 * 72)
})

test('windows that overlap are no larger than what they slide over', () => {
  const spec: RoutineSpec = {
    name: 'contract',
    dtype: 'float32',
    batch: [],
    m: [1],
    n: [98],
    k: [3],
    a: { offset: 0, batch: [], m: [3], k: [1] },
    b: { offset: 0, batch: [], k: [1], n: [1] },
    c: { offset: 0, batch: [], m: [98], n: [1] },
    slots: [0, 1, 2],
  }
  expect(costOfRoutine(spec)).toEqual({ flops: 2 * 98 * 3, bytes: 4 * (3 + 100 + 98) })
})

test('looking rows up reads and writes as much as was looked up', () => {
  const indices = host([5], [0, 1, 2, 3, 4], 'int32')
  expect(costsOf(embedding(ones(1000, 16), indices))).toEqual([{ flops: 0, bytes: 4 * (2 * 80 + 5) }])
})

test('attention counts the pairs of queries and keys that see each other', () => {
  const spec: RoutineSpec = {
    name: 'attention',
    dtype: 'float32',
    sizes: { batch: 1, heads: 2, keyHeads: 1, queries: 5, keys: 3, features: 4, values: 6 },
    q: { offset: 0, strides: [40, 20, 4, 1] },
    k: { offset: 0, strides: [12, 12, 4, 1] },
    v: { offset: 0, strides: [18, 18, 6, 1] },
    mask: null,
    causal: true,
    numbers: [0, 1],
    slots: [0, 1, 2, 3],
  }
  const elements = 40 + 12 + 18 + 2 * 5 * (6 + 2)
  expect(costOfRoutine(spec)).toEqual({ flops: 2 * 2 * (1 + 2 + 3 + 3 + 3) * 10, bytes: 4 * elements })
})
