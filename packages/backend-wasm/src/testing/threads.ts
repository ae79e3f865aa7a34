// For tests: threads that share all there is to share however small, wait for their workers, and count who did what. The
// calling thread dawdles, or it would have done a small launch alone before a worker had looked. Not part of the API.
import type { TypedArray } from '@nabla/engine'
import type { KernelCache } from '../compile.ts'
import { prepareLaunch } from '../launch.ts'
import type { DeviceMemory } from '../memory.ts'
import { Threads, type SharedCode, type SharedWork, type ThreadOptions } from '../pool/threads.ts'
import type { TestLaunch } from './launches.ts'

/** Shares work of any size, in chunks of one item where there are few. */
export const eager = { startAfter: 0, awake: 0, asleep: 0, chunk: 1e-9 } as const

/** How long the calling thread waits before each chunk, in milliseconds. */
const dawdling = 0.03

/** Threads that count items. */
export class CountingThreads extends Threads {
  /** Items done by the calling thread, and by any, in shared work. */
  own = 0
  all = 0
  readonly #slow = new Map<SharedCode, SharedCode>()

  override runShared(work: SharedWork): void {
    this.all += work.items
    super.runShared({ ...work, code: this.#slowed(work.code) })
  }

  #slowed(code: SharedCode): SharedCode {
    let slow = this.#slow.get(code)
    if (slow === undefined) {
      slow = {
        bytes: code.bytes,
        run: (param, from, to, scratch) => {
          const end = performance.now() + dawdling
          while (performance.now() < end) continue
          this.own += to - from
          code.run(param, from, to, scratch)
        },
      }
      this.#slow.set(code, slow)
    }
    return slow
  }
}

/** `count` threads, all of them running. */
export async function startThreads(
  memory: DeviceMemory,
  count: number,
  policy: ThreadOptions['policy'] = {},
): Promise<CountingThreads> {
  const threads = new CountingThreads(memory, { count, policy: { ...eager, ...policy } })
  await allRunning(threads, count)
  return threads
}

/** Has workers started, and waits for them. */
export async function allRunning(threads: Threads, count: number): Promise<void> {
  threads.areWorth(1)
  await until(() => threads.running === count, `${count} threads`)
}

/** Waits until something holds. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 30_000
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** Whether all arrays hold the same bits. (Comparing large arrays by `toEqual` takes seconds.) */
export function sameBits(some: readonly TypedArray[], others: readonly TypedArray[]): boolean {
  return some.length === others.length && some.every((array, i) => sameBytes(array, others[i]!))
}

function sameBytes(some: TypedArray, other: TypedArray): boolean {
  const [a, b] = [some, other].map(
    (array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
  )
  return a!.length === b!.length && a!.every((byte, i) => byte === b![i])
}

/** Runs a launch once and returns the contents of all buffers as words. */
export function runThreaded(
  memory: DeviceMemory,
  cache: KernelCache,
  threads: Threads,
  { launch, buffers, numbers }: TestLaunch,
): Int32Array[] {
  const places = buffers.map(({ data }) => memory.allocate(8 * data.length))
  buffers.forEach(({ dtype, data }, i) => {
    if (dtype === 'float32') memory.float32.set(data, places[i]! / 4)
    else if (dtype === 'float64') memory.float64.set(data, places[i]! / 8)
    else memory.int32.set(data, places[i]! / 4)
  })
  const prepared = prepareLaunch(memory, cache, threads, launch)
  prepared.run(places, numbers)
  prepared.dispose()
  return buffers.map(({ data }, i) => {
    const words = wordsAt(memory, places[i]!, data)
    memory.release(places[i]!)
    return words
  })
}

function wordsAt(memory: DeviceMemory, place: number, data: TypedArray): Int32Array {
  const words = data.BYTES_PER_ELEMENT === 8 ? 2 * data.length : data.length
  return memory.int32.slice(place / 4, place / 4 + words)
}
