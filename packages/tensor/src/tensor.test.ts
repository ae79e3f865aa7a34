// What a tensor does beside the ops: data in and out, reading, keeping, gradients being recorded or not.
import ndarray from 'ndarray'
import { expect, test } from 'vitest'
import { noGrad, ops, Parameter, ShapeError, tensor, Tensor, ValueError, type TensorData } from './index.ts'

test('data goes in and out as nested arrays, typed arrays and ndarrays', async () => {
  const nested = [
    [1, 2, 3],
    [4, 5, 6],
  ]
  expect(await tensor(nested).toArray()).toEqual(nested)
  expect(await tensor([[true], [false]]).toArray()).toEqual([[true], [false]])
  expect(await tensor(7).toArray()).toBe(7)
  const flat = await tensor(nested).data()
  expect(flat).toEqual(new Float32Array([1, 2, 3, 4, 5, 6]))
  const grid = ndarray(new Float64Array([1, 2, 3, 4, 5, 6]), [2, 3])
  const fromView = tensor(grid.transpose(1, 0))
  expect(fromView.dtype).toBe('float64')
  expect(await fromView.toArray()).toEqual([
    [1, 4],
    [2, 5],
    [3, 6],
  ])
  const back = await tensor(nested).toNdarray()
  expect(back.shape).toEqual([2, 3])
  expect(back.get(1, 2)).toBe(6)
})

test('the type of new tensors', () => {
  expect(tensor([1, 2]).dtype).toBe('float32')
  expect(tensor([true, false]).dtype).toBe('bool')
  expect(tensor([true, 2]).dtype).toBe('float32')
  expect(tensor(new Int32Array(2)).dtype).toBe('int32')
  expect(tensor(new Uint8Array(2)).dtype).toBe('int32')
  expect(tensor([1, 2], { dtype: 'int32' }).dtype).toBe('int32')
  expect(tensor([]).shape).toEqual([0])
})

test('given data is copied', async () => {
  const data = new Float32Array([1, 2])
  const x = tensor(data)
  data[0] = 9
  expect(await x.toArray()).toEqual([1, 2])
  ;(await x.data())[0] = 9
  expect(await x.toArray()).toEqual([1, 2])
})

test('ragged and foreign data is refused with its position', () => {
  expect(() => tensor([[1, 2], [3]])).toThrow(ShapeError)
  expect(() => tensor([[1, 2], [3]])).toThrow(
    'expected an array of length 2 at [1], got an array of length 1',
  )
  expect(() => tensor([[1, 2], 3])).toThrow('at [1], got 3')
  expect(() => tensor([1, [2]])).toThrow('expected a number at [1], got an array of length 1')
  expect(() => tensor([[1, 'x' as never]])).toThrow(ValueError)
  expect(() => tensor([[1, null as never]])).toThrow('got null at [0][1]')
  expect(() => tensor(new BigInt64Array(2) as never)).toThrow(ValueError)
  expect(() => tensor(undefined as never)).toThrow(ValueError)
})

test('numbers beside tensors take their type, but fractions never become integers', () => {
  const whole = tensor([1, 2], { dtype: 'int32' })
  expect(whole.add(1).dtype).toBe('int32')
  expect(whole.add(0.5).dtype).toBe('float32')
  expect(whole.div(2).dtype).toBe('float32')
  expect(tensor([1], { dtype: 'float64' }).mul(0.1).dtype).toBe('float64')
  expect(tensor([true]).mul(2).dtype).toBe('int32')
  expect(tensor([1]).add(whole).dtype).toBe('float32')
})

test('item needs exactly one element', async () => {
  expect(await tensor([[2.5]]).item()).toBe(2.5)
  await expect(tensor([1, 2]).item()).rejects.toThrow('item: the tensor has 2 elements (shape [2])')
})

test('toString shows shape and type and computes nothing', () => {
  expect(String(tensor([[1, 2]]).add(1))).toBe('Tensor([1, 2], float32)')
  expect(String(new Parameter([1]).value.mul(2))).toBe('Tensor([1], float32, requiresGrad)')
})

test('realized values are read, not computed again', async () => {
  const x = tensor([1, 2]).mul(3)
  expect(x.isLeaf).toBe(false)
  await x.realize()
  expect(x.isLeaf).toBe(true)
  expect(x.inputs).toEqual([])
  expect(await x.add(1).toArray()).toEqual([4, 7])
})

test('gradients are recorded where an input asks for them', () => {
  const x = tensor([1, 2], { requiresGrad: true })
  expect(x.mul(2).requiresGrad).toBe(true)
  expect(x.gt(1).requiresGrad).toBe(false)
  expect(x.to('int32').requiresGrad).toBe(false)
  expect(x.detach().mul(2).requiresGrad).toBe(false)
  expect(noGrad(() => x.mul(2)).requiresGrad).toBe(false)
  expect(tensor([1]).mul(2).requiresGrad).toBe(false)
})

test('noGrad restores recording after errors, and refuses asynchronous functions', () => {
  const x = tensor([1], { requiresGrad: true })
  expect(() => noGrad(() => x.reshape([5]))).toThrow(ShapeError)
  expect(x.mul(2).requiresGrad).toBe(true)
  expect(() => noGrad(async () => x.mul(2))).toThrow('the function is asynchronous')
  expect(x.mul(2).requiresGrad).toBe(true)
})

test('a realized value that carries gradients keeps its inputs', async () => {
  const x = tensor([1, 2], { requiresGrad: true })
  const y = x.mul(3)
  await y.realize()
  expect(y.inputs[0]).toBe(x)
})

test('every op that is a method is one, and says the same', async () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ] as TensorData)
  for (const [name, fn] of Object.entries(ops)) {
    expect(name in Tensor.prototype, name).toBe(fn.method)
    expect(fn.op.name.length).toBeGreaterThan(0)
  }
  expect(await x.sum(1).toArray()).toEqual([3, 7])
  expect(await x.at(1, ':1').toArray()).toEqual([3])
})

test('a long chain is computed on the way', async () => {
  let x = tensor([0])
  for (let i = 0; i < 5000; i++) x = x.add(1)
  expect(x.depth).toBeLessThan(2100)
  expect(await x.item()).toBe(5000)
})

test('shapes are copied: an array that is used again changes no tensor', async () => {
  const x = tensor([1, 2, 3, 4])
  const shape = [2, 2]
  const [reshaped, expanded] = [x.reshape(shape), tensor([[1], [2]]).expand(shape)]
  shape[0] = 4
  expect(reshaped.shape).toEqual([2, 2])
  expect(await expanded.toArray()).toEqual([
    [1, 1],
    [2, 2],
  ])
})
