// Threads at work: whatever their number, results have the same bits; errors reach the caller; small programs have none.
// Kernels and contractions on 1 to 4 threads come first, then the pool itself with code made for the purpose.
import {
  backendInfo,
  BackendError,
  configure,
  setBackend,
  ValueError,
  type ContractSpec,
  type TypedArray,
} from '@nabla/engine'
import { expect, test } from 'vitest'
import { createWasmBackend } from '../backend.ts'
import { createKernelCache } from '../compile.ts'
import { planContract } from '../contract/plan.ts'
import { partsOf } from '../contract/split.ts'
import { contractOn, randomCase, randomValues, seeded, type Sizes } from '../contract/testing.ts'
import { createMemory } from '../memory.ts'
import { compileShared } from '../routines/compile.ts'
import { addTransposed, chain, columnSums, namedKernels, softmax } from '../testing/kernels.ts'
import { runLaunch } from '../testing/launches.ts'
import { randomKernel } from '../testing/random-kernels.ts'
import { allRunning, eager, runThreaded, sameBits, startThreads, until } from '../testing/threads.ts'
import { FunctionBuilder } from '../wat/builder.ts'
import { i32 } from '../wat/instructions.ts'
import type { Local } from '../wat/wat.ts'
import { Threads, type SharedCode } from './threads.ts'

const memory = createMemory()
const cache = createKernelCache(memory)
const several = [2, 3, 4] as const

test('kernels of every form have the same bits with any number of threads', async () => {
  const launches = {
    ...namedKernels(),
    'a chain of many blocks': chain(300_000),
    'many rows': softmax(201, 40),
    'many columns': columnSums(11, 3000),
    'many tiles': addTransposed(3, 90, 33),
  }
  const alone = new Threads(memory, { count: 1 })
  const wanted = Object.values(launches).map((launch) => runThreaded(memory, cache, alone, launch))
  for (const count of several) {
    const threads = await startThreads(memory, count)
    Object.entries(launches).forEach(([name, launch], i) => {
      const got = runThreaded(memory, cache, threads, launch)
      expect(sameBits(got, wanted[i]!), `${name} on ${count} threads`).toBe(true)
    })
    // The workers did part of it.
    expect(threads.own).toBeLessThan(threads.all)
    threads.stop()
  }
})

test('so have random kernels', { timeout: 120_000 }, async () => {
  const alone = new Threads(memory, { count: 1 })
  const pools = await Promise.all(several.map((count) => startThreads(memory, count)))
  for (let seed = 0; seed < 200; seed++) {
    const kernel = randomKernel(seed)
    const wanted = runThreaded(memory, cache, alone, kernel)
    for (const threads of pools) {
      expect(sameBits(runThreaded(memory, cache, threads, kernel), wanted), `seed ${seed}`).toBe(true)
    }
  }
  for (const threads of pools) {
    expect(threads.own).toBeLessThan(threads.all)
    threads.stop()
  }
})

/** Runs a contraction once and returns the words of C. */
function contractWith(
  threads: Threads,
  spec: ContractSpec,
  operands: readonly TypedArray[],
  length: number,
): Int32Array {
  const bytes = spec.dtype === 'float64' ? 8 : 4
  const places = [operands[0]!.length, operands[1]!.length, length].map((count) =>
    memory.allocate(count * bytes),
  )
  operands.forEach((data, i) => {
    if (spec.dtype === 'float64') memory.float64.set(data, places[i]! / 8)
    else if (spec.dtype === 'int32') memory.int32.set(data, places[i]! / 4)
    else memory.float32.set(data, places[i]! / 4)
  })
  memory.int32.fill(12345, places[2]! / 4, places[2]! / 4 + (length * bytes) / 4)
  const executable = contractOn(memory, threads)(spec)!
  executable.run(places, [])
  const result = memory.int32.slice(places[2]! / 4, places[2]! / 4 + (length * bytes) / 4)
  executable.dispose()
  for (const place of places) memory.release(place)
  return result
}

const products: readonly Sizes[] = [
  { batch: [], m: [150], n: [90], k: [400] },
  { batch: [], m: [70], n: [5, 60], k: [33] },
  { batch: [], m: [600], n: [24], k: [50] },
  { batch: [3], m: [64], n: [72], k: [60] },
  { batch: [11], m: [40], n: [40], k: [40] },
  { batch: [], m: [64], n: [64], k: [64] },
  { batch: [], m: [7], n: [520], k: [90] },
  { batch: [], m: [2], n: [900], k: [120] },
  { batch: [], m: [1], n: [70], k: [1000] },
  { batch: [2], m: [3], n: [333], k: [80] },
]

test('so have contractions on every path, batched or not, of every type', { timeout: 120_000 }, async () => {
  const alone = new Threads(memory, { count: 1 })
  const pools = await Promise.all(several.map((count) => startThreads(memory, count)))
  const random = seeded(11)
  const reached = new Set<string>()
  for (let round = 0; round < 6; round++) {
    for (const sizes of products) {
      const dtype = round < 4 ? 'float32' : round === 4 ? 'float64' : 'int32'
      const { spec, lengths } = randomCase(sizes, dtype, random)
      const plan = planContract(spec)
      if (partsOf(plan).length > 1) reached.add(plan.path)
      const operands = [randomValues(lengths[0], dtype, random), randomValues(lengths[1], dtype, random)]
      const wanted = contractWith(alone, spec, operands, lengths[2])
      for (const threads of pools) {
        const got = contractWith(threads, spec, operands, lengths[2])
        expect(sameBits([got], [wanted]), JSON.stringify(spec)).toBe(true)
      }
    }
  }
  expect([...reached].sort()).toEqual(['direct', 'dot', 'packed', 'row', 'strip'])
  for (const threads of pools) {
    expect(threads.own).toBeLessThan(threads.all)
    threads.stop()
  }
})

test('workers see memory that has grown since they started', async () => {
  const small = createMemory()
  const threads = await startThreads(small, 2)
  const filler = small.allocate(64 * 2 ** 20)
  const kernels = createKernelCache(small)
  const launch = softmax(64, 50)
  const wanted = runThreaded(memory, cache, new Threads(memory, { count: 1 }), launch)
  // Until the worker has done part of it.
  for (let i = 0; i < 20 || (i < 2000 && threads.own === threads.all); i++) {
    expect(sameBits(runThreaded(small, kernels, threads, launch), wanted)).toBe(true)
  }
  expect(threads.own).toBeLessThan(threads.all)
  small.release(filler)
  threads.stop()
})

/** Code whose module does `write` for each item. */
function codeOf(write: (f: FunctionBuilder, param: Local, item: Local) => void): SharedCode {
  const f = new FunctionBuilder('items', 'k')
  const [param, from, to] = ['param', 'from', 'to'].map((name) => f.param(name, 'i32')) as [
    Local,
    Local,
    Local,
  ]
  f.param('scratch', 'i32')
  f.for(from, to, 1, () => write(f, param, from))
  return compileShared(memory, [f])
}

test('tens of thousands of tiny jobs in a row, each item done exactly once', async () => {
  const threads = await startThreads(memory, 4)
  const items = 7
  const param = memory.allocate(4 * items)
  memory.int32.fill(0, param / 4, param / 4 + items)
  const code = codeOf((f, base, item) => {
    const address = f.let(i32.add(base, i32.shl(item, 2)))
    f.emit(i32.store(address, i32.add(i32.load(address), 1)))
  })
  const jobs = 20_000
  for (let i = 0; i < jobs; i++) {
    // The original, which does not dawdle.
    Threads.prototype.runShared.call(threads, { code, param, items, chunks: items, scratchBytes: 0 })
  }
  expect([...memory.int32.subarray(param / 4, param / 4 + items)]).toEqual(Array(items).fill(jobs))
  memory.release(param)
  threads.stop()
})

/** Code that fails in workers only: this thread does nothing but wait until one has begun. */
function failingInWorkers(flag: number, fail: (f: FunctionBuilder) => void): SharedCode {
  const { bytes } = codeOf((f, param) => {
    f.emit(i32.store(param, 1))
    fail(f)
  })
  const run = (): void => {
    const end = performance.now() + 10_000
    while (Atomics.load(memory.int32, flag / 4) === 0 && performance.now() < end) continue
  }
  return { bytes, run }
}

test('a trap in a worker becomes an error of the caller, and the pool works on', async () => {
  const threads = await startThreads(memory, 3)
  const param = memory.allocate(4)
  const trap = failingInWorkers(param, (f) => f.emit(['unreachable']))
  for (let i = 0; i < 3; i++) {
    memory.int32[param / 4] = 0
    const run = (): void => threads.runShared({ code: trap, param, items: 2, chunks: 2, scratchBytes: 0 })
    expect(run).toThrow(BackendError)
    memory.int32[param / 4] = 0
    expect(run).toThrow(/a kernel failed: .*unreachable/)
  }
  expect(threads.running).toBe(3)
  const launch = softmax(64, 50)
  const wanted = runThreaded(memory, cache, new Threads(memory, { count: 1 }), launch)
  expect(sameBits(runThreaded(memory, cache, threads, launch), wanted)).toBe(true)
  memory.release(param)
  threads.stop()
})

test('a worker that never finishes is given up: an error, then one thread, until threads are set again', async () => {
  const threads = await startThreads(memory, 2, { patience: 100 })
  const param = memory.allocate(4)
  memory.int32[param / 4] = 0
  const endless = failingInWorkers(param, (f) => f.doWhile(() => i32.const(1)))
  const run = (): void => threads.runShared({ code: endless, param, items: 2, chunks: 2, scratchBytes: 0 })
  expect(run).toThrow(/did not finish its part/)
  expect(threads.running).toBe(1)
  expect(threads.areWorth(1e9)).toBe(false)
  expect(threads.notes.join()).toContain('one thread: a worker was lost')
  threads.set(2)
  await allRunning(threads, 2)
  expect(threads.notes).toEqual([])
  threads.stop()
})

test('workers are woken for small jobs too, when these add up', async () => {
  const threads = await startThreads(memory, 2, { awake: 1, asleep: 3 })
  await until(() => !threads.areWorth(1), 'a worker that has gone to sleep')
  expect([0.5, 1, 0.5, 1].map((work) => threads.areWorth(work))).toEqual([false, false, false, true])
  expect([1, 1, 1].map((work) => threads.areWorth(work))).toEqual([false, false, true])
  expect(threads.areWorth(3)).toBe(true)
  threads.stop()
})

test('small programs start no workers, large ones do, and the number can be changed', async () => {
  const backend = createWasmBackend({ threads: 2 })
  const alone = createWasmBackend({ threads: 1 })
  for (let i = 0; i < 50; i++) await runLaunch(backend, chain(1000))
  expect(backend.info().threads).toBe(1)
  expect(backend.info().notes.join()).toContain('one thread so far: 2 when')
  const large = chain(400_000)
  const wanted = await runLaunch(alone, large)
  for (let i = 0; i < 5; i++) expect(sameBits(await runLaunch(backend, large), wanted)).toBe(true)
  await until(() => backend.info().threads === 2, 'the worker')
  expect(backend.info().notes).toEqual([])
  for (let i = 0; i < 5; i++) expect(sameBits(await runLaunch(backend, large), wanted)).toBe(true)
  backend.threads!(1)
  expect(backend.info().threads).toBe(1)
  expect(sameBits(await runLaunch(backend, large), wanted)).toBe(true)
  expect(backend.info().notes.join()).toContain('one thread')
  expect(alone.info().threads).toBe(1)
})

test('configure reaches the backend in use, and one that is installed later', () => {
  const [first, second] = [createWasmBackend({ threads: 3 }), createWasmBackend({ threads: 3 })]
  setBackend(first)
  configure({ threads: 1 })
  expect(backendInfo().notes.join()).toContain('one thread: no more were asked for')
  setBackend(second)
  expect(backendInfo().notes.join()).toContain('one thread: no more were asked for')
  configure({ threads: 2 })
  expect(backendInfo().notes.join()).toContain('one thread so far: 2 when')
  expect(() => configure({ threads: 0.5 })).toThrow(ValueError)
})

test('how work is cut depends on sizes alone', () => {
  const [one, four] = [1, 4].map((count) => new Threads(memory, { count }))
  for (const [items, nanoseconds, chunks] of [
    [100, 1_000, 1],
    [100, 10_000, 5],
    [3, 10_000, 3],
    [1000, 1e9, 32],
  ] as const) {
    expect(one!.chunksFor(items, nanoseconds)).toBe(chunks)
    expect(four!.chunksFor(items, nanoseconds)).toBe(chunks)
  }
})

test('memory that is not shared means one thread, and says so', async () => {
  const threads = new Threads(createMemory({ shared: false }), { count: 4, policy: eager })
  expect(threads.areWorth(1e9)).toBe(false)
  expect(threads.running).toBe(1)
  expect(threads.notes.join()).toContain('one thread: memory is not shared')
})

test('impossible numbers of threads are refused', () => {
  for (const threads of [0, -1, 1.5, NaN, 1000]) {
    expect(() => createWasmBackend({ threads })).toThrow(ValueError)
    expect(() => createWasmBackend().threads!(threads)).toThrow(ValueError)
  }
})
