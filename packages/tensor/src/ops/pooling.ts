// The two ops behind all poolings: the largest element of each window and the sum of each window, over the last
// dimensions of a value that has been padded. Both have gradients of their own, because the way back is shorter than that
// of their parts: windows that tile are only put in order, and a maximum passes its gradient to one element.
// Not public: see pool.ts.
import type { Attributes } from '@nabla/engine'
import { createOp, type TensorOp } from '../op.ts'
import { makeNode, noGrad, type Tensor } from '../tensor.ts'
import { position } from './position.ts'
import { foldWindows, lastDims, spanOf } from './spatial.ts'

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
    const spatial = pool.kernel.length
    const chosen = noGrad(() => firstLargest(x, output, pool))
    const spread = chosen.where(withWindowDims(upstream, spatial), 0)
    return [foldWindows(spread, x.shape.slice(x.rank - spatial), pool.stride, pool.dilation)]
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
  ({ inputs: [x], attributes }, upstream) => {
    const pool = poolOf(attributes)
    const spatial = pool.kernel.length
    const spread = withWindowDims(upstream, spatial).expand([...upstream.shape, ...pool.kernel])
    return [foldWindows(spread, x.shape.slice(x.rank - spatial), pool.stride, pool.dilation)]
  },
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

/** For every element of every window whether it is the one that was chosen. */
function firstLargest(x: Tensor, largest: Tensor, pool: PoolWindows): Tensor {
  const first = placeOfFirst(x, largest, pool)
  return withWindowDims(first, pool.kernel.length).eq(placesInWindow(pool.kernel))
}

function placesInWindow(kernel: readonly number[]): Tensor {
  const steps = kernel.map((_, dim) => kernel.slice(dim + 1).reduce((product, length) => product * length, 1))
  return position(kernel, steps, 0)
}

function windowsOf(x: Tensor, { kernel, stride, dilation }: PoolWindows): Tensor {
  return x.unfold(lastDims(x.rank, kernel.length), kernel, stride, dilation)
}

function withWindowDims(x: Tensor, spatial: number): Tensor {
  return x.reshape([...x.shape, ...Array.from({ length: spatial }, () => 1)])
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
