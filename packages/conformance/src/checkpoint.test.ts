// Checkpoints give the same gradients as the part itself, take the random numbers and assignments of one call, and save
// memory: measured on a transformer of twelve layers.
import { createWasmBackend } from '@nabla/backend-wasm'
import { backward, checkpoint, grad, registerHook } from '@nabla/autograd'
import { engine, setBackend } from '@nabla/engine'
import {
  BatchNorm1d,
  Dropout,
  Linear,
  Sequential,
  Tanh,
  TransformerEncoderLayer,
  type Module,
} from '@nabla/layers'
import { SGD } from '@nabla/optimizers'
import { manualSeed, Parameter, randn, tensor, Tensor } from '@nabla/tensor'
import { beforeEach, expect, test } from 'vitest'

beforeEach(() => {
  setBackend(createWasmBackend())
  manualSeed(3)
})

/** Gradients of all parameters of a model, and of its input. */
async function gradientsOf(model: Module, x: Tensor, run: (x: Tensor) => Tensor): Promise<unknown[]> {
  manualSeed(17)
  const parameters = [...model.parameters()]
  const gradients = grad(run(x).square().mean(), [x, ...parameters.map((parameter) => parameter.value)])
  return Promise.all(gradients.map((gradient) => gradient.toArray()))
}

test('gradients of inputs and of captured parameters are the same, dropout included', async () => {
  const model = new Sequential(new Linear(4, 8), new Tanh(), new Dropout(0.5), new Linear(8, 3))
  const x = tensor(
    [
      [1, 2, 3, 4],
      [0, -1, 2, 1],
    ],
    { requiresGrad: true },
  )
  const plain = await gradientsOf(model, x, (value) => model.forward(value))
  expect(await gradientsOf(model, x, (value) => checkpoint((part) => model.forward(part), value))).toEqual(
    plain,
  )
  // One in another, and one after another.
  const nested = (value: Tensor): Tensor =>
    checkpoint((part) => checkpoint((inner) => model.forward(inner), part), value)
  expect(await gradientsOf(model, x, nested)).toEqual(plain)
})

test('values from outside get their gradients once', async () => {
  const w = tensor([2, 3], { requiresGrad: true })
  const outside = w.square()
  const further = outside.mul(3)
  const x = tensor([1, 2], { requiresGrad: true })
  const formula = (part: Tensor): Tensor => part.mul(outside).add(further.sin()).add(x)
  const plain = grad(formula(x).sum(), [w, x])
  const saved = grad(checkpoint(formula, x).sum(), [w, x])
  for (const [i, gradient] of saved.entries())
    expect(await gradient.toArray()).toEqual(await plain[i]!.toArray())
  // Second derivatives as well.
  const second = (make: (value: Tensor) => Tensor): Tensor => {
    const [first] = grad(make(x).square().sum(), [x], { createGraph: true })
    return grad(first!.sum(), [w])[0]!
  }
  expect(await second((value) => checkpoint(formula, value)).toArray()).toEqual(
    await second(formula).toArray(),
  )
})

test('running statistics are updated once', async () => {
  const statistics = async (save: boolean): Promise<unknown> => {
    manualSeed(5)
    const model = new Sequential(new Linear(3, 4), new BatchNorm1d(4))
    const x = randn([6, 3])
    const optimizer = new SGD(model.parameters(), { lr: 0.1 })
    for (let step = 0; step < 3; step++) {
      const y = save ? checkpoint((part) => model.forward(part), x) : model.forward(x)
      backward(y.square().mean())
      optimizer.step()
    }
    const state = model.stateDict()
    return Promise.all(Object.values(state).map((value) => (value as { read(): Promise<unknown> }).read()))
  }
  expect(await statistics(true)).toEqual(await statistics(false))
})

test('twelve transformer layers train in less than 60 % of the memory', async () => {
  const measure = async (save: boolean): Promise<{ bytes: number; loss: number; plans: number }> => {
    setBackend(createWasmBackend())
    manualSeed(1)
    const layers = Array.from(
      { length: 12 },
      () => new TransformerEncoderLayer(32, 2, { dimFeedforward: 128, dropout: 0 }),
    )
    const optimizer = new SGD(
      layers.flatMap((layer) => [...layer.parameters()]),
      { lr: 0.01 },
    )
    const x = randn([8, 32, 32])
    let loss = 0
    let bytes = 0
    engine.cache.clear()
    for (let step = 0; step < 3; step++) {
      const y = layers.reduce(
        (value, layer) => (save ? checkpoint((part) => layer.forward(part), value) : layer.forward(value)),
        x,
      )
      const error = y.square().mean()
      backward(error)
      optimizer.step()
      loss = await error.item()
      bytes = Math.max(...engine.cache.plans().map((plan) => plan.parts.arenaBytes))
    }
    return { bytes, loss, plans: engine.statistics.plansBuilt }
  }
  const plain = await measure(false)
  const saved = await measure(true)
  console.log(
    `arena without checkpoints ${plain.bytes}, with ${saved.bytes}: ${((saved.bytes / plain.bytes) * 100).toFixed(0)} %`,
  )
  expect(saved.loss).toBeCloseTo(plain.loss, 5)
  expect(saved.bytes).toBeLessThan(0.6 * plain.bytes)
})

test('hooks see gradients and may change them', async () => {
  const w = new Parameter([1, 2])
  const x = tensor([3, 4], { requiresGrad: true })
  const hidden = x.mul(w)
  const seen: Tensor[] = []
  const removers = [
    registerHook(hidden, (gradient) => void seen.push(gradient)),
    registerHook(w, (gradient) => gradient.mul(10)),
  ]
  backward(hidden.square().sum())
  expect(await seen[0]!.toArray()).toEqual([6, 16])
  expect(await w.grad!.toArray()).toEqual([180, 640])
  removers.forEach((remove) => remove())
  w.grad = null
  backward(x.mul(w).square().sum())
  expect(await w.grad!.toArray()).toEqual([18, 64])
  expect(() => registerHook(tensor([1]), () => {})).toThrow(/requires no gradient/)
  const wrong = registerHook(w, () => tensor([1, 2, 3]))
  expect(() => backward(w.value.sum())).toThrow(/a hook gave .* in place of the gradient/)
  wrong()
})
