import { engine, ShapeError, StaleValueError, ValueError } from '@nabla/engine'
import { Parameter, tensor, Variable, type Tensor, type TensorLike } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { ReLU } from './activation.ts'
import { BatchNorm2d } from './batchNorm.ts'
import { Identity, ModuleList, Sequential } from './container.ts'
import { Conv2d } from './conv.ts'
import { Dropout } from './dropout.ts'
import { Linear } from './linear.ts'
import { Module, type Layer } from './module.ts'
import { Flatten } from './shape.ts'
import { summary } from './summary.ts'

class Block extends Module {
  readonly firstLayer = new Linear(4, 4)
  readonly scale = new Parameter([2])
  readonly counter = new Variable(0, { dtype: 'int32' })
  readonly notes = 'not a member'

  override forward(x: TensorLike): Tensor {
    return this.firstLayer.forward(x).mul(this.scale)
  }
}

class Net extends Module {
  readonly blocks: readonly Layer[] = [new Block(), new Block()]
  readonly head = new Linear(4, 2, { bias: false })

  override forward(x: Tensor): Tensor {
    let value = x
    for (const block of this.blocks) value = block.forward(value)
    return this.head.forward(value)
  }
}

test('members are found in fields and arrays, under their names in the state', () => {
  const net = new Net()
  const block = ['first_layer.weight', 'first_layer.bias', 'scale', 'counter']
  const expected = [
    ...block.map((name) => `blocks.0.${name}`),
    ...block.map((name) => `blocks.1.${name}`),
    'head.weight',
  ]
  expect(Object.keys(net.stateDict())).toEqual(expected)
  expect(net.namedParameters().map(([name]) => name)).toEqual(
    expected.filter((name) => !name.endsWith('counter')),
  )
  expect(net.namedBuffers().map(([name]) => name)).toEqual(['blocks.0.counter', 'blocks.1.counter'])
  expect(net.parameters()).toHaveLength(7)
  expect(net.namedModules().map(([name]) => name)).toEqual([
    '',
    'blocks.0',
    'blocks.0.first_layer',
    'blocks.1',
    'blocks.1.first_layer',
    'head',
  ])
})

test('the state of a conv net has the names of PyTorch', () => {
  const net = new Sequential(
    new Conv2d(1, 8, 3),
    new BatchNorm2d(8),
    new ReLU(),
    new Flatten(),
    new Linear(8, 10),
  )
  expect(Object.keys(net.stateDict())).toEqual([
    '0.weight',
    '0.bias',
    '1.weight',
    '1.bias',
    '1.running_mean',
    '1.running_var',
    '1.num_batches_tracked',
    '4.weight',
    '4.bias',
  ])
  expect(net.at(0)).toBeInstanceOf(Conv2d)
  expect(net.at(-1)).toBeInstanceOf(Linear)
  expect([...net]).toHaveLength(net.length)
})

test('shared weights are one parameter with two names', () => {
  class Tied extends Module {
    readonly encode = new Linear(3, 3, { bias: false })
    readonly decode = new Linear(3, 3, { bias: false })

    constructor() {
      super()
      Object.assign(this.decode, { weight: this.encode.weight })
    }

    override forward(x: TensorLike): Tensor {
      return this.decode.forward(this.encode.forward(x))
    }
  }
  const tied = new Tied()
  expect(tied.namedParameters().map(([name]) => name)).toEqual(['encode.weight'])
  expect(Object.keys(tied.stateDict())).toEqual(['encode.weight', 'decode.weight'])
  // Saved once or twice: both load.
  const saved = { data: new Float32Array(9).fill(5), shape: [3, 3] }
  expect(tied.loadStateDict({ 'encode.weight': saved })).toEqual({ missing: [], unexpected: [] })
  tied.loadStateDict({ 'encode.weight': saved, 'decode.weight': saved })
})

test('training mode reaches everything inside', () => {
  const net = new Sequential(new Sequential(new Dropout()), new Dropout())
  expect(net.eval()).toBe(net)
  expect(net.namedModules().map(([, module]) => module.training)).toEqual([false, false, false, false])
  net.train()
  expect(net.namedModules().every(([, module]) => module.training)).toBe(true)
})

test('errors name the layer they come from', () => {
  expect(() => new Net().forward(tensor([[1, 2, 3]]))).toThrow(ShapeError)
  expect(() => new Net().forward(tensor([[1, 2, 3]]))).toThrow(/ in net\.blocks\.0\.first_layer$/)
  const chain = new Sequential(new Linear(3, 4), new Sequential(new ReLU(), new Linear(5, 1)))
  expect(() => chain.forward(tensor([1, 2, 3]))).toThrow(/got shape \[4\].* in sequential\.1\.1$/)
  // The path is left on the way out, also by an error.
  expect(() => new Linear(2, 1).forward(tensor([1, 2, 3]))).toThrow(/ in linear$/)
  expect(() => tensor([1]).reshape([2])).toThrow(/with 2$/)
})

test('super.forward is no module of its own, and modules kept elsewhere have a name too', () => {
  class Doubled extends Linear {
    override forward(x: TensorLike): Tensor {
      return super.forward(x).mul(2)
    }
  }
  expect(() => new Doubled(2, 1).forward(tensor([1, 2, 3]))).toThrow(/ in doubled$/)
  const hidden = new Map([['a', new Linear(2, 1)]])
  class Hiding extends Module {
    override forward(x: TensorLike): Tensor {
      return hidden.get('a')!.forward(x)
    }
  }
  expect(() => new Hiding().forward(tensor([1, 2, 3]))).toThrow(/ in hiding\.linear$/)
})

test('R5: outputs stay readable for one step when that step computes them; inner values do not', async () => {
  class Pair extends Module {
    readonly weight = new Parameter([3])
    inner: Tensor | null = null

    override forward(x: TensorLike): { sum: Tensor; all: Tensor[] } {
      this.inner = this.weight.value.mul(x)
      return { sum: this.inner.add(1), all: [this.inner.mul(10)] }
    }
  }
  const pair = new Pair()
  const { sum, all } = pair.forward(2)
  pair.weight.value = pair.weight.value.add(sum).add(all[0]!)
  engine.flush()
  expect(await sum.toArray()).toEqual([7])
  expect(await all[0]!.toArray()).toEqual([60])
  await expect(pair.inner!.data()).rejects.toThrow(StaleValueError)
})

test('containers check their elements', () => {
  expect(() => new Sequential(ReLU as unknown as ReLU)).toThrow(
    /element 0 is no Module but the class ReLU; give instances/,
  )
  expect(() => new ModuleList([3 as unknown as ReLU])).toThrow(ValueError)
  expect(() => new Sequential(new ReLU()).at(1)).toThrow(/there is no module at 1; it has 1/)
  const list = new ModuleList([new Linear(1, 1), new Linear(1, 1)])
  expect(Object.keys(list.stateDict())).toEqual(['0.weight', '0.bias', '1.weight', '1.bias'])
  expect(() => list.forward()).toThrow(/a list cannot be called/)
  expect(new Sequential(...list).length).toBe(2)
  const x = tensor([1])
  expect(new Identity().forward(x)).toBe(x)
})

test('a model prints its structure, and a summary counts', () => {
  const net = new Sequential(
    new Linear(100, 20),
    new ReLU(),
    new Sequential(new Linear(20, 1, { bias: false })),
  )
  expect(net.toString()).toBe(
    'Sequential(\n  (0): Linear(100, 20)\n  (1): ReLU()\n  (2): Sequential(\n    (0): Linear(20, 1, bias: false)\n  )\n)',
  )
  net.at(0).parameters()[0]!.requiresGrad = false
  expect(summary(net).split('\n')).toEqual([
    'name  layer                       shapes          parameters',
    '------------------------------------------------------------',
    '0     Linear(100, 20)             [20, 100] [20]       2,020',
    '1     ReLU()                                               0',
    '2.0   Linear(20, 1, bias: false)  [1, 20]                 20',
    '------------------------------------------------------------',
    '2,040 parameters, 40 of them trained',
  ])
})

test('loading: everything that does not fit is named, and nothing is loaded', async () => {
  const net = new Sequential(new Linear(2, 1), new ReLU(), new Linear(1, 1))
  const before = await net.parameters()[0]!.value.toArray()
  const data = (...shape: number[]) => ({ data: new Float32Array(shape.reduce((a, b) => a * b, 1)), shape })
  expect(() => net.loadStateDict({ '0.weight': data(1, 2), '0.scale': data(1) })).toThrow(
    'loadStateDict: names do not fit Sequential: missing: 0.bias, 2.weight, 2.bias; unexpected: 0.scale',
  )
  const wrong = { '0.weight': data(2, 1), '0.bias': data(1), '2.weight': data(1, 1), '2.bias': data(3) }
  expect(() => net.loadStateDict(wrong)).toThrow('0.weight is [2, 1], not [1, 2]; 2.bias is [3], not [1]')
  expect(() =>
    net.loadStateDict({ '0.bias': { data: [1] as never, shape: [1] } }, { strict: false }),
  ).toThrow(/no typed array/)
  expect(await net.parameters()[0]!.value.toArray()).toEqual(before)
  const result = net.loadStateDict({ '0.weight': data(1, 2), extra: data(1) }, { strict: false })
  expect(result).toEqual({ missing: ['0.bias', '2.weight', '2.bias'], unexpected: ['extra'] })
  expect(await net.parameters()[0]!.value.toArray()).toEqual([[0, 0]])
})

test('loading from a model, a map of data, and other types', async () => {
  const source = new Sequential(new Linear(2, 3), new BatchNorm2d(3))
  const target = new Sequential(new Linear(2, 3, { dtype: 'float64' }), new BatchNorm2d(3))
  target.loadStateDict(source.stateDict())
  expect(await target.parameters()[0]!.value.toArray()).toEqual(await source.parameters()[0]!.value.toArray())
  expect(target.parameters()[0]!.dtype).toBe('float64')
  const saved = new Map<string, { data: Float32Array | Int32Array; shape: readonly number[] }>()
  for (const [name, variable] of Object.entries(source.stateDict())) {
    saved.set(name, { data: (await variable.read()) as Float32Array, shape: variable.shape })
  }
  saved.set('1.num_batches_tracked', { data: new Int32Array([7]), shape: [] })
  target.loadStateDict(saved)
  expect(await target.stateDict()['1.num_batches_tracked']!.value.item()).toBe(7)
  // What is loaded is a copy: changing the source later changes nothing here.
  source.parameters()[0]!.value = source.parameters()[0]!.value.mul(0)
  expect(await target.parameters()[0]!.value.toArray()).not.toEqual(
    await source.parameters()[0]!.value.toArray(),
  )
})
