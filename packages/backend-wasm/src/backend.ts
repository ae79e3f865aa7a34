// The WebAssembly backend: engine launches and routines on one WebAssembly memory, whose byte addresses are its places.
// This file holds no arithmetic. Kernels are generated (emit/), compiled (compile.ts) and bound to sizes (launch.ts);
// routines are hand-written (routines/, contract/); memory.ts owns the bytes; pool/ shares work among threads.
import {
  BackendError,
  type ArenaSlot,
  type Backend,
  type Executable,
  type Launch,
  type Place,
} from '@nabla/engine'
import { createBlasContract } from './blas/contraction.ts'
import { tryGemm } from './blas/gemm.ts'
import type { ProductLibrary } from './blas/library.ts'
import { createKernelCache } from './compile.ts'
import { prepareLaunch } from './launch.ts'
import { createMemory, type MemoryOptions } from './memory.ts'
import { Threads } from './pool/threads.ts'
import { wasmRoutines } from './routines/index.ts'

/** Options of {@link createWasmBackend}. */
export interface WasmBackendOptions {
  /** Upper limit of device memory in bytes. Default: 4 GiB, the most that 32-bit addresses reach. */
  readonly maximumBytes?: number
  /** Pass false to refuse memory that threads can share. */
  readonly sharedMemory?: boolean
  /**
   * Threads to use, the calling one included. Default: `NABLA_THREADS`, or one for each processor, at most eight. Workers
   * start when there is work that gains from them. Results do not depend on the number.
   */
  readonly threads?: number
  /**
   * Where a browser finds a script with the text {@link workerSource}: for pages whose Content-Security-Policy forbids
   * workers from blob URLs.
   */
  readonly workerUrl?: string | URL
}

/** This backend, as a native library joins it. */
export interface WasmBackend extends Backend {
  /**
   * Hands products to a library, from the next plan on; `@nabla/backend-wasm/blas` calls this.
   * @throws BackendError when the library computes something else
   */
  useProducts(library: ProductLibrary): void
  /** Notes why there is no library, for `info().notes`. */
  missProducts(reason: string): void
}

/**
 * A backend with a memory of its own, which grows on demand. Nothing is compiled yet: kernels are, when first launched.
 * @throws BackendError where the platform has no WebAssembly memory or no SIMD, ValueError for an impossible `threads`
 */
export function createWasmBackend(options: WasmBackendOptions = {}): WasmBackend {
  requireSimd()
  const memoryOptions: { -readonly [Key in keyof MemoryOptions]: MemoryOptions[Key] } = {}
  if (options.maximumBytes !== undefined) memoryOptions.maximumBytes = options.maximumBytes
  if (options.sharedMemory !== undefined) memoryOptions.shared = options.sharedMemory
  const memory = createMemory(memoryOptions)
  const threads = new Threads(memory, { count: options.threads, workerUrl: options.workerUrl })
  const kernels = createKernelCache(memory)
  const kernel = (launch: Launch): Executable => prepareLaunch(memory, kernels, threads, launch)
  const webAssembly = wasmRoutines(memory, threads, kernel)
  let routines: Backend['routines'] = webAssembly
  let library: ProductLibrary | null = null
  let libraryNotes: readonly string[] = []
  let arena: { readonly place: Place; readonly bytes: number } | null = null
  let placesInArena = new WeakMap<readonly ArenaSlot[], readonly Place[]>()

  return {
    name: 'wasm',
    // Arguments cost a pointer each in every loop; beyond these numbers a kernel would only spill registers.
    limits: {
      args: 32,
      outputs: 16,
      bytes: memory.maximumBytes,
      dtypes: ['float32', 'float64', 'int32', 'bool'],
      sync: true,
    },
    claims: (routine, dtype) =>
      routine === 'sliceScatter' ||
      ((routine === 'attention' || routine === 'attentionGradient') && dtype === 'float32'),
    get routines() {
      return routines
    },
    epilogues: true,
    info() {
      return {
        name: 'wasm',
        threads: threads.running,
        notes: [...threads.notes, ...libraryNotes],
        ...(library === null ? {} : { library: library.description }),
        bytes: memory.bytes,
        compiled: kernels.size,
      }
    },
    threads: (count) => threads.set(count),
    watch: (report) => threads.watch(report),
    useProducts(given) {
      tryGemm(given.place)
      library = given
      libraryNotes = given.notes
      threads.provide(given.place)
      const usual = webAssembly.contract!
      routines = { ...webAssembly, contract: createBlasContract(memory, threads, given, usual, kernel) }
    },
    missProducts(reason) {
      if (library === null) libraryNotes = [`no native library for products: ${reason}`]
    },
    allocate: (bytes) => memory.allocate(bytes),
    release: (place) => memory.release(place),
    reserve(slots, bytes) {
      if (arena === null || arena.bytes < bytes) {
        // Released first, so that a larger arena may take its place instead of lying beside it.
        if (arena !== null) memory.release(arena.place)
        arena = null
        arena = { place: memory.allocate(bytes), bytes }
        placesInArena = new WeakMap()
      }
      let places = placesInArena.get(slots)
      if (places === undefined) {
        const { place } = arena
        places = slots.map((slot) => place + slot.offset)
        placesInArena.set(slots, places)
      }
      return places
    },
    kernel,
    write(place, dtype, data) {
      switch (dtype) {
        case 'float32':
          return memory.float32.set(data, place / 4)
        case 'float64':
          return memory.float64.set(data, place / 8)
        case 'int32':
          return memory.int32.set(data, place / 4)
        case 'bool': {
          const words = memory.int32
          const first = place / 4
          for (let i = 0; i < data.length; i++) words[first + i] = data[i] !== 0 ? 1 : 0
        }
      }
    },
    read(place, dtype, length) {
      switch (dtype) {
        case 'float32':
          return memory.float32.slice(place / 4, place / 4 + length)
        case 'float64':
          return memory.float64.slice(place / 8, place / 8 + length)
        case 'int32':
          return memory.int32.slice(place / 4, place / 4 + length)
        case 'bool':
          return Uint8Array.from(memory.int32.subarray(place / 4, place / 4 + length))
      }
    },
    copy(from, to, bytes) {
      memory.uint8.copyWithin(to, from, from + bytes)
    },
  }
}

/** The smallest module with a vector instruction: `() -> v128.const 0, drop`. */
const simdModule = [
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00, 0x03, 0x02, 0x01, 0x00,
  0x0a, 0x17, 0x01, 0x15, 0x00, 0xfd, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x1a, 0x0b,
]

function requireSimd(): void {
  if (typeof WebAssembly === 'object' && WebAssembly.validate(new Uint8Array(simdModule))) return
  throw new BackendError(
    'this platform has no WebAssembly with 128-bit SIMD: use Node 16.4, Chrome 91, Firefox 89, Safari 16.4 or newer',
  )
}
