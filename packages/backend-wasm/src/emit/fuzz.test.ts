// Random kernels, the same ones each time, against the interpreter. A failing one is named by its seed.
import { expect, test } from 'vitest'
import { firstDifference } from '../testing/compare.ts'
import { randomColumns, randomKernel } from '../testing/random-kernels.ts'
import { chooseArrangement } from './arrange.ts'

const count = 400

test(`${count} random kernels agree with the interpreter`, { timeout: 60_000 }, async () => {
  for (let seed = 0; seed < count; seed++) {
    const kernel = randomKernel(seed)
    expect(await firstDifference(kernel, kernel.tolerance), `seed ${seed}`).toBeNull()
  }
})

test(
  '60 random sums of columns agree with the interpreter, many of them swept',
  { timeout: 60_000 },
  async () => {
    let swept = 0
    for (let seed = 0; seed < 60; seed++) {
      const kernel = randomColumns(seed)
      if (chooseArrangement(kernel.launch.kernel, kernel.launch.sizes).form === 'sweep') swept += 1
      expect(await firstDifference(kernel, kernel.tolerance), `seed ${seed}`).toBeNull()
    }
    expect(swept).toBeGreaterThan(15)
  },
)
