// Variables and parameters: assignment, versions, values that can no longer be computed, freezing.
import { expect, test } from 'vitest'
import {
  DTypeError,
  flush,
  GradientError,
  Parameter,
  randn,
  ShapeError,
  StaleValueError,
  tensor,
  Variable,
} from './index.ts'

test('an assignment may use the old value', async () => {
  const v = new Variable([1, 2, 3])
  v.value = v.value.mul(2)
  v.value = v.value.add(1)
  expect(await v.value.toArray()).toEqual([3, 5, 7])
  flush()
  expect(await v.value.toArray()).toEqual([3, 5, 7])
  expect(v.version).toBe(1)
})

test('Variables stand for their present value in every op', async () => {
  const v = new Variable([1, 2])
  expect(await tensor([3, 4]).mul(v).toArray()).toEqual([3, 8])
  expect(v.shape).toEqual([2])
  expect(String(v)).toBe('Variable(variable, [2], float32)')
})

test('two Variables may exchange their values', async () => {
  const a = new Variable([1])
  const b = new Variable([2])
  const [old, next] = [a.value, b.value]
  a.value = next
  b.value = old
  flush()
  expect([await a.value.item(), await b.value.item()]).toEqual([2, 1])
})

test('a value made from an old version is stale after the update, unless kept', async () => {
  const v = new Variable([1], { name: 'weight' })
  const lost = v.value.mul(2)
  const kept = v.value.mul(3).keep()
  v.value = v.value.add(1)
  flush()
  await expect(lost.data()).rejects.toThrow(StaleValueError)
  await expect(lost.data()).rejects.toThrow("computed from 'weight'")
  expect(await kept.toArray()).toEqual([3])
})

test('wrong assignments are refused and change nothing', async () => {
  const v = new Variable([1, 2])
  expect(() => (v.value = tensor([1]))).toThrow(ShapeError)
  expect(() => (v.value = tensor([1, 2], { dtype: 'int32' }))).toThrow(DTypeError)
  expect(await v.value.toArray()).toEqual([1, 2])
})

test('a Variable can begin with a computed tensor', async () => {
  const start = randn([4])
  const v = new Variable(start)
  expect(await v.value.toArray()).toEqual(await start.toArray())
  expect(await new Variable(tensor([1, 2]).add(1)).value.toArray()).toEqual([2, 3])
})

test('integers and bools can be Variables but no parameters', async () => {
  const mask = new Variable([true, false])
  expect(await mask.value.toArray()).toEqual([true, false])
  expect(() => new Parameter(new Int32Array(2))).toThrow(GradientError)
})

test('a parameter asks for gradients until it is frozen', () => {
  const p = new Parameter([1, 2])
  expect(p.value.requiresGrad).toBe(true)
  p.requiresGrad = false
  expect(p.value.mul(2).requiresGrad).toBe(false)
  p.requiresGrad = true
  expect(p.value.mul(2).requiresGrad).toBe(true)
})

test('gradients stop at an assigned parameter', async () => {
  const p = new Parameter([1, 2])
  p.value = p.value.mul(2)
  expect(p.value.inputs).toEqual([])
  expect(p.value.variable).toBe(p)
  expect(await p.value.toArray()).toEqual([2, 4])
})

test('a disposed Variable says so', () => {
  const v = new Variable([1], { name: 'cache' })
  v.dispose()
  expect(() => v.value).toThrow('cache: the Variable has been disposed')
  expect(() => {
    using w = new Variable([1])
    w.value = w.value.add(1)
  }).not.toThrow()
})
