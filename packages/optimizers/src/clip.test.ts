import { engine, ValueError } from '@nabla/engine'
import { Parameter, tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { clipGradNorm, clipGradValue } from './clip.ts'
import { SGD } from './sgd.ts'

function withGradients(...gradients: number[][]): Parameter[] {
  return gradients.map((gradient) => {
    const parameter = new Parameter(gradient.map(() => 0))
    parameter.grad = tensor(gradient)
    return parameter
  })
}

test('the norm of all gradients together is limited', async () => {
  const parameters = withGradients([3, 0], [0, 4])
  const norm = clipGradNorm(parameters, 1)
  expect(await norm.item()).toBeCloseTo(5, 5)
  expect((await parameters[0]!.grad!.data())[0]).toBeCloseTo(0.6, 5)
  expect((await parameters[1]!.grad!.data())[1]).toBeCloseTo(0.8, 5)
})

test('gradients within the limit stay exactly as they are', async () => {
  const parameters = withGradients([0.3, 0], [0, 0.4])
  clipGradNorm(parameters, 1)
  expect(await parameters[0]!.grad!.data()).toEqual(new Float32Array([0.3, 0]))
})

test('other norms', async () => {
  expect(await clipGradNorm(withGradients([3, -7], [4]), 1, { p: Infinity }).item()).toBe(7)
  expect(await clipGradNorm(withGradients([3, -7], [4]), 1, { p: 1 }).item()).toBeCloseTo(14, 5)
  const single = withGradients([0, 0])
  clipGradNorm(single, 1)
  expect(await single[0]!.grad!.toArray()).toEqual([0, 0])
})

test('it is part of the step: one plan, and the norm can be read afterwards', async () => {
  const parameters = withGradients([3, 0], [0, 4])
  const sgd = new SGD(parameters, { lr: 1 })
  const before = engine.statistics.plansBuilt
  // Gradients that depend on the parameters, as those of a model do.
  for (const parameter of parameters) parameter.grad = parameter.value.add(parameter.grad!)
  const norm = clipGradNorm(parameters, 1)
  sgd.step()
  expect(engine.statistics.plansBuilt - before).toBe(1)
  expect(await norm.item()).toBeCloseTo(5, 5)
  expect((await parameters[0]!.value.data())[0]).toBeCloseTo(-0.6, 5)
})

test('elements are limited one by one', async () => {
  const parameters = withGradients([3, -0.5, -9])
  clipGradValue(parameters, 2)
  expect(await parameters[0]!.grad!.toArray()).toEqual([2, -0.5, -2])
})

test('wrong calls are refused', () => {
  expect(() => clipGradNorm([new Parameter([1])], 1)).toThrow(/clipGradNorm: no parameter has a gradient/)
  expect(() => clipGradNorm(withGradients([1]), 0)).toThrow(ValueError)
  expect(() => clipGradNorm(withGradients([1]), NaN)).toThrow(/maxNorm must be a positive number; got NaN/)
  expect(() => clipGradNorm(withGradients([1]), 1, { p: -1 })).toThrow(/p must be positive/)
  expect(() => clipGradValue(withGradients([1]), -1)).toThrow(/maxValue must be a positive number/)
})
