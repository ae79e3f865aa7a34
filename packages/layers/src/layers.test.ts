import { DTypeError, engine, ShapeError, ValueError } from '@nabla/engine'
import { manualSeed, noGrad, ones, tensor, type Tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { activation, GELU, LeakyReLU, LogSoftmax, Softmax, Softplus } from './activation.ts'
import { BatchNorm1d, BatchNorm2d } from './batchNorm.ts'
import { Conv1d, Conv2d, Conv3d } from './conv.ts'
import { Dropout } from './dropout.ts'
import { Embedding } from './embedding.ts'
import { Linear } from './linear.ts'
import { InstanceNorm2d } from './instanceNorm.ts'
import { GroupNorm, LayerNorm, RMSNorm } from './norm.ts'
import { AvgPool2d, MaxPool1d, MaxPool2d } from './pool.ts'
import { AdaptiveAvgPool2d } from './poolAdaptive.ts'
import { Flatten, Unflatten } from './shape.ts'

const close = (values: readonly number[]): unknown[] => values.map((value) => expect.closeTo(value, 4))
const image = (data: number[]): Tensor => tensor(data, { shape: [1, 1, 3, 3] })
const nine = image([1, 2, 3, 4, 5, 6, 7, 8, 9])

test('Linear', async () => {
  const linear = new Linear(2, 3)
  linear.weight.value = tensor([
    [1, 2],
    [3, 4],
    [0, -1],
  ])
  linear.bias!.value = tensor([10, 20, 30])
  expect(await linear.forward(tensor([1, 1])).toArray()).toEqual([13, 27, 29])
  expect(linear.forward(ones([2, 5, 2])).shape).toEqual([2, 5, 3])
  expect(new Linear(2, 3, { bias: false }).bias).toBeNull()
  expect(() => new Linear(0, 3)).toThrow(/Linear: inFeatures must be a positive integer; got 0/)
  expect(() => new Linear(3, 1.5)).toThrow(ValueError)
  expect(() => new Linear(3, NaN)).toThrow(/outFeatures must be a positive integer; got NaN/)
  expect(() => linear.forward(tensor([1, 2, 3]))).toThrow(
    /Linear\(2, 3\): the last dimension of x must have size 2; got shape \[3\]/,
  )
})

test('convolutions: shapes, paddings and modes', async () => {
  expect(new Conv2d(3, 8, [3, 5], { stride: 2, padding: [1, 2] }).forward(ones([2, 3, 9, 11])).shape).toEqual(
    [2, 8, 5, 6],
  )
  expect(
    new Conv2d(4, 8, 3, { padding: 'same', dilation: 2, groups: 2 }).forward(ones([1, 4, 6, 7])).shape,
  ).toEqual([1, 8, 6, 7])
  expect(new Conv1d(2, 5, 4).forward(ones([3, 2, 10])).shape).toEqual([3, 5, 7])
  expect(new Conv3d(1, 2, 2).forward(ones([1, 1, 3, 3, 3])).shape).toEqual([1, 2, 2, 2, 2])
  // A window that only takes its upper left corner shows what lies around.
  const corner = async (paddingMode: 'zeros' | 'reflect' | 'replicate' | 'circular'): Promise<unknown> => {
    const conv = new Conv2d(1, 1, 3, { padding: 1, paddingMode, bias: false })
    conv.weight.value = image([1, 0, 0, 0, 0, 0, 0, 0, 0])
    return ((await conv.forward(nine).toArray()) as number[][][][])[0]![0]![0]
  }
  expect(await corner('zeros')).toEqual([0, 0, 0])
  expect(await corner('reflect')).toEqual([5, 4, 5])
  expect(await corner('replicate')).toEqual([1, 1, 2])
  expect(await corner('circular')).toEqual([9, 7, 8])
  const even = new Conv1d(1, 1, 2, { padding: 'same', paddingMode: 'replicate', bias: false })
  even.weight.value = tensor([[[0, 1]]])
  expect(await even.forward(tensor([[[1, 2, 3]]])).toArray()).toEqual([[[2, 3, 3]]])
})

test('convolutions refuse what cannot be', () => {
  expect(() => new Conv2d(3, 8, 0)).toThrow(/Conv2d: kernelSize must be a positive integer; got 0/)
  expect(() => new Conv2d(3, 8, [3, 3, 3])).toThrow(
    /kernelSize must be one number or a list of 2; got \[3, 3, 3\]/,
  )
  expect(() => new Conv2d(3, 8, 3, { groups: 2 })).toThrow(/groups \(2\) must divide inChannels \(3\)/)
  expect(() => new Conv2d(3, 8, 3, { padding: 'same', stride: 2 })).toThrow(
    /padding 'same' needs a stride of 1/,
  )
  expect(() => new Conv2d(3, 8, 3, { padding: 'full' as 'same' })).toThrow(
    /unknown padding of Conv2d 'full'.*same, valid/,
  )
  expect(() => new Conv2d(3, 8, 3, { paddingMode: 'mirror' as 'reflect' })).toThrow(
    /unknown paddingMode 'mirror'/,
  )
  expect(() => new Conv2d(3, 8, 3).forward(ones([1, 4, 8, 8]))).toThrow(ShapeError)
  expect(new Conv2d(3, 8, 3, { stride: 2, bias: false }).toString()).toBe(
    'Conv2d(3, 8, [3, 3], stride: [2, 2], bias: false)',
  )
})

test('pooling', async () => {
  expect(await new MaxPool2d(2, { stride: 1 }).forward(nine).toArray()).toEqual([
    [
      [
        [5, 6],
        [8, 9],
      ],
    ],
  ])
  expect(await new MaxPool2d(2, { ceilMode: true }).forward(nine).toArray()).toEqual([
    [
      [
        [5, 6],
        [8, 9],
      ],
    ],
  ])
  expect(await new AvgPool2d([1, 3]).forward(nine).toArray()).toEqual([[[[2], [5], [8]]]])
  const edge = new AvgPool2d(2, { padding: 1, stride: 2, countIncludePad: false })
  expect(await edge.forward(nine).toArray()).toEqual([
    [
      [
        [1, 2.5],
        [5.5, 7],
      ],
    ],
  ])
  expect(await new MaxPool1d(3).forward(tensor([[[1, 5, 2]]])).toArray()).toEqual([[[5]]])
  expect(await new AdaptiveAvgPool2d(1).forward(nine).toArray()).toEqual([[[[5]]]])
  expect(() => new MaxPool2d(-1)).toThrow(/MaxPool2d: kernelSize must be a positive integer; got -1/)
})

test('shapes', () => {
  expect(new Flatten().forward(ones([2, 3, 4])).shape).toEqual([2, 12])
  expect(new Unflatten(1, [2, -1]).forward(ones([3, 8])).shape).toEqual([3, 2, 4])
  expect(() => new Flatten(0.5)).toThrow(/Flatten: start must be an integer/)
  expect(() => new Unflatten(1, [0])).toThrow(ValueError)
})

test('activations by name and by class', async () => {
  expect(
    await activation('relu')
      .forward(tensor([-1, 2]))
      .toArray(),
  ).toEqual([0, 2])
  expect(() => activation('relo' as 'relu')).toThrow(
    /unknown activation 'relo'. Did you mean 'relu'\? Known: identity, relu/,
  )
  expect(await new LeakyReLU(0.5).forward(tensor([-2, 2])).toArray()).toEqual([-1, 2])
  expect(await new Softmax().forward(tensor([[1, 1]])).toArray()).toEqual([[0.5, 0.5]])
  expect([...(await new LogSoftmax(0).forward(tensor([0, 0])).data())]).toEqual(close([-Math.LN2, -Math.LN2]))
  expect(await new Softplus({ beta: 2 }).forward(tensor([0])).item()).toBeCloseTo(Math.LN2 / 2, 5)
  expect(() => new GELU({ approximate: 'erf' as 'tanh' })).toThrow(/unknown approximate of GELU 'erf'/)
})

test('every activation of the table runs', async () => {
  const names = [
    'identity',
    'relu',
    'relu6',
    'leakyRelu',
    'elu',
    'selu',
    'gelu',
    'silu',
    'mish',
    'hardswish',
  ] as const
  for (const name of [...names, 'sigmoid', 'tanh', 'softplus', 'softmax', 'logSoftmax'] as const) {
    const values = await activation(name)
      .forward(tensor([[-1, 0.5]]))
      .data()
    expect([name, [...values].every(Number.isFinite)]).toEqual([name, true])
  }
})

test('dropout drops in training, differently each time, reproducibly, and never in evaluation', async () => {
  const dropout = new Dropout(0.25)
  const x = ones([4000])
  manualSeed(3)
  const first = await dropout.forward(x).data()
  const second = await dropout.forward(x).data()
  manualSeed(3)
  expect(await dropout.forward(x).data()).toEqual(first)
  expect(second).not.toEqual(first)
  const kept = first.filter((value) => value !== 0)
  expect(kept.every((value) => Math.abs(value - 4 / 3) < 1e-6)).toBe(true)
  expect(Math.abs(kept.length / 4000 - 0.75)).toBeLessThan(0.03)
  expect(dropout.eval().forward(x)).toBe(x)
  expect(() => new Dropout(1.5)).toThrow(/Dropout: p must lie between 0 and 1; got 1.5/)
})

test('embeddings', async () => {
  const embedding = new Embedding(4, 2, { paddingIdx: -1 })
  const table = (await embedding.weight.value.toArray()) as number[][]
  expect(table[3]).toEqual([0, 0])
  const ids = tensor(
    [
      [0, 3],
      [2, 2],
    ],
    { dtype: 'int32' },
  )
  expect(await embedding.forward(ids).toArray()).toEqual([
    [table[0], table[3]],
    [table[2], table[2]],
  ])
  expect(() => embedding.forward(tensor([0.5]))).toThrow(DTypeError)
  expect(() => new Embedding(4, 2, { paddingIdx: 4 })).toThrow(/paddingIdx must lie in \[-4, 3\]; got 4/)
})

test('norms within an example', async () => {
  const x = tensor([[1, 3, 5, 7]])
  const unit = [-3, -1, 1, 3].map((value) => value / Math.sqrt(5))
  expect([...(await new LayerNorm(4).forward(x).data())]).toEqual(close(unit))
  expect([...(await new GroupNorm(2, 4).forward(x).data())]).toEqual(close([-1, 1, -1, 1]))
  expect([...(await new RMSNorm(4).forward(x).data())]).toEqual(
    close([1, 3, 5, 7].map((value) => value / Math.sqrt(21))),
  )
  expect([...(await new InstanceNorm2d(2).forward(x.reshape([1, 2, 1, 2])).data())]).toEqual(
    close([-1, 1, -1, 1]),
  )
  const scaled = new LayerNorm(4, { bias: false })
  scaled.weight!.value = tensor([2, 2, 2, 2])
  expect([...(await scaled.forward(x).data())]).toEqual(close(unit.map((value) => 2 * value)))
  expect(new LayerNorm([2, 2], { affine: false }).parameters()).toEqual([])
  expect(() => new LayerNorm(3).forward(x)).toThrow(ShapeError)
  expect(() => new GroupNorm(3, 4)).toThrow(/numGroups \(3\) must divide numChannels \(4\)/)
  expect(() => new GroupNorm(2, 6).forward(x)).toThrow(/GroupNorm: x must be \[N, 6, ...\]; got \[1, 4\]/)
  expect(() => new LayerNorm(4, { eps: -1 })).toThrow(/eps must not be negative/)
})

test('batch norm normalises the batch and remembers it', async () => {
  const norm = new BatchNorm1d(2, { momentum: 0.5 })
  const x = tensor([
    [1, 10],
    [3, 30],
  ])
  expect([...(await norm.forward(x).data())]).toEqual(close([-1, -1, 1, 1]))
  // mean 2, 20; unbiased variance 2, 200
  expect([...(await norm.runningMean!.value.data())]).toEqual(close([1, 10]))
  expect([...(await norm.runningVar!.value.data())]).toEqual(close([1.5, 100.5]))
  expect(await norm.numBatchesTracked!.value.item()).toBe(1)
  norm.eval()
  const expected = [(1 - 1) / Math.sqrt(1.5), 0, 2 / Math.sqrt(1.5), 20 / Math.sqrt(100.5)]
  expect([...(await norm.forward(x).data())]).toEqual(close(expected))
  expect(await norm.numBatchesTracked!.value.item()).toBe(1)
})

test('batch norm without momentum averages all batches; two calls in one step both count', async () => {
  const norm = new BatchNorm2d(1, { momentum: null, affine: false })
  noGrad(() => {
    norm.forward(tensor([1, 3], { shape: [2, 1, 1, 1] }))
    norm.forward(tensor([7, 9], { shape: [2, 1, 1, 1] }))
  })
  engine.flush()
  expect(await norm.runningMean!.value.item()).toBeCloseTo(5, 5)
  expect(await norm.runningVar!.value.item()).toBeCloseTo(2, 5)
  const untracked = new BatchNorm2d(1, { trackRunningStats: false }).eval()
  expect(untracked.buffers()).toEqual([])
  expect([...(await untracked.forward(tensor([1, 3], { shape: [2, 1, 1, 1] })).data())]).toEqual(
    close([-1, 1]),
  )
})

test('batch norm refuses what it cannot normalise', () => {
  expect(() => new BatchNorm2d(2).forward(ones([3, 2]))).toThrow(
    /BatchNorm2d\(2\): x must be \[N, C, H, W\] with C = 2; got shape \[3, 2\]/,
  )
  expect(() => new BatchNorm1d(2).forward(ones([3, 4]))).toThrow(ShapeError)
  expect(() => new BatchNorm1d(2).forward(ones([1, 2]))).toThrow(/more than one value per channel/)
  expect(() => new BatchNorm1d(2, { momentum: 2 })).toThrow(/momentum must lie between 0 and 1/)
})
