import { ShapeError, ValueError } from '@nabla/engine'
import { manualSeed, ones, Parameter, randn, tensor, zeros, type Tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import * as piecewise from './activationPiecewise.ts'
import { activation } from './activation.ts'
import * as smooth from './activationSmooth.ts'
import { ModuleDict, ParameterDict, ParameterList } from './containerNamed.ts'
import { Sequential } from './container.ts'
import * as drop from './dropout.ts'
import { EmbeddingBag } from './embedding.ts'
import { LazyLinear } from './lazy.ts'
import { Linear } from './linear.ts'
import { Bilinear, CosineSimilarity, PairwiseDistance } from './similarity.ts'
import { checkModule } from './testing.ts'

const numbers = async (x: Tensor): Promise<number[]> => [...(await x.data())]
const close = (values: readonly number[]): unknown[] => values.map((value) => expect.closeTo(value, 4))
const random = async (...shape: number[]): Promise<Tensor> => tensor(await randn(shape).data(), { shape })

test('activations by their formulas', async () => {
  const values = [-4, -1, -0.3, 0.3, 1, 4]
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
  const cases = [
    [new piecewise.Hardtanh(-2, 0.5), (x: number) => Math.min(Math.max(x, -2), 0.5)],
    [new piecewise.Hardsigmoid(), (x: number) => Math.min(Math.max(x + 3, 0), 6) / 6],
    [new piecewise.Hardshrink(), (x: number) => (Math.abs(x) > 0.5 ? x : 0)],
    [new piecewise.Softshrink(0.5), (x: number) => Math.sign(x) * Math.max(Math.abs(x) - 0.5, 0)],
    [new piecewise.Threshold(0.5, 7), (x: number) => (x > 0.5 ? x : 7)],
    [new piecewise.PReLU(), (x: number) => (x > 0 ? x : x / 4)],
    [new piecewise.RReLU(0.1, 0.3).eval(), (x: number) => (x > 0 ? x : 0.2 * x)],
    [new smooth.CELU(2), (x: number) => (x > 0 ? x : 2 * (Math.exp(x / 2) - 1))],
    [new smooth.LogSigmoid(), (x: number) => Math.log(sigmoid(x))],
    [new smooth.Softsign(), (x: number) => x / (1 + Math.abs(x))],
    [new smooth.Tanhshrink(), (x: number) => x - Math.tanh(x)],
  ] as const
  for (const [layer, formula] of cases) {
    const name = layer.constructor.name
    expect([name, await numbers(layer.forward(tensor(values)))]).toEqual([name, close(values.map(formula))])
  }
  expect(await numbers(new smooth.Softmin().forward(tensor([0, Math.log(3)])))).toEqual(close([0.75, 0.25]))
  expect(await numbers(new smooth.GLU().forward(tensor([2, 4, 0, 0])))).toEqual(close([1, 2]))
  const places = await numbers(new smooth.Softmax2d().forward(tensor([[[0, 5]], [[Math.log(3), 5]]])))
  expect(places).toEqual(close([0.25, 0.5, 0.75, 0.5]))
  for (const name of ['celu', 'hardtanh', 'prelu', 'softshrink', 'glu'] as const)
    expect(activation(name).forward(ones([2, 4])).rank).toBe(2)
})

test('activations refuse what cannot be', () => {
  expect(() => new piecewise.Hardtanh(1, 1)).toThrow(/minVal \(1\) must lie below maxVal \(1\)/)
  expect(() => new piecewise.Softshrink(-1)).toThrow(/lambda must not be negative/)
  expect(() => new piecewise.RReLU(2, 1)).toThrow(ValueError)
  expect(() => new smooth.CELU(NaN)).toThrow(/CELU: alpha must be a finite number; got NaN/)
  expect(() => new smooth.Softmax2d().forward(ones([2, 2]))).toThrow(ShapeError)
  expect(() => new smooth.GLU().forward(ones([3]))).toThrow(ShapeError)
})

test('slopes per channel and at random', async () => {
  const make = (): piecewise.PReLU => new piecewise.PReLU(3)
  await checkModule({
    make,
    inputs: [await random(2, 3, 4)],
    outputs: [[2, 3, 4]],
    wrong: [ones([2, 4, 3])],
    state: ['weight'],
  })
  const slopes = await numbers(new piecewise.RReLU(0.1, 0.3).forward(ones([500]).neg()))
  expect(slopes.every((value) => value <= -0.1 && value >= -0.3)).toBe(true)
  expect(new Set(slopes).size).toBeGreaterThan(400)
})

test('products and distances of two inputs', async () => {
  const inputs = [await random(2, 4, 5), await random(2, 4, 3)]
  await checkModule({
    make: () => new Bilinear(5, 3, 6),
    inputs,
    outputs: [[2, 4, 6]],
    wrong: [ones([2, 4, 5]), ones([2, 5, 3])],
    state: ['weight', 'bias'],
  })
  const bilinear = new Bilinear(2, 2, 1, { bias: false })
  bilinear.weight.value = tensor([
    [
      [1, 2],
      [3, 4],
    ],
  ])
  expect(await numbers(bilinear.forward(tensor([1, 10]), tensor([1, 100])))).toEqual([1 + 200 + 30 + 4000])
  const [a, b] = [
    tensor([
      [1, 0],
      [3, 4],
    ]),
    tensor([
      [1, 1],
      [3, 4],
    ]),
  ]
  expect(await numbers(new CosineSimilarity().forward(a, b))).toEqual(close([Math.SQRT1_2, 1]))
  expect(await numbers(new PairwiseDistance({ eps: 0 }).forward(a, zeros([2, 2])))).toEqual(close([1, 5]))
  expect(new PairwiseDistance({ p: 1, keepdim: true }).forward(a, b).shape).toEqual([2, 1])
  expect(() => new CosineSimilarity({ dim: 0.5 })).toThrow(ValueError)
})

test('bags of embeddings leave their filling out', async () => {
  const table = tensor([
    [1, 10],
    [2, 20],
    [4, 40],
  ])
  const ids = tensor(
    [
      [0, 1],
      [2, 1],
      [2, 2],
    ],
    { dtype: 'int32' },
  )
  const bag = async (
    options: ConstructorParameters<typeof EmbeddingBag>[2],
    weights?: Tensor,
  ): Promise<number[]> => {
    const layer = new EmbeddingBag(3, 2, options)
    layer.weight.value = table
    return numbers(layer.forward(ids, weights))
  }
  expect(await bag({})).toEqual([1.5, 15, 3, 30, 4, 40])
  expect(await bag({ mode: 'sum' })).toEqual([3, 30, 6, 60, 8, 80])
  expect(await bag({ mode: 'max' })).toEqual([2, 20, 4, 40, 4, 40])
  expect(await bag({ paddingIdx: 2 })).toEqual([1.5, 15, 2, 20, 0, 0])
  expect(await bag({ mode: 'max', paddingIdx: -1 })).toEqual([2, 20, 2, 20, 0, 0])
  expect(
    await bag(
      { mode: 'sum' },
      tensor([
        [1, 0],
        [0.5, 1],
        [1, 1],
      ]),
    ),
  ).toEqual([1, 10, 4, 40, 8, 80])
  expect(() => new EmbeddingBag(3, 2).forward(ids, ones([3, 2]))).toThrow(/need mode 'sum'; it is 'mean'/)
  expect(() => new EmbeddingBag(3, 2).forward(tensor([1], { dtype: 'int32' }))).toThrow(ShapeError)
  expect(() => new EmbeddingBag(3, 2, { mode: 'min' as 'max' })).toThrow(/unknown mode of EmbeddingBag 'min'/)
})

test('what is dropped together, and what noise leaves in evaluation', async () => {
  manualSeed(5)
  const same = (values: number[], size: number): boolean =>
    values.every((value, i) => value === values[i - (i % size)])
  const channels = await numbers(new drop.Dropout1d(0.5).forward(ones([20, 10, 3])))
  expect([same(channels, 3), new Set(channels)]).toEqual([true, new Set([0, 2])])
  expect(same(await numbers(new drop.Dropout2d(0.5).forward(ones([4, 5, 2, 3]))), 6)).toBe(true)
  expect(same(await numbers(new drop.Dropout3d(0.5).forward(ones([4, 5, 1, 2, 3]))), 6)).toBe(true)
  const rows = await numbers(new drop.StochasticDepth(0.5).forward(ones([40, 3])))
  expect([same(rows, 3), new Set(rows)]).toEqual([true, new Set([0, 2])])
  expect(new Set(await numbers(new drop.StochasticDepth(0.5, 'batch').forward(ones([40, 3])))).size).toBe(1)
  const steps = await numbers(new drop.VariationalDropout(0.5).forward(ones([6, 4, 5])))
  expect(steps).toEqual(Array.from({ length: 6 }, () => steps.slice(0, 20)).flat())
  expect(new Set(steps)).toEqual(new Set([0, 2]))
  const normal = await random(20000)
  for (const layer of [new drop.AlphaDropout(0.3), new drop.GaussianNoise(0)]) {
    const values = await numbers(layer.forward(normal))
    const mean = values.reduce((a, b) => a + b, 0) / values.length
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length
    expect([Math.abs(mean) < 0.05, Math.abs(variance - 1) < 0.05]).toEqual([true, true])
  }
  const noise = await numbers(new drop.GaussianNoise(2).forward(zeros([20000])))
  expect(Math.abs(noise.reduce((a, b) => a + b * b, 0) / noise.length - 4)).toBeLessThan(0.2)
  const quiet = [
    new drop.AlphaDropout(),
    new drop.GaussianNoise(1),
    new drop.StochasticDepth(0.5),
    new drop.Dropout2d(),
  ]
  for (const layer of quiet) expect(layer.eval().forward(normal)).toBe(normal)
})

test('drops refuse what cannot be', () => {
  expect(() => new drop.Dropout2d(1.5)).toThrow(/Dropout2d: p must lie between 0 and 1; got 1.5/)
  expect(() => new drop.Dropout2d().forward(ones([2, 3]))).toThrow(ShapeError)
  expect(() => new drop.VariationalDropout().forward(ones([2, 3]))).toThrow(ShapeError)
  expect(() => new drop.StochasticDepth(0.5, 'column' as 'row')).toThrow(
    /unknown mode of StochasticDepth 'column'/,
  )
  expect(() => new drop.GaussianNoise(-1)).toThrow(ValueError)
})

test('containers by name, and lists of parameters', () => {
  const heads = new ModuleDict({ age: new Linear(2, 1), name: new Linear(2, 3, { bias: false }) })
  expect(Object.keys(heads.stateDict())).toEqual(['age.weight', 'age.bias', 'name.weight'])
  expect([heads.size, heads.has('age'), heads.keys()]).toEqual([2, true, ['age', 'name']])
  expect(heads.get('name').forward(ones([2])).shape).toEqual([3])
  expect(heads.delete('age') && [...heads].length).toBe(1)
  expect(() => heads.get('age')).toThrow(/there is no module 'age'; known: name/)
  expect(() => heads.set('a.b', new Linear(1, 1))).toThrow(/a name must be a text without dots/)
  expect(() => new ModuleDict({ a: Linear as unknown as Linear })).toThrow(/'a' is no Module/)
  const list = new ParameterList([new Parameter([1]), new Parameter([2, 3])])
  expect(Object.keys(list.stateDict())).toEqual(['0', '1'])
  expect([list.length, list.at(-1).shape, [...list].length]).toEqual([2, [2], 2])
  expect(() => list.at(2)).toThrow(/no parameter at 2; it has 2/)
  const named = new ParameterDict({ scale: new Parameter([1]) })
  expect(named.set('shift', new Parameter([0])).parameters()).toHaveLength(2)
  expect([named.size, named.has('scale'), named.get('shift').shape]).toEqual([2, true, [1]])
  expect(() => named.set('x', tensor([1]) as unknown as Parameter)).toThrow(/'x' is no Parameter/)
})

test('a lazy layer takes its size from the first input', async () => {
  const model = new Sequential(new LazyLinear(4), new LazyLinear(2, { bias: false }))
  expect(model.parameters()).toEqual([])
  expect(() => new LazyLinear(2).linear).toThrow(/no parameters before the first call/)
  expect(model.forward(ones([5, 3])).shape).toEqual([5, 2])
  expect(Object.keys(model.stateDict())).toEqual(['0.weight', '0.bias', '1.weight'])
  expect(model.parameters().map(({ shape }) => shape)).toEqual([[4, 3], [4], [2, 4]])
  expect(() => model.forward(ones([5, 4]))).toThrow(/the last dimension of x must have size 3/)
})
