// Memory stays bounded without anybody freeing anything (R9), and from the second step on nothing is compiled or planned
// (R2): training loops of many shapes, 200 steps each. Needs `--expose-gc`. Read next: leaks/loops.ts.
import { backward } from '@nabla/autograd'
import { backendInfo, configure, engine } from '@nabla/engine'
import { LayerNorm, Linear, ReLU, Sequential } from '@nabla/layers'
import { crossEntropy } from '@nabla/losses'
import { Adam, AdamW } from '@nabla/optimizers'
import { randn, tensor, Variable } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { trainingLoops } from './leaks/loops.ts'

// Threads take memory of their own when they start, once, and that may be at any step.
configure({ threads: 1 })

/** What a page of lists may grow by for reasons of its own: the test runner's reports, the sizes of tables. */
const slack = 256 * 1024

interface Sample {
  readonly deviceBytes: number
  readonly hostBytes: number
  readonly compiled: number
  readonly plans: number
}

async function measure(): Promise<Sample> {
  await collectGarbage()
  return {
    deviceBytes: backendInfo().bytes.inUse,
    hostBytes: process.memoryUsage().arrayBuffers,
    compiled: backendInfo().compiled,
    plans: engine.statistics.plansBuilt,
  }
}

/** Finalizers run between tasks, and what they free may have been kept alive by what another frees: so several times. */
async function collectGarbage(): Promise<void> {
  const collect = globalThis.gc
  if (collect === undefined) throw new Error('start Node with --expose-gc')
  for (let i = 0; i < 4; i++) {
    collect()
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

for (const [name, makeLoop] of Object.entries(trainingLoops)) {
  test(`${name}: memory after 200 steps is that after 50, and nothing is compiled after the second`, async () => {
    const step = await makeLoop()
    const compiled: number[] = []
    const plans: number[] = []
    let early: Sample | null = null
    for (let i = 0; i < 200; i++) {
      await step(i)
      compiled.push(backendInfo().compiled)
      plans.push(engine.statistics.plansBuilt)
      if (i === 49) early = await measure()
    }
    const late = await measure()
    expect(Math.abs(late.deviceBytes - early!.deviceBytes)).toBeLessThanOrEqual(1024)
    expect(late.hostBytes - early!.hostBytes).toBeLessThanOrEqual(slack)
    expect(compiled.at(-1), 'kernels compiled after the second step').toBe(compiled[1])
    expect(plans.at(-1), 'plans built after the second step').toBe(plans[1])
  })
}

test('10,000 steps: memory is where it was after the first hundred', async () => {
  const model = new Sequential(new Linear(4, 8), new ReLU(), new Linear(8, 2))
  const optimizer = new Adam(model.parameters())
  const [x, y] = [randn([6, 4]), tensor([0, 1, 1, 0, 1, 0])]
  let early: Sample | null = null
  for (let i = 0; i < 10_000; i++) {
    backward(crossEntropy(model.forward(x), y))
    optimizer.step()
    if (i === 99) early = await measure()
  }
  const late = await measure()
  expect(late.deviceBytes).toBe(early!.deviceBytes)
  expect(late.hostBytes - early!.hostBytes).toBeLessThanOrEqual(slack)
  expect([late.compiled, late.plans]).toEqual([early!.compiled, early!.plans])
})

test('more layers of other sizes are made of the same kernels', async () => {
  const step = async (sizes: readonly number[]): Promise<void> => {
    const model = new Sequential(
      ...sizes.slice(1).flatMap((size, i) => [new Linear(sizes[i]!, size), new ReLU(), new LayerNorm(size)]),
    )
    const optimizer = new AdamW(model.parameters(), { lr: 0.01 })
    backward(
      model
        .forward(randn([16, sizes[0]!]))
        .square()
        .mean(),
    )
    optimizer.step()
  }
  await step([24, 40, 32])
  const { compiled } = backendInfo()
  await step([20, 28, 36, 44, 52, 60, 24])
  expect(backendInfo().compiled - compiled).toBeLessThanOrEqual(2)
})

test('models that were forgotten give their memory back', async () => {
  await collectGarbage()
  const before = backendInfo().bytes.inUse
  const trainAndForget = async (): Promise<void> => {
    const model = new Linear(256, 256)
    await model.forward(tensor(new Float32Array(256), { shape: [1, 256] })).data()
  }
  for (let i = 0; i < 40; i++) {
    await trainAndForget()
    if (i % 10 === 9) await collectGarbage()
  }
  await collectGarbage()
  // One model has 257 KB; forty have 10 MB.
  expect(backendInfo().bytes.inUse - before).toBeLessThan(600 * 1024)
})

test('what is disposed of is free at once', () => {
  const before = backendInfo().bytes.inUse
  const variables = Array.from({ length: 8 }, () => new Variable(new Float32Array(65_536)))
  expect(backendInfo().bytes.inUse - before).toBeGreaterThanOrEqual(8 * 262_144)
  for (const variable of variables) variable.dispose()
  expect(backendInfo().bytes.inUse).toBe(before)
})

test('values that are read and dropped, without any Variable', async () => {
  const early: number[] = []
  for (let i = 0; i < 200; i++) {
    const x = tensor(new Float32Array(10_000).fill(i))
    expect(await x.mul(2).sum().item()).toBe(20_000 * i)
    if (i === 49) early.push((await measure()).hostBytes)
  }
  expect((await measure()).hostBytes - early[0]!).toBeLessThanOrEqual(slack)
})
