// Browser tests must run on an isolated page: without it no memory can be shared, and threads would go untested unnoticed.
import { expect, test } from 'vitest'

test('the page is isolated and shares memory', () => {
  expect(crossOriginIsolated).toBe(true)
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true })
  expect(memory.buffer).toBeInstanceOf(SharedArrayBuffer)
})
