// R7 for routines whose rows are shared among threads: random numbers, scans, gathers. The same bits for any number.
import type { Executable, GatherSpec, RandomSpec, ScanSpec } from '@nabla/engine'
import { expect, test } from 'vitest'
import { createMemory } from '../memory.ts'
import { sameBits, startThreads } from '../testing/threads.ts'
import { Threads } from '../pool/threads.ts'
import { createIndexed } from './indexed.ts'
import { createRandom } from './random.ts'
import { createScan } from './scan.ts'

const memory = createMemory()
const words = 48_000
const source = memory.allocate(4 * words)
const index = memory.allocate(4 * words)
const out = memory.allocate(8 * words)
for (let i = 0; i < words; i++) {
  memory.float32[source / 4 + i] = Math.sin(i * 12.9898) * 3
  memory.int32[index / 4 + i] = (i * 7919) % 200
}

const gather = (sizes: readonly number[], indexStrides: readonly number[]): GatherSpec => ({
  name: 'gather',
  dtype: 'float32',
  op: 'indexSelect',
  sizes,
  source: { offset: 0, strides: [0, 1] },
  index: { offset: 0, strides: indexStrides },
  out: { offset: 0, strides: [sizes[1]!, 1] },
  step: 200,
  limit: 200,
  slots: [0, 1, 2],
})

const random = (distribution: RandomSpec['distribution'], dtype: RandomSpec['dtype']): RandomSpec => {
  return { name: 'random', distribution, dtype, length: 30_011, numbers: [0, 1, 2, 3], slots: [2] }
}

const scan = (fn: ScanSpec['fn']): ScanSpec => {
  return { name: 'scan', fn, dtype: 'float32', rows: 97, length: 301, slots: [0, 2] }
}

/** Everything that is shared, by name. */
function executables(threads: Threads): Record<string, Executable> {
  const indexed = createIndexed(memory, threads)
  const draw = createRandom(memory, threads)
  const accumulate = createScan(memory, threads)
  return {
    'whole rows': indexed.gather(gather([211, 130], [1, 0]))!,
    'single elements': indexed.gather(gather([211, 130], [130, 1]))!,
    uniform: draw(random('uniform', 'float32'))!,
    'uniform float64': draw(random('uniform', 'float64'))!,
    normal: draw(random('normal', 'float32'))!,
    'normal float64': draw(random('normal', 'float64'))!,
    'running sums': accumulate(scan('sum'))!,
    'running maxima': accumulate(scan('max'))!,
  }
}

test('routines have the same bits with any number of threads', { timeout: 120_000 }, async () => {
  const run = (executable: Executable): Int32Array => {
    memory.int32.fill(-1, out / 4, out / 4 + 2 * words)
    executable.run([source, index, out], [0xdeadbeef, 3, 0x80000001, 0xfffffff0])
    return memory.int32.slice(out / 4, out / 4 + 2 * words)
  }
  const wanted = Object.values(executables(new Threads(memory, { count: 1 }))).map(run)
  for (const result of wanted) expect(result.some((word) => word !== -1)).toBe(true)
  for (const count of [2, 3, 4]) {
    const threads = await startThreads(memory, count)
    for (const [i, [name, executable]] of Object.entries(executables(threads)).entries()) {
      const before = threads.all
      expect(sameBits([run(executable)], [wanted[i]!]), `${name} on ${count} threads`).toBe(true)
      expect(threads.all, `${name} was shared`).toBeGreaterThan(before)
    }
    expect(threads.own).toBeLessThan(threads.all)
    threads.stop()
  }
})
