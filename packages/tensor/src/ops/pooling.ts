// The two ops behind all poolings: the largest element of each window and the sum of each window, over the last
// dimensions of a value that has been padded. Both have gradients of their own, because the way back is shorter than that
// of their parts: windows that tile are only put in order, and a maximum passes its gradient to one element.
// Not public: see pool.ts.
import type { Attributes, Shape } from '@nabla/engine'
import { createOp, type TensorOp } from '../op.ts'
import { makeNode, noGrad, type Tensor } from '../tensor.ts'
import { position } from './position.ts'
import { foldWindows, lastDims, resizeEnd, spanOf } from './spatial.ts'

/** Windows over the last dimensions, one number per dimension. */
export interface PoolWindows {
  readonly kernel: readonly number[]
  readonly stride: readonly number[]
  readonly dilation: readonly number[]
}

const maximumOp: TensorOp = createOp(
  'maxPool',
  {
    kind: 'composite',
    expand: ([x], attributes) => {
      const windows = windowsOf(x as Tensor, poolOf(attributes))
      return windows.amax(lastDims(windows.rank, poolOf(attributes).kernel.length))
    },
  },
  ({ inputs: [x], output, attributes }, upstream) => {
    const pool = poolOf(attributes)
    const first = noGrad(() => placeOfFirst(x, output, pool))
    return [spread(upstream, x.shape, pool, first)]
  },
)

const sumOp: TensorOp = createOp(
  'sumPool',
  {
    kind: 'composite',
    expand: ([x], attributes) => {
      const windows = windowsOf(x as Tensor, poolOf(attributes))
      return windows.sum(lastDims(windows.rank, poolOf(attributes).kernel.length))
    },
  },
  ({ inputs: [x], attributes }, upstream) => [spread(upstream, x.shape, poolOf(attributes), null)],
)

/** Largest element of each window; gradients go to the first of equal ones. */
export function maximumOfWindows(x: Tensor, pool: PoolWindows): Tensor {
  return makeNode(maximumOp, [x], attributesOf(pool), pooledShape(x, pool), x.dtype)
}

/** Sum of each window. */
export function sumOfWindows(x: Tensor, pool: PoolWindows): Tensor {
  return makeNode(sumOp, [x], attributesOf(pool), pooledShape(x, pool), x.dtype)
}

/** Place (row-major, int32) in its window of the first element that equals the window's result. */
export function placeOfFirst(x: Tensor, largest: Tensor, pool: PoolWindows): Tensor {
  const spatial = pool.kernel.length
  const windows = windowsOf(x, pool)
  const places = placesInWindow(pool.kernel)
  const size = pool.kernel.reduce((product, length) => product * length, 1)
  const found = windows.eq(withWindowDims(largest, spatial)).where(places, size)
  return found.amin(lastDims(windows.rank, spatial))
}

/**
 * The gradient of the input: every element gets the gradients of all windows it lies in, or only of those that chose it.
 * @param chosen place of the chosen element in each window; null: all take part
 */
function spread(upstream: Tensor, shape: Shape, pool: PoolWindows, chosen: Tensor | null): Tensor {
  const { kernel, stride, dilation } = pool
  const spatial = kernel.length
  const lengths = shape.slice(shape.length - spatial)
  // Windows that tile the input are walked in its own order, so that nothing has to be moved.
  const tiles = kernel.every((size, i) => stride[i] === size && dilation[i] === 1)
  const perWindow = tiles ? withTileDims : withWindowDims
  const lead = upstream.shape.slice(0, upstream.rank - spatial)
  const counts = upstream.shape.slice(upstream.rank - spatial)
  const elements = tiles ? counts.flatMap((count, i) => [count, kernel[i]!]) : [...counts, ...kernel]
  const wide = perWindow(upstream, spatial)
  const all =
    chosen === null
      ? wide.expand([...lead, ...elements])
      : noGrad(() => perWindow(chosen, spatial).eq(placesInWindow(kernel, tiles))).where(wide, 0)
  if (!tiles) return foldWindows(all, lengths, stride, dilation)
  return resizeEnd(all.reshape([...lead, ...counts.map((count, i) => count * kernel[i]!)]), lengths)
}

/** Places as they are numbered in a window; with `tiles`, with a dimension of size 1 for the counts between two others. */
function placesInWindow(kernel: readonly number[], tiles = false): Tensor {
  const steps = kernel.map((_, dim) => kernel.slice(dim + 1).reduce((product, length) => product * length, 1))
  if (!tiles) return position(kernel, steps, 0)
  const between = (list: readonly number[], filler: number): number[] =>
    list.flatMap((value, i) => (i === 0 ? [value] : [filler, value]))
  return position(between(kernel, 1), between(steps, 0), 0)
}

function windowsOf(x: Tensor, { kernel, stride, dilation }: PoolWindows): Tensor {
  return x.unfold(lastDims(x.rank, kernel.length), kernel, stride, dilation)
}

function withWindowDims(x: Tensor, spatial: number): Tensor {
  return x.reshape([...x.shape, ...Array.from({ length: spatial }, () => 1)])
}

/** [..., *counts] -> [..., count, 1, count, 1]. */
function withTileDims(x: Tensor, spatial: number): Tensor {
  const leading = x.rank - spatial
  return x.reshape(x.shape.flatMap((size, dim) => (dim < leading ? [size] : [size, 1])))
}

function pooledShape(x: Tensor, { kernel, stride, dilation }: PoolWindows): number[] {
  const leading = x.rank - kernel.length
  const counts = kernel.map(
    (size, i) => Math.floor((x.shape[leading + i]! - spanOf(size, dilation[i]!)) / stride[i]!) + 1,
  )
  return [...x.shape.slice(0, leading), ...counts]
}

function attributesOf({ kernel, stride, dilation }: PoolWindows): Attributes {
  return { kernel, stride, dilation }
}

function poolOf(attributes: Attributes): PoolWindows {
  return attributes as unknown as PoolWindows
}
