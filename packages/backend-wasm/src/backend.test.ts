import { call, hostArray, type DType } from '@nabla/engine'
import { expect, test } from 'vitest'
import { createWasmBackend } from './backend.ts'
import { LaunchBuilder, runLaunch } from './testing/launches.ts'
import { chain } from './testing/kernels.ts'

const backend = createWasmBackend()

test('elements of every type come back as they were written', () => {
  const values: Record<DType, number[]> = {
    float32: [1.5, -0, NaN, Infinity],
    float64: [0.1, -0, NaN, 1e300],
    int32: [1, -1, 2 ** 31 - 1, -(2 ** 31)],
    bool: [0, 1, 1, 0],
  }
  for (const dtype of backend.limits.dtypes) {
    const place = backend.allocate(64)
    const data = hostArray(dtype, values[dtype])
    backend.write(place, dtype, data)
    const read = backend.read(place, dtype, 4)
    expect(read).toEqual(data)
    expect(read).toBeInstanceOf(data.constructor)
    backend.release(place)
  }
})

test('any byte but 0 is true', () => {
  const place = backend.allocate(64)
  backend.write(place, 'bool', Uint8Array.of(0, 2, 255))
  expect(backend.read(place, 'int32', 3)).toEqual(Int32Array.of(0, 1, 1))
  backend.release(place)
})

test('what is read is a copy', () => {
  const place = backend.allocate(64)
  backend.write(place, 'float32', Float32Array.of(1, 2))
  const before = backend.read(place, 'float32', 2)
  backend.write(place, 'float32', Float32Array.of(3, 4))
  expect(before).toEqual(Float32Array.of(1, 2))
  backend.release(place)
})

test('bytes are copied between places', () => {
  const [from, to] = [backend.allocate(64), backend.allocate(64)]
  backend.write(from, 'float32', Float32Array.of(1, 2, 3))
  backend.copy(from, to, 12)
  expect(backend.read(to, 'float32', 3)).toEqual(Float32Array.of(1, 2, 3))
  backend.release(from)
  backend.release(to)
})

test('an arena grows to the largest plan and is used again by smaller ones', () => {
  const slot = { bytes: 256, offset: 128, first: 0, last: 1 }
  const before = backend.info().bytes.inUse
  const [place] = backend.reserve([slot], 1024)
  const inUse = backend.info().bytes.inUse
  expect(inUse).toBe(before + 1024)
  expect(backend.reserve([slot], 512)).toEqual([place])
  backend.reserve([slot], 4096)
  expect(backend.info().bytes.inUse).toBe(before + 4096)
})

test('the report says how many kernels were compiled and why there is one thread', async () => {
  const before = backend.info().compiled
  await runLaunch(backend, chain(10))
  await runLaunch(backend, chain(20))
  const { name, compiled, threads, notes } = backend.info()
  expect({ name, compiled, threads }).toEqual({ name: 'wasm', compiled: before + 1, threads: 1 })
  expect(notes.join()).toContain('one thread')
})

test('memory that may not be shared works alike', async () => {
  const alone = createWasmBackend({ sharedMemory: false, maximumBytes: 2 ** 24 })
  expect(alone.limits.bytes).toBe(2 ** 24)
  expect(await runLaunch(alone, chain(100))).toEqual(await runLaunch(backend, chain(100)))
})

test('numbers may change from run to run, and buffers may move', () => {
  const b = new LaunchBuilder([], [5])
  const x = b.input('float32', [1, 2, 3, 4, 5], { strides: [1] })
  b.element(b.output('float32', 5, { strides: [1] }), call('mul', x, b.number('float32', 0)))
  const executable = backend.kernel(b.build().launch)
  for (const factor of [2, -3]) {
    const places = [backend.allocate(64), backend.allocate(64)]
    backend.write(places[0]!, 'float32', Float32Array.of(1, 2, 3, 4, factor))
    executable.run(places, [factor])
    const wanted = Float32Array.of(factor, 2 * factor, 3 * factor, 4 * factor, factor * factor)
    expect(backend.read(places[1]!, 'float32', 5)).toEqual(wanted)
    places.forEach((place) => backend.release(place))
  }
  executable.dispose()
})
