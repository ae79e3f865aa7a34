import { expect, test } from 'vitest'
import { explain, tensor } from './index.ts'

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
