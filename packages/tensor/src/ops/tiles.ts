// Small squares of images and kernels, transformed by a matrix from both sides: what Winograd's convolution does before and
// after its products. Squares of images become planes, one for each place in the square, so that products run over all
// tiles at once. One routine does all four; only plans make these ops, so they have no gradients. Read next: winograd.ts.
import type { Layout, OperandKind, RoutineCall, TileSide, TilesSpec } from '@nabla/engine'
import { createOp, type TensorOp } from '../op.ts'
import { makeNode, type Tensor } from '../tensor.ts'
import { slice } from './pieces.ts'

/** Rows of numbers; with n rows and m columns, squares of m x m become squares of n x n. */
export type TileMatrix = readonly (readonly number[])[]

/** From one tile of an image to the next. */
const step = 2

/** Tiles of an image that begins `before` elements after the first tile, in rows of `width`. */
function ofImage(width: number, planes: readonly number[], sizes: Pair, before: Pair): TileSide {
  return { offset: 0, planes, tile: [step * width, step], square: [width, 1], image: { sizes, before } }
}

/** Tiles whose elements lie in planes of their own, `size` x `size` of them `apart` from each other. */
function inPlanes(size: number, apart: number, columns: number, planes: readonly number[]): TileSide {
  return { offset: 0, planes, tile: [columns, 1], square: [size * apart, apart], image: null }
}

/** Planes that begin at equal places of a first-level cache, 1,024 elements long in each way, would drive one another out of it. */
const cacheWay = 1024
const spacing = 80

/** Elements from one plane to the next, so that planes written side by side lie in different lines of the cache. */
function spaced(length: number): number {
  return length + ((((spacing - length) % cacheWay) + cacheWay) % cacheWay)
}

/** Planes [n, n, spaced] without what is between them, in a shape of their own. */
function withoutGaps(planes: Tensor, shape: readonly number[]): Tensor {
  const [n, , length] = planes.shape as [number, number, number]
  const used = shape.reduce((product, size) => product * size, 1)
  const tight = used === length ? planes : slice(planes, [0, 0, 0], [1, 1, 1], [n, n, used])
  return tight.reshape([n, n, ...shape])
}

type Pair = readonly [number, number]

/** What differs between the four ops: where squares come from and where they go. */
type Sides = Pick<TilesSpec, 'planes' | 'tiles' | 'source' | 'out'>

function tilesOp(
  name: string,
  operand: OperandKind,
  sidesOf: (given: Layout, call: RoutineCall, size: number) => Sides,
): TensorOp {
  const specify = (call: RoutineCall): TilesSpec => {
    const { inputs, dtype, attributes, slots } = call
    const matrix = attributes['matrix'] as TileMatrix
    const sides = sidesOf(inputs[0]!, call, matrix.length)
    return { name: 'tiles', dtype, matrix, ...sides, slots: [slots[0]!, slots[1]!] }
  }
  return createOp(name, { kind: 'routine', operands: [operand], specify }, null)
}

const cutOp = tilesOp('cutTiles', 'rowMajor', (x, { shape, attributes }, size) => {
  const [images, channels, height, width] = x.shape as [number, number, number, number]
  const [rows, columns] = attributes['tiles'] as unknown as Pair
  const before = attributes['before'] as unknown as Pair
  const plane = height * width
  return {
    planes: [channels, images],
    tiles: [rows, columns],
    source: ofImage(width, [plane, channels * plane], [height, width], before),
    out: inPlanes(size, shape[2]!, columns, [images * rows * columns, rows * columns]),
  }
})

const joinOp = tilesOp('joinTiles', 'rowMajor', (planes, { shape }) => {
  const [images, channels, height, width] = shape as [number, number, number, number]
  const [rows, columns] = planes.shape.slice(4) as [number, number]
  const [plane, tiles] = [height * width, rows * columns]
  return {
    planes: [channels, images],
    tiles: [rows, columns],
    source: inPlanes(planes.shape[0]!, channels * images * tiles, columns, [images * tiles, tiles]),
    out: ofImage(width, [plane, channels * plane], [height, width], [0, 0]),
  }
})

const spreadOp = tilesOp('spreadKernels', 'strided', ({ offset, strides, shape: given }, { shape }, size) => {
  const [outputs, inputs] = given as [number, number, number, number]
  const [ofOutputs, ofInputs, row, column] = strides as [number, number, number, number]
  return {
    planes: [outputs],
    tiles: [1, inputs],
    source: { offset, planes: [ofOutputs], tile: [0, ofInputs], square: [row, column], image: null },
    out: inPlanes(size, shape[2]!, inputs, [inputs]),
  }
})

const gatherOp = tilesOp('gatherKernels', 'rowMajor', (planes, { shape }) => {
  const [outputs, inputs, size] = shape as [number, number, number, number]
  const square = size * size
  return {
    planes: [outputs],
    tiles: [1, inputs],
    source: inPlanes(planes.shape[0]!, outputs * inputs, inputs, [inputs]),
    out: { offset: 0, planes: [inputs * square], tile: [0, square], square: [size, 1], image: null },
  }
})

/**
 * Squares of images, every two elements from `before` before their first one, with zeros outside:
 * x [N, C, H, W] -> [n, n, C, N, *tiles].
 */
export function cutTiles(
  x: Tensor,
  matrix: TileMatrix,
  before: readonly number[],
  tiles: readonly number[],
): Tensor {
  const size = matrix.length
  const shape = [x.shape[1]!, x.shape[0]!, ...tiles]
  const length = spaced(shape.reduce((product, n) => product * n, 1))
  return withoutGaps(makeNode(cutOp, [x], { matrix, before, tiles }, [size, size, length], x.dtype), shape)
}

/** Squares of 2 x 2 side by side, cut off where the image ends: [m, m, C, N, *tiles] -> [N, C, *sizes]. */
export function joinTiles(planes: Tensor, matrix: TileMatrix, sizes: readonly number[]): Tensor {
  const shape = [planes.shape[3]!, planes.shape[2]!, ...sizes]
  return makeNode(joinOp, [planes], { matrix }, shape, planes.dtype)
}

/** Kernels of a convolution: w [O, C, m, m] -> [n, n, O, C]. */
export function spreadKernels(w: Tensor, matrix: TileMatrix): Tensor {
  const size = matrix.length
  const shape = w.shape.slice(0, 2)
  const length = spaced(shape[0]! * shape[1]!)
  return withoutGaps(makeNode(spreadOp, [w], { matrix }, [size, size, length], w.dtype), shape)
}

/** The other way: [m, m, O, C] -> [O, C, n, n]. */
export function gatherKernels(planes: Tensor, matrix: TileMatrix): Tensor {
  const size = matrix.length
  return makeNode(
    gatherOp,
    [planes],
    { matrix },
    [planes.shape[2]!, planes.shape[3]!, size, size],
    planes.dtype,
  )
}
