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

test('small products are left whole, large ones are cut into a grid of as many parts as pay', () => {
  const grid = (batch: number, m: number, n: number, k: number): string => {
    const parts = partsOf(planOf(batch, m, n, k))
    const count = (starts: readonly number[]): number => new Set(starts).size
    const rows = count(parts.map(({ mFrom }) => mFrom))
    const columns = count(parts.map(({ nFrom }) => nFrom))
    expect(count(parts.map(({ batchFrom }) => batchFrom)) * rows * columns).toBe(parts.length)
    return `${parts.length / rows / columns} x ${rows} x ${columns}`
  }
  expect(grid(1, 30, 30, 30)).toBe('1 x 1 x 1')
  expect(grid(1, 64, 64, 64)).toBe('1 x 1 x 2')
  expect(grid(1, 128, 128, 128)).toBe('1 x 1 x 2')
  expect(grid(1, 256, 256, 256)).toBe('1 x 2 x 2')
  expect(grid(1, 512, 512, 512)).toBe('1 x 4 x 4')
  expect(grid(1, 2048, 128, 64)).toBe('1 x 16 x 1')
  expect(grid(1, 32, 512, 128)).toBe('1 x 1 x 4')
  expect(grid(2, 2048, 512, 64)).toBe('2 x 4 x 2')
  expect(grid(64, 64, 64, 64)).toBe('16 x 1 x 1')
})
