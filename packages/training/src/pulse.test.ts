import { expect, test } from 'vitest'
import { Pulse } from './pulse.ts'

test('a pulse beats once per interval', async () => {
  const pulse = new Pulse(20)
  expect(pulse.beats()).toBe(false)
  await new Promise((resolve) => setTimeout(resolve, 40))
  expect([pulse.beats(), pulse.beats()]).toEqual([true, false])
})
