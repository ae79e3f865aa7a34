// Sums whose terms are computed together, and those whose terms must not be.
import { beforeEach, expect, test } from 'vitest'
import { setBackend } from '../control.ts'
import { engine } from '../engine.ts'
import { createInterpreter } from '../interpreter/index.ts'
import type { Node } from '../node.ts'
import type { Plan } from './plan.ts'
import { assemble, host, map, matmul, permute, reduce, reshape, slice } from './testing.ts'

beforeEach(() => setBackend(createInterpreter()))

const planOf = (...nodes: Node[]): Plan => engine.planOf(engine.trace(nodes))
const work = (...nodes: Node[]): string[] =>
  planOf(...nodes).parts.steps.map(({ kind, work: size }) => (kind === 'kernel' ? kind : `${kind} ${size}`))
const products = (...nodes: Node[]): string[] => work(...nodes).filter((step) => step !== 'kernel')
const sum = (terms: readonly Node[]): Node => terms.reduce((a, b) => map('add', a, b))
const pseudo = (seed: number) => (i: number) => ((i * 7 + seed * 13) % 11) - 5

/** The same value, computed as it is written down. */
async function expectSame(...nodes: Node[]): Promise<void> {
  const merged = planOf(...nodes)
  engine.configure({ fusion: false })
  try {
    const apart = planOf(...nodes)
    expect(apart).not.toBe(merged)
    const trace = engine.trace(nodes)
    apart.run(engine.backend, trace)
    const expected = trace.outputs.map((node) => Array.from(node.host!))
    merged.run(engine.backend, trace)
    const actual = trace.outputs.map((node) => Array.from(node.host!))
    actual.forEach((values, i) =>
      values.forEach((value, j) => expect(value).toBeCloseTo(expected[i]![j]!, 4)),
    )
  } finally {
    engine.configure({ fusion: true })
  }
}

const steps = [0, 1, 2, 3, 4]
const computed = (seed: number, rows: number, columns: number): Node =>
  map('mul', host([rows, columns], pseudo(seed)), 0.5)
const outer = (t: number): Node => matmul(permute(computed(t, 2, 6), [1, 0]), computed(t + 9, 2, 7))

test('a sum of small products is one product with longer sums', async () => {
  const total = sum(steps.map(outer))
  expect(products(total)).toEqual(['contract 1x6x7x10'])
  await expectSame(total)
  // Added up as a tree, seen through a view, with something else in the sum.
  const [a, b, c, d] = [0, 1, 2, 3].map((t) => permute(outer(t), [1, 0])) as [Node, Node, Node, Node]
  const tree = map('add', map('add', a, host([7, 6], pseudo(1))), map('add', b, map('add', c, d)))
  expect(products(tree)).toEqual(['contract 1x6x7x8'])
  await expectSame(tree)
})

test('operands that are slices of one tensor are read where they lie', async () => {
  const x = host([5, 2, 6], pseudo(1))
  const g = host([2, 5, 7], pseudo(2))
  const product = (t: number): Node =>
    matmul(
      permute(reshape(slice(x, [t, 0, 0], [1, 2, 6]), [2, 6]), [1, 0]),
      reshape(slice(g, [0, t, 0], [2, 1, 7]), [2, 7]),
    )
  const total = sum(steps.map(product))
  expect(work(total)).toEqual(['contract 1x6x7x10'])
  await expectSame(total)
  const backwards = sum([...steps].reverse().map(product))
  expect(work(backwards)).toEqual(['contract 1x6x7x10'])
  await expectSame(backwards)
  // With nothing to put together, operands may be larger than the result.
  const [left, right] = [host([6, 50], pseudo(3)), host([50, 7], pseudo(4))]
  const long = sum(
    steps.map((t) => matmul(slice(left, [0, 10 * t], [6, 10]), slice(right, [10 * t, 0], [10, 7]))),
  )
  expect(work(long)).toEqual(['contract 1x6x7x50'])
  await expectSame(long)
})

test('operands shared by terms, and terms that are equal', async () => {
  const g = computed(3, 2, 7)
  const total = sum(steps.map((t) => matmul(permute(computed(t, 2, 6), [1, 0]), g)))
  expect(products(total)).toEqual(['contract 1x6x7x10'])
  await expectSame(total)
  const twice = map('add', outer(1), outer(1))
  await expectSame(twice)
})

test('products that are needed themselves stay, the others become one', async () => {
  const terms = steps.map(outer)
  const total = sum(terms)
  const twice = map('mul', terms[2]!, 2)
  expect(products(total, twice).sort()).toEqual(['contract 1x6x7x2', 'contract 1x6x7x8'])
  await expectSame(total, twice)
  // A partial sum that is needed is computed, and the rest added to it.
  const partial = sum(steps.slice(0, 3).map(outer))
  const whole = map('add', map('add', partial, outer(3)), outer(4))
  expect(products(whole, map('neg', partial)).sort()).toEqual(['contract 1x6x7x4', 'contract 1x6x7x6'])
  await expectSame(whole, map('neg', partial))
})

test('products of unequal form are grouped by form', async () => {
  const wide = (t: number): Node => matmul(permute(computed(t, 3, 6), [1, 0]), computed(t + 9, 3, 7))
  const total = sum([outer(0), wide(0), outer(1), wide(1), outer(2)])
  expect(products(total)).toEqual(['contract 1x6x7x6', 'contract 1x6x7x6'])
  await expectSame(total)
  const whole = (t: number): Node =>
    matmul(host([6, 2], pseudo(t), 'int32'), host([2, 7], pseudo(t + 1), 'int32'))
  const integers = sum([whole(0), whole(1), whole(2)])
  expect(products(integers)).toEqual(['contract 1x6x7x6'])
  await expectSame(integers)
})

test('where operands are larger than the result, results are added up', async () => {
  const thick = (t: number): Node => matmul(permute(computed(t, 9, 6), [1, 0]), computed(t + 9, 9, 7))
  const total = sum(steps.map(thick))
  expect(products(total)).toHaveLength(5)
  await expectSame(total)
})

test('memory is bounded: a long sum is several products, of which the first are computed early', async () => {
  const count = 200
  let carried: Node = computed(0, 2, 6)
  const terms = Array.from({ length: count }, (_, t) => {
    carried = map('tanh', matmul(carried, host([6, 6], pseudo(t))))
    return matmul(permute(carried, [1, 0]), computed(t, 2, 7))
  })
  const total = sum(terms)
  const { parts } = planOf(total)
  const merged = parts.steps.filter((step) => step.work.startsWith('1x6x7x'))
  // 26 elements of operands for a result of 42: 39 terms are put together.
  expect(merged.map((step) => Number(step.work.split('x')[3]) / 2)).toEqual([39, 39, 39, 39, 39, 5])
  const positions = merged.map((step) => parts.steps.indexOf(step) / parts.steps.length)
  expect(positions[0]).toBeLessThan(0.5)
  expect(parts.arenaBytes).toBeLessThanOrEqual(1.2 * parts.arenaLowerBound)
  await expectSame(total)
})

test('sums over parts of one buffer are one sum', async () => {
  const x = host([2, 5, 7], pseudo(1))
  const part = (t: number): Node => reduce('sum', slice(x, [0, t, 0], [2, 1, 7]), [0])
  expect(work(sum(steps.map(part)))).toEqual(['kernel'])
  expect(planOf(sum(steps.map(part))).parts.steps[0]!.work).toBe('70')
  await expectSame(sum(steps.map(part)))
  const apart = sum(steps.map((t) => reduce('sum', computed(t, 2, 7), [0])))
  await expectSame(apart)
})

test('an assembly that is a part of another is written to both by the kernel that makes it, all parts at once', async () => {
  const x = host([2, 3], pseudo(1))
  const gates = assemble(
    [map('mul', x, 2), map('exp', x)],
    [
      [0, 0],
      [0, 3],
    ],
    [2, 6],
  )
  const whole = assemble(
    [gates, map('neg', x)],
    [
      [0, 0],
      [2, 0],
    ],
    [4, 6],
    1,
  )
  const product = matmul(gates, host([6, 2], pseudo(2)))
  expect(work(whole, product)).toEqual(['kernel', 'kernel', 'contract 1x2x2x6'])
  await expectSame(whole, product)
})
