import { beforeEach, expect, test } from 'vitest'
import { setBackend } from '../control.ts'
import { engine } from '../engine.ts'
import { createInterpreter } from '../interpreter/index.ts'
import type { Node } from '../node.ts'
import { Variable } from '../variable.ts'
import type { Plan } from './plan.ts'
import {
  assemble,
  embedding,
  foreign,
  host,
  labelled,
  map,
  matmul,
  number,
  permute,
  position,
  product,
  reduce,
  reshape,
  slice,
  softmax,
} from './testing.ts'

beforeEach(() => setBackend(createInterpreter()))

const planOf = (...nodes: Node[]): Plan => engine.planOf(engine.trace(nodes))
const kinds = (...nodes: Node[]): string[] => planOf(...nodes).parts.steps.map((step) => step.kind)
const read = async (node: Node): Promise<number[]> => Array.from(await engine.read(node))
const variable = (values: number[]): Variable =>
  new Variable(Float32Array.from(values), [values.length], 'float32', 'v')
const close = (actual: readonly number[], expected: readonly number[]): void => {
  expect(actual.length).toBe(expected.length)
  actual.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5))
}

function softmaxRow(row: readonly number[]): number[] {
  const exponentials = row.map((x) => Math.exp(x))
  const sum = exponentials.reduce((a, b) => a + b)
  return exponentials.map((e) => e / sum)
}

test('a softmax is one kernel, along the last dimension and along another', async () => {
  const x = host([2, 3], [1, 2, 3, 0, 0, 5])
  expect(kinds(softmax(x, 1))).toEqual(['kernel'])
  close(await read(softmax(x, 1)), [...softmaxRow([1, 2, 3]), ...softmaxRow([0, 0, 5])])
  expect(kinds(softmax(x, 0))).toEqual(['kernel'])
  const columns = [softmaxRow([1, 0]), softmaxRow([2, 0]), softmaxRow([3, 5])]
  close(
    await read(softmax(x, 0)),
    [0, 1].flatMap((i) => columns.map((column) => column[i]!)),
  )
})

test('layer norm with everything around it is one kernel that also writes the residual sum', () => {
  const x = map(
    'add',
    host([4, 8], (i) => i % 7),
    host([4, 8], (i) => i % 3),
  )
  const mean = map('mul', reduce('sum', x, [1]), 1 / 8)
  const centred = map('sub', x, mean)
  const variance = map('mul', reduce('sum', map('square', centred), [1]), 1 / 8)
  const normalized = map('div', centred, map('sqrt', map('add', variance, 1e-5)))
  const plan = planOf(normalized, x)
  expect(plan.parts.steps.map((step) => step.kind)).toEqual(['kernel'])
  expect(plan.parts.steps[0]!.writes).toHaveLength(2)
})

test('an optimizer update of three values is one kernel, written in place', async () => {
  const [p, m, v] = [variable([1, 2]), variable([0, 0]), variable([0, 0])]
  const gradient = host([2], [1, -1])
  const update = (): void => {
    const nextM = map('add', map('mul', m!.current, 0.9), map('mul', gradient, 0.1))
    const nextV = map('add', map('mul', v!.current, 0.99), map('mul', map('square', gradient), 0.01))
    p!.assign(map('sub', p!.current, map('mul', map('div', nextM, map('sqrt', nextV)), 0.5)))
    m!.assign(nextM)
    v!.assign(nextV)
    engine.flush()
  }
  update()
  close(Array.from(await p!.read()), [1 - 0.5, 2 + 0.5])
  const plan = engine.cache.plans().at(-1)!
  expect(plan.parts.steps).toHaveLength(1)
  expect(plan.parts.writeBacks).toHaveLength(0)
  const { plansBuilt } = engine.statistics
  update()
  expect(engine.statistics.plansBuilt).toBe(plansBuilt)
})

test('views are index arithmetic; a reshape without strides copies', async () => {
  const x = host([2, 3], [0, 1, 2, 3, 4, 5])
  close(await read(permute(x, [1, 0])), [0, 3, 1, 4, 2, 5])
  const flat = reshape(permute(x, [1, 0]), [6])
  close(await read(map('add', flat, 10)), [10, 13, 11, 14, 12, 15])
  close(await read(reshape(map('mul', x, 2), [3, 2])), [0, 2, 4, 6, 8, 10])
})

test('assemblies are written in place by the kernels that make their parts', async () => {
  const a = map('mul', host([2, 2], [1, 2, 3, 4]), 10)
  const b = map('add', host([2, 1], [5, 6]), 1)
  const whole = assemble(
    [a, b],
    [
      [0, 0],
      [0, 2],
    ],
    [2, 3],
  )
  expect(kinds(whole)).toEqual(['kernel', 'kernel'])
  close(await read(whole), [10, 20, 6, 30, 40, 7])
  close(await read(assemble([b], [[1, 1]], [4, 3], -1)), [-1, -1, -1, -1, 6, -1, -1, 7, -1, -1, -1, -1])
})

test('a product between two kernels keeps them apart; maps of it are done in its step', async () => {
  const x = map('max', host([2, 2], [1, -2, 3, 4]), 0)
  const y = map('add', matmul(x, permute(x, [1, 0])), x)
  expect(kinds(y)).toEqual(['kernel', 'contract'])
  expect(kinds(reduce('sum', y, [1]))).toEqual(['kernel', 'contract', 'kernel'])
  close(await read(y), [1 + 1, 3 + 0, 3 + 3, 25 + 4])
})

test('without fusion the same values come out', async () => {
  const build = (): Node => {
    const x = map(
      'mul',
      host([3, 4], (i) => Math.sin(i)),
      2,
    )
    return reduce(
      'sum',
      map(
        'mul',
        softmax(x, 1),
        permute(
          host([4, 3], (i) => i),
          [1, 0],
        ),
      ),
      [0],
    )
  }
  const fused = await read(build())
  engine.configure({ fusion: false })
  try {
    const apart = build()
    expect(kinds(apart).length).toBeGreaterThan(3)
    close(await read(apart), fused)
  } finally {
    engine.configure({ fusion: true })
  }
})

test('assignments are written after all reads of the old version: two Variables swap', async () => {
  const [a, b] = [variable([1]), variable([2])]
  const before = a!.current
  a!.assign(b!.current)
  b!.assign(before)
  engine.flush()
  expect(Array.from(await a!.read())).toEqual([2])
  expect(Array.from(await b!.read())).toEqual([1])
})

test('R5: reading what can no longer be computed is an error with the remedy; kept values stay', async () => {
  const v = variable([1, 2])
  const forgotten = map('mul', v.current, 10)
  const kept = map('mul', v.current, 100)
  engine.keep(kept)
  v.assign(map('add', v.current, 1))
  engine.flush()
  close(await read(kept), [100, 200])
  await expect(engine.read(forgotten)).rejects.toThrow(/'v' \[2\] at version 0.*keep/s)
  close(await read(map('mul', v.current, 10)), [20, 30])
})

test('a failed flush leaves Variables as they were', async () => {
  const table = new Variable(Float32Array.from([1, 2, 3, 4]), [2, 2], 'float32', 'table')
  table.assign(map('add', table.current, embedding(table.current, host([2], [0, 7], 'int32'))))
  expect(() => engine.flush()).toThrow(/embedding.*7.*2/)
  expect(Array.from(await table.read())).toEqual([1, 2, 3, 4])
  table.assign(map('add', table.current, 1))
  engine.flush()
  expect(Array.from(await table.read())).toEqual([2, 3, 4, 5])
})

test('empty tensors: nothing runs, reductions over nothing give their identity', async () => {
  expect(await read(map('add', host([0, 3], []), 1))).toEqual([])
  expect(await read(reduce('sum', host([2, 0], []), [1]))).toEqual([0, 0])
  expect(await read(reduce('max', host([0], []), [0]))).toEqual([-Infinity])
})

test('values demanded in one tick join one plan', async () => {
  const x = map('exp', host([4], [0, 1, 2, 3]))
  const { plansBuilt } = engine.statistics
  const [a, b] = [map('add', x, 1), reduce('sum', x, [0])]
  await Promise.all([engine.read(a), engine.read(b)])
  expect(engine.statistics.plansBuilt).toBe(plansBuilt + 1)
})

test('numbers are no part of the key: another number finds the same plan (R2)', async () => {
  const run = (factor: number): Promise<number[]> => read(map('mul', host([2], [1, 2]), factor))
  expect(await run(3)).toEqual([3, 6])
  const { plansBuilt } = engine.statistics
  expect(await run(5)).toEqual([5, 10])
  expect(engine.statistics.plansBuilt).toBe(plansBuilt)
})

test('the arena is no larger than 1.2 times what is alive at once', () => {
  let x = host([64, 64], (i) => i % 5)
  for (let i = 0; i < 12; i++) x = map('add', matmul(x, permute(x, [1, 0])), i % 3 === 0 ? x : 1)
  const { arenaBytes, arenaLowerBound } = planOf(x).parts
  expect(arenaBytes).toBeLessThanOrEqual(arenaLowerBound * 1.2)
})

test('a sum of padded pieces that do not overlap is written in one buffer', async () => {
  const pieces = [0, 1, 2].map((i) => assemble([map('mul', host([2], [i, i + 1]), 2)], [[2 * i]], [6]))
  const sum = pieces.reduce((a, b) => map('add', a, b))
  expect(kinds(sum)).toEqual(['kernel', 'kernel', 'kernel'])
  close(await read(sum), [0, 2, 2, 4, 4, 6])
  const crossing = map('add', pieces[0]!, assemble([host([2], [5, 7])], [[1]], [6]))
  close(await read(crossing), [0, 7, 7, 0, 0, 0])
})

test('pieces of one buffer that are put together as they lie there are that buffer', async () => {
  const product = matmul(host([2, 1], [1, 2]), host([1, 4], [1, 2, 3, 4]))
  const pieces = [0, 2].map((column) => slice(product, [0, column], [2, 2]))
  const joined = (places: readonly number[]): Node => {
    const padded = pieces.map((piece, i) => assemble([piece], [[0, places[i]!]], [2, 4]))
    return padded.reduce((a, b) => map('add', a, b))
  }
  expect(kinds(joined([0, 2]))).toEqual(['contract'])
  expect(await read(joined([0, 2]))).toEqual([1, 2, 3, 4, 2, 4, 6, 8])
  // Exchanged, with a piece missing, or in another shape, they have to be moved.
  expect(await read(joined([2, 0]))).toEqual([3, 4, 1, 2, 6, 8, 2, 4])
  expect(await read(assemble([pieces[1]!], [[0, 2]], [2, 4]))).toEqual([0, 0, 3, 4, 0, 0, 6, 8])
  const stacked = assemble(
    pieces,
    [
      [0, 0],
      [2, 0],
    ],
    [4, 2],
  )
  expect(await read(stacked)).toEqual([1, 2, 2, 4, 3, 4, 6, 8])
})

test('routines read values that need no memory by themselves', async () => {
  const ones = map('add', number(1), reduce('sum', host([2, 0], []), [1]))
  close(await read(matmul(reshape(map('mul', number(2), ones), [2, 1]), host([1, 2], [1, 3]))), [2, 6, 2, 6])
})

test("R5: a Variable's own value can be kept across an assignment", async () => {
  const v = variable([1, 2])
  const old = v.current
  engine.keep(old)
  v.assign(map('add', old, 1))
  engine.flush()
  expect(await read(old)).toEqual([1, 2])
  expect(await read(v.current)).toEqual([2, 3])
})

test('values that need no memory are computed where they are used, through reshapes too', async () => {
  const nothing = reshape(reduce('sum', host([2, 0], []), [1]), [2])
  const free = map('add', nothing, number(3))
  const v = variable([0, 0])
  v.assign(free)
  close(await read(map('mul', free, host([2], [1, 2]))), [3, 6])
  engine.flush()
  close(Array.from(await v.read()), [3, 3])
  const grid = map('add', position([3, 1], [10, 0]), position([1, 2], [0, 1]))
  close(
    await read(map('add', reshape(grid, [6]), host([6], [0, 0, 0, 0, 0, 1], 'int32'))),
    [0, 1, 10, 11, 20, 22],
  )
})

test('a long sum is made in rows, fused with what it adds up', async () => {
  const x = map(
    'square',
    host([256, 512], (i) => (i % 7) - 3),
  )
  const total = reduce('sum', x, [0, 1])
  expect(planOf(total).parts.steps.map((step) => step.work)).toEqual([String(256 * 512), '64'])
  let expected = 0
  for (let i = 0; i < 256 * 512; i++) expected += ((i % 7) - 3) ** 2
  close(await read(total), [expected])
})

test('a kernel with more results than the backend takes becomes several', async () => {
  const full = createInterpreter()
  setBackend({ ...full, limits: { ...full.limits, outputs: 4, args: 6 } })
  const x = map('exp', host([3], [0, 1, 2]))
  const results = Array.from({ length: 10 }, (_, i) => map('mul', x, i))
  const plan = planOf(...results)
  expect(plan.parts.steps.length).toBeGreaterThanOrEqual(3)
  for (const step of plan.parts.steps) expect(step.writes.length).toBeLessThanOrEqual(4)
  const values = await Promise.all(results.map(read))
  values.forEach((value, i) => close(value, [i, i * Math.E, i * Math.E ** 2]))
})

test('reductions over the same axes of related values are one kernel', async () => {
  const x = host([4, 3], (i) => i)
  const g = host([4, 3], (i) => i % 5)
  const both = [reduce('sum', g, [0]), reduce('sum', map('mul', g, x), [0])] as const
  expect(kinds(...both)).toEqual(['kernel'])
  const [shift, scale] = await Promise.all(both.map(read))
  const columns = [0, 1, 2].map((c) => [0, 1, 2, 3].map((r) => r * 3 + c))
  close(
    shift!,
    columns.map((column) => column.reduce((sum, i) => sum + (i % 5), 0)),
  )
  close(
    scale!,
    columns.map((column) => column.reduce((sum, i) => sum + (i % 5) * i, 0)),
  )
  expect(kinds(reduce('sum', g, [0]), reduce('sum', g, [1]))).toEqual(['kernel', 'kernel'])
})

test('a composite is done whole where the backend claims it, and is an expression of ops elsewhere', async () => {
  const a = permute(
    host([3, 2], (i) => i),
    [1, 0],
  )
  const b = host([3, 2], (i) => i % 4)
  const expected = [4, 10, 6, 15]
  expect(kinds(product(a, b))).toEqual(['kernel'])
  expect(await read(product(a, b))).toEqual(expected)
  setBackend({
    ...createInterpreter(),
    claims: (routine, dtype) => routine === 'contract' && dtype === 'float32',
  })
  // The first operand must lie in rows, so it is copied.
  expect(kinds(product(a, b))).toEqual(['kernel', 'contract'])
  expect(kinds(product(host([2, 3], [1, 2, 3, 4, 5, 6]), b))).toEqual(['contract'])
  expect(await read(product(a, b))).toEqual(expected)
})

test('a composite that reads anything but its inputs and numbers is refused', async () => {
  await expect(engine.read(foreign(host([2], [1, 2])))).rejects.toThrow(/composite may read its inputs/)
})

test('attributes of equal values under other names make another plan', async () => {
  expect(await read(labelled(host([1], [5]), { plus: 2 }))).toEqual([7])
  expect(await read(labelled(host([1], [5]), { times: 2 }))).toEqual([10])
})
