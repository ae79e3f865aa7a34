import { expect, test } from 'vitest'
import type { ThreadReport } from '../backend.ts'
import { setBackend, startProfile } from '../control.ts'
import { engine } from '../engine.ts'
import { createInterpreter } from '../interpreter/index.ts'
import type { Node } from '../node.ts'
import { host, map, matmul, reduce, softmax } from '../plan/testing.ts'
import type { TraceEvent } from './events.ts'

setBackend(createInterpreter())

const product = (): Node =>
  matmul(
    host([4, 6], () => 1),
    host([6, 5], () => 2),
  )
const timed = (events: readonly TraceEvent[]): TraceEvent[] => events.filter(({ ph }) => ph === 'X')
const names = (events: readonly TraceEvent[]): string[] => timed(events).map(({ name }) => name)

/** Whether every event lies within the one that holds it or beside it: what viewers draw as stacks. */
function nest(events: readonly TraceEvent[]): boolean {
  const ends: number[] = []
  return timed(events).every((event) => {
    const [begin, end] = [Math.round(event.ts * 1000), Math.round((event.ts + event.dur!) * 1000)]
    while (ends.length > 0 && ends.at(-1)! <= begin) ends.pop()
    const inside = ends.length === 0 || end <= ends.at(-1)!
    ends.push(end)
    return inside
  })
}

test('a profile tells of planning and of every step with its arithmetic, and is plain JSON', async () => {
  const profile = startProfile()
  await engine.read(softmax(product(), 1))
  const events = profile.stop()
  expect(JSON.parse(JSON.stringify(events))).toEqual(events)
  expect(names(events)).toEqual([
    'flush',
    'trace',
    'build',
    'bind inputs',
    'contract 1x4x5x6',
    'max sub exp sum div',
    'read out',
  ])
  const contract = events.find(({ name }) => name.startsWith('contract'))!
  expect(contract.args).toMatchObject({ step: 0, kind: 'contract', work: '1x4x5x6', flops: 2 * 4 * 5 * 6 })
  expect(contract.args!['bytes']).toBe(4 * (24 + 30 + 20))
  const rate = contract.args!['GFLOP/s'] as number
  if (contract.dur! > 0) expect(rate).toBeCloseTo(240 / contract.dur! / 1e3, 3)
  const rows = events.filter(({ ph }) => ph === 'M')
  expect(rows).toMatchObject([{ name: 'thread_name', tid: 0, args: { name: 'the thread that calls' } }])
})

test('events nest, and a structure that is known is looked up', async () => {
  const profile = startProfile()
  for (let i = 0; i < 3; i++) await engine.read(reduce('sum', product(), [0]))
  const events = profile.stop()
  expect(nest(events)).toBe(true)
  expect(names(events).filter((name) => name === 'build' || name === 'look up')).toEqual([
    'build',
    'look up',
    'look up',
  ])
  const flushes = events.filter(({ name }) => name === 'flush')
  const steps = events.filter(({ cat }) => cat === 'step')
  expect(steps).toHaveLength(6)
  for (const step of steps) {
    expect(flushes.some(({ ts, dur }) => ts <= step.ts && step.ts + step.dur! <= ts + dur!)).toBe(true)
  }
})

test('profiles overlap, and each has what happened between its begin and its end', async () => {
  const long = startProfile()
  await engine.read(product())
  const short = startProfile()
  await engine.read(product())
  const inner = short.stop()
  await engine.read(product())
  const outer = long.stop()
  const flushes = (events: readonly TraceEvent[]): number =>
    events.filter(({ name }) => name === 'flush').length
  expect([flushes(inner), flushes(outer)]).toEqual([1, 3])
})

test('a flush that fails leaves a profile that still nests', async () => {
  const profile = startProfile()
  const failing = { ...createInterpreter(), name: 'failing' }
  setBackend({
    ...failing,
    kernel: () => ({
      run: () => {
        throw new RangeError('no')
      },
      dispose: () => {},
    }),
  })
  await expect(engine.read(map('sqrt', host([2], [1, 2])))).rejects.toThrow('no')
  setBackend(createInterpreter())
  await engine.read(product())
  const events = profile.stop()
  expect(nest(events)).toBe(true)
  expect(events.filter(({ name }) => name === 'flush')).toHaveLength(1)
})

test('threads are watched while a profile is taken, on whichever backend computes, and not longer', async () => {
  const watching = (name: string) => {
    const log: (ThreadReport | null)[] = []
    const interpreter = createInterpreter()
    // Says of every kernel that a worker did half of it.
    const backend = {
      ...interpreter,
      name,
      watch: (report: ThreadReport | null) => void log.push(report),
      kernel: (launch: Parameters<typeof interpreter.kernel>[0]) => {
        const kernel = interpreter.kernel(launch)
        const run: typeof kernel.run = (places, numbers) => {
          const begin = performance.now()
          kernel.run(places, numbers)
          log.at(-1)?.(1, begin, performance.now())
        }
        return { ...kernel, run }
      },
    }
    return { log, backend }
  }
  const [first, second] = [watching('first'), watching('second')]
  setBackend(first.backend)
  const profile = startProfile()
  expect(first.log).toEqual([expect.any(Function)])
  setBackend(second.backend)
  expect(first.log.at(-1)).toBeNull()
  await engine.read(map('cos', host([3], [1, 2, 3])))
  const events = profile.stop()
  expect(second.log.at(-1)).toBeNull()
  expect(events).toContainEqual(expect.objectContaining({ name: 'cos', cat: 'chunk', tid: 1 }))
  expect(events).toContainEqual(expect.objectContaining({ tid: 1, args: { name: 'worker 1' } }))
  setBackend(createInterpreter())
})
