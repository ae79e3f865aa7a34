// The one WebAssembly memory in which Variables, arenas, parameter blocks and the tables of routines lie, and who owns
// which part of it. Addresses are plain byte offsets. Not here: what the bytes mean (backend.ts), which blocks are free
// (blocks.ts). The memory is shared where the platform allows it, so that threads can join later without a copy.
import { BackendError, OutOfMemoryError } from '@nabla/engine'
import { createBlocks } from './blocks.ts'

const pageBytes = 65_536
const maximumPages = 65_536

/**
 * Bytes left unused at both ends. Kernels read whole vectors at the ends of rows, up to 16 bytes past the last element,
 * and must not leave the memory there. (They never write past a row's end.)
 */
export const slackBytes = 64

/** Options of {@link createMemory}. */
export interface MemoryOptions {
  /** Upper limit in bytes. Default: 4 GiB, the most that 32-bit addresses reach. */
  readonly maximumBytes?: number
  /** Pass false to refuse shared memory even where it is allowed. */
  readonly shared?: boolean
}

/** Device memory with its allocator. */
export interface DeviceMemory {
  readonly memory: WebAssembly.Memory
  /** Whether the memory can be seen by worker threads. */
  readonly shared: boolean
  readonly maximumBytes: number
  readonly bytes: { readonly inUse: number; readonly reserved: number }
  /** The whole memory as elements. Views are made anew when it grows: fetch them here each time, do not keep them. */
  readonly float32: Float32Array
  readonly float64: Float64Array
  readonly int32: Int32Array
  readonly uint8: Uint8Array
  /** A block of at least `bytes`, aligned to 64, not cleared. @throws BackendError when there is no room */
  allocate(bytes: number): number
  /** Gives a block back. @throws BackendError when no block begins there */
  release(place: number): void
}

/** Makes a memory of its own for one backend. */
export function createMemory(options: MemoryOptions = {}): DeviceMemory {
  const shared = options.shared !== false && sharingAllowed()
  const wanted = Math.floor((options.maximumBytes ?? maximumPages * pageBytes) / pageBytes)
  const { memory, pages } = reserveAddresses(Math.max(1, Math.min(maximumPages, wanted)), shared)
  const maximumBytes = pages * pageBytes
  const blocks = createBlocks(slackBytes, memory.buffer.byteLength - slackBytes)

  let float32: Float32Array
  let float64: Float64Array
  let int32: Int32Array
  let uint8: Uint8Array
  const makeViews = (): void => {
    float32 = new Float32Array(memory.buffer)
    float64 = new Float64Array(memory.buffer)
    int32 = new Int32Array(memory.buffer)
    uint8 = new Uint8Array(memory.buffer)
  }
  makeViews()

  /** Grows by what is missing, or by a quarter where that is more, so that many small requests grow seldom. */
  const grow = (missing: number): boolean => {
    const present = memory.buffer.byteLength / pageBytes
    const needed = Math.ceil(missing / pageBytes)
    const generous = Math.min(Math.max(needed, present >> 2), pages - present)
    for (const extra of [generous, needed]) {
      if (extra < needed || present + extra > pages) continue
      try {
        memory.grow(extra)
      } catch {
        continue
      }
      makeViews()
      blocks.extend(memory.buffer.byteLength - slackBytes)
      return true
    }
    return false
  }

  return {
    memory,
    shared,
    maximumBytes,
    get bytes() {
      return { inUse: blocks.inUse, reserved: memory.buffer.byteLength }
    },
    get float32() {
      return float32
    },
    get float64() {
      return float64
    },
    get int32() {
      return int32
    },
    get uint8() {
      return uint8
    },
    allocate(bytes) {
      if (!Number.isFinite(bytes) || bytes < 0) {
        throw new BackendError(`allocate: a number of bytes cannot be ${bytes}`)
      }
      const place = blocks.take(bytes) ?? (grow(blocks.missing(bytes)) ? blocks.take(bytes) : null)
      if (place !== null) return place
      throw new OutOfMemoryError(
        `out of memory: ${bytes} bytes were asked for, ${blocks.inUse} are in use and this memory ends at ` +
          `${maximumBytes}. Use smaller batches, or dispose of Variables that are no longer needed.`,
      )
    },
    release(place) {
      blocks.giveBack(place)
    },
  }
}

/**
 * Without cross-origin isolation a page may still construct a shared memory, but may not hand it to a worker; so the
 * constructor proves nothing. Outside of browsers `crossOriginIsolated` does not exist.
 */
export function sharingAllowed(): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && globalThis.crossOriginIsolated !== false
}

/** The maximum only reserves addresses, but where even those are scarce a smaller range may still be had. */
function reserveAddresses(maximum: number, shared: boolean): { memory: WebAssembly.Memory; pages: number } {
  for (let pages = maximum; ; pages = Math.ceil(pages / 2)) {
    const initial = Math.min(pages, 16)
    try {
      return { memory: new WebAssembly.Memory({ initial, maximum: pages, shared }), pages }
    } catch (cause) {
      if (pages > 1) continue
      throw new BackendError('this platform refuses to create a WebAssembly memory', { cause })
    }
  }
}
