// Pooling: maxima, means and power means of windows, in PyTorch's layouts [N, C, ...] or [C, ...]. Pooling to a given
// size is in adaptive-pool.ts. Read before: pooling.ts.
import { formatShape, isFloating, ShapeError, ValueError } from '@nabla/engine'
import { defineFunction, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import { noGrad, type Tensor } from '../tensor.ts'
import { floating } from './common.ts'
import { surround } from './pieces.ts'
import { maximumOfWindows, placeOfFirst, sumOfWindows, type PoolWindows } from './pooling.ts'
import { position } from './position.ts'
import { perSpatial, spanOf, type PerSpatial } from './spatial.ts'

/** Settings of all poolings. */
export interface PoolOptions {
  /** Steps between windows. Default: the kernel, so that windows tile the input. */
  stride?: PerSpatial
  /** Whether a last window may reach beyond the input, as long as it starts inside. Default false. */
  ceilMode?: boolean
}

/** Settings of maximum poolings. */
export interface MaxPoolOptions extends PoolOptions {
  /** Elements on both sides that are never chosen; at most half of the kernel. Default 0. */
  padding?: PerSpatial
  /** Steps between the elements of a window. Default 1. */
  dilation?: PerSpatial
}

/** Settings of average poolings. */
export interface AvgPoolOptions extends PoolOptions {
  /** Zeros on both sides; at most half of the kernel. Default 0. */
  padding?: PerSpatial
  /** Whether zeros of the padding count as elements of the mean. Default true. */
  countIncludePad?: boolean
  /** What sums are divided by instead of the number of elements. */
  divisorOverride?: number
}

/** A maximum pooling with its positions. */
export interface MaxPoolResult {
  readonly values: Tensor
  /** int32: where each maximum lies among the input's spatial positions, row-major. */
  readonly indices: Tensor
}

/** A pooling: the input, the kernel, settings. */
export type Pool<Options> = OpFunction<(x: TensorLike, kernel: PerSpatial, options?: Options) => Tensor>

interface Geometry extends PoolWindows {
  /** What is put before and after each spatial dimension. */
  readonly before: readonly number[]
  readonly after: readonly number[]
  readonly sizes: readonly number[]
  readonly counts: readonly number[]
}

function geometryOf(
  op: string,
  x: Tensor,
  kernelGiven: PerSpatial,
  spatial: number,
  options: PoolOptions & { padding?: PerSpatial; dilation?: PerSpatial },
): Geometry {
  if (x.rank !== spatial + 1 && x.rank !== spatial + 2) {
    throw new ShapeError(
      `${op}: x must be [N, C${', size'.repeat(spatial)}] or, without a batch, [C${', size'.repeat(spatial)}]; got ${formatShape(x.shape)}`,
    )
  }
  const kernel = perSpatial(op, 'the kernel', kernelGiven, spatial, 1)
  const stride = perSpatial(op, 'stride', options.stride ?? kernel, spatial, 1)
  const padding = perSpatial(op, 'padding', options.padding ?? 0, spatial, 0)
  const dilation = perSpatial(op, 'dilation', options.dilation ?? 1, spatial, 1)
  const sizes = x.shape.slice(x.rank - spatial)
  const after: number[] = []
  const counts = sizes.map((size, dim) => {
    const span = spanOf(kernel[dim]!, dilation[dim]!)
    const pad = padding[dim]!
    if (pad > span / 2) {
      throw new ValueError(
        `${op}: padding must be at most half of the kernel; got ${pad} for a window of ${span}`,
      )
    }
    const room = size + 2 * pad - span
    let count =
      (options.ceilMode === true ? Math.ceil(room / stride[dim]!) : Math.floor(room / stride[dim]!)) + 1
    // A window that starts in the padding behind the input would hold nothing.
    if (options.ceilMode === true && (count - 1) * stride[dim]! >= size + pad) count -= 1
    if (room < 0 || count < 1) {
      throw new ShapeError(
        `${op}: a window of ${span} does not fit into spatial dimension ${dim} of x ${formatShape(x.shape)} (${size + 2 * pad} with padding)`,
      )
    }
    after.push(Math.max(0, (count - 1) * stride[dim]! + span - size - pad))
    return count
  })
  return { kernel, stride, dilation, before: padding, after, sizes, counts }
}

function padded(x: Tensor, { before, after }: Geometry, fill: number): Tensor {
  const lead = Array.from({ length: x.rank - before.length }, () => 0)
  return surround(x, [...lead, ...before], [...lead, ...after], fill)
}

function lowest(x: Tensor): number {
  return isFloating(x.dtype) ? -Infinity : x.dtype === 'bool' ? 0 : -(2 ** 31)
}

function maxPool(name: string, spatial: number): (...args: Parameters<Pool<MaxPoolOptions>>) => Tensor {
  return (value, kernel, options = {}) => {
    const x = toTensor(name, value)
    const geometry = geometryOf(name, x, kernel, spatial, options)
    return maximumOfWindows(padded(x, geometry, lowest(x)), geometry)
  }
}

function maxPoolWithIndices(
  name: string,
  spatial: number,
): (x: TensorLike, kernel: PerSpatial, options?: MaxPoolOptions) => MaxPoolResult {
  return (value, kernel, options = {}) => {
    const x = toTensor(name, value)
    const geometry = geometryOf(name, x, kernel, spatial, options)
    const input = padded(x, geometry, lowest(x))
    const values = maximumOfWindows(input, geometry)
    return { values, indices: noGrad(() => inputPositions(placeOfFirst(input, geometry), geometry)) }
  }
}

/** From the place in a window to the position among the spatial positions of the input. */
function inputPositions(
  places: Tensor,
  { kernel, stride, dilation, before, sizes, counts }: Geometry,
): Tensor {
  let rest = places
  let result: Tensor | null = null
  let step = 1
  for (let dim = kernel.length - 1; dim >= 0; dim--) {
    const tap = rest.remainder(kernel[dim]!)
    rest = rest.floorDivide(kernel[dim]!)
    const start = position(
      counts,
      counts.map((_, i) => (i === dim ? stride[dim]! : 0)),
      -before[dim]!,
    )
    const along = start.add(tap.mul(dilation[dim]!)).mul(step)
    result = result === null ? along : result.add(along)
    step *= sizes[dim]!
  }
  return result!
}

function avgPool(name: string, spatial: number): (...args: Parameters<Pool<AvgPoolOptions>>) => Tensor {
  return (value, kernel, options = {}) => {
    const x = floating(toTensor(name, value))
    const { divisorOverride } = options
    if (divisorOverride !== undefined && !(Number.isFinite(divisorOverride) && divisorOverride !== 0)) {
      throw new ValueError(
        `${name}: divisorOverride must be a number other than 0; got ${String(divisorOverride)}`,
      )
    }
    const geometry = geometryOf(name, x, kernel, spatial, options)
    const sums = sumOfWindows(padded(x, geometry, 0), geometry)
    if (divisorOverride !== undefined) return sums.div(divisorOverride)
    return divideByCounts(sums, geometry, options.countIncludePad !== false)
  }
}

/** Divides sums by the number of elements that each window has within the input (or within its padding). */
function divideByCounts(sums: Tensor, geometry: Geometry, includePad: boolean): Tensor {
  const { kernel, stride, before, sizes, counts } = geometry
  let divisor: Tensor | number = 1
  counts.forEach((count, dim) => {
    const low = includePad ? -before[dim]! : 0
    const high = sizes[dim]! + (includePad ? before[dim]! : 0)
    const last = (count - 1) * stride[dim]! - before[dim]! + kernel[dim]!
    if (-before[dim]! >= low && last <= high) {
      divisor = typeof divisor === 'number' ? divisor * kernel[dim]! : divisor.mul(kernel[dim]!)
      return
    }
    const ones = counts.map((_, i) => (i === dim ? count : 1))
    const starts = position(
      ones,
      ones.map((_, i) => (i === dim ? stride[dim]! : 0)),
      -before[dim]!,
    )
    const number = starts.add(kernel[dim]!).minimum(high).sub(starts.maximum(low))
    divisor = number.mul(divisor)
  })
  return sums.div(divisor)
}

/**
 * Largest element of each window: x [N, C, L] or [C, L] -> [N, C, L'], with
 * L' = floor((L + 2 padding - dilation (K - 1) - 1) / stride) + 1. Of equal elements the first gets the gradient.
 * @throws ShapeError, ValueError
 */
export const maxPool1d: Pool<MaxPoolOptions> = defineFunction({
  name: 'maxPool1d',
  call: maxPool('maxPool1d', 1),
  samples: (make) => [
    [make.real([2, 3, 8]), 2],
    [make.real([2, 3, 7]), 3, { stride: 2, padding: 1 }],
    [make.strided([3, 8]), 2, { dilation: 2, stride: 1 }],
  ],
  wrong: [
    {
      args: (make) => [make.real([2, 3, 8]), 2, { padding: 2 }],
      error: 'ValueError',
      message: /maxPool1d: padding must be at most half/,
    },
    {
      args: (make) => [make.real([2, 3, 2]), 3],
      error: 'ShapeError',
      message: /maxPool1d: a window of 3 does not fit/,
    },
    { args: (make) => [make.real([3]), 3], error: 'ShapeError', message: /maxPool1d: x must be/ },
  ],
})

/** Largest element of each window of images: x [N, C, H, W] or [C, H, W] -> [N, C, H', W']. See {@link maxPool1d}. */
export const maxPool2d: Pool<MaxPoolOptions> = defineFunction({
  name: 'maxPool2d',
  call: maxPool('maxPool2d', 2),
  samples: (make) =>
    [
      [make.real([2, 2, 4, 6]), 2],
      [make.real([1, 2, 5, 7]), [2, 3], { stride: [2, 1], padding: [1, 1] }],
      [make.real([1, 2, 5, 7]), 2, { ceilMode: true }],
      [make.real([2, 6, 6]), 3, { dilation: 2, stride: 1 }],
      [make.integers([1, 1, 4, 4], -9, 9), 3, { padding: 1 }],
      // Too many elements, and too large steps, to be taken apart.
      [make.real([1, 1, 8, 7]), 6, { stride: 1 }],
      [make.real([1, 1, 11, 11]), 3, { stride: 5 }],
      [make.values([1, 1, 1, 1, NaN, 1, 1, 1], [1, 1, 2, 4]), 2],
    ].map((args, i) => (i === 7 ? { args, gradient: false } : args)),
  wrong: [
    {
      args: (make) => [make.real([1, 1, 4, 4]), [2, 2, 2]],
      error: 'ValueError',
      message: /maxPool2d: the kernel must be/,
    },
  ],
})

/** Largest element of each window of volumes: x [N, C, D, H, W] or [C, D, H, W] -> [N, C, D', H', W']. */
export const maxPool3d: Pool<MaxPoolOptions> = defineFunction({
  name: 'maxPool3d',
  call: maxPool('maxPool3d', 3),
  samples: (make) => [
    [make.real([1, 2, 4, 4, 2]), 2],
    [make.real([1, 3, 4, 5]), 2, { stride: 1, padding: 1 }],
  ],
})

/** {@link maxPool2d} with the positions of the maxima, for {@link maxUnpool2d}. */
export const maxPool2dWithIndices: OpFunction<
  (x: TensorLike, kernel: PerSpatial, options?: MaxPoolOptions) => MaxPoolResult
> = defineFunction({
  name: 'maxPool2dWithIndices',
  call: maxPoolWithIndices('maxPool2dWithIndices', 2),
  samples: (make) => [
    [make.real([1, 2, 4, 6]), 2],
    [make.real([2, 5, 5]), 3, { padding: 1, stride: 2, dilation: 1 }],
  ],
})

/**
 * Mean of each window: x [N, C, L] or [C, L] -> [N, C, L'], with L' = floor((L + 2 padding - K) / stride) + 1.
 * @throws ShapeError, ValueError
 */
export const avgPool1d: Pool<AvgPoolOptions> = defineFunction({
  name: 'avgPool1d',
  call: avgPool('avgPool1d', 1),
  samples: (make) => [
    [make.real([2, 3, 8]), 2],
    [make.real([2, 3, 7]), 3, { stride: 2, padding: 1, countIncludePad: false }],
  ],
  wrong: [
    {
      args: (make) => [make.real([1, 2]), 3],
      error: 'ShapeError',
      message: /avgPool1d: a window of 3 does not fit/,
    },
  ],
})

/** Mean of each window of images: x [N, C, H, W] or [C, H, W] -> [N, C, H', W']. See {@link avgPool1d}. */
export const avgPool2d: Pool<AvgPoolOptions> = defineFunction({
  name: 'avgPool2d',
  call: avgPool('avgPool2d', 2),
  samples: (make) => [
    [make.real([2, 2, 4, 6]), 2],
    [make.real([1, 2, 5, 7]), [2, 3], { stride: [2, 1], padding: [1, 1] }],
    [make.real([1, 2, 5, 7]), 3, { padding: 1, countIncludePad: false, stride: 2 }],
    [make.real([1, 2, 5, 6]), 2, { ceilMode: true }],
    [make.real([2, 4, 4]), 2, { divisorOverride: 3 }],
    [make.real([1, 1, 8, 7]), 6, { stride: 1 }],
    [make.real([1, 1, 11, 11]), 3, { stride: 5 }],
    [make.integers([1, 2, 4, 4], -9, 9), 2],
  ],
  wrong: [
    {
      args: (make) => [make.real([1, 4, 4]), 2, { divisorOverride: 0 }],
      error: 'ValueError',
      message: /divisorOverride/,
    },
  ],
})

/** Mean of each window of volumes: x [N, C, D, H, W] or [C, D, H, W] -> [N, C, D', H', W']. */
export const avgPool3d: Pool<AvgPoolOptions> = defineFunction({
  name: 'avgPool3d',
  call: avgPool('avgPool3d', 3),
  samples: (make) => [[make.real([1, 2, 4, 4, 2]), 2]],
})

function lpPool(
  name: string,
  spatial: number,
): (x: TensorLike, p: number, kernel: PerSpatial, options?: PoolOptions) => Tensor {
  return (value, p, kernel, options = {}) => {
    const x = floating(toTensor(name, value))
    if (typeof p !== 'number' || !(p > 0))
      throw new ValueError(`${name}: the power must be above 0; got ${String(p)}`)
    const geometry = geometryOf(name, x, kernel, spatial, options)
    const powers = padded(x.pow(p), geometry, 0)
    // As in PyTorch, a sum below 0 (of an odd power) counts as 0.
    return sumOfWindows(powers, geometry)
      .relu()
      .pow(1 / p)
  }
}

/** Power mean without the mean: (sum of x^p)^(1/p) of each window: x [N, C, L] -> [N, C, L']. */
export const lpPool1d: OpFunction<
  (x: TensorLike, p: number, kernel: PerSpatial, options?: PoolOptions) => Tensor
> = defineFunction({
  name: 'lpPool1d',
  call: lpPool('lpPool1d', 1),
  samples: (make) => [[make.real([2, 3, 8], { low: 0.2 }), 3, 2]],
  wrong: [{ args: (make) => [make.real([1, 4]), 0, 2], error: 'ValueError', message: /lpPool1d: the power/ }],
})

/** (sum of x^p)^(1/p) of each window of images: x [N, C, H, W] -> [N, C, H', W']. */
export const lpPool2d: OpFunction<
  (x: TensorLike, p: number, kernel: PerSpatial, options?: PoolOptions) => Tensor
> = defineFunction({
  name: 'lpPool2d',
  call: lpPool('lpPool2d', 2),
  samples: (make) => [
    [make.real([1, 2, 4, 6]), 2, 2],
    [make.real([1, 2, 5, 5]), 2, 3, { stride: 2 }],
  ],
})
