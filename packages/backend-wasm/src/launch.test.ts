// Launches as threads will run them: in parts, in any order, with the same bits as at once; and what they hold and free.
import { BackendError, call, type TypedArray } from '@nabla/engine'
import { expect, test } from 'vitest'
import { createKernelCache } from './compile.ts'
import { prepareLaunch } from './launch.ts'
import { createMemory } from './memory.ts'
import { Threads } from './pool/threads.ts'
import { LaunchBuilder, type TestLaunch } from './testing/launches.ts'
import { namedKernels, softmax } from './testing/kernels.ts'

const memory = createMemory()
const cache = createKernelCache(memory)
const threads = new Threads(memory, { count: 1 })

/** Runs the items of a launch in parts of `part` items, the last one first. */
function runInParts(
  { launch, buffers, numbers }: TestLaunch,
  part: number,
): { items: number; results: TypedArray[] } {
  const places = buffers.map(({ data }) => memory.allocate(8 * data.length))
  buffers.forEach(({ dtype, data }, i) => {
    if (dtype === 'float32') memory.float32.set(data, places[i]! / 4)
    else if (dtype === 'float64') memory.float64.set(data, places[i]! / 8)
    else memory.int32.set(data, places[i]! / 4)
  })
  const prepared = prepareLaunch(memory, cache, threads, launch)
  prepared.bind(places, numbers)
  for (let from = Math.floor((prepared.items - 1) / part) * part; from >= 0; from -= part) {
    prepared.runItems(from, Math.min(prepared.items, from + part))
  }
  // As words: bits are compared, not numbers.
  const results = buffers.map(({ dtype, data }, i) => {
    const bytes = dtype === 'float64' ? 8 : 4
    const words = memory.int32.slice(places[i]! / 4, places[i]! / 4 + (data.length * bytes) / 4)
    memory.release(places[i]!)
    return words
  })
  prepared.dispose()
  return { items: prepared.items, results }
}

for (const [name, launch] of Object.entries(namedKernels())) {
  test(`${name}: any split of the items gives the same bits`, () => {
    const whole = runInParts(launch, 2 ** 20)
    for (const part of [1, 2, 3]) expect(runInParts(launch, part).results).toEqual(whole.results)
  })
}

test('several of the kernels have several items', () => {
  const counts = Object.values(namedKernels()).map((launch) => runInParts(launch, 1).items)
  expect(counts.filter((count) => count > 1).length).toBeGreaterThan(8)
})

test('kernels of equal structure are compiled once, whatever their sizes', () => {
  runInParts(softmax(3, 50), 1)
  const before = cache.size
  runInParts(softmax(11, 23), 1)
  runInParts(softmax(2, 1000), 1)
  expect(cache.size).toBe(before)
  // Short rows are walked in another way; that makes two forms, not one for each length.
  runInParts(softmax(11, 6), 1)
  const withShort = cache.size
  for (let length = 2; length < 12; length++) runInParts(softmax(30, length), 1)
  expect(cache.size).toBe(withShort)
})

test('a launch frees its parameters', () => {
  const before = memory.bytes.inUse
  runInParts(softmax(3, 8), 1)
  expect(memory.bytes.inUse).toBe(before)
})

test('an axis that cannot be counted is refused', () => {
  const b = new LaunchBuilder([], [2 ** 30])
  const x = b.input('float32', [1], { strides: [0] })
  b.row(b.output('float32', 1, { strides: [0] }), b.reduce('sum', call('neg', x)))
  expect(() => prepareLaunch(memory, cache, threads, b.build().launch)).toThrow(BackendError)
})
