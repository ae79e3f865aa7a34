// Training loops of many shapes, each written as people write them. Values stay readable as promised, or say that they
// are stale; never is a number wrong. Gradient descent is done by hand, as in an optimizer's step.
import { flush, noGrad, Parameter, StaleValueError, tensor, Tensor, Variable } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { backward } from './index.ts'

function step(parameters: readonly Parameter[], lr = 0.1): void {
  noGrad(() => {
    for (const parameter of parameters) {
      if (parameter.grad === null) continue
      parameter.value = parameter.value.sub(parameter.grad.mul(lr))
      parameter.grad = null
    }
  })
  flush()
}

// y = 2 x + 1, to be found again.
const x = tensor([-1, 0, 1, 2])
const y = x.mul(2).add(1)
const line = (w: Parameter, b: Parameter, input: Tensor = x): Tensor => input.mul(w).add(b)
const squares = (prediction: Tensor, target: Tensor): Tensor => prediction.sub(target).square().mean()

test('the plain loop, reading the loss after the step', async () => {
  const [w, b] = [new Parameter([0]), new Parameter([0])]
  const losses: number[] = []
  for (let i = 0; i < 60; i++) {
    const loss = squares(line(w, b), y)
    backward(loss)
    step([w, b], 0.2)
    losses.push(await loss.item())
  }
  expect(losses[0]).toBe((1 + 1 + 9 + 25) / 4)
  expect(losses.at(-1)).toBeLessThan(1e-3)
  expect(await w.value.item()).toBeCloseTo(2, 1)
})

test('a loop that never awaits', async () => {
  const w = new Parameter([0])
  for (let i = 0; i < 30; i++) {
    backward(squares(x.mul(w), x.mul(2)))
    step([w])
  }
  expect(await w.value.item()).toBeCloseTo(2, 2)
})

test('reading before the step gives the same as after', async () => {
  const w = new Parameter([1])
  const before = squares(x.mul(w), y)
  const early = await before.item()
  backward(before)
  step([w])
  expect(await before.item()).toBe(early)
})

test('a metric read after the step is stale, unless kept', async () => {
  const w = new Parameter([1])
  const prediction = x.mul(w)
  const lost = prediction.max()
  const kept = prediction.min().keep()
  backward(squares(prediction, y))
  step([w])
  await expect(lost.item()).rejects.toThrow(StaleValueError)
  expect(await kept.item()).toBe(-1)
})

test('gradient accumulation over small batches equals one large batch', async () => {
  const run = async (batches: readonly (readonly [number, number])[]): Promise<number> => {
    const w = new Parameter([0.5])
    for (const [start, length] of batches) {
      const part = x.narrow(0, start, length)
      backward(
        part
          .mul(w)
          .sub(y.narrow(0, start, length))
          .square()
          .sum()
          .div(4),
      )
    }
    step([w])
    return w.value.item()
  }
  expect(
    await run([
      [0, 2],
      [2, 2],
    ]),
  ).toBeCloseTo(await run([[0, 4]]), 6)
})

test('two optimizers taking turns, as in a GAN', async () => {
  const generator = new Parameter([0])
  const critic = new Parameter([1])
  for (let i = 0; i < 5; i++) {
    const fake = x.mul(generator)
    const criticLoss = fake.detach().mul(critic).mean().sub(y.mul(critic).mean())
    backward(criticLoss)
    expect(generator.grad).toBeNull()
    step([critic], 0.01)
    const generatorLoss = x.mul(generator).mul(critic).mean().neg()
    backward(generatorLoss)
    critic.grad = null
    step([generator], 0.01)
    expect(Number.isFinite(await criticLoss.item())).toBe(true)
  }
  expect(await generator.value.item()).toBeGreaterThan(0)
})

test('averaged weights follow', async () => {
  const w = new Parameter([0])
  const average = new Variable([0])
  let expected = 0
  for (let i = 0; i < 10; i++) {
    backward(squares(x.mul(w), y))
    step([w])
    noGrad(() => {
      average.value = average.value.mul(0.9).add(w.value.mul(0.1))
    })
    expected = expected * 0.9 + (await w.value.item()) * 0.1
  }
  expect(await average.value.item()).toBeCloseTo(expected, 5)
})

test('k folds, each with fresh weights', async () => {
  const results: number[] = []
  for (let fold = 0; fold < 4; fold++) {
    const w = new Parameter([0])
    const keep = tensor([0, 1, 2, 3]).ne(fold).to('float32')
    for (let i = 0; i < 40; i++) {
      backward(x.mul(w).sub(x.mul(3)).square().mul(keep).mean())
      step([w], 0.2)
    }
    results.push(await w.value.item())
  }
  for (const result of results) expect(result).toBeCloseTo(3, 2)
})

test('a recurrent network unrolled over time', async () => {
  const w = new Parameter([0.5])
  for (let i = 0; i < 40; i++) {
    let state: Tensor = tensor([0])
    for (let t = 0; t < 4; t++) state = state.mul(w).add(x.at(`${t}:${t + 1}`))
    backward(state.sub(2.5).square().sum())
    step([w], 0.02)
  }
  const value = await w.value.item()
  // The state after four steps is -w^3 + w + 2.
  expect(-(value ** 3) + value + 2).toBeCloseTo(2.37, 1)
})

test('a frozen backbone under a trained head', async () => {
  const backbone = new Parameter([2])
  const head = new Parameter([0])
  backbone.requiresGrad = false
  for (let i = 0; i < 20; i++) {
    backward(squares(x.mul(backbone).mul(head), x.mul(4)))
    step([backbone, head], 0.05)
  }
  expect(await backbone.value.item()).toBe(2)
  expect(await head.value.item()).toBeCloseTo(2, 1)
})

test('evaluation inside of training', async () => {
  const w = new Parameter([0])
  const scores: number[] = []
  for (let i = 0; i < 20; i++) {
    const loss = squares(x.mul(w), x.mul(2))
    backward(loss)
    const validation = noGrad(() => squares(tensor([5]).mul(w), tensor([10])))
    scores.push(await validation.item())
    step([w], 0.2)
    await loss.item()
  }
  expect(scores[0]).toBe(100)
  expect(scores.at(-1)).toBeLessThan(1)
})

test('two models taking turns do not disturb each other', async () => {
  const [a, b] = [new Parameter([0]), new Parameter([0])]
  for (let i = 0; i < 30; i++) {
    const lossA = squares(x.mul(a), x.mul(2))
    const lossB = squares(x.mul(b), x.mul(-1))
    backward(lossA)
    backward(lossB)
    step([a])
    step([b])
    expect(await lossA.item()).toBeGreaterThanOrEqual(0)
  }
  expect(await a.value.item()).toBeCloseTo(2, 2)
  expect(await b.value.item()).toBeCloseTo(-1, 2)
})
