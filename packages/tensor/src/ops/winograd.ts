// Convolutions of images with 3 x 3 kernels by fewer multiplications: Winograd's minimal filtering F(2 x 2, 3 x 3) as in Lavin
// and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015), section 4. The input is cut into tiles of 4 x 4
// that overlap by 2; tiles and kernels are transformed by additions, multiplied element by element and summed over
// channels, which is 16 matrix products, and the products transformed into 2 x 2 outputs: 16 multiplications for 36.
// The gradient of the weights is the same with kernel and output exchanged, F(3 x 3, 2 x 2). Rounding errors are two or
// three times those of the direct way. Only stride 1, no dilation, one group: convolution-forms.ts decides when it pays.
import type { Tensor } from '../tensor.ts'
import { contract } from './contract.ts'
import { cutTiles, gatherKernels, joinTiles, spreadKernels, type TileMatrix } from './tiles.ts'

/** B^T of the paper: inputs of a tile. */
const ofInputs: TileMatrix = [
  [1, 0, -1, 0],
  [0, 1, 1, 0],
  [0, -1, 1, 0],
  [0, 1, 0, -1],
]
/** G: a kernel of three. */
const ofKernels: TileMatrix = [
  [1, 0, 0],
  [0.5, 0.5, 0.5],
  [0.5, -0.5, 0.5],
  [0, 0, 1],
]
/** A^T: to two outputs. */
const toOutputs: TileMatrix = [
  [1, 1, 1, 0],
  [0, 1, -1, -1],
]
/** G and A^T of F(3, 2), where a kernel of two, the gradient of the outputs, gives three outputs, that of the weights. */
const ofGradients: TileMatrix = [
  [1, 0],
  [0.5, 0.5],
  [0.5, -0.5],
  [0, 1],
]
const toKernels: TileMatrix = [
  [1, 1, 1, 0],
  [0, 1, -1, 0],
  [0, 1, 1, -1],
]

// Labels of the axes of products: place in the transformed tile, channels, images, tiles.
const row = 0
const column = 1
const channelIn = 2
const channelOut = 3
const image = 4
const tileRow = 5
const tileColumn = 6

/** How many tiles cover outputs of these sizes. */
export function tilesOf(count: readonly number[]): number[] {
  return count.map((size) => Math.ceil(size / 2))
}

/** x [N, C, H, W], w [O, C, 3, 3] -> [N, O, *count], with `before` zeros before the input. */
export function winogradOutput(
  x: Tensor,
  w: Tensor,
  before: readonly number[],
  count: readonly number[],
): Tensor {
  const products = contract(
    spreadKernels(w, ofKernels),
    cutTiles(x, ofInputs, before, tilesOf(count)),
    [row, column, channelOut, channelIn],
    [row, column, channelIn, image, tileRow, tileColumn],
    [row, column, channelOut, image, tileRow, tileColumn],
  )
  return joinTiles(products, toOutputs, count)
}

/** y [N, O, *count], w [O, C, 3, 3] -> [N, C, *sizes]: with kernels turned round and zeros before y, a convolution of y. */
export function winogradInput(
  y: Tensor,
  w: Tensor,
  before: readonly number[],
  sizes: readonly number[],
): Tensor {
  const turned = ofKernels.map((line) => [...line].reverse())
  const products = contract(
    spreadKernels(w, turned),
    cutTiles(
      y,
      ofInputs,
      before.map((zeros) => 2 - zeros),
      tilesOf(sizes),
    ),
    [row, column, channelOut, channelIn],
    [row, column, channelOut, image, tileRow, tileColumn],
    [row, column, channelIn, image, tileRow, tileColumn],
  )
  return joinTiles(products, toOutputs, sizes)
}

/** x [N, C, H, W], y [N, O, *count] -> [O, C, 3, 3]. */
export function winogradWeight(x: Tensor, y: Tensor, before: readonly number[]): Tensor {
  const tiles = tilesOf(y.shape.slice(2))
  const products = contract(
    cutTiles(y, ofGradients, [0, 0], tiles),
    cutTiles(x, ofInputs, before, tiles),
    [row, column, channelOut, image, tileRow, tileColumn],
    [row, column, channelIn, image, tileRow, tileColumn],
    [row, column, channelOut, channelIn],
  )
  return gatherKernels(products, toKernels)
}
