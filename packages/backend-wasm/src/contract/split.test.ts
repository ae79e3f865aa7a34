// How contractions are cut: every element belongs to one part, and parts are of a size that pays.
import { expect, test } from 'vitest'
import { planContract, type ContractPlan } from './plan.ts'
import { partsOf } from './split.ts'
import { randomCase, seeded } from './testing.ts'

function planOf(batch: number, m: number, n: number, k: number): ContractPlan {
  const sizes = { batch: [batch], m: [m], n: [n], k: [k] }
  return planContract(randomCase(sizes, 'float32', seeded(batch + m + n + k)).spec)
}

test('parts cover every element once', () => {
  const random = seeded(1)
  for (let i = 0; i < 40; i++) {
    const plan = planOf(1 + random(12), 1 + random(400), 1 + random(400), 1 + random(300))
    const { batch, m, n } = plan
    const covered = new Uint8Array(batch * m * n)
    for (const part of partsOf(plan)) {
      for (let b = part.batchFrom; b < part.batchTo; b++) {
        for (let row = part.mFrom; row < part.mTo; row++) {
          const start = (b * m + row) * n
          for (let column = part.nFrom; column < part.nTo; column++) covered[start + column]!++
        }
      }
    }
    expect(
      covered.every((count) => count === 1),
      `${batch} ${m} ${n}`,
    ).toBe(true)
  }
})

test('small products are left whole, large ones are cut in up to eight parts', () => {
  const count = (batch: number, m: number, n: number, k: number): number =>
    partsOf(planOf(batch, m, n, k)).length
  expect(count(1, 30, 30, 30)).toBe(1)
  expect(count(1, 64, 64, 64)).toBe(2)
  expect(count(1, 512, 300, 512)).toBe(4)
  expect(count(1, 2048, 512, 64)).toBe(8)
  expect(count(2, 2048, 512, 64)).toBe(8)
  expect(count(64, 64, 64, 64)).toBe(8)
})
