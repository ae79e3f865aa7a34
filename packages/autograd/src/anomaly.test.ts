// The first NaN or infinite value is found, on the way forward and back, with the op and the line that called it.
import { engine } from '@nabla/engine'
import { tensor, type Tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { AnomalyError, detectAnomaly, grad } from './index.ts'

function errorOf(fn: () => unknown): AnomalyError {
  try {
    fn()
  } catch (error) {
    if (error instanceof AnomalyError) return error
    throw error
  }
  throw new Error('no anomaly was found')
}

test('forward: the op, the element, the line', () => {
  const x = tensor([1, -1])
  const error = errorOf(() => detectAnomaly(() => x.add(0).log().mul(2).sum()))
  expect([error.op, error.code]).toEqual(['log', 'ERR_ANOMALY'])
  expect(error.message).toMatch(
    /log gave a value that is NaN at element 1 of \[2\], called at .*anomaly\.test\.ts:\d+:\d+/,
  )
})

test('backward: the op that the gradient belongs to, and where that was called', () => {
  const x = tensor([0, 4], { requiresGrad: true })
  const error = errorOf(() =>
    detectAnomaly(() => {
      const root = x.sqrt()
      return grad(root.sum(), [x])
    }),
  )
  expect(error.op).toBe('sqrt')
  expect(error.message).toMatch(/in the gradient of sqrt, called at .*anomaly\.test\.ts/)
  expect(error.message).toMatch(/infinite/)
})

test('infinite values can be allowed, NaN in the input is said to be there already', () => {
  const finite = detectAnomaly(() => tensor([0]).reciprocal().mul(1), { infinite: false })
  expect(finite.shape).toEqual([1])
  const error = errorOf(() => detectAnomaly(() => tensor([NaN]).mul(2)))
  expect(error.message).toMatch(/Its input 0 was so already/)
})

test('it ends with the function, also an asynchronous one and one that fails', async () => {
  const wrong = (): Tensor => tensor([-1]).sqrt()
  await expect(
    detectAnomaly(async () => {
      await Promise.resolve()
      return wrong()
    }),
  ).rejects.toThrow(AnomalyError)
  expect(() => detectAnomaly(wrong)).toThrow(/sqrt/)
  expect(engine.observe(null)).toBeNull()
  expect(await wrong().item()).toBeNaN()
})

test('a clean program gives what it gives without', async () => {
  const x = tensor([1, 2], { requiresGrad: true })
  const run = (): Tensor => grad(x.square().exp().sum().log(), [x])[0]!
  expect(await detectAnomaly(run).toArray()).toEqual(await run().toArray())
})
