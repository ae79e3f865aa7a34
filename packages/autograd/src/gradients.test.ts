// Gradients as people ask for them: training, gradients of anything by anything, and what is refused.
import {
  formula,
  GradientError,
  noGrad,
  Parameter,
  stack,
  tensor,
  Tensor,
  Variable,
  where,
} from '@nabla/tensor'
import { expect, test } from 'vitest'
import { backward, customGradient, grad, valueAndGrad } from './index.ts'

test('backward fills parameter.grad, and adds on the second call', async () => {
  const w = new Parameter([1, 2, 3])
  backward(w.value.square().sum())
  expect(await w.grad!.toArray()).toEqual([2, 4, 6])
  backward(w.value.sum())
  expect(await w.grad!.toArray()).toEqual([3, 5, 7])
  expect(w.grad!.requiresGrad).toBe(false)
})

test('frozen parameters and plain Variables get no gradient', () => {
  const w = new Parameter([1])
  const frozen = new Parameter([2])
  frozen.requiresGrad = false
  const statistics = new Variable([3])
  backward(w.value.mul(frozen).mul(statistics).sum())
  expect(w.grad).not.toBeNull()
  expect(frozen.grad).toBeNull()
})

test('a parameter on several paths gets the sum', async () => {
  const w = new Parameter([2])
  const y = w.value.mul(3)
  backward(y.mul(y).add(w).sum())
  expect(await w.grad!.toArray()).toEqual([2 * 9 * 2 + 1])
})

test('what is no loss is refused with a remedy', () => {
  const w = new Parameter([1, 2])
  expect(() => backward(w.value)).toThrow(GradientError)
  expect(() => backward(w.value)).toThrow('the output has shape [2]')
  expect(() => backward(tensor([1, 2]).sum())).toThrow('depends on no Parameter')
  expect(() => backward(noGrad(() => w.value.sum()))).toThrow('Perhaps it was made inside noGrad')
  expect(() => backward(w.value.detach().sum())).toThrow('depends on no Parameter')
  expect(() => backward(undefined as never)).toThrow('expected a tensor, got a value of type undefined')
  expect(() => backward(w.value.sum().item() as never)).toThrow('a promise; await it first')
  expect(() => backward(w.value, tensor([1]))).toThrow('must have the shape of the output, [2]')
})

test('backward from a vector takes its gradient', async () => {
  const w = new Parameter([1, 2])
  backward(w.value.square(), tensor([1, 10]))
  expect(await w.grad!.toArray()).toEqual([2, 40])
})

test('grad by tensors and Variables', async () => {
  const x = tensor([1, 2], { requiresGrad: true })
  const w = new Parameter([3, 4])
  const [gx, gw] = grad(x.mul(w).sum(), [x, w])
  expect(await gx!.toArray()).toEqual([3, 4])
  expect(await gw!.toArray()).toEqual([1, 2])
  expect(w.grad).toBeNull()
})

test('grad by values in the middle', async () => {
  const x = tensor([1, 2], { requiresGrad: true })
  const y = x.mul(3)
  const [gy] = grad(y.square().sum(), [y])
  expect(await gy!.toArray()).toEqual([6, 12])
})

test('gradients of gradients', async () => {
  const x = tensor([2], { requiresGrad: true })
  const [first] = grad(x.pow(3).sum(), [x], { createGraph: true })
  const [second] = grad(first!.sum(), [x], { createGraph: true })
  const [third] = grad(second!.sum(), [x])
  expect(await first!.item()).toBe(12)
  expect(await second!.item()).toBe(12)
  expect(await third!.item()).toBe(6)
  expect(third!.requiresGrad).toBe(false)
})

test('several outputs with gradients of their own', async () => {
  const x = tensor([1, 2], { requiresGrad: true })
  const [g] = grad([x.mul(2), x.square()], [x], { gradOutputs: [tensor([1, 1]), tensor([0, 10])] })
  expect(await g!.toArray()).toEqual([2, 42])
})

test('inputs without a path are an error, or zeros where allowed', async () => {
  const x = tensor([1, 2], { requiresGrad: true })
  const other = tensor([[1, 2]], { requiresGrad: true })
  expect(() => grad(x.sum(), [other])).toThrow('no output depends on input 0')
  const [g] = grad(x.sum(), [other], { allowUnused: true })
  expect(await g!.toArray()).toEqual([[0, 0]])
  // floor has a derivative, which is 0: that is a path.
  const [zero] = grad(x.floor().sum(), [x])
  expect(await zero!.toArray()).toEqual([0, 0])
})

test('inputs that cannot have a gradient are refused', () => {
  const x = tensor([1, 2])
  expect(() => grad(x.sum(), [x])).toThrow('requires no gradient: make it with { requiresGrad: true }')
  const whole = tensor([1, 2], { dtype: 'int32' })
  expect(() => grad(x.sum(), [whole])).toThrow("int32 values have none; convert it with .to('float32')")
})

test('a deep graph needs no deep stack', async () => {
  const x = tensor([1], { dtype: 'float64', requiresGrad: true })
  let y: Tensor = x
  for (let i = 0; i < 1500; i++) y = y.mul(1.001)
  const [g] = grad(y.sum(), [x])
  expect(await g!.item()).toBeCloseTo(1.001 ** 1500, 9)
})

test('gradients pass through values that have been read already', async () => {
  const x = tensor([1, 2], { requiresGrad: true })
  const y = x.exp()
  const values = await y.toArray()
  const [g] = grad(y.sum(), [x])
  expect(await g!.toArray()).toEqual(values)
})

test('no NaN leaks through the branch not taken when the derivative is masked', async () => {
  const x = tensor([0, 4], { requiresGrad: true })
  const safe = where(x.gt(0), x, 1)
  const y = where(x.gt(0), safe.sqrt(), 0)
  const [g] = grad(y.sum(), [x])
  expect(await g!.toArray()).toEqual([0, 0.25])
})

test('types are kept: a float32 input of a float64 computation has a float32 gradient', async () => {
  const x = tensor([1, 2], { requiresGrad: true })
  const [g] = grad(x.mul(tensor([3, 4], { dtype: 'float64' })).sum(), [x])
  expect(g!.dtype).toBe('float32')
  expect(await g!.toArray()).toEqual([3, 4])
})

test('valueAndGrad, nested', async () => {
  const cube = (x: Tensor): Tensor => x.pow(3).sum()
  const slope = (x: Tensor): Tensor => valueAndGrad(cube)(x).gradients[0]!.sum()
  const { value, gradients } = valueAndGrad(slope)(tensor([2]))
  expect(await value.item()).toBe(12)
  expect(await gradients[0]!.item()).toBe(12)
  expect(() => valueAndGrad(cube)(tensor([1], { dtype: 'int32' }))).toThrow('has no gradient')
})

test('gradients of parts joined again', async () => {
  const x = tensor([1, 2, 3, 4], { requiresGrad: true })
  const [a, b] = x.split(2) as [Tensor, Tensor]
  const [g] = grad(stack([a.mul(2), b.square()]).sum(), [x])
  expect(await g!.toArray()).toEqual([2, 2, 6, 8])
})

test('a formula is one node, or its ops where gradients are recorded', async () => {
  const cubed = formula('cubed', ([x, y]) => x.mul(x).mul(y))
  const x = tensor([2, 3], { requiresGrad: true })
  const recorded = cubed([x, x], x)
  expect(recorded.op.name).toBe('mul')
  expect(await grad(recorded.sum(), [x])[0]!.toArray()).toEqual([12, 27])
  const whole = noGrad(() => cubed([x, x], x))
  expect([whole.op.name, whole.inputs.length, whole.requiresGrad]).toEqual(['cubed', 2, false])
  expect(await whole.toArray()).toEqual([8, 27])
  const wrong = noGrad(() => cubed([x, x], tensor([1])))
  await expect(wrong.data()).rejects.toThrow(
    /cubed: the formula gives Tensor\(\[2\], float32.* instead of \[1\]/,
  )
})

test('a gradient rule may differentiate the same values itself', async () => {
  const x = tensor([0.5, 2], { requiresGrad: true })
  const inner = x.square()
  const total = inner.sum()
  const steep = customGradient(
    (value) => value.mul(1),
    (upstream) => [upstream.mul(grad(total, [x])[0]!)],
  )
  const [g] = grad(steep(inner).add(inner).sum(), [x])
  // d inner = 2 x + 1, and d x = 2 x d inner.
  expect(await g!.toArray()).toEqual([2, 20])
})
