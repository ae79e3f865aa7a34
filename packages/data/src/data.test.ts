import { expect, test } from 'vitest'
import {
  ArrayDataset,
  concatDatasets,
  DataLoader,
  decompress,
  encodeIdx,
  mapDataset,
  parseCsv,
  parseIdx,
  permutation,
  randomSplit,
  StandardScaler,
  subset,
} from './index.ts'

const bytesOf = (...values: number[]): Uint8Array => Uint8Array.from(values)

test('IDX: what is written is read; each damaged file says where', () => {
  const data = Uint8Array.from({ length: 12 }, (_, i) => i * 20)
  const file = encodeIdx(data, [3, 2, 2])
  expect(parseIdx(file)).toEqual({ shape: [3, 2, 2], data })
  for (let length = 0; length < file.length; length++) {
    expect(() => parseIdx(file.slice(0, length), 'cut.idx')).toThrow(/^cut\.idx: truncated.*byte/)
  }
  expect(() => parseIdx(bytesOf(1, 0, 8, 1, 0, 0, 0, 0))).toThrow(/two zero bytes.*byte 0/)
  expect(() => parseIdx(bytesOf(0, 0, 7, 1, 0, 0, 0, 0))).toThrow(/unknown element type 0x07.*byte 2/)
  expect(() => parseIdx(bytesOf(0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255))).toThrow(/truncated/)
  expect(() => parseIdx(Uint8Array.from([...file, 1]))).toThrow(/1 bytes too many/)
})

test('IDX: signed, wide and floating elements are big-endian', () => {
  expect(parseIdx(bytesOf(0, 0, 0x09, 1, 0, 0, 0, 2, 255, 3)).data).toEqual(Int8Array.from([-1, 3]))
  expect(parseIdx(bytesOf(0, 0, 0x0b, 1, 0, 0, 0, 1, 1, 2)).data).toEqual(Int16Array.from([258]))
  expect(parseIdx(bytesOf(0, 0, 0x0c, 1, 0, 0, 0, 1, 255, 255, 255, 254)).data).toEqual(Int32Array.from([-2]))
  expect(parseIdx(bytesOf(0, 0, 0x0d, 1, 0, 0, 0, 1, 0x3f, 0x80, 0, 0)).data).toEqual(Float32Array.from([1]))
})

test('gzip is recognised and a damaged one named', async () => {
  const plain = bytesOf(1, 2, 3)
  const packed = new Uint8Array(
    await new Response(
      new Blob([plain as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream('gzip')),
    ).arrayBuffer(),
  )
  expect(await decompress(packed, 'a.gz')).toEqual(plain)
  expect(await decompress(plain, 'a')).toBe(plain)
  await expect(decompress(packed.slice(0, 12), 'b.gz')).rejects.toThrow(/^b\.gz: damaged gzip/)
})

test('CSV: quotes, line ends, delimiters, blanks', () => {
  const table = parseCsv('a,b\r\n1,"x, ""y""\nz"\r\n2,\r\n\r\n')
  expect(table.columns).toEqual(['a', 'b'])
  expect(table.rows).toEqual([
    ['1', 'x, "y"\nz'],
    ['2', ''],
  ])
  expect(parseCsv('1;2\n3;4', { delimiter: ';', header: false }).matrix()).toEqual({
    data: Float32Array.from([1, 2, 3, 4]),
    shape: [2, 2],
  })
  expect(parseCsv('  1   2\n3\t4 \n', { delimiter: 'whitespace', header: false }).numbers('c1')).toEqual(
    Float64Array.from([2, 4]),
  )
})

test('CSV: errors name file, line and column', () => {
  const named = { name: 't.csv' }
  expect(() => parseCsv('', named)).toThrow(/t\.csv: empty/)
  expect(() => parseCsv('a,b\n1,2\n3', named)).toThrow(/t\.csv, line 3: 1 fields instead of 2/)
  expect(() => parseCsv('a\n"open', named)).toThrow(/line 2: a quoted field is never closed/)
  expect(() => parseCsv('a\n"x"y', named)).toThrow(/'y' follows a closing quote/)
  expect(() => parseCsv('a,a\n1,2', named)).toThrow(/'a' appears twice/)
  const table = parseCsv('a,b\n1,?\n2,oops', named)
  expect(table.numbers('a')).toEqual(Float64Array.from([1, 2]))
  expect(() => table.numbers('b')).toThrow(/t\.csv, line 3, column 'b': 'oops' is no number/)
  expect(() => table.numbers('b', 'error')).toThrow(/line 2, column 'b': the value is missing/)
  expect(() => table.text('c')).toThrow(/no column 'c'. Columns: a, b/)
})

test('the scaler centres and scales columns and undoes it', () => {
  const matrix = { data: Float32Array.from([1, 5, 3, 5]), shape: [2, 2] as const }
  const scaler = new StandardScaler()
  const scaled = scaler.fitTransform(matrix)
  expect([...scaled.data]).toEqual([-1, 0, 1, 0])
  expect(scaler.inverse(scaled).data).toEqual(matrix.data)
  expect(() => new StandardScaler().transform(matrix)).toThrow(/call fit\(\) first/)
  expect(() => scaler.transform({ data: new Float32Array(3), shape: [1, 3] })).toThrow(
    /3 columns.*fitted on 2/,
  )
})

test('permutations hold every index once and follow from seed and epoch', () => {
  const order = permutation(100, 3, 0)
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i))
  expect(permutation(100, 3, 0)).toEqual(order)
  expect(permutation(100, 3, 1)).not.toEqual(order)
  expect(permutation(100, 4, 0)).not.toEqual(order)
  expect(() => permutation(3, NaN, 0)).toThrow(/seed/)
})

const numbers = (
  n: number,
): { x: { data: Float32Array; shape: number[] }; y: { data: Uint8Array; shape: number[] } } => ({
  x: { data: Float32Array.from({ length: 2 * n }, (_, i) => i), shape: [n, 2] },
  y: { data: Uint8Array.from({ length: n }, (_, i) => i), shape: [n] },
})

test('a loader goes through every row, in order or shuffled, the last batch short', async () => {
  const loader = new DataLoader(numbers(5), { batchSize: 2 })
  expect(loader.length).toBe(3)
  const seen: unknown[] = []
  for await (const { x, y } of loader) seen.push([x.shape, y.dtype, await y.toArray()])
  expect(seen).toEqual([
    [[2, 2], 'int32', [0, 1]],
    [[2, 2], 'int32', [2, 3]],
    [[1, 2], 'int32', [4]],
  ])
  const shuffled = new DataLoader(numbers(50), { batchSize: 50, shuffle: true, seed: 1 })
  const epochs: number[][] = []
  for (let epoch = 0; epoch < 2; epoch++) for (const { y } of shuffled) epochs.push([...(await y.data())])
  expect(epochs[0]).not.toEqual(epochs[1])
  for (const epoch of epochs)
    expect(epoch.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i))
  expect(new DataLoader(numbers(5), { batchSize: 2, dropLast: true }).length).toBe(2)
})

test('datasets: subset, split, map, concat', async () => {
  const dataset = new ArrayDataset(numbers(10))
  expect(await subset(dataset, [7, 2]).batch([1, 0]).y.toArray()).toEqual([2, 7])
  const parts = randomSplit(dataset, [0.5, 0.3, 0.2], 1)
  expect(parts.map((part) => part.length)).toEqual([5, 3, 2])
  const all = await Promise.all(
    parts.map((part) => part.batch(Array.from({ length: part.length }, (_, i) => i)).y.data()),
  )
  expect(all.flatMap((values) => [...values]).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  const doubled = mapDataset(dataset, ({ x, y }) => ({ x: x.mul(2), y }))
  expect(await doubled.batch([1]).x.toArray()).toEqual([[4, 6]])
  const twice = concatDatasets([dataset, dataset])
  expect(twice.length).toBe(20)
  expect(await twice.batch([9, 10, 19]).y.toArray()).toEqual([9, 0, 9])
})

test('what cannot be loaded is refused with the reason', () => {
  const { x, y } = numbers(3)
  expect(() => new ArrayDataset({ x, y: { data: new Uint8Array(2), shape: [2] } })).toThrow(
    /'x' has 3 rows but 'y' has 2/,
  )
  expect(() => new ArrayDataset({})).toThrow(/at least one field/)
  expect(() => new ArrayDataset({ x: { data: new Float32Array(3), shape: [2, 2] } })).toThrow(
    /3 elements.*\[2, 2\]/,
  )
  expect(() => new DataLoader({ x: { data: new Float32Array(0), shape: [0, 2] } })).toThrow(/empty/)
  for (const batchSize of [0, -1, 1.5, NaN])
    expect(() => new DataLoader({ x, y }, { batchSize })).toThrow(/batchSize/)
  expect(() => new ArrayDataset({ x, y }).batch([3])).toThrow(/row 3 does not exist; there are 3/)
  expect(() => randomSplit(new ArrayDataset({ x, y }), [2, 2])).toThrow(/add up to 3/)
})
