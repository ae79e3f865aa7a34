// The ops behind all poolings: the largest element of each window and the sum of each window, over the last dimensions of a
// value that has been padded. Their ways back are ops too, each the adjoint of another: what a window gives goes to all its
// elements or to the one that was chosen (`spread`), and what was chosen is picked (`pick`); so gradients of gradients are
// made of the same few. All are composites, so that a step records one node for each. Not public: see pool.ts.
import type { Attributes, Shape } from '@nabla/engine'
import { createOp, numberTensor, type TensorOp } from '../op.ts'
import { makeNode, noGrad, type Tensor } from '../tensor.ts'
import { position } from './position.ts'
import { foldWindows, lastDims, resizeEnd, spanOf } from './spatial.ts'
import { addTaps, haveFewTaps, sliceAt, tapsOf, type Windows } from './taps.ts'

/** Windows over the last dimensions, one number per dimension. */
export type PoolWindows = Windows

const maximumOp: TensorOp = createOp(
  'maxPool',
  {
    kind: 'composite',
    expand: ([x], attributes) => largestOf(x as Tensor, poolOf(attributes)).values,
  },
  ({ inputs: [x], attributes }, upstream) => {
    const pool = poolOf(attributes)
    return [spread(upstream, placeOfFirst(x, pool), x.shape, pool)]
  },
)

const placeOp: TensorOp = createOp(
  'maxPoolPlace',
  { kind: 'composite', expand: ([x], attributes) => largestOf(x as Tensor, poolOf(attributes)).places },
  null,
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
  ({ inputs: [x], attributes }, upstream) => [spread(upstream, null, x.shape, poolOf(attributes))],
)

const spreadOp: TensorOp = createOp(
  'spreadPool',
  {
    kind: 'composite',
    expand: ([upstream, places], attributes, { shape }) =>
      spreadOver(upstream as Tensor, (places ?? null) as Tensor | null, shape, poolOf(attributes)),
  },
  ({ inputs: [, places], attributes }, upstream) => {
    const pool = poolOf(attributes)
    return places === undefined ? [sumOfWindows(upstream, pool)] : [pick(upstream, places, pool), null]
  },
)

const pickOp: TensorOp = createOp(
  'pickPool',
  {
    kind: 'composite',
    expand: ([x, places], attributes) => pickedFrom(x as Tensor, places as Tensor, poolOf(attributes)),
  },
  ({ inputs: [x, places], attributes }, upstream) => [
    spread(upstream, places!, x.shape, poolOf(attributes)),
    null,
  ],
)

/** Largest element of each window; gradients go to the first of equal ones. */
export function maximumOfWindows(x: Tensor, pool: PoolWindows): Tensor {
  return makeNode(maximumOp, [x], attributesOf(pool), pooledShape(x.shape, pool), x.dtype)
}

/** Sum of each window. */
export function sumOfWindows(x: Tensor, pool: PoolWindows): Tensor {
  return makeNode(sumOp, [x], attributesOf(pool), pooledShape(x.shape, pool), x.dtype)
}

/** Place (row-major, int32) in its window of the first of the largest elements; of a NaN, where there is one. */
export function placeOfFirst(x: Tensor, pool: PoolWindows): Tensor {
  return noGrad(() => makeNode(placeOp, [x], attributesOf(pool), pooledShape(x.shape, pool), 'int32'))
}

/** The gradient of the input: each element gets that of all windows it lies in, or only of those that chose it. */
function spread(upstream: Tensor, places: Tensor | null, shape: Shape, pool: PoolWindows): Tensor {
  const inputs = places === null ? [upstream] : [upstream, places]
  return makeNode(spreadOp, inputs, attributesOf(pool), shape, upstream.dtype)
}

/** The elements at the given places of windows. */
function pick(x: Tensor, places: Tensor, pool: PoolWindows): Tensor {
  return makeNode(pickOp, [x, places], attributesOf(pool), places.shape, x.dtype)
}

function largestOf(x: Tensor, pool: PoolWindows): { readonly values: Tensor; readonly places: Tensor } {
  const counts = pooledShape(x.shape, pool).slice(-pool.kernel.length)
  if (!haveFewTaps(pool)) {
    const windows = windowsOf(x, pool)
    const dims = lastDims(windows.rank, counts.length)
    const values = windows.amax(dims)
    const isLargest = windows.eq(withWindowDims(values, counts.length)).logicalOr(windows.ne(windows))
    const size = pool.kernel.reduce((product, length) => product * length, 1)
    return { values, places: isLargest.where(placesInWindow(pool.kernel), size).amin(dims) }
  }
  const [first, ...others] = tapsOf(pool).map((tap) => sliceAt(x, pool, tap, counts))
  let values = first!
  let places: Tensor = numberTensor(0, 'int32')
  others.forEach((tap, i) => {
    places = tap
      .gt(values)
      .logicalOr(tap.ne(tap))
      .where(numberTensor(i + 1, 'int32'), places)
    values = values.maximum(tap)
  })
  return { values, places: places.expand(values.shape) }
}

function pickedFrom(x: Tensor, places: Tensor, pool: PoolWindows): Tensor {
  const counts = places.shape.slice(-pool.kernel.length)
  if (!haveFewTaps(pool)) {
    const windows = windowsOf(x, pool)
    const isPicked = withWindowDims(places, counts.length).eq(placesInWindow(pool.kernel))
    return isPicked.where(windows, 0).sum(lastDims(windows.rank, counts.length))
  }
  return tapsOf(pool)
    .map((tap) => sliceAt(x, pool, tap, counts))
    .reduce((picked, tap, i) => places.eq(i).where(tap, picked))
}

function spreadOver(upstream: Tensor, places: Tensor | null, shape: Shape, pool: PoolWindows): Tensor {
  const { kernel, stride, dilation } = pool
  const spatial = kernel.length
  const lengths = shape.slice(shape.length - spatial)
  const lead = upstream.shape.slice(0, upstream.rank - spatial)
  const counts = upstream.shape.slice(upstream.rank - spatial)
  if (kernel.every((size, i) => stride[i] === size && dilation[i] === 1)) {
    // Windows that tile the input are walked in its own order, so that nothing has to be moved.
    const elements = counts.flatMap((count, i) => [count, kernel[i]!])
    const wide = withTileDims(upstream, spatial)
    const all =
      places === null
        ? wide.expand([...lead, ...elements])
        : withTileDims(places, spatial).eq(placesInWindow(kernel, true)).where(wide, 0)
    return resizeEnd(all.reshape([...lead, ...counts.map((count, i) => count * kernel[i]!)]), lengths)
  }
  const byTaps = addTaps(pool, counts, lengths, (index, withMargins) => {
    const given = withMargins(upstream, 0)
    return places === null ? given : withMargins(places, -1).eq(index).where(given, 0)
  })
  if (byTaps !== null) return byTaps
  const wide = withWindowDims(upstream, spatial)
  const all =
    places === null
      ? wide.expand([...upstream.shape, ...kernel])
      : withWindowDims(places, spatial).eq(placesInWindow(kernel)).where(wide, 0)
  return foldWindows(all, lengths, stride, dilation)
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

function pooledShape(shape: Shape, { kernel, stride, dilation }: PoolWindows): number[] {
  const leading = shape.length - kernel.length
  const counts = kernel.map(
    (size, i) => Math.floor((shape[leading + i]! - spanOf(size, dilation[i]!)) / stride[i]!) + 1,
  )
  return [...shape.slice(0, leading), ...counts]
}

function attributesOf({ kernel, stride, dilation }: PoolWindows): Attributes {
  return { kernel, stride, dilation }
}

function poolOf(attributes: Attributes): PoolWindows {
  return attributes as unknown as PoolWindows
}
