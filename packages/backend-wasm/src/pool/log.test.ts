// What threads note for profiles, in Node and in browsers, where every worker has a clock that begins with it.
import { expect, test } from 'vitest'
import { createKernelCache } from '../compile.ts'
import { createMemory } from '../memory.ts'
import { softmax } from '../testing/kernels.ts'
import { runThreaded, startThreads, until } from '../testing/threads.ts'

/** Milliseconds by which the clocks of two threads of a browser may differ. */
const coarse = 0.2

test('every thread reports its chunks within the time of the launch, and none when nobody watches', async () => {
  const memory = createMemory()
  const cache = createKernelCache(memory)
  const threads = await startThreads(memory, 3)
  const chunks: { thread: number; begin: number; end: number }[] = []
  threads.watch((thread, begin, end) => chunks.push({ thread, begin, end }))
  const seen = new Set<number>()
  const launch = softmax(201, 40)
  // On a busy machine a worker may sleep through many launches.
  await until(() => {
    chunks.length = 0
    const begun = performance.now()
    runThreaded(memory, cache, threads, launch)
    const ended = performance.now()
    // 201 rows, 7 at a time; none where all workers sleep and the launch is not worth waking them.
    expect([0, 29]).toContain(chunks.length)
    for (const { thread, begin, end } of chunks) {
      seen.add(thread)
      expect(begin).toBeGreaterThanOrEqual(begun - coarse)
      expect(end).toBeGreaterThanOrEqual(begin)
      expect(end).toBeLessThanOrEqual(ended + coarse)
    }
    for (const one of seen) {
      const own = chunks.filter(({ thread }) => thread === one)
      own.forEach(({ begin }, i) => expect(begin).toBeGreaterThanOrEqual(own[i - 1]?.end ?? begin))
    }
    return seen.size === 3
  }, 'a chunk by each thread')
  threads.watch(null)
  chunks.length = 0
  runThreaded(memory, cache, threads, launch)
  expect(chunks).toEqual([])
  threads.stop()
})
