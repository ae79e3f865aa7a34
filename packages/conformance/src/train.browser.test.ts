// In a browser: a conv net and a transformer block train for a few steps on WebAssembly, and get the losses that the
// interpreter gets. Read next: leaks/loops.ts.
import { backward } from '@nabla/autograd'
import { backendInfo, createInterpreter, engine, setBackend } from '@nabla/engine'
import { Conv2d, Embedding, Flatten, LayerNorm, Linear, MaxPool2d, ReLU, Sequential } from '@nabla/layers'
import { crossEntropy } from '@nabla/losses'
import { Adam } from '@nabla/optimizers'
import { manualSeed, randn, tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'

const wasm = engine.backend

async function trainConvNet(): Promise<number[]> {
  manualSeed(7)
  const model = new Sequential(
    new Conv2d(1, 4, 3),
    new ReLU(),
    new MaxPool2d(2),
    new Flatten(),
    new Linear(36, 3),
  )
  const optimizer = new Adam(model.parameters(), { lr: 0.02 })
  const x = randn([9, 1, 8, 8])
  const y = tensor([0, 1, 2, 0, 1, 2, 0, 1, 2], { dtype: 'int32' })
  const losses: number[] = []
  for (let step = 0; step < 8; step++) {
    const loss = crossEntropy(model.forward(x), y)
    backward(loss)
    optimizer.step()
    losses.push(await loss.item())
  }
  return losses
}

async function trainAttention(): Promise<number[]> {
  manualSeed(8)
  const embedding = new Embedding(6, 8)
  const norm = new LayerNorm(8)
  const head = new Linear(8, 6)
  const optimizer = new Adam(
    [embedding, norm, head].flatMap((layer) => layer.parameters()),
    { lr: 0.02 },
  )
  const ids = tensor(
    [
      [0, 1, 2, 3, 4],
      [5, 4, 3, 2, 1],
    ],
    { dtype: 'int32' },
  )
  const next = tensor([1, 2, 3, 4, 5, 4, 3, 2, 1, 0], { dtype: 'int32' })
  const losses: number[] = []
  for (let step = 0; step < 20; step++) {
    const x = norm.forward(embedding.forward(ids)) // [2, 5, 8]
    const mixed = x.scaledDotProductAttention(x, x, { causal: true }).add(x)
    const loss = crossEntropy(head.forward(mixed).reshape([10, 6]), next)
    backward(loss)
    optimizer.step()
    losses.push(await loss.item())
  }
  return losses
}

for (const [name, train] of Object.entries({ 'a conv net': trainConvNet, attention: trainAttention })) {
  test(`${name} trains in the browser as it does on the interpreter`, async () => {
    expect(backendInfo().name).toBe('wasm')
    const losses = await train()
    try {
      setBackend(createInterpreter())
      const expected = await train()
      losses.forEach((loss, step) => expect(loss).toBeCloseTo(expected[step]!, 4))
    } finally {
      setBackend(wasm)
    }
    expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2)
  })
}
