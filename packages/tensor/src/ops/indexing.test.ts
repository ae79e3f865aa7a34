// Reading and writing by index: duplicates, order, and indices that are only known when they are computed.
import { expect, test } from 'vitest'
import {
  embedding,
  gather,
  oneHot,
  SampleMaker,
  scatter,
  scatterReduce,
  sort,
  tensor,
  topk,
  ValueError,
} from '../index.ts'

const int = (data: number[] | number[][]) => tensor(data, { dtype: 'int32' })

test('of several writes to one place the last stays, whatever the length', async () => {
  const make = new SampleMaker(5)
  for (const length of [1, 7, 60, 300]) {
    const index = make.integers([length], 0, 10)
    const src = make.real([length])
    const expected = new Float32Array(10).fill(-1)
    index.host!.forEach((place, i) => (expected[place] = src.host![i]!))
    const written = scatter(tensor(new Float32Array(10).fill(-1)), 0, index, src)
    expect(await written.data()).toEqual(expected)
  }
})

test('reductions by index leave places alone that nothing names', async () => {
  const x = tensor([1, 2, 3, 4])
  const index = int([0, 0, 2, 2, 2])
  const src = tensor([5, -7, 1, 8, 6])
  const run = (reduce: 'sum' | 'mean' | 'amax' | 'amin', includeSelf: boolean) =>
    scatterReduce(x, 0, index, src, { reduce, includeSelf }).toArray()
  expect(await run('sum', true)).toEqual([-1, 2, 18, 4])
  expect(await run('sum', false)).toEqual([-2, 2, 15, 4])
  expect(await run('mean', false)).toEqual([-1, 2, 5, 4])
  expect(await run('amax', true)).toEqual([5, 2, 8, 4])
  expect(await run('amin', false)).toEqual([-7, 2, 1, 4])
})

test('an index on the host is refused at the call, a computed one when it is used', async () => {
  const weight = tensor([
    [1, 2],
    [3, 4],
  ])
  expect(() => embedding(weight, int([0, 2]))).toThrow(
    /embedding: index 2 at position \[1\] of indices \[2\] is outside of \[0, 2\)/,
  )
  const computed = int([0, 1]).add(int([0, 1]))
  const rows = embedding(weight, computed)
  await expect(rows.data()).rejects.toThrow(ValueError)
  await expect(gather(tensor([1, 2]), 0, int([0]).sub(1)).data()).rejects.toThrow(/gather: index -1/)
})

test('one-hot rows of computed ids outside of the classes are zeros', async () => {
  expect(await oneHot(int([1, 2]).add(1), 3).toArray()).toEqual([
    [0, 0, 1],
    [0, 0, 0],
  ])
})

test('sorting keeps equal elements in order and puts NaN last', async () => {
  const x = tensor([2, NaN, 1, 2, -Infinity])
  const up = sort(x)
  expect(await up.indices.toArray()).toEqual([4, 2, 0, 3, 1])
  const down = sort(x, 0, { descending: true })
  expect(await down.indices.toArray()).toEqual([1, 0, 3, 2, 4])
  const best = topk(
    tensor([
      [3, 1, 2],
      [4, 6, 5],
    ]),
    2,
  )
  expect(await best.values.toArray()).toEqual([
    [3, 2],
    [6, 5],
  ])
})
