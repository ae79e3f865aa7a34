// What threads note for profiles, in Node and in browsers, where every worker has a clock that begins with it.
import { expect, test } from 'vitest'
import { createKernelCache } from '../compile.ts'
import { createMemory } from '../memory.ts'
import { softmax } from '../testing/kernels.ts'
import { runThreaded, startThreads } from '../testing/threads.ts'

/** Milliseconds by which the clocks of two threads of a browser may differ. */
const coarse = 0.2

test('every thread reports its chunks within the time of the launch, and none when nobody watches', async () => {
  const memory = createMemory()
  const cache = createKernelCache(memory)
  const threads = await startThreads(memory, 3)
  const chunks: { thread: number; begin: number; end: number }[] = []
  const watch = () => threads.watch((thread, begin, end) => chunks.push({ thread, begin, end }))
  watch()
  const begun = performance.now()
  // On a busy machine a worker may sleep through a launch.
  for (let i = 0; i < 2000 && new Set(chunks.map(({ thread }) => thread)).size < 3; i++) {
    chunks.length = 0
    runThreaded(memory, cache, threads, softmax(201, 40))
  }
  const ended = performance.now()
  expect([...new Set(chunks.map(({ thread }) => thread))].sort()).toEqual([0, 1, 2])
  expect(chunks).toHaveLength(29) // 201 rows, 7 at a time
  for (const { begin, end } of chunks) {
    expect(begin).toBeGreaterThanOrEqual(begun - coarse)
    expect(end).toBeGreaterThanOrEqual(begin)
    expect(end).toBeLessThanOrEqual(ended + coarse)
  }
  for (const thread of [0, 1, 2]) {
    const own = chunks.filter((chunk) => chunk.thread === thread)
    own.forEach(({ begin }, i) => expect(begin).toBeGreaterThanOrEqual(own[i - 1]?.end ?? begin))
  }
  threads.watch(null)
  chunks.length = 0
  runThreaded(memory, cache, threads, softmax(201, 40))
  expect(chunks).toEqual([])
  threads.stop()
})
