// Random kernels, the same ones each time, against the interpreter. A failing one is named by its seed.
import { expect, test } from 'vitest'
import { firstDifference } from '../testing/compare.ts'
import { randomKernel } from '../testing/random-kernels.ts'

const count = 400

test(`${count} random kernels agree with the interpreter`, { timeout: 60_000 }, async () => {
  for (let seed = 0; seed < count; seed++) {
    const kernel = randomKernel(seed)
    expect(await firstDifference(kernel, kernel.tolerance), `seed ${seed}`).toBeNull()
  }
})
