// Layouts against brute force: a view is right when the elements it reaches are those of the copied and rearranged array.
import { expect, test } from 'vitest'
import { rowMajorStrides, sizeOf, type Shape } from './shape.ts'
import {
  applyView,
  broadcastLayout,
  isRowMajor,
  reshapeLayout,
  rowMajor,
  type AffineMap,
  type Layout,
} from './view.ts'

/** A small generator of whole numbers, so that every run tries the same cases (Lehmer 1951, constants of MINSTD). */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 48271) % 2147483647
    return state % below
  }
}

/** Every index of a shape, in row-major order. */
function indicesOf(shape: Shape): number[][] {
  return shape.reduce<number[][]>(
    (prefixes, size) => prefixes.flatMap((prefix) => Array.from({ length: size }, (_, i) => [...prefix, i])),
    [[]],
  )
}

/** Buffer positions of a layout's elements, in row-major order. */
function positionsOf({ shape, strides, offset }: Layout): number[] {
  return indicesOf(shape).map((index) => index.reduce((sum, i, axis) => sum + i * strides[axis]!, offset))
}

/**
 * Whether any constant strides put these positions, taken in row-major order, into a shape. Strides are forced by the
 * neighbours of the first element, so it is enough to try those.
 */
function hasStrides(positions: readonly number[], shape: Shape): boolean {
  const steps = rowMajorStrides(shape)
  const strides = shape.map((size, axis) => (size > 1 ? positions[steps[axis]!]! - positions[0]! : 0))
  const forced = positionsOf({ shape, strides, offset: positions[0] ?? 0 })
  return forced.every((position, i) => position === positions[i])
}

/** All shapes with the same number of elements and at most `rank` axes. */
function shapesOf(size: number, rank: number): number[][] {
  if (rank === 0) return size === 1 ? [[]] : []
  const shapes: number[][] = [...shapesOf(size, rank - 1)]
  const last = rank - 1
  for (let first = 1; first <= size; first++) {
    if (size % first !== 0) continue
    for (const rest of shapesOf(size / first, last)) if (rest.length === last) shapes.push([first, ...rest])
  }
  return shapes
}

function randomLayout(below: (limit: number) => number): Layout {
  const shape = Array.from({ length: below(5) }, () => [1, 2, 2, 3, 4, 6][below(6)]!)
  // Mostly strides that some axes share, since only such layouts can be reshaped without a copy.
  const contiguous = rowMajorStrides(shape)
  const scale = [1, 1, 2, -1][below(4)]!
  const strides = contiguous.map((stride) => {
    const kind = below(8)
    if (kind === 0) return 0
    if (kind === 1) return below(7) - 3
    return stride * scale
  })
  return { shape, strides, offset: below(20) }
}

test('reshapeLayout gives a layout exactly where one with constant strides exists, and it has the same elements', () => {
  const below = numbersFrom(20240901)
  let found = 0
  let refused = 0
  for (let trial = 0; trial < 600; trial++) {
    const layout = randomLayout(below)
    if (sizeOf(layout.shape) > 72) continue
    const positions = positionsOf(layout)
    for (const shape of shapesOf(sizeOf(layout.shape), 4)) {
      const reshaped = reshapeLayout(layout, shape)
      const what = `${JSON.stringify(layout)} as [${shape.join(', ')}]`
      if (reshaped === null) {
        refused += 1
        expect(hasStrides(positions, shape), what).toBe(false)
      } else {
        found += 1
        expect(reshaped.shape, what).toEqual(shape)
        expect(positionsOf(reshaped), what).toEqual(positions)
      }
    }
  }
  // Neither side of the claim was tried on a handful of cases only.
  expect(found).toBeGreaterThan(2000)
  expect(refused).toBeGreaterThan(2000)
})

test('reshapeLayout of nothing and of scalars', () => {
  expect(reshapeLayout({ shape: [0, 3], strides: [5, 7], offset: 2 }, [3, 4, 0])?.shape).toEqual([3, 4, 0])
  const scalar: Layout = { shape: [], strides: [], offset: 6 }
  expect(positionsOf(reshapeLayout(scalar, [1, 1])!)).toEqual([6])
  expect(positionsOf(reshapeLayout({ shape: [1, 1], strides: [9, 9], offset: 6 }, [])!)).toEqual([6])
})

test('affine views: transposition, flip, slice with a step, broadcast, diagonal, window', () => {
  // The elements of a row-major [3, 4] are their own positions.
  const layout = rowMajor([3, 4])
  const view = (map: Omit<AffineMap, 'kind'>, shape: Shape): number[] =>
    positionsOf(applyView(layout, { kind: 'affine', ...map }, shape)!)
  expect(view({ start: [0, 0], moves: [[[1, 1]], [[0, 1]]] }, [4, 3])).toEqual([
    0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11,
  ])
  expect(view({ start: [2, 0], moves: [[[0, -1]], [[1, 1]]] }, [3, 1])).toEqual([8, 4, 0])
  expect(view({ start: [1, 3], moves: [[[1, -2]]] }, [2])).toEqual([7, 5])
  expect(view({ start: [1, 0], moves: [[], [[1, 1]]] }, [2, 2])).toEqual([4, 5, 4, 5])
  expect(
    view(
      {
        start: [0, 0],
        moves: [
          [
            [0, 1],
            [1, 1],
          ],
        ],
      },
      [3],
    ),
  ).toEqual([0, 5, 10])
  expect(view({ start: [0, 0], moves: [[[1, 2]], [[1, 1]]] }, [2, 2])).toEqual([0, 1, 2, 3])
})

test('views of views compose: affine maps never need a copy, random chains agree with index arithmetic', () => {
  const below = numbersFrom(7)
  for (let trial = 0; trial < 200; trial++) {
    const shape = Array.from({ length: 1 + below(3) }, () => 1 + below(4))
    const layout: Layout = {
      shape,
      strides: rowMajorStrides(shape).map((stride) => stride * 3),
      offset: below(5),
    }
    const map: AffineMap = {
      kind: 'affine',
      start: shape.map((size) => below(size)),
      moves: Array.from({ length: below(3) }, () => [[below(shape.length), below(5) - 2]] as const),
    }
    const outShape = map.moves.map(() => 1 + below(3))
    const viewed = applyView(layout, map, outShape)!
    const expected = indicesOf(outShape).map((index) =>
      shape.reduce((sum, _, axis) => {
        let position = map.start[axis]!
        map.moves.forEach((moves, j) => {
          for (const [moved, coefficient] of moves) if (moved === axis) position += index[j]! * coefficient
        })
        return sum + position * layout.strides[axis]!
      }, layout.offset),
    )
    expect(positionsOf(viewed)).toEqual(expected)
  }
})

test('broadcasting repeats missing axes and axes of size 1', () => {
  const layout: Layout = { shape: [3, 1], strides: [2, 9], offset: 1 }
  expect(positionsOf(broadcastLayout(layout, [2, 3, 2]))).toEqual([1, 1, 3, 3, 5, 5, 1, 1, 3, 3, 5, 5])
  expect(positionsOf(broadcastLayout({ shape: [], strides: [], offset: 4 }, [2, 2]))).toEqual([4, 4, 4, 4])
})

test('isRowMajor looks at strides only where they matter', () => {
  expect(isRowMajor(rowMajor([2, 3, 4]))).toBe(true)
  expect(isRowMajor({ shape: [2, 1, 4], strides: [4, 99, 1], offset: 5 })).toBe(true)
  expect(isRowMajor({ shape: [2, 4], strides: [5, 1], offset: 0 })).toBe(false)
  expect(isRowMajor({ shape: [4, 2], strides: [1, 4], offset: 0 })).toBe(false)
  expect(isRowMajor({ shape: [2], strides: [0], offset: 0 })).toBe(false)
  expect(isRowMajor({ shape: [], strides: [], offset: 3 })).toBe(true)
})
