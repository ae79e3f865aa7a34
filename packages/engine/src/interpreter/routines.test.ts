import { expect, test } from 'vitest'
import type { Backend, Executable, Place } from '../backend.ts'
import { bytesOf, hostArray, type DType } from '../dtype.ts'
import { ValueError } from '../errors.ts'
import { philoxNormal, philoxUniform } from '../reference/philox.ts'
import type { ContractSpec, GatherSpec, RandomSpec, ScanSpec, ScatterAddSpec, TilesSpec } from '../routine.ts'
import { createInterpreter } from './index.ts'

interface Buffer {
  readonly dtype: DType
  readonly data: readonly number[]
}

const floats = (...data: number[]): Buffer => ({ dtype: 'float32', data })
const doubles = (...data: number[]): Buffer => ({ dtype: 'float64', data })
const integers = (...data: number[]): Buffer => ({ dtype: 'int32', data })

/** Runs a routine over buffers and gives what the last one holds afterwards. */
async function run(
  prepare: (backend: Backend) => Executable | null,
  buffers: readonly Buffer[],
  numbers: readonly number[] = [],
): Promise<number[]> {
  const backend = createInterpreter()
  const places: Place[] = buffers.map(({ dtype, data }) => {
    const place = backend.allocate(data.length * bytesOf(dtype))
    backend.write(place, dtype, hostArray(dtype, data))
    return place
  })
  const executable = prepare(backend)
  let failure: unknown
  try {
    executable!.run(places, numbers)
  } catch (error) {
    failure = error
  }
  const { dtype, data } = buffers.at(-1)!
  const result = [...(await backend.read(places.at(-1)!, dtype, data.length))]
  if (failure !== undefined) throw Object.assign(failure as Error, { result })
  return result
}

const contract = (spec: ContractSpec, ...buffers: Buffer[]): Promise<number[]> =>
  run((backend) => backend.routines.contract!(spec), buffers)

const plain = { name: 'contract', batch: [], slots: [0, 1, 2] } as const

test('contract: a product of matrices, of every type', async () => {
  for (const buffer of [floats, doubles, integers]) {
    const spec: ContractSpec = {
      ...plain,
      dtype: buffer(0).dtype,
      m: [2],
      n: [2],
      k: [3],
      a: { offset: 0, batch: [], m: [3], k: [1] },
      b: { offset: 0, batch: [], k: [2], n: [1] },
      c: { offset: 0, batch: [], m: [2], n: [1] },
    }
    const a = buffer(1, 2, 3, 4, 5, 6)
    const b = buffer(1, 0, 0, 1, 1, 1)
    expect(await contract(spec, a, b, buffer(9, 9, 9, 9))).toEqual([4, 5, 10, 11])
  }
})

test('contract: batches, a transposed operand, offsets and a strided result', async () => {
  const spec: ContractSpec = {
    ...plain,
    dtype: 'float32',
    batch: [2],
    m: [1],
    n: [2],
    k: [2],
    a: { offset: 1, batch: [2], m: [0], k: [1] },
    b: { offset: 0, batch: [0], k: [1], n: [2] },
    c: { offset: 1, batch: [4], m: [0], n: [2] },
  }
  // b is [[1, 3], [2, 4]] read transposed: column n holds b[2n], b[2n + 1].
  const result = await contract(
    spec,
    floats(99, 1, 10, 2, 20),
    floats(1, 2, 3, 4),
    floats(0, 0, 0, 0, 0, 0, 0, 0),
  )
  expect(result).toEqual([0, 1 + 20, 0, 3 + 40, 0, 2 + 40, 0, 6 + 80])
})

test('contract: a convolution over overlapping windows', async () => {
  // out[n] = sum over k of x[n + k] * w[k]: the axes n and k both walk x.
  const spec: ContractSpec = {
    ...plain,
    dtype: 'float32',
    m: [],
    n: [3],
    k: [2],
    a: { offset: 0, batch: [], m: [], k: [1] },
    b: { offset: 0, batch: [], k: [1], n: [1] },
    c: { offset: 0, batch: [], m: [], n: [1] },
  }
  expect(await contract(spec, floats(1, -1), floats(1, 4, 9, 16), floats(0, 0, 0))).toEqual([-3, -5, -7])
})

test('contract: a sum over nothing is zero; int32 sums wrap', async () => {
  const spec = (k: number): ContractSpec => ({
    ...plain,
    dtype: 'int32',
    m: [],
    n: [],
    k: [k],
    a: { offset: 0, batch: [], m: [], k: [1] },
    b: { offset: 0, batch: [], k: [1], n: [] },
    c: { offset: 0, batch: [], m: [], n: [] },
  })
  expect(await contract(spec(0), integers(), integers(), integers(5))).toEqual([0])
  // 2^62 + 3 modulo 2^32: in float64 the 3 would be lost.
  const factors = integers(2147483647, 2147483647, 3)
  expect(await contract(spec(3), factors, factors, integers(5))).toEqual([11])
})

const gatherRows: GatherSpec = {
  name: 'gather',
  dtype: 'float32',
  op: 'indexSelect',
  sizes: [3, 2],
  source: { offset: 0, strides: [0, 1] },
  index: { offset: 0, strides: [1, 0] },
  out: { offset: 0, strides: [2, 1] },
  step: 2,
  limit: 4,
  slots: [0, 1, 2],
}

const gather = (spec: GatherSpec, ...buffers: Buffer[]): Promise<number[]> =>
  run((backend) => backend.routines.gather!(spec), buffers)

test('gather: rows by index, of every type', async () => {
  for (const buffer of [floats, doubles, integers]) {
    const source = buffer(0, 1, 10, 11, 20, 21, 30, 31)
    const spec = { ...gatherRows, dtype: source.dtype }
    const out = buffer(0, 0, 0, 0, 0, 0)
    expect(await gather(spec, source, integers(3, 0, 3), out)).toEqual([30, 31, 0, 1, 30, 31])
  }
})

test('gather: a bad index is an error that names it, and nothing is written', async () => {
  const source = floats(0, 1, 10, 11, 20, 21, 30, 31)
  const out = floats(7, 7, 7, 7, 7, 7)
  for (const bad of [4, -1, 2147483647]) {
    const error = await gather(gatherRows, source, integers(0, bad, 1), out).then(
      () => null,
      (reason: unknown) => reason as ValueError & { result: number[] },
    )
    expect(error).toBeInstanceOf(ValueError)
    expect(error!.message).toContain(`indexSelect: index ${bad} at position [1] is outside of [0, 4)`)
    expect(error!.result).toEqual([7, 7, 7, 7, 7, 7])
  }
})

test('gather: an empty space looks at no index', async () => {
  const spec: GatherSpec = { ...gatherRows, sizes: [3, 0] }
  expect(await gather(spec, floats(), integers(99, 99, 99), floats(7))).toEqual([7])
})

const scatterRows: ScatterAddSpec = {
  ...gatherRows,
  name: 'scatterAdd',
  op: 'scatterAdd',
  source: { offset: 0, strides: [2, 1] },
  out: { offset: 0, strides: [0, 1] },
  length: 8,
}

const scatterAdd = (spec: ScatterAddSpec, ...buffers: Buffer[]): Promise<number[]> =>
  run((backend) => backend.routines.scatterAdd!(spec), buffers)

test('scatterAdd: adds rows that share an index, into zeros', async () => {
  for (const buffer of [floats, doubles, integers]) {
    const source = buffer(1, 2, 10, 20, 100, 200)
    const spec = { ...scatterRows, dtype: source.dtype }
    const out = buffer(9, 9, 9, 9, 9, 9, 9, 9)
    expect(await scatterAdd(spec, source, integers(3, 0, 3), out)).toEqual([10, 20, 0, 0, 0, 0, 101, 202])
  }
})

test('scatterAdd: a bad index leaves the output alone; an empty source zeroes it', async () => {
  const out = floats(9, 9, 9, 9, 9, 9, 9, 9)
  const error = await scatterAdd(scatterRows, floats(1, 2, 3, 4, 5, 6), integers(0, 1, 4), out).then(
    () => null,
    (reason: unknown) => reason as ValueError & { result: number[] },
  )
  expect(error).toBeInstanceOf(ValueError)
  expect(error!.message).toContain('scatterAdd: index 4 at position [2]')
  expect(error!.result).toEqual(out.data)
  expect(await scatterAdd({ ...scatterRows, sizes: [0, 2] }, floats(), integers(), out)).toEqual([
    0, 0, 0, 0, 0, 0, 0, 0,
  ])
})

test('argsort: stable both ways, NaN larger than everything', async () => {
  const sorted = (source: Buffer, rows: number, descending: boolean): Promise<number[]> => {
    const length = source.data.length / rows
    const { dtype } = source
    return run(
      (backend) =>
        backend.routines.argsort!({ name: 'argsort', dtype, rows, length, descending, slots: [0, 1] }),
      [source, integers(...source.data.map(() => 0))],
    )
  }
  const values = floats(2, NaN, 1, 2, Infinity, 1)
  expect(await sorted(values, 1, false)).toEqual([2, 5, 0, 3, 4, 1])
  expect(await sorted(values, 1, true)).toEqual([1, 4, 0, 3, 2, 5])
  expect(await sorted(values, 2, false)).toEqual([2, 0, 1, 2, 0, 1])
  expect(await sorted(doubles(0, -0, -1), 1, false)).toEqual([2, 0, 1])
  expect(await sorted(integers(3, -2147483648, 2147483647), 1, true)).toEqual([2, 0, 1])
})

test('random: the numbers of the stream that the keys and counters name', async () => {
  const spec: RandomSpec = {
    name: 'random',
    distribution: 'uniform',
    dtype: 'float64',
    length: 9,
    numbers: [3, 2, 1, 0],
    slots: [0],
  }
  const numbers = [40, 30, 4000000000, 10]
  const stream = { key: [10, 4000000000], counter: [0, 30, 40] } as const
  const elements = Array.from({ length: 9 }, (_, element) => element)
  const out = doubles(...elements.map(() => 0))
  const draw = (drawn: RandomSpec): Promise<number[]> =>
    run((backend) => backend.routines.random!(drawn), [out], numbers)
  expect(await draw(spec)).toEqual(elements.map((element) => philoxUniform(stream, element)))
  expect(await draw({ ...spec, distribution: 'normal' })).toEqual(
    elements.map((element) => philoxNormal(stream, element)),
  )
})

test('scan: every running reduction, row by row', async () => {
  const scan = (fn: ScanSpec['fn'], source: Buffer, rows: number): Promise<number[]> => {
    const length = source.data.length / rows
    const out = { dtype: source.dtype, data: source.data.map(() => 0) }
    return run(
      (backend) =>
        backend.routines.scan!({ name: 'scan', fn, dtype: source.dtype, rows, length, slots: [0, 1] }),
      [source, out],
    )
  }
  expect(await scan('sum', floats(1, 2, 3, 10, 20, 30), 2)).toEqual([1, 3, 6, 10, 30, 60])
  expect(await scan('prod', doubles(1, 2, 3, 4), 1)).toEqual([1, 2, 6, 24])
  expect(await scan('max', floats(1, 3, 2, NaN, 5), 1)).toEqual([1, 3, 3, NaN, NaN])
  expect(await scan('min', integers(3, 1, 2), 1)).toEqual([3, 1, 1])
  expect(await scan('sum', integers(2147483647, 1, 1), 1)).toEqual([2147483647, -2147483648, -2147483647])
})

const tiles = (spec: TilesSpec, ...buffers: Buffer[]): Promise<number[]> =>
  run((backend) => backend.routines.tiles!(spec), buffers)

test('tiles: squares of an image, overlapping and reaching outside, are multiplied from both sides', async () => {
  const spec: TilesSpec = {
    name: 'tiles',
    dtype: 'float32',
    // Of a square of 3 x 3: the first element of a line minus its last.
    matrix: [[1, 0, -1]],
    planes: [],
    tiles: [1, 2],
    source: {
      offset: 0,
      planes: [],
      tile: [6, 2],
      square: [3, 1],
      image: { sizes: [2, 3], before: [0, 1] },
    },
    out: { offset: 0, planes: [], tile: [2, 1], square: [1, 1], image: null },
    slots: [0, 1],
  }
  // Rows [0 | 1 2 3 | 0] and [0 | 4 5 6 | 0], then a row of zeros.
  expect(await tiles(spec, floats(1, 2, 3, 4, 5, 6), floats(7, 7))).toEqual([0 - 2, 2 - 0])
})

test('tiles: squares beyond the end of an image are cut off, and planes go by their strides', async () => {
  const spec: TilesSpec = {
    name: 'tiles',
    dtype: 'float64',
    matrix: [[1], [10]],
    planes: [2],
    tiles: [1, 2],
    source: { offset: 0, planes: [1], tile: [0, 2], square: [1, 1], image: null },
    out: {
      offset: 1,
      planes: [3],
      tile: [6, 2],
      square: [3, 1],
      image: { sizes: [1, 3], before: [0, 0] },
    },
    slots: [0, 1],
  }
  expect(await tiles(spec, doubles(1, 2, 3, 4), doubles(9, 9, 9, 9, 9, 9, 9))).toEqual([
    9, 1, 10, 3, 2, 20, 4,
  ])
})
