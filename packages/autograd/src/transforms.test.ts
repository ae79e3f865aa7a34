// Products with derivatives, whole derivatives, and functions with a gradient of one's own.
import { GradientError, tensor, Tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { customGradient, grad, gradcheck, hessian, hvp, jacobian, jvp, vjp } from './index.ts'

const f64 = { dtype: 'float64' } as const

test('vjp and jvp of x * y', async () => {
  const x = tensor([1, 2], f64)
  const y = tensor([3, 4], f64)
  const mul = (a: Tensor, b: Tensor): Tensor => a.mul(b)
  const back = vjp(mul, [x, y], tensor([1, 10]))
  expect(await back.value.toArray()).toEqual([3, 8])
  expect(await back.gradients[0]!.toArray()).toEqual([3, 40])
  const forward = jvp(mul, [x, y], [tensor([1, 0]), tensor([0, 1])])
  expect(await forward.tangent.toArray()).toEqual([3, 2])
})

test('jvp of a function that ignores its input is zero', async () => {
  const constant = jvp((x) => x.mul(0).floor(), [tensor([1, 2])], [tensor([1, 1])])
  expect(await constant.tangent.toArray()).toEqual([0, 0])
})

test('jacobian has a row for each element of the output', async () => {
  const x = tensor([1, 2, 3], f64)
  const j = jacobian((z) => tensor([1, 0, 2], f64).mul(z.square()), x)
  expect(await j.toArray()).toEqual([
    [2, 0, 0],
    [0, 0, 0],
    [0, 0, 12],
  ])
  const scalar = jacobian((z) => z.prod(), x)
  expect(scalar.shape).toEqual([3])
  expect(await scalar.toArray()).toEqual([6, 3, 2])
})

test('hessian, and its product with a vector', async () => {
  const x = tensor([1, 2, 3], f64)
  const f = (z: Tensor): Tensor => z.prod()
  expect(await hessian(f, x).toArray()).toEqual([
    [0, 3, 2],
    [3, 0, 1],
    [2, 1, 0],
  ])
  expect(await hvp(f, x, tensor([1, 1, 1])).toArray()).toEqual([5, 4, 3])
  expect(await hessian((z) => z.sum(), x).toArray()).toEqual([
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ])
})

test('customGradient replaces the derivative', async () => {
  const straightThrough = customGradient(
    (x) => x.round(),
    (upstream) => [upstream],
  )
  const x = tensor([0.4, 1.6], { requiresGrad: true })
  const y = straightThrough(x)
  expect(await y.toArray()).toEqual([0, 2])
  const [g] = grad(y.mul(tensor([1, 10])).sum(), [x])
  expect(await g!.toArray()).toEqual([1, 10])
})

test('customGradient can be differentiated twice, with several inputs', async () => {
  const product = customGradient(
    (a, b) => a.mul(b),
    (upstream, { inputs: [a, b] }) => [upstream.mul(b!), upstream.mul(a!)],
  )
  await gradcheck(product, [tensor([1, 2]), tensor([3, -4])], { secondOrder: true })
  const wrong = customGradient(
    (a) => a,
    () => [],
  )
  const x = tensor([1], { requiresGrad: true })
  expect(() => grad(wrong(x).sum(), [x])).toThrow('one gradient (or null) for each of 1 inputs')
})

test('gradcheck finds wrong derivatives, of first and of second order', async () => {
  const wrongFirst = customGradient(
    (x) => x.square(),
    (upstream, { inputs: [x] }) => [upstream.mul(x!)],
  )
  await expect(gradcheck(wrongFirst, [tensor([1, 2])])).rejects.toThrow(GradientError)
  const wrongSecond = customGradient(
    (x) => x.square(),
    (upstream, { inputs: [x] }) => [upstream.mul(x!.detach()).mul(2)],
  )
  await gradcheck(wrongSecond, [tensor([1, 2])])
  await expect(gradcheck(wrongSecond, [tensor([1, 2])], { secondOrder: true })).rejects.toThrow(GradientError)
  await expect(gradcheck((x) => x.detach(), [tensor([1])])).rejects.toThrow(
    'the gradient says 0, the slope of the function is',
  )
})
