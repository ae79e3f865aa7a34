// What a training step of a recurrent network becomes: per time step a product and a kernel each way, and over all time
// steps one product for the inputs and one for the gradient of each weight. Gradients of gradients pass through the same.
import { backward, gradcheck } from '@nabla/autograd'
import { engine, setBackend } from '@nabla/engine'
import { GRU, LSTM, RNN } from '@nabla/layers'
import { SGD } from '@nabla/optimizers'
import { createWasmBackend } from '@nabla/backend-wasm'
import { linear, manualSeed, randn, tensor, type Tensor } from '@nabla/tensor'
import { beforeEach, describe, expect, test } from 'vitest'

beforeEach(() => setBackend(createWasmBackend({ threads: 1 })))

const sizes = { batch: 4, inputs: 5, hidden: 18 }

/** Steps of the plan of one training step, as what they are and how large. */
async function stepsOf(make: () => RNN | LSTM | GRU, time: number, lengths?: number[]): Promise<string[]> {
  manualSeed(1)
  const network = make()
  const optimizer = new SGD(network.parameters(), { lr: 0.1 })
  const shape = [time, sizes.batch, sizes.inputs]
  const x = tensor(await randn(shape).data(), { shape })
  const built = engine.statistics.plansBuilt
  backward(network.forward(x, undefined, lengths)[0].square().sum())
  optimizer.step()
  expect(engine.statistics.plansBuilt).toBe(built + 1)
  return engine.cache
    .plans()
    .at(-1)!
    .parts.steps.map(({ kind, work }) => (kind === 'kernel' ? kind : `${kind} ${work}`))
}

const networks = {
  RNN: (options = {}) => new RNN(sizes.inputs, sizes.hidden, options),
  LSTM: (options = {}) => new LSTM(sizes.inputs, sizes.hidden, options),
  GRU: (options = {}) => new GRU(sizes.inputs, sizes.hidden, options),
}

describe('plans', () => {
  for (const [name, make] of Object.entries(networks)) {
    const gates = { RNN: 1, LSTM: 4, GRU: 3 }[name]! * sizes.hidden
    const { batch, inputs, hidden } = sizes

    test(`of ${name}: two products and two kernels per time step, one product over all for each weight`, async () => {
      const [short, long] = [await stepsOf(make, 4), await stepsOf(make, 12)]
      for (const [time, steps] of [
        [4, short],
        [12, long],
      ] as const) {
        const products = (m: number, n: number, k: number): number =>
          steps.filter((step) => step === `contract 1x${m}x${n}x${k}`).length
        const all = time * batch
        expect(products(all, gates, inputs)).toBe(1)
        expect(products(inputs, gates, all) + products(gates, inputs, all)).toBe(1)
        // The state goes forward in every step and the gradient back in all but the first.
        if (gates === hidden) expect(products(batch, gates, hidden)).toBe(2 * time - 1)
        else {
          expect(products(batch, gates, hidden)).toBe(time)
          expect(products(batch, hidden, gates)).toBe(time - 1)
          expect(products(hidden, gates, all) + products(gates, hidden, all)).toBe(1)
        }
      }
      expect((long.length - short.length) / 8).toBeLessThanOrEqual(4)
    })

    test(`of ${name}, stacked, in both directions and with sequences of different lengths`, async () => {
      const stacked = (): RNN | LSTM | GRU => make({ numLayers: 2, bidirectional: true })
      const [short, long] = [await stepsOf(stacked, 4), await stepsOf(stacked, 12)]
      // Four networks; besides their steps only a few kernels more where outputs are put together.
      expect((long.length - short.length) / 8).toBeLessThanOrEqual(4 * 4 + 1)
      const [some, more] = [await stepsOf(make, 4, [4, 4, 3, 1]), await stepsOf(make, 12, [12, 9, 9, 1])]
      expect((more.length - some.length) / 8).toBeLessThanOrEqual(5)
    })
  }
})

test('second derivatives through time, by a weight that every step uses', async () => {
  manualSeed(3)
  const make = async (shape: number[]): Promise<Tensor> =>
    tensor(await randn(shape, { dtype: 'float64' }).mul(0.5).data(), { shape })
  const x = await Promise.all([0, 1, 2].map(() => make([2, 3])))
  const unrolled = (weight: Tensor, start: Tensor): Tensor => {
    let state = start
    for (const each of x) state = linear(state, weight).add(each).tanh()
    return state
  }
  const inputs = [await make([3, 3]), await make([2, 3])] as const
  await gradcheck(unrolled, [...inputs])
  await gradcheck(unrolled, [...inputs], { secondOrder: true })
})
