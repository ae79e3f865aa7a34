import { ShapeError, ValueError } from '@nabla/engine'
import { arange, ones, randn, tensor, type Tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { BatchNorm3d } from './batchNorm.ts'
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from './convTranspose.ts'
import { ChannelShuffle, Fold, PixelShuffle, PixelUnshuffle, Unfold, Upsample } from './image.ts'
import { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, LocalResponseNorm } from './instanceNorm.ts'
import * as padding from './padding.ts'
import { AvgPool1d, AvgPool3d, MaxPool2d, MaxPool3d } from './pool.ts'
import * as adaptive from './poolAdaptive.ts'
import { SqueezeExcitation } from './squeezeExcite.ts'
import { checkModule } from './testing.ts'

const numbers = async (x: Tensor): Promise<number[]> => [...(await x.data())]
const close = (values: readonly number[]): unknown[] => values.map((value) => expect.closeTo(value, 4))
const random = async (...shape: number[]): Promise<Tensor> => tensor(await randn(shape).data(), { shape })
const row = (...values: number[]): Tensor => tensor([[values]])
const count = (...shape: number[]): Tensor =>
  arange(
    shape.reduce((a, b) => a * b, 1),
    undefined,
    1,
    { dtype: 'float32' },
  ).reshape(shape)

test('transposed convolutions', async () => {
  const volume = [await random(1, 4, 2, 2, 3)]
  await checkModule({
    make: () => new ConvTranspose3d(4, 2, 2, { stride: [1, 2, 2] }),
    inputs: volume,
    outputs: [[1, 2, 3, 4, 6]],
    wrong: [ones([1, 3, 2, 2, 3])],
    state: ['weight', 'bias'],
  })
  await checkModule({
    make: () =>
      new ConvTranspose2d(4, 6, [3, 2], {
        stride: 2,
        padding: [1, 0],
        outputPadding: 1,
        groups: 2,
        bias: false,
      }),
    inputs: [await random(2, 4, 3, 5)],
    outputs: [[2, 6, 6, 11]],
    state: ['weight'],
  })
  const line = new ConvTranspose1d(1, 1, 3, { stride: 2, bias: false })
  line.weight.value = row(1, 10, 100)
  expect(await numbers(line.forward(row(1, 2)))).toEqual([1, 10, 102, 20, 200])
  expect(() => new ConvTranspose1d(1, 1, 3, { outputPadding: 1 })).toThrow(
    /outputPadding \[1\] must be smaller than/,
  )
  expect(() => new ConvTranspose1d(3, 4, 3, { groups: 2 })).toThrow(
    /groups \(2\) must divide inChannels \(3\)/,
  )
})

test('norms of sequences, images and volumes', async () => {
  const [line, image, volume] = [await random(2, 3, 6), await random(2, 3, 4, 5), await random(2, 3, 2, 3, 2)]
  const affine = { affine: true }
  const state = ['weight', 'bias']
  const wrong = [ones([2, 4, 4, 5])]
  await checkModule({
    make: () => new InstanceNorm1d(3, affine),
    inputs: [line],
    outputs: [[2, 3, 6]],
    wrong,
    state,
  })
  await checkModule({
    make: () => new InstanceNorm2d(3, affine),
    inputs: [image],
    outputs: [[2, 3, 4, 5]],
    wrong,
    state,
  })
  await checkModule({
    make: () => new InstanceNorm3d(3, affine),
    inputs: [volume],
    outputs: [[2, 3, 2, 3, 2]],
    wrong,
    state,
  })
  await checkModule({ make: () => new InstanceNorm1d(3), inputs: [line], outputs: [[2, 3, 6]], state: [] })
  await checkModule({ make: () => new BatchNorm3d(3), inputs: [volume], outputs: [[2, 3, 2, 3, 2]], wrong })
  expect(await numbers(new InstanceNorm1d(1).forward(row(1, 3)))).toEqual(close([-1, 1]))
  // (1 + 3 · mean of squares over three channels)^0.5, missing ones counting as 0
  const response = new LocalResponseNorm(3, { alpha: 3, beta: 0.5, k: 1 })
  const channels = tensor([1, 2, 3], { shape: [1, 3, 1] })
  const expected = [1 / Math.sqrt(6), 2 / Math.sqrt(15), 3 / Math.sqrt(14)]
  expect(await numbers(response.forward(channels))).toEqual(close(expected))
  expect(() => new LocalResponseNorm(0)).toThrow(ValueError)
})

test('pools of every rank', async () => {
  expect(await numbers(new AvgPool1d(2).forward(row(1, 3, 5, 7)))).toEqual([2, 6])
  expect(await numbers(new AvgPool3d(2).forward(count(1, 1, 2, 2, 2)))).toEqual([3.5])
  expect(await numbers(new MaxPool3d(2).forward(count(1, 1, 2, 2, 2)))).toEqual([7])
  expect(await numbers(new MaxPool2d(2, { stride: 1, dilation: 2 }).forward(count(1, 1, 3, 3)))).toEqual([8])
  expect(await numbers(new adaptive.AdaptiveAvgPool1d(2).forward(row(1, 2, 3)))).toEqual([1.5, 2.5])
  expect(await numbers(new adaptive.AdaptiveMaxPool1d(2).forward(row(1, 2, 3)))).toEqual([2, 3])
  expect(await numbers(new adaptive.AdaptiveMaxPool2d([1, null]).forward(count(1, 1, 2, 3)))).toEqual([
    3, 4, 5,
  ])
  expect(await numbers(new adaptive.AdaptiveAvgPool3d(1).forward(count(1, 1, 2, 2, 2)))).toEqual([3.5])
  expect(await numbers(new adaptive.AdaptiveMaxPool3d(1).forward(count(1, 1, 2, 2, 2)))).toEqual([7])
  expect(await numbers(new adaptive.LpPool1d(2, 2).forward(row(3, 4, 6, 8)))).toEqual(close([5, 10]))
  expect(await numbers(new adaptive.LpPool2d(1, 2).forward(count(1, 1, 2, 2)))).toEqual(close([6]))
  expect(() => new adaptive.AdaptiveAvgPool2d([1, 2, 3])).toThrow(
    /outputSize must be one number or a list of 2/,
  )
  expect(() => new adaptive.LpPool1d(0, 2)).toThrow(/LpPool1d: p must be a finite number above 0; got 0/)
  expect(() => new MaxPool3d(2).forward(ones([2, 2]))).toThrow(ShapeError)
})

test('padding of every kind', async () => {
  const line = row(1, 2, 3)
  expect(await numbers(new padding.ConstantPad1d([1, 2], 9).forward(line))).toEqual([9, 1, 2, 3, 9, 9])
  expect(await numbers(new padding.ZeroPad1d([1, -1]).forward(line))).toEqual([0, 1, 2])
  expect(await numbers(new padding.ReflectionPad1d(2).forward(line))).toEqual([3, 2, 1, 2, 3, 2, 1])
  expect(await numbers(new padding.ReplicationPad1d(1).forward(line))).toEqual([1, 1, 2, 3, 3])
  expect(await numbers(new padding.CircularPad1d([1, 1]).forward(line))).toEqual([3, 1, 2, 3, 1])
  const image = count(1, 1, 2, 2)
  const images = [
    [new padding.ConstantPad2d([1, 0, 0, 1], 5), [5, 0, 1, 5, 2, 3, 5, 5, 5]],
    [new padding.ZeroPad2d([1, 0, 0, 1]), [0, 0, 1, 0, 2, 3, 0, 0, 0]],
    [new padding.ReflectionPad2d([1, 0, 0, 1]), [1, 0, 1, 3, 2, 3, 1, 0, 1]],
    [new padding.ReplicationPad2d([1, 0, 0, 1]), [0, 0, 1, 2, 2, 3, 2, 2, 3]],
    [new padding.CircularPad2d([1, 0, 0, 1]), [1, 0, 1, 3, 2, 3, 1, 0, 1]],
  ] as const
  for (const [layer, expected] of images) expect(await numbers(layer.forward(image))).toEqual(expected)
  const volume = count(1, 1, 2, 2, 2)
  const volumes = [
    new padding.ConstantPad3d(1, 0),
    new padding.ZeroPad3d(1),
    new padding.ReflectionPad3d(1),
    new padding.ReplicationPad3d(1),
    new padding.CircularPad3d(1),
  ]
  const sums: number[] = []
  for (const layer of volumes) sums.push((await layer.forward(volume).sum().item()) as number)
  expect(sums).toEqual([28, 28, 224, 224, 224])
  expect(() => new padding.ZeroPad2d([1, 2])).toThrow(
    /ZeroPad2d: padding must be one number or a list of 4; got 1,2/,
  )
  expect(() => new padding.ZeroPad1d(0.5)).toThrow(ValueError)
  expect(() => new padding.ZeroPad2d(1).forward(ones([3]))).toThrow(
    /ZeroPad2d: x must have 3 or 4 dimensions/,
  )
})

test('resizing and rearranging images', async () => {
  expect(await numbers(new Upsample({ scaleFactor: 2 }).forward(row(1, 2)))).toEqual([1, 1, 2, 2])
  expect(
    await numbers(new Upsample({ size: 3, mode: 'linear', alignCorners: true }).forward(row(1, 2))),
  ).toEqual(close([1, 1.5, 2]))
  expect(() => new Upsample({})).toThrow(/either size or scaleFactor/)
  expect(() => new Upsample({ size: 2, mode: 'cubic' as 'bicubic' })).toThrow(/unknown mode 'cubic'/)
  const channels = count(1, 4, 1, 2)
  const pixels = new PixelShuffle(2).forward(channels)
  expect(await numbers(pixels)).toEqual([0, 2, 1, 3, 4, 6, 5, 7])
  expect(await numbers(new PixelUnshuffle(2).forward(pixels))).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  expect(await numbers(new ChannelShuffle(2).forward(count(1, 4, 1)))).toEqual([0, 2, 1, 3])
  const patches = new Unfold(2, { stride: 1 }).forward(count(1, 1, 2, 3))
  expect(await patches.toArray()).toEqual([
    [
      [0, 1],
      [1, 2],
      [3, 4],
      [4, 5],
    ],
  ])
  // The middle column lies in both patches.
  expect(await numbers(new Fold([2, 3], 2).forward(patches))).toEqual([0, 2, 2, 3, 8, 5])
  expect(() => new Fold([2, 3], 2).forward(ones([4, 2]))).toThrow(ShapeError)
  expect(() => new PixelShuffle(2).forward(ones([1, 3, 2, 2]))).toThrow(ShapeError)
})

test('squeeze and excitation', async () => {
  await checkModule({
    make: () => new SqueezeExcitation(4, 8),
    inputs: [await random(2, 4, 3, 3)],
    outputs: [[2, 4, 3, 3]],
    wrong: [ones([2, 3, 3, 3])],
    state: ['fc1.weight', 'fc1.bias', 'fc2.weight', 'fc2.bias'],
  })
  const layer = new SqueezeExcitation(1, 1, { scaleActivation: (x) => x })
  layer.loadStateDict({
    'fc1.weight': tensor([[[[2]]]]),
    'fc1.bias': tensor([0]),
    'fc2.weight': tensor([[[[3]]]]),
    'fc2.bias': tensor([1]),
  })
  expect(await numbers(layer.forward(tensor([[[[1, 3]]]])))).toEqual([13, 39])
})
