import { ShapeError, ValueError } from '@nabla/engine'
import { tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'
import {
  ArrayDataset,
  concatDatasets,
  DataLoader,
  mapDataset,
  permutation,
  randomSplit,
  subset,
  type Dataset,
} from './index.ts'

/** A dataset of `length` rows, y being `start`, `start + 1`, ... */
function countedFrom(start: number, length: number): ArrayDataset<'y'> {
  return new ArrayDataset({ y: { data: Int32Array.from({ length }, (_, i) => start + i), shape: [length] } })
}

async function rowsOf(dataset: Dataset<'y'>): Promise<number[]> {
  const all = Array.from({ length: dataset.length }, (_, i) => i)
  return [...(await dataset.batch(all).y.data())]
}

test('fields: nested arrays, typed arrays, tensors and shaped data; row shapes and types follow', async () => {
  const dataset = new ArrayDataset({
    nested: [
      [1, 2],
      [3, 4],
    ],
    flat: Float64Array.of(5, 6),
    made: tensor([[[7]], [[8]]]),
    bytes: { data: Uint8Array.of(0, 255, 3, 4), shape: [2, 1, 2], dtype: 'float32' },
    mask: { data: Float32Array.of(0.5, 0), shape: [2], dtype: 'bool' },
  })
  expect(dataset.names).toEqual(['nested', 'flat', 'made', 'bytes', 'mask'])
  const { nested, flat, made, bytes, mask } = dataset.batch([1, 0, 1])
  expect([nested.dtype, flat.dtype, made.dtype, bytes.dtype, mask.dtype]).toEqual([
    'float32',
    'float64',
    'float32',
    'float32',
    'bool',
  ])
  expect(await nested.toArray()).toEqual([
    [3, 4],
    [1, 2],
    [3, 4],
  ])
  expect(await flat.toArray()).toEqual([6, 5, 6])
  expect(await made.toArray()).toEqual([[[8]], [[7]], [[8]]])
  expect(await bytes.toArray()).toEqual([[[3, 4]], [[0, 255]], [[3, 4]]])
  // A bool is "not zero", not a truncated number.
  expect(await mask.toArray()).toEqual([false, true, false])
})

test('a batch is a copy: later changes to the array change no batch', async () => {
  const data = Float32Array.of(1, 2)
  const batch = new ArrayDataset({ x: { data, shape: [2] } }).batch([0, 1])
  data.fill(9)
  expect(await batch.x.toArray()).toEqual([1, 2])
})

test('fields that are no data are refused when the dataset is made', () => {
  const make = (field: unknown) => () => new ArrayDataset({ x: field as number[] })
  expect(make({ data: [1, 2], shape: [2] })).toThrow(ValueError)
  expect(make({ data: Float32Array.of(1, 2), shape: [2], dtype: 'float23' })).toThrow(/unknown dtype/)
  expect(make({ data: Float32Array.of(1, 2), shape: [NaN] })).toThrow(ValueError)
  expect(make({ data: Float32Array.of(1, 2), shape: [-1, -2] })).toThrow(ValueError)
  expect(make({ data: Float32Array.of(1, 2), shape: 2 })).toThrow(ValueError)
  expect(make({ data: new Float32Array(0), shape: [] })).toThrow(ShapeError)
  expect(make(3)).toThrow(ShapeError)
  for (const nothing of [null, undefined, 'text', {}]) expect(make(nothing)).toThrow(ValueError)
  for (const fields of [null, undefined, 3]) {
    expect(() => new ArrayDataset(fields as unknown as Record<string, number[]>)).toThrow(ValueError)
  }
})

test('rows that do not exist are refused everywhere', () => {
  const dataset = countedFrom(0, 4)
  for (const bad of [4, -1, 0.5, NaN, '1' as unknown as number]) {
    expect(() => dataset.batch([0, bad])).toThrow(ValueError)
    expect(() => subset(dataset, [bad])).toThrow(ValueError)
    expect(() => subset(dataset, [0, 1]).batch([bad])).toThrow(ValueError)
    expect(() => concatDatasets([dataset]).batch([bad])).toThrow(ValueError)
  }
})

test('randomSplit: every row once, the same for a seed, another for another', async () => {
  const dataset = countedFrom(0, 20)
  const split = async (parts: number[], seed: number): Promise<number[][]> =>
    Promise.all(randomSplit(dataset, parts, seed).map(rowsOf))
  for (const parts of [
    [12, 8],
    [0.7, 0.2, 0.1],
    [1, 0],
    [20, 0],
    [1 / 3, 1 / 3, 1 / 3],
  ]) {
    const pieces = await split(parts, 5)
    expect(pieces.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i))
    expect(await split(parts, 5)).toEqual(pieces)
    expect(await split(parts, 6)).not.toEqual(pieces)
  }
  expect((await split([1, 0], 1)).map((piece) => piece.length)).toEqual([20, 0])
  for (const parts of [[19], [10.5, 9.5], [0.5, 0.6], [NaN, 1], [-1, 21], [Infinity], []]) {
    expect(() => randomSplit(dataset, parts), `[${parts.join(', ')}]`).toThrow(/add up/)
  }
  expect(() => randomSplit(dataset, [20], -1)).toThrow(/seed/)
})

test('concatDatasets: any order of rows, also across datasets that were changed by tensor ops', async () => {
  const first = countedFrom(0, 3)
  const second = countedFrom(10, 2)
  const third = mapDataset(countedFrom(20, 2), ({ y }) => ({ y: y.add(100) }))
  expect(await rowsOf(concatDatasets([first, second]))).toEqual([0, 1, 2, 10, 11])
  expect(await concatDatasets([first, second]).batch([4, 0, 3, 2, 0]).y.toArray()).toEqual([11, 0, 10, 2, 0])
  const mixed = concatDatasets([first, countedFrom(0, 0), third])
  expect(await mixed.batch([4, 0, 3, 2]).y.toArray()).toEqual([121, 0, 120, 2])
  expect(mixed.batch([]).y.shape).toEqual([0])
})

test('concatDatasets: batches of data from the host are on the host, so that no plan depends on how rows fall', () => {
  const batch = concatDatasets([countedFrom(0, 3), countedFrom(10, 2)]).batch([4, 0, 3])
  expect(batch.y.isLeaf).toBe(true)
})

test('concatDatasets: datasets that do not fit together say so', () => {
  const numbers = countedFrom(0, 2)
  const named = new ArrayDataset({ z: [1, 2] }) as unknown as Dataset<'y'>
  const shaped = new ArrayDataset({ y: [[1, 2]] })
  expect(() => concatDatasets([numbers, named]).batch([0, 2])).toThrow(/field 'y'/)
  expect(() => concatDatasets([numbers, shaped]).batch([0, 2])).toThrow(ShapeError)
  expect(() => concatDatasets([])).toThrow(/at least one/)
})

test('a loader begins a new order with each loop, and an interrupted loop counts', async () => {
  const loader = new DataLoader(countedFrom(0, 30), { batchSize: 30, shuffle: true, seed: 3 })
  const again = new DataLoader(countedFrom(0, 30), { batchSize: 30, shuffle: true, seed: 3 })
  const epoch = async (of: DataLoader<'y'>): Promise<number[]> => {
    for await (const { y } of of) return [...(await y.data())]
    return []
  }
  const orders = [await epoch(loader), await epoch(loader), await epoch(loader)]
  expect(orders[0]).not.toEqual(orders[1])
  expect(orders[1]).not.toEqual(orders[2])
  expect([await epoch(again), await epoch(again), await epoch(again)]).toEqual(orders)
  expect(loader.epoch).toBe(3)
  again.epoch = 1
  expect(await epoch(again)).toEqual(orders[1])
})

test('a loader drops only a short last batch, and counts what it yields', () => {
  for (const [length, batchSize] of [
    [10, 3],
    [9, 3],
    [2, 5],
    [1, 1],
  ] as const) {
    for (const dropLast of [false, true]) {
      if (dropLast && length < batchSize) continue
      const loader = new DataLoader(countedFrom(0, length), { batchSize, dropLast })
      const sizes = [...loader].map(({ y }) => y.shape[0]!)
      expect(sizes.length).toBe(loader.length)
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(
        dropLast ? length - (length % batchSize) : length,
      )
    }
  }
  expect(() => new DataLoader(countedFrom(0, 2), { batchSize: 5, dropLast: true })).toThrow(/no whole batch/)
})

test('permutation: Fisher-Yates with the documented words, as computed by another program', () => {
  expect(Array.from(permutation(10, 0, 0))).toEqual([8, 1, 3, 4, 2, 6, 0, 9, 7, 5])
  expect(Array.from(permutation(10, 2 ** 40 + 1, 7))).toEqual([4, 1, 9, 8, 5, 2, 3, 6, 0, 7])
  for (const length of [-1, 0.5, NaN, Infinity]) expect(() => permutation(length, 0, 0)).toThrow(ValueError)
  for (const epoch of [-1, 0.5, NaN]) expect(() => permutation(3, 0, epoch)).toThrow(ValueError)
})
