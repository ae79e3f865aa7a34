// `cblas_sgemm` and `cblas_dgemm` of a native library as functions that generated code imports. Every thread makes them for
// itself, on the main thread and in workers alike; addresses are those of the WebAssembly memory, which the library reads
// and writes in place. Bundled into the worker. Not here: which library (library.ts), when to call it (plan.ts).
// Read next: code.ts, which calls them.
import { BackendError } from '@nabla/engine'
import type * as Koffi from 'koffi'

/** Where a thread finds what it needs: the main file of koffi, and the library. Plain data, so that workers can be told. */
export interface BlasPlace {
  readonly koffi: string
  readonly library: string
}

/** Names of the imports, which are those of the library's functions. */
export const gemmNames = { float32: 'cblas_sgemm', float64: 'cblas_dgemm' } as const

type GemmName = (typeof gemmNames)[keyof typeof gemmNames]

/**
 * C = A B + beta C, row-major: A is [m, k], or [k, m] if `transposeA` is 1; B is [k, n], or [n, k] if `transposeB` is 1.
 * Addresses are bytes of the WebAssembly memory, strides are elements from one row to the next. Gives 0.
 */
export type Gemm = (
  transposeA: number,
  transposeB: number,
  m: number,
  n: number,
  k: number,
  a: number,
  aStride: number,
  b: number,
  bStride: number,
  beta: number,
  c: number,
  cStride: number,
) => number

/** Whether an import is one of these functions. */
export function isGemm(name: string): name is GemmName {
  return name === gemmNames.float32 || name === gemmNames.float64
}

// Values of CBLAS_LAYOUT and CBLAS_TRANSPOSE.
const rowMajor = 101
const plain = 111

/**
 * Tries both functions on a small product: an interface that is not the expected one shows.
 * @throws BackendError when a result is wrong
 */
export function tryGemm(place: BlasPlace): void {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 })
  for (const [name, Numbers] of [
    [gemmNames.float32, Float32Array],
    [gemmNames.float64, Float64Array],
  ] as const) {
    const numbers = new Numbers(memory.buffer)
    numbers.set([1, 2, 3, 4, 5, 6, 7, 8])
    const at = (index: number): number => index * Numbers.BYTES_PER_ELEMENT
    makeGemm(memory, place, name)(0, 0, 2, 2, 2, at(0), 2, at(4), 2, 0, at(8), 2)
    const result = numbers.subarray(8, 12).join()
    if (result === '19,22,43,50') continue
    throw new BackendError(
      `useBlas: ${name} of ${place.library} gives ${result} where 19,22,43,50 is right: its integers may have 64 bits`,
    )
  }
}

/** One of the functions, for this thread. */
export function makeGemm(memory: WebAssembly.Memory, place: BlasPlace, name: GemmName): Gemm {
  const { createRequire } = globalThis.process.getBuiltinModule('node:module')
  const koffi = createRequire(place.koffi)(place.koffi) as typeof Koffi
  const real = name === gemmNames.float32 ? 'float' : 'double'
  const call = koffi
    .load(place.library)
    .func(
      `void ${name}(int layout, int transA, int transB, int m, int n, int k, ${real} alpha, uintptr_t a, int lda, ` +
        `uintptr_t b, int ldb, ${real} beta, uintptr_t c, int ldc)`,
    )
  let buffer: ArrayBufferLike | null = null
  let start = 0
  return (transposeA, transposeB, m, n, k, a, aStride, b, bStride, beta, c, cStride) => {
    // Engines reserve all addresses a memory may ever need, so it should not move when it grows; nothing promises it.
    if (buffer !== memory.buffer) {
      buffer = memory.buffer
      start = Number(koffi.address(new Uint8Array(buffer)))
    }
    const [transA, transB] = [plain + transposeA, plain + transposeB]
    call(
      rowMajor,
      transA,
      transB,
      m,
      n,
      k,
      1,
      start + a,
      aStride,
      start + b,
      bStride,
      beta,
      start + c,
      cStride,
    )
    return 0
  }
}
