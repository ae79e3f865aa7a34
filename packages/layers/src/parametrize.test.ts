import { ShapeError, ValueError } from '@nabla/engine'
import { flush, tensor, type Tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { Conv2d } from './conv.ts'
import { ConvTranspose2d } from './convTranspose.ts'
import { Linear } from './linear.ts'
import { LayerNorm } from './norm.ts'
import { spectralNorm, weightNorm } from './parametrize.ts'
import { GRU } from './recurrent.ts'

const numbers = async (x: Tensor): Promise<number[]> => [...(await x.data())]
const close = (values: readonly number[]): unknown[] => values.map((value) => expect.closeTo(value, 4))
const matrix = tensor([
  [3, 4],
  [0, 2],
])

test('weight norm leaves the layer as it was, and trains lengths and directions', async () => {
  const layer = new Linear(2, 2)
  layer.weight.value = matrix
  const x = tensor([1, 10])
  const before = await numbers(layer.forward(x))
  expect(weightNorm(layer)).toBe(layer)
  expect(await numbers(layer.forward(x))).toEqual(close(before))
  const state = layer.stateDict()
  expect(Object.keys(state)).toEqual([
    'bias',
    'parametrizations.weight.original0',
    'parametrizations.weight.original1',
  ])
  const lengths = state['parametrizations.weight.original0']!
  expect(await lengths.value.toArray()).toEqual([[5], [2]])
  lengths.value = tensor([[10], [2]])
  layer.bias!.value = tensor([0, 0])
  expect(await numbers(layer.forward(x))).toEqual(close([6 + 80, 20]))
  const copy = weightNorm(new Linear(2, 2))
  copy.loadStateDict(state)
  expect(await numbers(copy.forward(x))).toEqual(close([86, 20]))
  const whole = weightNorm(new Conv2d(2, 3, 3), 'weight', null)
  expect(whole.stateDict()['parametrizations.weight.original0']!.shape).toEqual([])
})

test('spectral norm divides by the largest singular value', async () => {
  const layer = new Linear(2, 2, { bias: false })
  // Singular values 3 and 1, of a matrix that is neither diagonal nor symmetric.
  layer.weight.value = tensor([
    [0, 3],
    [1, 0],
  ])
  spectralNorm(layer)
  for (let step = 0; step < 5; step++) {
    layer.forward(tensor([1, 1]))
    flush()
  }
  expect(await numbers(layer.forward(tensor([2, 1])))).toEqual(close([1, 2 / 3]))
  layer.eval()
  expect(await numbers(layer.forward(tensor([2, 1])))).toEqual(close([1, 2 / 3]))
  expect(Object.keys(layer.stateDict())).toEqual([
    'parametrizations.weight.original',
    'parametrizations.weight.0._u',
    'parametrizations.weight.0._v',
  ])
  expect(layer.parameters()).toHaveLength(1)
  const transposed = spectralNorm(new ConvTranspose2d(2, 3, 4), { dim: 1 })
  expect(transposed.stateDict()['parametrizations.weight.0._u']!.shape).toEqual([3])
  expect(transposed.stateDict()['parametrizations.weight.0._v']!.shape).toEqual([32])
})

test('only parameters can be split', () => {
  expect(() => weightNorm(new Linear(2, 2), 'weights')).toThrow(
    /Linear has no parameter in a field 'weights'/,
  )
  expect(() => weightNorm(new GRU(2, 2), 'weights')).toThrow(ValueError)
  expect(() => weightNorm(new Linear(2, 2), 'weight', 2)).toThrow(/weight has 2 dimensions; got dim 2/)
  expect(() => spectralNorm(new LayerNorm(3))).toThrow(ShapeError)
})
