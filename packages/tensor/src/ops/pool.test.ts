// Poolings against plain loops, and which element of a window gets the gradient.
import { expect, test } from 'vitest'
import { SampleMaker, tensor, type Tensor, type TensorOp } from '../index.ts'
import { maxPool2dWithIndices } from './pool.ts'
import { maximumOfWindows } from './pooling.ts'

/** The gradient that an op hands to its first input. */
function gradientOf(output: Tensor, upstream: Tensor): Tensor {
  const op = output.op as TensorOp
  const call = { inputs: output.inputs as never, output, attributes: output.attributes }
  return op.gradient!(call, upstream)[0]!
}

test('of equal elements the first of each window gets the gradient', async () => {
  const x = tensor([
    [1, 5, 5, 5],
    [5, 5, 0, 5],
    [2, 2, 7, 1],
    [2, 2, 1, 7],
  ])
  const pool = { kernel: [2, 2], stride: [2, 2], dilation: [1, 1] }
  const gradient = gradientOf(
    maximumOfWindows(x, pool),
    tensor([
      [1, 2],
      [3, 4],
    ]),
  )
  expect(await gradient.toArray()).toEqual([
    [0, 1, 2, 0],
    [0, 0, 0, 0],
    [3, 0, 4, 0],
    [0, 0, 0, 0],
  ])
})

test('a NaN is the largest element and has its position', async () => {
  const x = tensor([[[1, NaN, 5, 2]]])
  const { values, indices } = maxPool2dWithIndices(x, [1, 4])
  expect(await values.toArray()).toEqual([[[NaN]]])
  expect(await indices.toArray()).toEqual([[[1]]])
})

test('windows that overlap add their gradients, and those that leave a rest give it none', async () => {
  const x = tensor([1, 3, 2, 4, 0, 9])
  const overlapping = { kernel: [3], stride: [2], dilation: [1] }
  expect(await gradientOf(maximumOfWindows(x, overlapping), tensor([1, 10])).toArray()).toEqual([
    0, 1, 0, 10, 0, 0,
  ])
  const tiling = { kernel: [4], stride: [4], dilation: [1] }
  expect(await gradientOf(maximumOfWindows(x, tiling), tensor([5])).toArray()).toEqual([0, 0, 0, 5, 0, 0])
})

test('poolings agree with plain loops, positions of maxima included', async () => {
  for (let seed = 0; seed < 40; seed++) {
    const make = new SampleMaker(seed, 'float64')
    const pick = (low: number, high: number): number => low + Math.floor(make.uniform() * (high - low + 1))
    const kernel = [pick(1, 3), pick(1, 4)]
    const stride = [pick(1, 3), pick(1, 3)]
    const dilation = seed % 3 === 0 ? [pick(1, 2), pick(1, 2)] : [1, 1]
    const span = kernel.map((size, d) => (size - 1) * dilation[d]! + 1)
    const padding = span.map((size) => pick(0, Math.floor(size / 2)))
    const sizes = span.map((size) => size + pick(0, 4))
    const ceilMode = seed % 2 === 0
    const x = make.real([2, ...sizes])
    const { values, indices } = maxPool2dWithIndices(x, kernel, { stride, padding, dilation, ceilMode })
    const plain = dilation.every((step) => step === 1)
    const mean = plain ? x.avgPool2d(kernel, { stride, padding, ceilMode, countIncludePad: false }) : null
    const largest = await values.data()
    const places = await indices.data()
    const means = mean === null ? null : await mean.data()
    let at = 0
    const [, rows, columns] = values.shape as [number, number, number]
    for (let channel = 0; channel < 2; channel++) {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++, at++) {
          let best = -Infinity
          let place = -1
          let sum = 0
          let count = 0
          for (let i = 0; i < kernel[0]!; i++) {
            for (let j = 0; j < kernel[1]!; j++) {
              const y = row * stride[0]! - padding[0]! + i * dilation[0]!
              const z = column * stride[1]! - padding[1]! + j * dilation[1]!
              if (y < 0 || z < 0 || y >= sizes[0]! || z >= sizes[1]!) continue
              const value = x.host![(channel * sizes[0]! + y) * sizes[1]! + z]!
              sum += value
              count += 1
              if (value > best) {
                best = value
                place = y * sizes[1]! + z
              }
            }
          }
          expect(largest[at]).toBe(best)
          expect(places[at]).toBe(place)
          if (means !== null) expect(means[at]).toBeCloseTo(sum / count, 10)
        }
      }
    }
  }
})
