// Making a sequence position by position gives what the whole sequence gives, without a new plan for each position.
import { configure, engine, ShapeError, ValueError } from '@nabla/engine'
import { manualSeed, noGrad, ones, randn, tensor, type Tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { MultiheadAttention } from './attention.ts'
import { KeyValueCache } from './keyValueCache.ts'
import { LayerNorm } from './norm.ts'
import { TransformerEncoder, TransformerEncoderLayer } from './transformer.ts'

const random = async (...shape: number[]): Promise<Tensor> => tensor(await randn(shape).data(), { shape })

function makeModel(): TransformerEncoder {
  const options = { dimFeedforward: 12, dropout: 0.1, batchFirst: true, normFirst: true }
  const model = new TransformerEncoder(() => new TransformerEncoderLayer(8, 2, options), 2, new LayerNorm(8))
  model.eval()
  return model
}

async function comparePieces(pieces: readonly number[]): Promise<number> {
  manualSeed(3)
  const model = makeModel()
  const length = pieces.reduce((sum, piece) => sum + piece, 0)
  const x = await random(3, length, 8)
  const expected = await model.forward(x, { isCausal: true }).toArray()
  const caches = model.createCaches(3, length + 2)
  const got: number[][][] = [[], [], []]
  let before = 0
  let built = 0
  for (const piece of pieces) {
    const plans = engine.statistics.plansBuilt
    const part = noGrad(() => model.forward(x.narrow(1, before, piece).detach(), { caches }))
    const values = (await part.toArray()) as number[][][]
    values.forEach((rows, i) => got[i]!.push(...rows))
    before += piece
    built += engine.statistics.plansBuilt - plans
  }
  expect(caches.map((cache) => cache.length)).toEqual([length, length])
  const flat = (values: unknown): number[] => (values as number[][][]).flat(2)
  flat(got).forEach((value, i) => expect(value).toBeCloseTo(flat(expected)[i]!, 5))
  return built
}

test('a sequence in pieces is what it is in one', async () => {
  await comparePieces([1, 1, 1, 1, 1])
  await comparePieces([4, 3, 1, 2])
})

test('a piece that is computed at once, op by op, sees the same', async () => {
  configure({ mode: 'eager' })
  try {
    await comparePieces([2, 1, 1])
  } finally {
    configure({ mode: 'lazy' })
  }
})

test('further positions need no new plan and write only themselves', async () => {
  const attention = new MultiheadAttention(8, 2, { batchFirst: true })
  const cache = attention.createCache(1, 50)
  const x = await random(1, 1, 8)
  const step = async (): Promise<void> => {
    const [output, weights] = noGrad(() => attention.forward(x, x, x, { cache }))
    expect(weights).toBeNull()
    await output.data()
  }
  await step()
  const { plansBuilt } = engine.statistics
  for (let i = 0; i < 20; i++) await step()
  expect(engine.statistics.plansBuilt).toBe(plansBuilt)
  const plan = engine.cache.plans().at(-1)!
  const writes = plan.parts.steps.filter(({ kind }) => kind === 'sliceScatter')
  expect(writes.map(({ work }) => work)).toEqual(['8', '8'])
  expect(plan.parts.writeBacks).toEqual([])
  for (const { writes: slots } of writes) expect(plan.parts.slots[slots[0]!]!.alias).toBeGreaterThanOrEqual(0)
  expect(cache.length).toBe(21)
  cache.reset()
  expect(cache.length).toBe(0)
  cache.dispose()
})

test('what does not fit is refused', () => {
  const cache = new KeyValueCache(1, 2, 3, 4, { valueFeatures: 5 })
  cache.append(ones([1, 2, 2, 4]), ones([1, 2, 2, 5]))
  expect(() => cache.append(ones([1, 2, 2, 4]), ones([1, 2, 2, 5]))).toThrow(ValueError)
  expect(() => cache.append(ones([1, 2, 1, 4]), ones([1, 2, 1, 4]))).toThrow(ShapeError)
  expect(() => cache.append(ones([1, 2, 4]), ones([1, 2, 5]))).toThrow(ShapeError)
  expect(cache.length).toBe(2)
  const attention = new MultiheadAttention(8, 2)
  const x = ones([1, 1, 8])
  const full = attention.createCache(1, 1)
  expect(() => attention.forward(x, x, x, { cache: full, needWeights: true })).toThrow(/needWeights: false/)
  expect(() => makeModel().forward(x, { caches: [full] })).toThrow(/1 caches for 2 blocks/)
})
