// Pooling to a size: the windows follow from the sizes of input and output. Output i along a dimension covers the input
// from floor(i L / O) to ceil((i + 1) L / O). Where sizes divide, that is pooling with windows that tile; where they do
// not, windows differ in length, and each dimension is pooled piece by piece. Read before: pooling.ts.
import { formatShape, ShapeError, ValueError } from '@nabla/engine'
import { defineFunction, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import type { Tensor } from '../tensor.ts'
import { floating } from './common.ts'
import { concatenate } from './pieces.ts'
import { maximumOfWindows, sumOfWindows } from './pooling.ts'

/** Sizes of the output: one number for all spatial dimensions, or one each; null keeps the input's. */
export type OutputSize = number | readonly (number | null)[]

/** A pooling to a given size. */
export type AdaptivePool = OpFunction<(x: TensorLike, size: OutputSize) => Tensor>

/** Pools windows of the given kernel that tile the last dimensions. */
type Tiling = (x: Tensor, kernel: readonly number[]) => Tensor

const largest: Tiling = (x, kernel) =>
  maximumOfWindows(x, { kernel, stride: kernel, dilation: kernel.map(() => 1) })

const average: Tiling = (x, kernel) =>
  sumOfWindows(x, { kernel, stride: kernel, dilation: kernel.map(() => 1) }).div(
    kernel.reduce((product, size) => product * size, 1),
  )

function adaptivePool(
  name: string,
  spatial: number,
  pool: Tiling,
  prepare: (x: Tensor) => Tensor,
): (x: TensorLike, size: OutputSize) => Tensor {
  return (value, size) => {
    const x = prepare(toTensor(name, value))
    if (x.rank !== spatial + 1 && x.rank !== spatial + 2) {
      throw new ShapeError(
        `${name}: x must have ${spatial} spatial dimensions after [N, C] or [C]; got ${formatShape(x.shape)}`,
      )
    }
    const lengths = x.shape.slice(x.rank - spatial)
    const target = targetOf(name, size, lengths)
    if (lengths.includes(0))
      throw new ShapeError(`${name}: x ${formatShape(x.shape)} has no elements to pool`)
    if (lengths.every((length, i) => length % target[i]! === 0)) {
      return pool(
        x,
        lengths.map((length, i) => length / target[i]!),
      )
    }
    let result = x
    target.forEach((count, i) => {
      result = poolDimension(result, x.rank - spatial + i, count, (part) =>
        pool(part, onlyAt(spatial, i, part.shape[x.rank - spatial + i]!)),
      )
    })
    return result
  }
}

function targetOf(op: string, size: OutputSize, lengths: readonly number[]): number[] {
  const list = typeof size === 'number' ? lengths.map(() => size) : size
  const valid =
    Array.isArray(list) &&
    list.length === lengths.length &&
    list.every((n) => n === null || (Number.isInteger(n) && n >= 1))
  if (!valid)
    throw new ValueError(
      `${op}: the size must be a whole number >= 1, or ${lengths.length} of them (null keeps one); got ${String(size)}`,
    )
  return lengths.map((length, i) => list[i] ?? length)
}

/** Kernel sizes that reach along one spatial dimension only. */
function onlyAt(spatial: number, at: number, size: number): number[] {
  return Array.from({ length: spatial }, (_, i) => (i === at ? size : 1))
}

function poolDimension(x: Tensor, dim: number, count: number, poolWhole: (part: Tensor) => Tensor): Tensor {
  const length = x.shape[dim]!
  if (count === length) return x
  const parts = Array.from({ length: count }, (_, i) => {
    const start = Math.floor((i * length) / count)
    const end = Math.ceil(((i + 1) * length) / count)
    return poolWhole(x.narrow(dim, start, end - start))
  })
  return concatenate(parts, dim)
}

/** Means over windows that give the wanted size: x [N, C, L] or [C, L] -> [N, C, size]. @throws ShapeError, ValueError */
export const adaptiveAvgPool1d: AdaptivePool = defineFunction({
  name: 'adaptiveAvgPool1d',
  call: adaptivePool('adaptiveAvgPool1d', 1, average, floating),
  samples: (make) => [
    [make.real([2, 3, 8]), 4],
    [make.real([3, 7]), 3],
  ],
  wrong: [
    {
      args: (make) => [make.real([2, 3, 8]), 0],
      error: 'ValueError',
      message: /adaptiveAvgPool1d: the size must be/,
    },
    {
      args: (make) => [make.real([8]), 2],
      error: 'ShapeError',
      message: /adaptiveAvgPool1d: x must have 1 spatial/,
    },
  ],
})

/** Means over windows that give the wanted size: x [N, C, H, W] or [C, H, W] -> [N, C, *size]. */
export const adaptiveAvgPool2d: AdaptivePool = defineFunction({
  name: 'adaptiveAvgPool2d',
  call: adaptivePool('adaptiveAvgPool2d', 2, average, floating),
  samples: (make) => [
    [make.real([2, 2, 4, 6]), 1],
    [make.real([2, 2, 6, 7]), [3, 2]],
    [make.real([1, 4, 6]), [null, 3]],
    [make.real([1, 1, 2, 3]), [3, 5]],
  ],
})

/** Means over windows that give the wanted size: x [N, C, D, H, W] or [C, D, H, W] -> [N, C, *size]. */
export const adaptiveAvgPool3d: AdaptivePool = defineFunction({
  name: 'adaptiveAvgPool3d',
  call: adaptivePool('adaptiveAvgPool3d', 3, average, floating),
  samples: (make) => [[make.real([1, 2, 4, 3, 2]), [2, 2, 1]]],
})

/** Maxima over windows that give the wanted size: x [N, C, L] or [C, L] -> [N, C, size]. @throws ShapeError, ValueError */
export const adaptiveMaxPool1d: AdaptivePool = defineFunction({
  name: 'adaptiveMaxPool1d',
  call: adaptivePool('adaptiveMaxPool1d', 1, largest, (x) => x),
  samples: (make) => [
    [make.real([2, 3, 8]), 4],
    [make.real([3, 7]), 3],
  ],
})

/** Maxima over windows that give the wanted size: x [N, C, H, W] or [C, H, W] -> [N, C, *size]. */
export const adaptiveMaxPool2d: AdaptivePool = defineFunction({
  name: 'adaptiveMaxPool2d',
  call: adaptivePool('adaptiveMaxPool2d', 2, largest, (x) => x),
  samples: (make) => [
    [make.real([2, 2, 4, 6]), [2, 3]],
    [make.real([2, 2, 6, 7]), [3, 2]],
  ],
  wrong: [
    {
      args: (make) => [make.real([2, 2, 4, 6]), [2]],
      error: 'ValueError',
      message: /adaptiveMaxPool2d: the size must be/,
    },
  ],
})

/** Maxima over windows that give the wanted size: x [N, C, D, H, W] or [C, D, H, W] -> [N, C, *size]. */
export const adaptiveMaxPool3d: AdaptivePool = defineFunction({
  name: 'adaptiveMaxPool3d',
  call: adaptivePool('adaptiveMaxPool3d', 3, largest, (x) => x),
  samples: (make) => [[make.real([1, 2, 4, 3, 2]), [2, 2, 1]]],
})
