import { ShapeError, ValueError } from '@nabla/engine'
import { manualSeed, ones, randn, tensor, zeros, type Tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { GRU, LSTM, RNN } from './recurrent.ts'
import { GRUCell, LSTMCell, RNNCell } from './recurrentCells.ts'
import { checkModule, run } from './testing.ts'

const numbers = async (x: Tensor): Promise<number[]> => [...(await x.data())]
const close = (values: readonly number[]): unknown[] => values.map((value) => expect.closeTo(value, 4))

test('shapes and names of stacked networks in both directions', async () => {
  const options = { numLayers: 2, bidirectional: true, batchFirst: true }
  const inputs = [randn([3, 4, 5])]
  const wrong = [ones([3, 4, 6])]
  await checkModule({
    make: () => new RNN(5, 2, options),
    inputs,
    outputs: [
      [3, 4, 4],
      [4, 3, 2],
    ],
    wrong,
  })
  await checkModule({
    make: () => new GRU(5, 2, options),
    inputs,
    outputs: [
      [3, 4, 4],
      [4, 3, 2],
    ],
    wrong,
  })
  await checkModule({
    make: () => new LSTM(5, 3, { projSize: 2, bias: false }),
    inputs,
    outputs: [
      [3, 4, 2],
      [1, 4, 2],
      [1, 4, 3],
    ],
    wrong,
    state: ['weight_ih_l0', 'weight_hh_l0', 'weight_hr_l0'],
  })
  const names = ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh'].flatMap((name) =>
    ['_l0', '_l0_reverse', '_l1', '_l1_reverse'].map((end) => name + end),
  )
  const lstm = new LSTM(5, 2, options)
  expect(Object.keys(lstm.stateDict()).sort()).toEqual(names.sort())
  expect(lstm.stateDict()['weight_ih_l1_reverse']!.shape).toEqual([8, 4])
  expect(run(lstm, [ones([7, 5])]).map(({ shape }) => shape)).toEqual([
    [7, 4],
    [4, 2],
    [4, 2],
  ])
})

test('cells', async () => {
  const inputs = [randn([3, 5]), randn([3, 2])]
  const wrong = [ones([3, 5]), ones([3, 3])]
  const state = ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh']
  await checkModule({ make: () => new RNNCell(5, 2), inputs, outputs: [[3, 2]], wrong, state })
  await checkModule({ make: () => new GRUCell(5, 2), inputs, outputs: [[3, 2]], wrong, state })
  await checkModule({
    make: () => new LSTMCell(5, 2),
    inputs: [inputs[0]!, [inputs[1]!, inputs[1]!]],
    outputs: [
      [3, 2],
      [3, 2],
    ],
    wrong: [ones([3, 4])],
    state,
  })
})

// Everything by hand for one unit and one input, whose gates differ only in their biases.
test('one step of each network by hand', async () => {
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
  const fill = (cell: RNNCell | GRUCell | LSTMCell, gates: number): void => {
    cell.weightIh.value = tensor(Array.from({ length: gates }, () => [0.5]))
    cell.weightHh.value = tensor(Array.from({ length: gates }, () => [-0.25]))
    cell.biasIh!.value = tensor(Array.from({ length: gates }, (_, i) => 0.1 * i))
    cell.biasHh!.value = tensor(Array.from({ length: gates }, (_, i) => 0.2 * i))
  }
  const [x, h, c] = [2, 0.8, -0.6]
  const sum = (gate: number): number => 0.5 * x + 0.1 * gate - 0.25 * h + 0.2 * gate
  const plain = new RNNCell(1, 1)
  fill(plain, 1)
  expect(await numbers(plain.forward(tensor([x]), tensor([h])))).toEqual(close([Math.tanh(sum(0))]))

  const memory = new LSTMCell(1, 1)
  fill(memory, 4)
  const cell = sigmoid(sum(1)) * c + sigmoid(sum(0)) * Math.tanh(sum(2))
  const [nextH, nextC] = memory.forward(tensor([x]), [tensor([h]), tensor([c])])
  expect(await numbers(nextC)).toEqual(close([cell]))
  expect(await numbers(nextH)).toEqual(close([sigmoid(sum(3)) * Math.tanh(cell)]))

  const gated = new GRUCell(1, 1)
  fill(gated, 3)
  const update = sigmoid(sum(1))
  const candidate = Math.tanh(0.5 * x + 0.2 + sigmoid(sum(0)) * (-0.25 * h + 0.4))
  const expected = (1 - update) * candidate + update * h
  expect(await numbers(gated.forward(tensor([x]), tensor([h])))).toEqual(close([expected]))
})

test('a network is its cell, step by step, and backwards from the end', async () => {
  manualSeed(1)
  const network = new LSTM(3, 2, { bidirectional: true })
  const [forwards, backwards] = [new LSTMCell(3, 2), new LSTMCell(3, 2)]
  const state = network.stateDict()
  const part = (end: string): Record<string, (typeof state)[string]> =>
    Object.fromEntries(
      ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh'].map((name) => [name, state[`${name}_${end}`]!]),
    )
  forwards.loadStateDict(part('l0'))
  backwards.loadStateDict(part('l0_reverse'))
  const x = tensor(await randn([4, 2, 3]).data(), { shape: [4, 2, 3] })
  const [output, [h, c]] = network.forward(x)
  for (const [cell, order, start] of [
    [forwards, [0, 1, 2, 3], 0],
    [backwards, [3, 2, 1, 0], 2],
  ] as const) {
    let carried: [Tensor, Tensor] = [zeros([2, 2]), zeros([2, 2])]
    for (const t of order) {
      const next = cell.forward(x.select(0, t), carried)
      const seen = network.forward(x)[0].select(0, t).narrow(1, start, 2)
      const [nextH, nextC, got] = await Promise.all([numbers(next[0]), numbers(next[1]), numbers(seen)])
      expect(got).toEqual(close(nextH))
      carried = [tensor(nextH, { shape: [2, 2] }), tensor(nextC, { shape: [2, 2] })]
    }
    const last = network.forward(x)[1]
    expect(await numbers(last[0].select(0, start / 2))).toEqual(close(await numbers(carried[0])))
  }
  expect([output.shape, h.shape, c.shape]).toEqual([
    [4, 2, 4],
    [2, 2, 2],
    [2, 2, 2],
  ])
})

test('sequences of different lengths give what each alone gives', async () => {
  manualSeed(2)
  const network = new GRU(3, 2, { bidirectional: true, numLayers: 2, batchFirst: true })
  const x = tensor(await randn([2, 5, 3]).data(), { shape: [2, 5, 3] })
  const [output, h] = network.forward(x, undefined, [5, 3])
  const [all, states] = await Promise.all([numbers(output), numbers(h.select(1, 1))])
  const [alone, ownState] = network.forward(x.narrow(0, 1, 1).narrow(1, 0, 3))
  const [values, own] = await Promise.all([numbers(alone), numbers(ownState)])
  expect(all.slice(20, 32)).toEqual(close(values))
  expect(all.slice(32)).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
  expect(states).toEqual(close(own))
  expect(() => network.forward(x, undefined, [5, 6])).toThrow(
    /GRU: lengths must be integers from 1 to 5; got 6/,
  )
  expect(() => network.forward(x, undefined, [5])).toThrow(/one length per sequence, \[2\]; got \[1\]/)
})

test('dropout between layers is for training only', async () => {
  const network = new RNN(3, 4, { numLayers: 2, dropout: 0.5 })
  const x = ones([6, 2, 3])
  const first = await numbers(network.forward(x)[0])
  expect(await numbers(network.forward(x)[0])).not.toEqual(first)
  network.eval()
  const quiet = await numbers(network.forward(x)[0])
  expect(await numbers(network.forward(x)[0])).toEqual(quiet)
})

test('recurrent layers refuse what cannot be', () => {
  expect(() => new RNN(3, 4, { nonlinearity: 'tan' as 'tanh' })).toThrow(/unknown nonlinearity of RNN 'tan'/)
  expect(() => new LSTM(3, 4, { projSize: 4 })).toThrow(
    /projSize \(4\) must be smaller than hiddenSize \(4\)/,
  )
  expect(() => new GRU(3, 0)).toThrow(ValueError)
  expect(() => new GRU(3, 4).forward(ones([3]))).toThrow(ShapeError)
  expect(() => new GRU(3, 4).forward(ones([0, 2, 3]))).toThrow(
    /x must be \[T, N, I\] or \[T, I\] with T >= 1/,
  )
  expect(() => new LSTM(3, 4).forward(ones([5, 2, 3]), [ones([1, 2, 4]), ones([1, 2, 3])])).toThrow(
    /the initial cell state must be \[1, 2, 4\]; got \[1, 2, 3\]/,
  )
  expect(new LSTM(3, 4, { bidirectional: true, numLayers: 2 }).toString()).toBe(
    'LSTM(3, 4, numLayers: 2, bidirectional: true)',
  )
})
