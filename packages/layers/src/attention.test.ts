import { ShapeError, ValueError } from '@nabla/engine'
import { eye, manualSeed, ones, randn, tensor, zeros, type Tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { causalMask, MultiheadAttention } from './attention.ts'
import { LayerNorm } from './norm.ts'
import { AlibiBias, LearnedPositions, RotaryPositions, SinusoidalPositions } from './positions.ts'
import { checkModule } from './testing.ts'
import {
  TransformerDecoder,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
} from './transformer.ts'

const numbers = async (x: Tensor): Promise<number[]> => [...(await x.data())]
const close = (values: readonly number[], digits: number = 4): unknown[] =>
  values.map((value) => expect.closeTo(value, digits))
const random = async (...shape: number[]): Promise<Tensor> => tensor(await randn(shape).data(), { shape })

test('shapes, names and states of attention', async () => {
  const [q, k, v] = [await random(5, 2, 8), await random(4, 2, 6), await random(4, 2, 3)]
  await checkModule({
    make: () => new MultiheadAttention(8, 2),
    inputs: [q, q, q],
    outputs: [
      [5, 2, 8],
      [2, 5, 5],
    ],
    wrong: [ones([5, 2, 6]), q, q],
    state: ['in_proj_weight', 'in_proj_bias', 'out_proj.weight', 'out_proj.bias'],
  })
  await checkModule({
    make: () => new MultiheadAttention(8, 4, { kdim: 6, vdim: 3, bias: false }),
    inputs: [q, k, v, { averageAttnWeights: false }],
    outputs: [
      [5, 2, 8],
      [2, 4, 5, 4],
    ],
    wrong: [q, k, ones([5, 2, 3])],
    state: ['q_proj_weight', 'k_proj_weight', 'v_proj_weight', 'out_proj.weight'],
  })
  expect(() => new MultiheadAttention(8, 3)).toThrow(/numHeads \(3\) must divide embedDim \(8\)/)
})

test('attention of one head by hand', async () => {
  const attention = new MultiheadAttention(2, 1, { bias: false, batchFirst: true })
  attention.inProjWeight!.value = tensor([
    [1, 0],
    [0, 1],
    [1, 0],
    [0, 1],
    [2, 0],
    [0, 2],
  ])
  attention.outProj.weight.value = eye(2)
  const x = tensor([
    [1, 0],
    [0, 1],
  ])
  const [output, weights] = attention.forward(x, x, x)
  const big = 1 / (1 + Math.exp(-1 / Math.sqrt(2)))
  const expected = [big, 1 - big, 1 - big, big]
  const [got, shares] = await Promise.all([numbers(output), numbers(weights!)])
  expect(shares).toEqual(close(expected))
  expect(got).toEqual(close(expected.map((share) => 2 * share)))
})

test('masks: causal in three ways, padding, and with weights or without', async () => {
  manualSeed(4)
  const attention = new MultiheadAttention(4, 2, { batchFirst: true })
  const x = await random(2, 3, 4)
  const [masked, weights] = attention.forward(x, x, x, { attnMask: causalMask(3) })
  const [expected, shares] = await Promise.all([numbers(masked), numbers(weights!)])
  expect([shares[1], shares[2], shares[5]]).toEqual([0, 0, 0])
  const ways = [
    { isCausal: true },
    { isCausal: true, needWeights: false },
    { attnMask: causalMask(3), needWeights: false },
    {
      attnMask: tensor([
        [0, -1e9, -1e9],
        [0, 0, -1e9],
        [0, 0, 0],
      ]),
    },
    { attnMask: causalMask(3).unsqueeze(0).expand([4, 3, 3]) },
  ]
  for (const way of ways) expect(await numbers(attention.forward(x, x, x, way)[0])).toEqual(close(expected))
  const padding = tensor([
    [false, false, true],
    [false, false, false],
  ])
  const padded = await numbers(attention.forward(x, x, x, { keyPaddingMask: padding })[0].narrow(1, 0, 2))
  const first = x.narrow(0, 0, 1).narrow(1, 0, 2)
  expect(padded.slice(0, 8)).toEqual(close(await numbers(attention.forward(first, first, first)[0])))
  expect(() => attention.forward(x, x, x, { attnMask: causalMask(4) })).toThrow(
    /attnMask must be \[3, 3\] or \[4, 3, 3\]; got shape \[4, 4\]/,
  )
  expect(() => attention.forward(x, x, x, { keyPaddingMask: zeros([3]) })).toThrow(ShapeError)
})

test('transformer blocks and stacks', async () => {
  const [source, target] = [await random(2, 5, 8), await random(2, 3, 8)]
  const settings = { dimFeedforward: 12, batchFirst: true, dropout: 0.2 }
  const block = (): TransformerEncoderLayer =>
    new TransformerEncoderLayer(8, 2, { ...settings, normFirst: true })
  const wrong = [ones([2, 5, 7])]
  await checkModule({ make: block, inputs: [source], outputs: [[2, 5, 8]], wrong })
  await checkModule({
    make: () => new TransformerEncoder(block, 2, new LayerNorm(8)),
    inputs: [source, { isCausal: true }],
    outputs: [[2, 5, 8]],
    wrong,
  })
  const decoderBlock = (): TransformerDecoderLayer =>
    new TransformerDecoderLayer(8, 2, { ...settings, activation: 'gelu', bias: false })
  await checkModule({
    make: () => new TransformerDecoder(decoderBlock, 2),
    inputs: [target, source, { tgtIsCausal: true }],
    outputs: [[2, 3, 8]],
    wrong: [target, ones([3, 5, 8])],
  })
  const names = Object.keys(new TransformerEncoder(block, 2, new LayerNorm(8)).stateDict())
  expect(names.filter((name) => name.startsWith('layers.1.self_attn'))).toHaveLength(4)
  expect(names).toContain('norm.weight')
  const shared = block()
  expect(() => new TransformerEncoder(() => shared, 2)).toThrow(/must make a new layer at every call/)
  expect(() => new TransformerEncoderLayer(8, 2, { activation: 'tanh' as 'relu' })).toThrow(
    /unknown activation of TransformerEncoderLayer 'tanh'/,
  )
})

test('what comes later does not change what a causal encoder says before', async () => {
  const make = (): TransformerEncoderLayer =>
    new TransformerEncoderLayer(4, 2, { dimFeedforward: 8, batchFirst: true })
  const encoder = new TransformerEncoder(make, 2).eval()
  const x = await random(1, 5, 4)
  const all = await numbers(encoder.forward(x, { isCausal: true }))
  const short = await numbers(encoder.forward(x.narrow(1, 0, 3), { isCausal: true }))
  expect(all.slice(0, 12)).toEqual(close(short))
  expect((await numbers(encoder.forward(x))).slice(0, 12)).not.toEqual(close(short))
})

test('sinusoidal and learned positions', async () => {
  const sinusoidal = new SinusoidalPositions(10, 4)
  const expected = [0, 1].flatMap((i) => [
    Math.sin(3 + i),
    Math.cos(3 + i),
    Math.sin((3 + i) / 100),
    Math.cos((3 + i) / 100),
  ])
  expect(await numbers(sinusoidal.forward(zeros([2, 4]), 3))).toEqual(close(expected, 5))
  expect(sinusoidal.stateDict()).toEqual({})
  const inputs = [await random(3, 2, 4)]
  const make = (): LearnedPositions => new LearnedPositions(6, 4, { batchFirst: false })
  await checkModule({ make, inputs, outputs: [[3, 2, 4]], wrong: [ones([7, 2, 4])], state: ['weight'] })
  expect(() => make().forward(inputs[0]!, 4)).toThrow(/positions 4 to 6 reach beyond maxLength/)
  expect(() => new SinusoidalPositions(10, 5)).toThrow(ValueError)
})

test('rotary positions: products depend on distances alone', async () => {
  for (const interleaved of [false, true]) {
    const rotary = new RotaryPositions(6, { interleaved })
    const [q, k] = [await random(1, 6), await random(1, 6)]
    const product = async (i: number, j: number): Promise<number> =>
      rotary.forward(q, i).mul(rotary.forward(k, j)).sum().item() as Promise<number>
    const here = await product(2, 5)
    expect(await product(12, 15)).toBeCloseTo(here, 4)
    expect(await product(0, 3)).toBeCloseTo(here, 4)
    expect(Math.abs((await product(2, 6)) - here)).toBeGreaterThan(1e-4)
  }
  const turned = await numbers(new RotaryPositions(2).forward(tensor([[1, 0]]), 2))
  expect(turned).toEqual(close([Math.cos(2), Math.sin(2)]))
  const halves = await numbers(new RotaryPositions(4).forward(tensor([[1, 2, 0, 0]]), 1))
  expect(halves).toEqual(close([Math.cos(1), 2 * Math.cos(0.01), Math.sin(1), 2 * Math.sin(0.01)]))
  expect(() => new RotaryPositions(3)).toThrow(/headDim must be even/)
  expect(() => new RotaryPositions(4).forward(ones([2, 6]))).toThrow(ShapeError)
})

test('ALiBi: slopes per head times distances', async () => {
  const bias = new AlibiBias(2)
  const distances = [1, 0, 1, 2, 1, 0]
  const expected = [...distances.map((each) => -each / 16), ...distances.map((each) => -each / 256)]
  expect(bias.forward(2, 3).shape).toEqual([2, 2, 3])
  expect(await numbers(bias.forward(2, 3))).toEqual(close(expected, 6))
  // Twelve heads: eight slopes of eight, then every other one of sixteen.
  const slopes = await numbers(new AlibiBias(12).slopes.value)
  expect(slopes.slice(7)).toEqual(close([2 ** -8, 2 ** -0.5, 2 ** -1.5, 2 ** -2.5, 2 ** -3.5]))
  expect(() => new AlibiBias(0)).toThrow(ValueError)
})
