// Maps that join the step of a contraction: which do, what is stored, and that the values stay what they are.
import { beforeEach, expect, test } from 'vitest'
import { setBackend } from '../control.ts'
import { engine } from '../engine.ts'
import { createInterpreter } from '../interpreter/index.ts'
import type { Node } from '../node.ts'
import { Variable } from '../variable.ts'
import type { Plan } from './plan.ts'
import { host, map, matmul, number, reduce } from './testing.ts'

beforeEach(() => setBackend(createInterpreter()))

const planOf = (...nodes: Node[]): Plan => engine.planOf(engine.trace(nodes))
const kinds = (...nodes: Node[]): string[] => planOf(...nodes).parts.steps.map((step) => step.kind)
const read = async (node: Node): Promise<number[]> => Array.from(await engine.read(node))
const close = (actual: readonly number[], expected: readonly number[]): void => {
  expect(actual.length).toBe(expected.length)
  actual.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5))
}

const matrix = (rows: number, columns: number, from: number): Node =>
  host([rows, columns], (i) => ((i * 7 + from) % 11) - 5)

test('a linear layer with bias, activation and residual is one step that writes one value', async () => {
  const [x, w, bias, residual] = [matrix(3, 4, 1), matrix(4, 2, 2), matrix(1, 2, 3), matrix(3, 2, 4)]
  const y = map('add', map('max', map('add', matmul(x, w), bias), number(0)), residual)
  const { steps } = planOf(y).parts
  expect(steps.map(({ ops }) => ops.join(' '))).toEqual(['matmul add max add'])
  expect(steps[0]!.reads).toHaveLength(4)
  expect(steps[0]!.writes).toHaveLength(1)
  const together = await read(y)
  const apart = await read(matmul(x, w))
  const [b, r] = [await read(bias), await read(residual)]
  expect(together).toEqual(apart.map((value, i) => Math.max(value + b[i % 2]!, 0) + r[i]!))
})

test('a product is stored where others need it, and otherwise lies where one of its maps goes', async () => {
  const [x, w] = [matrix(3, 4, 1), matrix(4, 2, 2)]
  const z = matmul(x, w)
  const [y, mask] = [map('max', z, 0), map('gt', z, 0)]
  expect(planOf(y, mask).parts.steps).toMatchObject([{ kind: 'contract', writes: { length: 2 } }])
  expect(planOf(y, z).parts.steps).toMatchObject([{ kind: 'contract', writes: { length: 2 } }])
  const rows = reduce('sum', map('square', z), [1])
  expect(planOf(y, rows).parts.steps).toMatchObject([
    { kind: 'contract', writes: { length: 2 } },
    { kind: 'kernel', writes: { length: 1 } },
  ])
  const squares = (await read(z)).map((value) => value ** 2)
  close(
    await read(rows),
    [0, 2, 4].map((i) => squares[i]! + squares[i + 1]!),
  )
})

test('maps that wait for what waits for the product stay apart', async () => {
  const [x, w] = [matrix(2, 2, 1), matrix(2, 2, 2)]
  const z = matmul(x, w)
  const scaled = map('mul', z, map('exp', reduce('max', z, [0, 1])))
  expect(kinds(scaled)).toEqual(['contract', 'kernel'])
  const second = map('add', z, matmul(map('square', z), w))
  expect(kinds(second)).toEqual(['contract', 'contract'])
  const [p, s] = [await read(z), await read(second)]
  const [q, v] = [p.map((value) => value ** 2), await read(w)]
  const product = [0, 1, 2, 3].map((i) => q[i - (i % 2)]! * v[i % 2]! + q[i - (i % 2) + 1]! * v[2 + (i % 2)]!)
  close(
    s,
    p.map((value, i) => value + product[i]!),
  )
})

test('an update of a Variable by a product stays a kernel, and reads the old version once', async () => {
  const w = new Variable(Float32Array.of(1, 2, 3, 4), [2, 2], 'float32', 'w')
  const x = matrix(2, 2, 1)
  const gradient = matmul(x, w.current)
  w.assign(map('sub', w.current, map('mul', gradient, 0.5)))
  const expected = (await read(matmul(x, host([2, 2], [1, 2, 3, 4])))).map((g, i) => i + 1 - 0.5 * g)
  engine.flush()
  close(await read(w.current), expected)
})

test('without such contractions in a backend, maps of products are kernels', () => {
  const { epilogues, ...plain } = createInterpreter()
  expect(epilogues).toBe(true)
  setBackend(plain)
  expect(kinds(map('max', matmul(matrix(2, 2, 1), matrix(2, 2, 2)), 0))).toEqual(['contract', 'kernel'])
})

test('a backend may refuse one: then product and maps follow each other in the same step', async () => {
  const [x, w] = [matrix(3, 4, 1), matrix(4, 2, 2)]
  const expected = (await read(matmul(x, w))).map((value) => Math.max(value, 0))
  const interpreter = createInterpreter()
  const { contract } = interpreter.routines
  setBackend({
    ...interpreter,
    routines: {
      ...interpreter.routines,
      contract: (spec) => (spec.epilogue === undefined ? contract!(spec) : null),
    },
  })
  const y = map('max', matmul(x, w), 0)
  expect(kinds(y)).toEqual(['contract'])
  close(await read(y), expected)
})
