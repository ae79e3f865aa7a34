import { expect, test } from 'vitest'
import { explain, tensor, type Tensor } from './index.ts'

test('R11: explain prints the plan of a value and computes it', async () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ])
  const y = x.mul(2).exp().sum(1)
  const text = await explain(y)
  expect(text).toMatch(/^step +kind +work +reads +writes +ms +ops/)
  expect(text).toMatch(/kernel.*mul exp sum/)
  expect(text).toMatch(/1 steps/)
  expect(await explain(y)).toMatch(/nothing to compute/)
  await expect(explain()).rejects.toThrow(/one or more tensors/)
})

test('a linear layer with bias and activation is one step of a plan, with or without a batch', async () => {
  const ones = (shape: readonly number[]): Tensor =>
    tensor(new Float32Array(shape.reduce((count, size) => count * size)).fill(1), { shape })
  const weight = ones([20, 30])
  for (const shape of [
    [8, 30],
    [2, 4, 30],
  ]) {
    const product = ones(shape).matmul(weight.transpose())
    const y = product
      .add(ones([20]))
      .relu()
      .mul(0.5)
    const text = await explain(y)
    expect(text).toMatch(/contract.*contract add relu mul/)
    expect(text).toMatch(/1 steps/)
    expect(await y.sum().item()).toBe(8 * 20 * 31 * 0.5)
  }
})
