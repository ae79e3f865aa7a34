// Finding a native library, and what is said where there is none, where it is the wrong one, or where koffi is missing.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { backendInfo, BackendError, createInterpreter, engine, setBackend } from '@nabla/engine'
import { afterEach, describe, expect, test } from 'vitest'
import { createWasmBackend } from '../backend.ts'
import { useBlas } from '../blas.ts'
import { tryGemm } from './gemm.ts'
import { openLibrary, usualLibraries } from './library.ts'
import { libraryForTests } from './testing.ts'

const library = libraryForTests()
const { env } = process
const variable = env['NABLA_BLAS']

afterEach(() => {
  if (variable === undefined) delete env['NABLA_BLAS']
  else env['NABLA_BLAS'] = variable
})

/** A system library without products. */
const mathematics = { linux: 'libm.so.6', darwin: 'libSystem.B.dylib', win32: 'kernel32.dll' }[
  process.platform as 'linux'
]

test('a path that leads nowhere: the path, and how to install a library', () => {
  const open = (): unknown => openLibrary('/nowhere/libopenblas.so')
  expect(open).toThrow(BackendError)
  expect(open).toThrow(/\/nowhere\/libopenblas\.so[^]*apt-get install libopenblas0-pthread/)
  const use = (): unknown => useBlas({ library: '/nowhere/libopenblas.so', backend: createWasmBackend() })
  expect(use).toThrow(/\/nowhere\/libopenblas\.so/)
})

test('a library without products', () => {
  expect(() => openLibrary(mathematics)).toThrow(`${mathematics}: has no cblas_sgemm`)
})

test('no koffi', () => {
  const empty = mkdtempSync(join(tmpdir(), 'nabla-koffi-'))
  try {
    // In a process of its own: test runners tell Node of further places to look for packages.
    const file = JSON.stringify(new URL('library.ts', import.meta.url).href)
    const from = JSON.stringify([join(empty, 'index.js')])
    const program = `import(${file}).then(({ findKoffi }) => findKoffi(${from})).catch((e) => console.log(e.code, e.message))`
    const register = new URL('../../../../tools/run/register.mjs', import.meta.url).href
    const { stdout } = spawnSync(
      process.execPath,
      ['--conditions=@nabla/source', '--import', register, '-e', program],
      { cwd: empty, encoding: 'utf8', env: { ...env, NODE_PATH: '' } },
    )
    expect(stdout).toMatch(/^ERR_BACKEND useBlas: .*koffi, which is not installed: npm install koffi@3/)
  } finally {
    rmSync(empty, { recursive: true })
  }
})

test('where it is not required, a note says why there is none', () => {
  const backend = createWasmBackend()
  expect(useBlas({ library: '/nowhere/libopenblas.so', required: false, backend })).toBeNull()
  expect(backend.info().notes.join()).toMatch(/no native library for products: .*\/nowhere\/libopenblas\.so/s)
  expect(backend.info().library).toBeUndefined()
})

test('other backends', () => {
  expect(() => useBlas({ backend: createInterpreter() })).toThrow(/only the backend 'wasm'/)
})

test('each platform has places to look at', () => {
  expect(usualLibraries('linux', 'arm64')[0]).toContain('aarch64-linux-gnu')
  expect(usualLibraries('linux', 'x64')).toContain('libopenblas.so.0')
  expect(usualLibraries('darwin', 'arm64')[0]).toContain('Accelerate')
  expect(usualLibraries('win32', 'x64')[0]).toContain('.dll')
})

describe.skipIf(library === null)('with a library', () => {
  test('it is found by NABLA_BLAS as well, and computes what it should', () => {
    const file = library!.place.library
    env['NABLA_BLAS'] = '/nowhere/libopenblas.so'
    expect(() => openLibrary()).toThrow('/nowhere/libopenblas.so')
    expect(openLibrary(file).description).toBe(library!.description)
    env['NABLA_BLAS'] = file
    expect(openLibrary().place.library).toBe(file)
    tryGemm(library!.place)
  })

  test('threads of its own are not started, and the environment stays as it was', () => {
    const before = env['OPENBLAS_NUM_THREADS']
    openLibrary()
    expect(env['OPENBLAS_NUM_THREADS']).toBe(before)
  })

  test.runIf(library?.description.startsWith('OpenBLAS'))(
    'it stays open, with one thread of its own',
    async () => {
      for (let i = 0; i < 3; i++) {
        openLibrary()
        // Handles are closed some time after they were collected.
        globalThis.gc!()
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      const { library: file, koffi } = library!.place
      const { load } = (await import(/* @vite-ignore */ koffi)) as typeof import('koffi')
      const count = load(file).func('int openblas_get_num_threads()')
      expect(count()).toBe(1)
    },
  )

  test('backendInfo() names it, and plans made before are made anew', () => {
    const backend = createWasmBackend()
    setBackend(backend)
    expect(useBlas()).toBe(library!.description)
    expect(backendInfo().library).toBe(library!.description)
    expect(engine.cache.plans()).toEqual([])
    // One that is missed later changes nothing.
    expect(useBlas({ library: '/nowhere/libopenblas.so', required: false })).toBeNull()
    expect(backendInfo().library).toBe(library!.description)
  })
})
