import { ShapeError, ValueError } from '@nabla/engine'
import { Generator, manualSeed, rand, randn, type Tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { Sequential } from './container.ts'
import {
  constant,
  gain,
  kaimingNormal,
  kaimingUniform,
  normal,
  ones,
  orthogonal,
  uniform,
  xavierNormal,
  xavierUniform,
  zeros,
} from './init.ts'
import { Linear } from './linear.ts'

async function spread(values: Tensor): Promise<{ largest: number; deviation: number; mean: number }> {
  const data = [...(await values.data())]
  const mean = data.reduce((a, b) => a + b) / data.length
  const deviation = Math.sqrt(data.reduce((a, b) => a + (b - mean) ** 2, 0) / data.length)
  return { largest: Math.max(...data.map(Math.abs)), deviation, mean }
}

test('a seed reproduces a model', async () => {
  const make = (): Sequential => new Sequential(new Linear(5, 3), new Linear(3, 2))
  const weights = async (model: Sequential): Promise<number[][]> =>
    Promise.all(model.parameters().map(async (parameter) => [...(await parameter.read())]))
  manualSeed(42)
  const first = await weights(make())
  const other = await weights(make())
  manualSeed(42)
  expect(await weights(make())).toEqual(first)
  expect(other).not.toEqual(first)
  expect(first.flat().every((value) => Math.abs(value) <= 1 / Math.sqrt(3))).toBe(true)
})

test('it is the stream of the random functions', async () => {
  const shape = [3, 7]
  expect(await uniform(shape, { generator: new Generator(9) }).data()).toEqual(
    await rand(shape, { generator: new Generator(9) }).data(),
  )
  const here = await normal(shape, { generator: new Generator(9) }).data()
  const there = await randn(shape, { generator: new Generator(9) }).data()
  for (const [i, value] of here.entries()) expect(value).toBeCloseTo(there[i]!, 5)
})

test('fixed values', async () => {
  expect(await constant([2], 3).toArray()).toEqual([3, 3])
  expect(await zeros([2]).toArray()).toEqual([0, 0])
  expect(await ones([1, 2], { dtype: 'float64' }).toArray()).toEqual([[1, 1]])
})

test('spreads follow from the shape', async () => {
  // 120 inputs of a window, 80 outputs: fans 120 and 480.
  const shape = [80, 20, 2, 3]
  const bounds: [Tensor, number][] = [
    [kaimingUniform(shape), Math.sqrt(6 / 120)],
    [kaimingUniform(shape, { mode: 'fanOut' }), Math.sqrt(6 / 480)],
    [kaimingUniform(shape, { nonlinearity: 'tanh' }), (5 / 3) * Math.sqrt(3 / 120)],
    [xavierUniform(shape), Math.sqrt(6 / 600)],
  ]
  for (const [values, bound] of bounds) {
    const { largest, mean } = await spread(values)
    expect(largest).toBeLessThanOrEqual(bound)
    expect(largest).toBeGreaterThan(0.97 * bound)
    expect(Math.abs(mean)).toBeLessThan(0.05 * bound)
  }
  const deviations: [Tensor, number][] = [
    [kaimingNormal(shape, { nonlinearity: 'relu' }), Math.sqrt(2 / 120)],
    [xavierNormal(shape, { gain: 2 }), 2 * Math.sqrt(2 / 600)],
    [normal(shape, { mean: 0, deviation: 0.5 }), 0.5],
  ]
  for (const [values, expected] of deviations) {
    expect((await spread(values)).deviation / expected).toBeCloseTo(1, 1)
  }
})

test('orthogonal matrices', async () => {
  for (const shape of [
    [3, 5],
    [5, 3],
    [4, 2, 2],
  ]) {
    const matrix = orthogonal(shape, { dtype: 'float64' }).reshape([shape[0]!, -1])
    const product =
      shape[0]! <= matrix.shape[1]! ? matrix.matmul(matrix.transpose()) : matrix.transpose().matmul(matrix)
    const data = await product.data()
    const size = product.shape[0]!
    for (const [i, value] of data.entries()) expect(value).toBeCloseTo(i % (size + 1) === 0 ? 1 : 0, 10)
  }
})

test('wrong arguments are refused', () => {
  expect(() => kaimingUniform([3])).toThrow(ShapeError)
  expect(() => xavierUniform([3])).toThrow(/xavierUniform: a weight must have two dimensions, .*; got \[3\]/)
  expect(() => uniform([2], { low: 1, high: 0 })).toThrow(ValueError)
  expect(() => normal([2], { deviation: -1 })).toThrow(/deviation must not be negative/)
  expect(() => uniform([2, -1])).toThrow(/sizes must be non-negative integers/)
  expect(() => gain('softplus' as 'relu')).toThrow(/unknown nonlinearity 'softplus'/)
  expect(() => kaimingNormal([2, 2], { mode: 'fan_in' as 'fanIn' })).toThrow(
    /unknown mode of kaimingNormal 'fan_in'. Did you mean 'fanIn'/,
  )
})
