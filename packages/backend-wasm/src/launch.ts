// A launch as an executable: its parameter block is filled once, and each run writes only what changes: where the
// arguments lie and the numbers. The block stays where it is until the executable is disposed of, so threads can be handed
// its address and a range of items each. Read next: pool/threads.ts, which decides whether they are.
import { BackendError, bytesOf, type DType, type Executable, type Launch, type Place } from '@nabla/engine'
import type { CompiledKernel, KernelCache } from './compile.ts'
import type { DeviceMemory } from './memory.ts'
import type { SharedWork, Threads } from './pool/threads.ts'

/** Elements along one axis that a kernel can count: its vector loops count bytes of 4-byte elements in 32 bits. */
const longestAxis = 2 ** 30 - 2 ** 15

/** A launch that can be run in parts. */
export interface PreparedLaunch extends Executable {
  /** Items there are. They do not depend on each other. */
  readonly items: number
  /** Writes down where the slots lie and what the numbers are, for the calls of `runItems` that follow. */
  bind(places: readonly Place[], numbers: ArrayLike<number>): void
  /** Does items `from` to `to`. */
  runItems(from: number, to: number): void
}

/** Prepares a launch. @throws BackendError when an axis is too long or no memory is left for the parameters */
export function prepareLaunch(
  memory: DeviceMemory,
  cache: KernelCache,
  threads: Threads,
  launch: Launch,
): PreparedLaunch {
  const { kernel } = launch
  const tooLong = launch.sizes.find((size) => size > longestAxis)
  if (tooLong !== undefined) {
    throw new BackendError(`a kernel cannot walk an axis of ${tooLong} elements; at most ${longestAxis}`)
  }
  const compiled = cache.find(kernel, launch.sizes)
  const { layout, arrangement } = compiled
  const items = compiled.itemCount(arrangement.axes.map((axis) => (axis < 0 ? 1 : launch.sizes[axis]!)))
  const block = memory.allocate(layout.bytes)
  writeStructure(memory, compiled, launch, block)
  const positions = launch.sizes.reduce((count, size) => count * size, 1)
  const nanoseconds = positions * compiled.nanosecondsPerPosition
  const chunks = threads.chunksFor(items, nanoseconds)
  const work: SharedWork = {
    code: compiled.code,
    param: block,
    items,
    chunks,
    scratchBytes: compiled.scratchBytes,
  }

  // What to patch at a run: a word for each base, and for each number.
  const bases = kernel.args.flatMap(({ role, dtype }, arg) => {
    if (role === 'position') return []
    const offset = launch.accesses[arg]!.offset * bytesOf(dtype)
    return [{ word: (block + layout.base(arg)) >>> 2, slot: launch.slots[arg]!, offset }]
  })
  const numbers = kernel.numbers.map((dtype, i) => {
    return { dtype, address: block + layout.number(i), index: launch.numbers[i]! }
  })

  const bind = (places: readonly Place[], values: ArrayLike<number>): void => {
    const words = memory.int32
    for (const { word, slot, offset } of bases) words[word] = places[slot]! + offset
    for (const { dtype, address, index } of numbers) writeNumber(memory, dtype, address, values[index]!)
  }
  const runItems = (from: number, to: number): void => {
    try {
      compiled.code.run(block, from, to, threads.ownScratch(compiled.scratchBytes))
    } catch (cause) {
      throw new BackendError(`a kernel failed: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      })
    }
  }
  return {
    items,
    bind,
    runItems,
    run(places, values) {
      if (items === 0) return
      bind(places, values)
      if (chunks > 1 && threads.areWorth(nanoseconds)) threads.runShared(work)
      else runItems(0, items)
    },
    dispose() {
      memory.release(block)
    },
  }
}

/** Sizes and strides, in the order in which the kernel walks its axes. */
function writeStructure(memory: DeviceMemory, compiled: CompiledKernel, launch: Launch, block: number): void {
  const { layout, arrangement } = compiled
  const words = memory.int32
  arrangement.axes.forEach((axis, i) => {
    words[(block + layout.size(i)) >>> 2] = axis < 0 ? 1 : launch.sizes[axis]!
  })
  launch.kernel.args.forEach(({ role, dtype }, arg) => {
    const { offset, strides } = launch.accesses[arg]!
    const unit = role === 'position' ? 1 : bytesOf(dtype)
    words[(block + layout.base(arg)) >>> 2] = offset
    arrangement.axes.forEach((axis, i) => {
      words[(block + layout.stride(arg, i)) >>> 2] = axis < 0 ? 0 : strides[axis]! * unit
    })
  })
}

/** Writes a number of a launch where its kernel reads it. */
export function writeNumber(memory: DeviceMemory, dtype: DType, address: number, value: number): void {
  switch (dtype) {
    case 'float32':
      memory.float32[address >>> 2] = value
      return
    case 'float64':
      memory.float64[address / 8] = value
      return
    case 'int32':
      memory.int32[address >>> 2] = value
      return
    case 'bool':
      memory.int32[address >>> 2] = value !== 0 ? 1 : 0
      return
  }
}
