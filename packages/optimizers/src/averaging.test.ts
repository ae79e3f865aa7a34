import { ShapeError, ValueError } from '@nabla/engine'
import { Parameter, tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { EMA, WeightAverage } from './averaging.ts'
import { Lookahead } from './lookahead.ts'
import { SGD } from './sgd.ts'

const values = async (variable: { read(): Promise<ArrayLike<number>> }): Promise<number[]> =>
  Array.from(await variable.read())

test('EMA starts from the parameters and follows them', async () => {
  const parameter = new Parameter([1, 2])
  const ema = new EMA([parameter], { decay: 0.75 })
  expect(await values(ema.averages[0]!)).toEqual([1, 2])
  parameter.value = tensor([5, 2])
  ema.update()
  expect(await values(ema.averages[0]!)).toEqual([2, 2])
  parameter.value = tensor([2, 6])
  ema.update()
  expect(await values(ema.averages[0]!)).toEqual([2, 3])
  expect(await values(parameter)).toEqual([2, 6])
})

test('EMA with warm-up forgets the start sooner', async () => {
  const parameter = new Parameter([0])
  const ema = new EMA([parameter], { decay: 0.9, warmup: true })
  parameter.value = tensor([10])
  ema.update()
  expect((await values(ema.averages[0]!))[0]).toBeCloseTo(9, 5)
})

test('WeightAverage is the mean of the parameters of all updates', async () => {
  const a = new Parameter([1])
  const b = new Parameter([[2, 4]])
  const average = new WeightAverage([a, b])
  for (const step of [3, 5, 10]) {
    a.value = tensor([step])
    b.value = tensor([[step, -step]])
    average.update()
  }
  expect((await values(average.averages[0]!))[0]).toBeCloseTo(6, 5)
  expect((await values(average.averages[1]!))[1]).toBeCloseTo(-6, 5)
})

test('swap exchanges, and swap again changes back', async () => {
  const parameter = new Parameter([1])
  const ema = new EMA([parameter], { decay: 0.5 })
  parameter.value = tensor([3])
  ema.update()
  ema.swap()
  expect([await values(parameter), await values(ema.averages[0]!)]).toEqual([[2], [3]])
  ema.swap()
  expect([await values(parameter), await values(ema.averages[0]!)]).toEqual([[3], [2]])
})

test('the state of an average comes back, from Variables and from data', async () => {
  const parameter = new Parameter([1, 2])
  const average = new WeightAverage([parameter])
  average.update()
  const state = average.state()
  const copies = [state, { updates: 1, averages: [{ data: new Float32Array([1, 2]), shape: [2] }] }]
  for (const copy of copies) {
    const other = new Parameter([3, 6])
    const resumed = new WeightAverage([other])
    resumed.loadState(copy)
    resumed.update()
    expect(await values(resumed.averages[0]!)).toEqual([2, 4])
  }
  expect(() => new EMA([new Parameter([1])]).loadState(state)).toThrow(ShapeError)
  expect(() => new EMA([parameter, new Parameter([1])]).loadState(state)).toThrow(ValueError)
  expect(() => new EMA([parameter], { decay: 1 })).toThrow(/EMA: decay must lie in \[0, 1\); got 1/)
})

test('Lookahead goes back a part of the way', async () => {
  const run = async (resume: boolean): Promise<number[]> => {
    let parameter = new Parameter([8])
    let lookahead = new Lookahead(new SGD([parameter], { lr: 1, momentum: 0.5 }), { every: 2, alpha: 0.5 })
    const seen: number[] = []
    for (let step = 0; step < 4; step++) {
      if (resume && step === 3) {
        const state = lookahead.state()
        parameter = new Parameter(await parameter.read())
        lookahead = new Lookahead(new SGD([parameter], { lr: 1, momentum: 0.5 }), { every: 2, alpha: 0.5 })
        lookahead.loadState(state)
      }
      parameter.grad = tensor([1])
      lookahead.step()
      seen.push(...(await values(parameter)))
    }
    return seen
  }
  // Fast: 7, 5.5; slow: 8 -> 6.75. Then 6.75 - 1.75 = 5, 5 - 1.875 = 3.125; slow: (6.75 + 3.125) / 2.
  expect(await run(false)).toEqual([7, 6.75, 5, 4.9375])
  expect(await run(true)).toEqual([7, 6.75, 5, 4.9375])
  expect(() => new Lookahead(new SGD([new Parameter([1])]), { every: 0 })).toThrow(/every must be/)
  expect(() => new Lookahead(new SGD([new Parameter([1])]), { alpha: 0 })).toThrow(/alpha must lie/)
})
