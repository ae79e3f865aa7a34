// What is computed again and what is written down, asked of the policy itself.
import { expect, test } from 'vitest'
import { call } from '../expr.ts'
import { shouldRecompute, type ValueFacts } from './policy.ts'
import { PrimitiveGraph, type Primitive } from './primitive.ts'

const graph = new PrimitiveGraph()
const dtype = 'float32'

const array = (): Primitive =>
  graph.make({ kind: 'host', name: 'x', shape: [8], dtype, index: graph.all.length }, null)

/** Four elements of an array from some element on. */
function part(x: Primitive, offset: number): Primitive {
  const layout = { shape: [4], strides: [1], offset }
  return graph.make(
    { kind: 'view', name: 'part', inputs: [x], shape: [4], dtype, source: x, layout },
    `part${offset}`,
  )
}

const larger = (left: Primitive, right: Primitive): Primitive => {
  const expr: Primitive['expr'] = ([a, b]) => call('max', a!, b!)
  return graph.make({ kind: 'map', name: 'max', inputs: [left, right], shape: [4], dtype, expr }, 'max')
}

const facts: ValueFacts = {
  stored: (value) => (value.kind === 'host' ? 'yes' : 'no'),
  usedOnce: () => false,
}

test('views of one array are as many loads: the maximum of a window is written down, of two elements computed again', () => {
  const x = array()
  const [a, b, c, d] = [0, 1, 2, 3].map((offset) => part(x, offset)) as [
    Primitive,
    Primitive,
    Primitive,
    Primitive,
  ]
  expect(shouldRecompute(larger(a, b), facts)).toBe(true)
  expect(shouldRecompute(larger(larger(a, b), larger(a, b)), facts)).toBe(true)
  expect(shouldRecompute(larger(larger(a, b), larger(c, d)), facts)).toBe(false)
})
