// Gather and scatter-add against plain loops over coordinates, and what bad indices do.
import { ValueError, type Access, type DType, type GatherSpec, type ScatterAddSpec } from '@nabla/engine'
import { expect, test } from 'vitest'
import { createMemory, type DeviceMemory } from '../memory.ts'
import { Threads } from '../pool/threads.ts'
import { createIndexed } from './indexed.ts'

const memory = createMemory({ maximumBytes: 2 ** 28 })
const { gather, scatterAdd } = createIndexed(memory, new Threads(memory, { count: 1 }))
const dtypes = ['float32', 'float64', 'int32', 'bool'] as const

let state = 7
function random(below: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 2 ** 32) * below)
}

function viewOf(device: DeviceMemory, dtype: DType): Float32Array | Float64Array | Int32Array {
  if (dtype === 'float64') return device.float64
  return dtype === 'float32' ? device.float32 : device.int32
}

/** Runs on fresh buffers and returns the whole out buffer, which held `fill` before. */
function run(
  spec: GatherSpec | ScatterAddSpec,
  source: readonly number[],
  index: readonly number[],
  outLength: number,
  fill: number,
): number[] {
  const bytes = spec.dtype === 'float64' ? 8 : 4
  const places = [
    memory.allocate(source.length * bytes),
    memory.allocate(index.length * 4),
    memory.allocate(outLength * bytes),
  ] as const
  const view = viewOf(memory, spec.dtype)
  const result = (): number[] => [...view.subarray(places[2] / bytes, places[2] / bytes + outLength)]
  view.set(source, places[0] / bytes)
  memory.int32.set(index, places[1] / 4)
  view.fill(fill, places[2] / bytes, places[2] / bytes + outLength)
  const executable = spec.name === 'gather' ? gather(spec)! : scatterAdd(spec)!
  const before = result()
  try {
    executable.run(places, [])
  } catch (error) {
    expect(result(), 'nothing is written before indices are checked').toEqual(before)
    throw error
  } finally {
    executable.dispose()
    for (const place of places) memory.release(place)
  }
  return result()
}

/** Coordinates in row-major order. */
function coordinates(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (all, size) => all.flatMap((prefix) => Array.from({ length: size }, (_, i) => [...prefix, i])),
    [[]],
  )
}

const positionOf = (access: Access, at: readonly number[]): number =>
  at.reduce((sum, coordinate, axis) => sum + coordinate * access.strides[axis]!, access.offset)

function expectedOf(
  spec: GatherSpec | ScatterAddSpec,
  source: readonly number[],
  index: readonly number[],
  before: readonly number[],
): number[] {
  const out = spec.name === 'gather' ? [...before] : before.map((value, i) => (i < spec.length ? 0 : value))
  for (const at of coordinates(spec.sizes)) {
    const moved = index[positionOf(spec.index, at)]! * spec.step
    const from = positionOf(spec.source, at)
    const to = positionOf(spec.out, at)
    if (spec.name === 'gather') out[to] = source[from + moved]!
    else if (spec.dtype === 'bool') out[to + moved] = out[to + moved]! | source[from]!
    else out[to + moved]! += source[from]!
  }
  return out
}

/** Row-major strides, or those of a random order of axes with gaps. */
function layout(sizes: readonly number[], plain: boolean): Access & { length: number } {
  const order = sizes.map((_, axis) => axis)
  const strides = sizes.map(() => 0)
  let stride = 1
  let last = 0
  while (order.length > 0) {
    const [axis] = order.splice(plain ? order.length - 1 : random(order.length), 1) as [number]
    strides[axis] = stride
    last += stride * (sizes[axis]! - 1)
    stride = stride * sizes[axis]! + (plain ? 0 : random(3))
  }
  const offset = plain ? 0 : random(3)
  return { offset, strides, length: offset + last + 1 }
}

const valueOf = (dtype: DType): number => (dtype === 'bool' ? random(2) : random(200) - 100)

function randomCase(name: 'gather' | 'scatterAdd', dtype: DType): void {
  const sizes = Array.from({ length: 1 + random(4) }, () => 1 + random(6))
  const axis = random(sizes.length)
  const limit = 1 + random(5)
  const indexedSizes = sizes.map((size, i) => (i === axis ? limit : size))
  const indexed = layout(indexedSizes, random(2) === 0)
  const walked = layout(sizes, random(2) === 0)
  // The indexed end stands still along the axis; the index may be shared along the others.
  const still = {
    offset: indexed.offset,
    strides: indexed.strides.map((stride, i) => (i === axis ? 0 : stride)),
  }
  const shared = sizes.map((_, i) => i !== axis && random(2) === 0)
  const indexSizes = sizes.map((size, i) => (shared[i] ? 1 : size))
  const own = layout(indexSizes, random(2) === 0)
  const index = { offset: own.offset, strides: own.strides.map((stride, i) => (shared[i] ? 0 : stride)) }
  const common = {
    dtype,
    op: 'test',
    sizes,
    index,
    step: indexed.strides[axis]!,
    limit,
    slots: [0, 1, 2] as const,
  }
  const spec: GatherSpec | ScatterAddSpec =
    name === 'gather'
      ? { name, ...common, source: still, out: walked }
      : { name, ...common, source: walked, out: still, length: indexed.length }
  const [sourceLength, outLength] =
    name === 'gather' ? [indexed.length, walked.length] : [walked.length, indexed.length]
  const source = Array.from({ length: sourceLength }, () => valueOf(dtype))
  const indices = Array.from({ length: own.length }, () => random(limit))
  const before = Array.from({ length: outLength + 2 }, () => 5)
  const got = run(spec, source, indices, before.length, 5)
  expect(got, JSON.stringify(spec)).toEqual(expectedOf(spec, source, indices, before))
}

for (const name of ['gather', 'scatterAdd'] as const) {
  test(`${name}: random layouts, all data types`, () => {
    for (let i = 0; i < 240; i++) randomCase(name, dtypes[i % dtypes.length]!)
  })
}

/** Rows of a table picked by an index, and the way back: rows of 7 end between vectors. */
function embedding(dtype: DType, width: number): { forward: GatherSpec; backward: ScatterAddSpec } {
  const sizes = [2, 3, width]
  const index = { offset: 0, strides: [3, 1, 0] }
  const table = { offset: 0, strides: [0, 0, 1] }
  const rows = { offset: 0, strides: [3 * width, width, 1] }
  const common = { dtype, op: 'embedding', sizes, index, step: width, limit: 4, slots: [0, 1, 2] as const }
  return {
    forward: { name: 'gather', ...common, source: table, out: rows },
    backward: { name: 'scatterAdd', ...common, source: rows, out: table, length: 4 * width },
  }
}

test('embedding rows: whole rows are copied, and rows picked twice add up', () => {
  const indices = [3, 0, 3, 3, 1, 0]
  for (const dtype of dtypes) {
    for (const width of [1, 4, 7, 33]) {
      const { forward, backward } = embedding(dtype, width)
      const table = Array.from({ length: 4 * width }, () => valueOf(dtype))
      const rows = run(forward, table, indices, 6 * width + 3, 9)
      const before = Array.from({ length: 6 * width + 3 }, () => 9)
      expect(rows).toEqual(expectedOf(forward, table, indices, before))
      const gradient = Array.from({ length: 6 * width }, () => valueOf(dtype))
      const added = run(backward, gradient, indices, 4 * width + 3, 9)
      expect(added).toEqual(expectedOf(backward, gradient, indices, before.slice(0, 4 * width + 3)))
      // Row 2 was never picked.
      expect(added.slice(2 * width, 3 * width)).toEqual(Array.from({ length: width }, () => 0))
    }
  }
})

test('an index outside of its range is an error that says where, before anything is written', () => {
  const { forward, backward } = embedding('float32', 5)
  const table = Array.from({ length: 20 }, (_, i) => i)
  const rows = Array.from({ length: 30 }, (_, i) => i)
  for (const bad of [4, -1]) {
    const indices = [0, 1, 2, 3, 1, bad]
    const message = `embedding: index ${bad} at position [1, 2] is outside of [0, 4)`
    expect(() => run(forward, table, indices, 30, 9)).toThrow(message)
    expect(() => run(backward, rows, indices, 20, 9)).toThrow(message)
    expect(() => run(forward, table, indices, 30, 9)).toThrow(ValueError)
  }
})

test('a bad index is found in whichever part of a scattered index it lies', () => {
  const { forward } = embedding('float32', 5)
  const scattered: GatherSpec = { ...forward, index: { offset: 1, strides: [7, 2, 0] } }
  const table = Array.from({ length: 20 }, (_, i) => i)
  for (const [place, position] of [
    [1, '[0, 0]'],
    [5, '[0, 2]'],
    [10, '[1, 1]'],
  ] as const) {
    // What lies between the indices is no index.
    const indices: number[] = Array.from({ length: 13 }, (_, i) =>
      [1, 3, 5, 8, 10, 12].includes(i) ? 2 : 77,
    )
    indices[place] = 50
    expect(() => run(scattered, table, indices, 30, 9)).toThrow(`index 50 at position ${position}`)
  }
})

test('an executable works on after an error', () => {
  const { forward } = embedding('float32', 2)
  const places = [memory.allocate(32), memory.allocate(24), memory.allocate(48)] as const
  memory.float32.set([0, 1, 10, 11, 20, 21, 30, 31], places[0] / 4)
  const executable = gather(forward)!
  memory.int32.set([0, 7, 0, 0, 0, 0], places[1] / 4)
  expect(() => executable.run(places, [])).toThrow('index 7 at position [0, 1]')
  memory.int32.set([3, 2, 1, 0, 3, 2], places[1] / 4)
  executable.run(places, [])
  const out = [...memory.float32.subarray(places[2] / 4, places[2] / 4 + 12)]
  expect(out).toEqual([30, 31, 20, 21, 10, 11, 0, 1, 30, 31, 20, 21])
  executable.dispose()
})

test('nothing to gather, and a scatter of nothing, which is zeros', () => {
  const { forward, backward } = embedding('float64', 3)
  expect(run({ ...forward, sizes: [2, 0, 3] }, [1], [99], 2, 5)).toEqual([5, 5])
  expect(run({ ...backward, sizes: [0, 3, 3], length: 3 }, [1], [99], 4, 5)).toEqual([0, 0, 0, 5])
})
