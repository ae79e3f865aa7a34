// Generated kernels through this package's assembler and through a general text assembler: the same bytes.
import { expect, test } from 'vitest'
import { compile } from 'watr'
import { namedKernels } from '../testing/kernels.ts'
import type { TestLaunch } from '../testing/launches.ts'
import { randomKernel } from '../testing/random-kernels.ts'
import { assemble } from '../wat/assembler.ts'
import { printWat } from '../wat/print.ts'
import { chooseArrangement } from './arrange.ts'
import { emitKernel } from './emit.ts'

function expectSameBytes({ launch }: TestLaunch): void {
  const arrangement = chooseArrangement(launch.kernel, launch.sizes)
  const limits = { minimum: 1, maximum: 65_536, shared: true }
  const { module } = emitKernel(launch.kernel, arrangement, limits)
  // Compared as text: a mismatch of long arrays would be printed element by element.
  expect(hex(assemble(module))).toBe(hex(compile(printWat(module))))
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

for (const [name, launch] of Object.entries(namedKernels())) {
  test(`${name} is assembled to the bytes of a general assembler`, () => expectSameBytes(launch))
}

test('so are random kernels', () => {
  for (let seed = 0; seed < 25; seed++) expectSameBytes(randomKernel(seed))
})
