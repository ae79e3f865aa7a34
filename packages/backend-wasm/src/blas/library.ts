// Finds and opens a native library that computes products: a path that was asked for, the one named by `NABLA_BLAS`, or
// what is usual on the platform. Not here: what is computed by it (plan.ts), how it is called (gemm.ts).
// This file and ../blas.ts take only types from the rest of the package, so that its two entries share no code and each
// stays one file. Read next: contraction.ts.
import { BackendError } from '@nabla/engine'
import type * as Koffi from 'koffi'
import type { BlasPlace } from './gemm.ts'

/** A library that a backend can hand products to. */
export interface ProductLibrary {
  /** Version, processor type and file, in words. */
  readonly description: string
  /** What there is to know about its threads, one line each. */
  readonly notes: readonly string[]
  readonly place: BlasPlace
  /** Calls with fewer multiplications are not made. Default: where the library begins to be faster. */
  readonly smallest?: number | undefined
}

/** What a library must have. */
const functions = ['cblas_sgemm', 'cblas_dgemm']

/**
 * Libraries stay for as long as the process: one that nobody held would be closed, and begin anew, with threads of its own,
 * when it is next opened.
 */
const opened: Koffi.LibraryHandle[] = []

const installLines = [
  'Debian, Ubuntu: apt-get install libopenblas0-pthread',
  'Fedora: dnf install openblas-threads',
  'Arch: pacman -S openblas',
  'macOS: Accelerate is part of it',
  'Windows: put libopenblas.dll into a folder of PATH',
  'anywhere: useBlas({ library }) or NABLA_BLAS with the path of a library that has cblas_sgemm',
].join('\n  ')

/** Where a library usually is, best first. Bare names are looked up by the system's loader. */
export function usualLibraries(platform: string, architecture: string): readonly string[] {
  if (platform === 'darwin') {
    return [
      '/System/Library/Frameworks/Accelerate.framework/Accelerate',
      '/opt/homebrew/opt/openblas/lib/libopenblas.dylib',
      '/usr/local/opt/openblas/lib/libopenblas.dylib',
    ]
  }
  if (platform === 'win32') return ['libopenblas.dll', 'openblas.dll']
  const triplet = architecture === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'
  return [
    `/usr/lib/${triplet}/openblas-pthread/libopenblas.so.0`,
    'libopenblasp.so.0',
    'libopenblas.so.0',
    'libopenblas.so',
  ]
}

/**
 * The main file of koffi, as seen from one of the given files.
 * @throws BackendError where it is not installed
 */
export function findKoffi(from: readonly (string | URL)[]): string {
  const { createRequire } = nodeModule()
  for (const file of from) {
    try {
      return createRequire(file).resolve('koffi')
    } catch {
      continue
    }
  }
  throw new BackendError(
    'useBlas: calling a native library takes koffi, which is not installed: npm install koffi@3',
  )
}

/**
 * Opens a library. @param wanted a path, or the name of a library that the system's loader finds
 * @throws BackendError where there is no koffi, no library, or one that cannot be used
 */
export function openLibrary(wanted?: string): ProductLibrary {
  const { createRequire } = nodeModule()
  const working = `${globalThis.process.cwd()}/index.js`
  const koffiFile = findKoffi([import.meta.url, working])
  const koffi = createRequire(koffiFile)(koffiFile) as typeof Koffi
  const { env, platform, arch } = globalThis.process
  const asked = wanted ?? (env['NABLA_BLAS'] || undefined)
  const failures: string[] = []
  for (const file of asked === undefined ? usualLibraries(platform, arch) : [asked]) {
    try {
      return open(koffi, { koffi: koffiFile, library: file })
    } catch (error) {
      failures.push(`${file}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  throw new BackendError(
    `useBlas: no library could be used.\n  ${failures.join('\n  ')}\nTo install one:\n  ${installLines}`,
  )
}

function nodeModule() {
  const module = globalThis.process?.getBuiltinModule?.('node:module')
  if (module !== undefined) return module
  throw new BackendError('useBlas: native libraries can be called from Node alone')
}

function open(koffi: typeof Koffi, place: BlasPlace): ProductLibrary {
  const library = withoutItsThreads(() => koffi.load(place.library))
  for (const name of functions) if (!has(library, name)) throw new Error(`has no ${name}`)
  const { name, notes } = describe(library, place.library)
  opened.push(library)
  return { description: `${name}, ${place.library}`, notes, place }
}

/** OpenBLAS starts threads when it is loaded, unless told not to. We bring our own. */
function withoutItsThreads<Result>(load: () => Result): Result {
  const { env } = globalThis.process
  const before = env['OPENBLAS_NUM_THREADS']
  env['OPENBLAS_NUM_THREADS'] = '1'
  try {
    return load()
  } finally {
    if (before === undefined) delete env['OPENBLAS_NUM_THREADS']
    else env['OPENBLAS_NUM_THREADS'] = before
  }
}

function has(library: Koffi.LibraryHandle, name: string): boolean {
  try {
    library.symbol(name, 'void *')
    return true
  } catch {
    return false
  }
}

function describe(library: Koffi.LibraryHandle, file: string): { name: string; notes: readonly string[] } {
  if (!has(library, 'openblas_get_config')) {
    if (file.includes('Accelerate')) {
      const note = 'Accelerate uses threads and units of its own: bits of products are what it makes them'
      return { name: 'Accelerate', notes: [note] }
    }
    const note = `${file} may use threads of its own: set it to one thread for the same bits in every run`
    return { name: 'CBLAS', notes: [note] }
  }
  const config = String(library.func('const char *openblas_get_config()')())
  if (/USE64BITINT/.test(config))
    throw new Error('was built with 64-bit integers (ILP64), which is another interface')
  if (/SINGLE_THREADED/.test(config))
    throw new Error('was built without threads, so threads must not share it')
  library.func('void openblas_set_num_threads(int count)')(1)
  const version = /^OpenBLAS [\d.]+/.exec(config)?.[0] ?? 'OpenBLAS'
  const processor = String(library.func('const char *openblas_get_corename()')())
  return { name: `${version} (${processor})`, notes: [] }
}
