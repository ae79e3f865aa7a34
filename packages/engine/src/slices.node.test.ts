import { expect, test } from 'vitest'
import { breathe } from './slices.ts'

test('a timer that is due runs before a breath is over', async () => {
  let ran = false
  setTimeout(() => (ran = true), 0)
  const until = performance.now() + 5
  while (performance.now() < until);
  await breathe()
  await breathe()
  expect(ran).toBe(true)
})

test('without setImmediate, as in browsers', async () => {
  const { setImmediate: immediate } = globalThis
  try {
    Object.defineProperty(globalThis, 'setImmediate', {
      value: undefined,
      configurable: true,
      writable: true,
    })
    let ran = false
    setTimeout(() => (ran = true), 0)
    for (let i = 0; i < 1000 && !ran; i++) await breathe()
    expect(ran).toBe(true)
  } finally {
    globalThis.setImmediate = immediate
  }
})
