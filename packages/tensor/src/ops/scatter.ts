// Writing by index: the elements of `src` go to the places that `index` names along one dimension. Several that go to the
// same place are added, averaged, compared, or the last one stays; the result never depends on the order of work.
// Selecting by index is in indexing.ts.
import { checkDim, formatShape, isFloating, lookUp, ShapeError, ValueError } from '@nabla/engine'
import { defineFunction, numberTensor, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import { noGrad, type Tensor } from '../tensor.ts'
import { checkIndexShape, gatherAlong, indexAcross, indicesOf, scatterAlong } from './indexed.ts'
import { slice } from './pieces.ts'
import { argsortAlong, scatterLast, scatterProduct } from './segments.ts'
import { perSpatial, type PerSpatial } from './spatial.ts'

/** Checked arguments: sources cut to the shape of the index. */
interface Scatter {
  readonly x: Tensor
  readonly axis: number
  readonly index: Tensor
  readonly src: Tensor
}

function checkScatter(
  op: string,
  target: TensorLike,
  dim: number,
  positions: TensorLike,
  source: TensorLike,
): Scatter {
  const x = toTensor(op, target)
  const axis = checkDim(op, dim, x.rank)
  const index = indicesOf(op, positions, x.shape[axis]!)
  checkIndexShape(op, x.shape, index.shape, axis)
  if (typeof source === 'number')
    return { x, axis, index, src: numberTensor(source, x.dtype).expand(index.shape) }
  const src = toTensor(op, source).to(x.dtype)
  if (src.rank !== index.rank || src.shape.some((size, d) => size < index.shape[d]!)) {
    throw new ShapeError(
      `${op}: index ${formatShape(index.shape)} reaches beyond src ${formatShape(src.shape)}`,
    )
  }
  const zeros = index.shape.map(() => 0)
  const same = src.shape.every((size, d) => size === index.shape[d])
  return {
    x,
    axis,
    index,
    src: same
      ? src
      : slice(
          src,
          zeros,
          zeros.map(() => 1),
          index.shape,
        ),
  }
}

/**
 * `x` with src[i] added at [i with `index[i]` at dimension `dim`]. Places named several times get all of their sources.
 * @throws ShapeError, DTypeError; ValueError for an index outside of [0, x.shape[dim])
 */
export const scatterAdd: OpFunction<
  (x: TensorLike, dim: number, index: TensorLike, src: TensorLike) => Tensor
> = defineFunction({
  name: 'scatterAdd',
  call: (target: TensorLike, dim: number, positions: TensorLike, source: TensorLike) => {
    const { x, axis, index, src } = checkScatter('scatterAdd', target, dim, positions, source)
    return x.add(scatterAlong(src, index, axis, x.shape, 'scatterAdd'))
  },
  samples: (make) => [
    [make.real([4, 5]), 1, make.integers([4, 3], 0, 5), make.real([4, 3])],
    [make.real([4, 5]), 0, make.integers([6, 2], 0, 4), make.real([7, 3])],
    [make.strided([3, 4]), -1, make.integers([2, 7], 0, 4), make.strided([2, 7])],
    [make.real([4]), 0, make.integers([0], 0, 4), make.real([0])],
    [make.integers([3], 0, 9), 0, make.integers([5], 0, 3), make.integers([5], 0, 9)],
  ],
  wrong: [
    {
      args: (make) => [make.real([4]), 0, make.integers([3], 0, 4), make.real([2])],
      error: 'ShapeError',
      message: /scatterAdd: index \[3\] reaches beyond/,
    },
    {
      args: (make) => [make.real([4]), 0, make.integers([2], 4, 5), make.real([2])],
      error: 'ValueError',
      message: /scatterAdd: index 4/,
    },
  ],
})

/**
 * `x` with src[i] (or a number) written at [i with `index[i]` at dimension `dim`]. Of several for one place the last stays.
 * @throws ShapeError, DTypeError, ValueError
 */
export const scatter: OpFunction<(x: TensorLike, dim: number, index: TensorLike, src: TensorLike) => Tensor> =
  defineFunction({
    name: 'scatter',
    call: (target: TensorLike, dim: number, positions: TensorLike, source: TensorLike) => {
      const call = checkScatter('scatter', target, dim, positions, source)
      const { x, axis, index, src } = call
      const hit = countHits('scatter', call).gt(0)
      if (typeof source === 'number') return hit.where(numberTensor(source, x.dtype), x)
      return hit.where(scatterLast('scatter', src, index, axis, x.shape), x)
    },
    samples: (make) => [
      [make.real([4, 5]), 1, make.integers([4, 3], 0, 5), make.real([4, 3])],
      [make.real([4, 5]), 0, make.integers([6, 2], 0, 4), make.real([6, 2])],
      [make.real([4, 5]), 1, make.integers([4, 2], 0, 5), 5],
      [make.real([4]), 0, make.integers([0], 0, 4), make.real([0])],
    ],
    wrong: [
      {
        args: (make) => [make.real([4, 2]), 0, make.integers([3], 0, 4), 1],
        error: 'ShapeError',
        message: /scatter: index \[3\] does not fit/,
      },
    ],
  })

/** How many sources go to each place (int32). */
function countHits(op: string, { x, axis, index }: Scatter): Tensor {
  return scatterAlong(numberTensor(1, 'int32').expand(index.shape), index, axis, x.shape, op)
}

/** How {@link scatterReduce} puts sources together. */
export interface ScatterReduceOptions {
  reduce: 'sum' | 'mean' | 'prod' | 'amax' | 'amin'
  /** Whether the element of `x` takes part. Default true. */
  includeSelf?: boolean
}

type Combine = (call: Scatter, includeSelf: boolean) => Tensor

const combinations: Readonly<Record<ScatterReduceOptions['reduce'], Combine>> = {
  sum: ({ x, axis, index, src }, includeSelf) => {
    const sums = scatterAlong(src, index, axis, x.shape, 'scatterReduce')
    return includeSelf ? x.add(sums) : sums
  },
  mean: (call, includeSelf) => {
    const { x } = call
    const sums = combinations.sum(call, includeSelf)
    const hits = countHits('scatterReduce', call)
    const count = includeSelf ? hits.add(1) : hits.maximum(1)
    return isFloating(x.dtype) ? sums.div(count) : sums.floorDivide(count)
  },
  prod: ({ x, axis, index, src }, includeSelf) => {
    const products = scatterProduct('scatterReduce', src, index, axis, x.shape)
    return includeSelf ? x.mul(products) : products
  },
  amax: (call, includeSelf) => extremeOf(call, includeSelf, true),
  amin: (call, includeSelf) => extremeOf(call, includeSelf, false),
}

/**
 * Largest or smallest source of each place. Sources are sorted so that the wanted one is the last of its place; the
 * result is then written as the mean of all that are equal to it, which shares the gradient evenly among them.
 */
function extremeOf({ x, axis, index, src }: Scatter, includeSelf: boolean, largest: boolean): Tensor {
  const op = 'scatterReduce'
  const extreme = noGrad(() => {
    const order = argsortAlong(src, axis, !largest)
    const found = scatterLast(
      op,
      gatherAlong(src, order, axis, op),
      gatherAlong(index, order, axis, op),
      axis,
      x.shape,
    )
    if (!includeSelf) return found
    return largest ? found.maximum(x) : found.minimum(x)
  })
  const isFloat = isFloating(x.dtype)
  const chosen = noGrad(() => src.eq(gatherAlong(extreme, index, axis, op)))
  const self = noGrad(() => (includeSelf ? x.eq(extreme) : numberTensor(0, 'bool').expand(x.shape)))
  if (!isFloat) return extreme
  const count = noGrad(() => scatterAlong(chosen.to(x.dtype), index, axis, x.shape, op).add(self.to(x.dtype)))
  const total = scatterAlong(chosen.where(src, 0), index, axis, x.shape, op).add(self.where(x, 0))
  return total.div(count)
}

/**
 * `x` with all sources of each place put together: sum, mean, prod, amax or amin. Places that no index names keep their value.
 * @throws ShapeError, DTypeError, ValueError
 */
export const scatterReduce: OpFunction<
  (x: TensorLike, dim: number, index: TensorLike, src: TensorLike, options: ScatterReduceOptions) => Tensor
> = defineFunction({
  name: 'scatterReduce',
  call: (
    target: TensorLike,
    dim: number,
    positions: TensorLike,
    source: TensorLike,
    options: ScatterReduceOptions,
  ) => {
    const call = checkScatter('scatterReduce', target, dim, positions, source)
    const combine = lookUp('reduction of scatterReduce', options?.reduce, combinations)
    const hit = noGrad(() => countHits('scatterReduce', call).gt(0))
    return hit.where(combine(call, options.includeSelf !== false), call.x)
  },
  samples: (make) => [
    [make.real([4, 5]), 1, make.integers([4, 3], 0, 5), make.real([4, 3]), { reduce: 'sum' }],
    [
      make.real([4, 5]),
      1,
      make.integers([4, 6], 0, 5),
      make.real([4, 6]),
      { reduce: 'mean', includeSelf: false },
    ],
    [make.real([4, 5]), 1, make.integers([4, 6], 0, 5), make.real([4, 6]), { reduce: 'amax' }],
    [make.real([4, 5]), 1, make.integers([4, 6], 0, 5), make.real([4, 6]), { reduce: 'prod' }],
    [
      make.real([3]),
      0,
      make.integers([7], 0, 3),
      make.values([2, 0, 3, 0, -1, 0.5, 4]),
      { reduce: 'prod', includeSelf: false },
    ],
    [
      make.real([4, 5]),
      0,
      make.integers([6, 3], 0, 4),
      make.real([6, 3]),
      { reduce: 'amin', includeSelf: false },
    ],
  ],
  wrong: [
    {
      args: (make) => [make.real([4]), 0, make.integers([2], 0, 4), make.real([2]), { reduce: 'product' }],
      error: 'ValueError',
      message: /unknown reduction of scatterReduce 'product'/,
    },
  ],
})

/** The list of positions along a dimension as an index for all of `src`. */
function checkIndexed(
  op: string,
  target: TensorLike,
  dim: number,
  positions: TensorLike,
  source: TensorLike,
): Scatter {
  const x = toTensor(op, target)
  const axis = checkDim(op, dim, x.rank)
  const list = indicesOf(op, positions, x.shape[axis]!)
  const shape = x.shape.map((size, d) => (d === axis ? list.size : size))
  const src =
    typeof source === 'number'
      ? numberTensor(source, x.dtype).expand(shape)
      : toTensor(op, source).to(x.dtype)
  if (list.rank > 1 || formatShape(src.shape) !== formatShape(shape)) {
    throw new ShapeError(
      `${op}: an index [${list.size}] for dimension ${axis} of x ${formatShape(x.shape)} needs src ${formatShape(shape)}; got ` +
        `index ${formatShape(list.shape)} and src ${formatShape(src.shape)}`,
    )
  }
  return { x, axis, index: indexAcross(list, axis, shape), src }
}

/** `x` with the parts of `src` added at the positions `index` of a dimension. @throws ShapeError, DTypeError, ValueError */
export const indexAdd: OpFunction<
  (x: TensorLike, dim: number, index: TensorLike, src: TensorLike, options?: { alpha?: number }) => Tensor
> = defineFunction({
  name: 'indexAdd',
  call: (
    target: TensorLike,
    dim: number,
    positions: TensorLike,
    source: TensorLike,
    options: { alpha?: number } = {},
  ) => {
    const { x, axis, index, src } = checkIndexed('indexAdd', target, dim, positions, source)
    const scaled = options.alpha === undefined ? src : src.mul(options.alpha)
    return x.add(scatterAlong(scaled, index, axis, x.shape, 'indexAdd'))
  },
  samples: (make) => [
    [make.real([4, 5]), 0, make.integers([3], 0, 4), make.real([3, 5])],
    [make.real([4, 5]), 1, make.integers([6], 0, 5), make.real([4, 6]), { alpha: 2 }],
  ],
  wrong: [
    {
      args: (make) => [make.real([4, 5]), 0, make.integers([3], 0, 4), make.real([2, 5])],
      error: 'ShapeError',
      message: /indexAdd: an index \[3\]/,
    },
  ],
})

/** `x` with the parts of `src` at the positions `index` of a dimension; of several for one the last. @throws ShapeError, ValueError */
export const indexCopy: OpFunction<
  (x: TensorLike, dim: number, index: TensorLike, src: TensorLike) => Tensor
> = defineFunction({
  name: 'indexCopy',
  call: (target: TensorLike, dim: number, positions: TensorLike, source: TensorLike) => {
    const call = checkIndexed('indexCopy', target, dim, positions, source)
    const { x, axis, index, src } = call
    return countHits('indexCopy', call)
      .gt(0)
      .where(scatterLast('indexCopy', src, index, axis, x.shape), x)
  },
  samples: (make) => [[make.real([4, 5]), 0, make.integers([2], 0, 4), make.real([2, 5])]],
  wrong: [
    {
      args: (make) => [make.real([4, 5]), 0, make.integers([3], 0, 4), make.real([2, 5])],
      error: 'ShapeError',
      message: /indexCopy: an index \[3\]/,
    },
  ],
})

/** `x` with a number at the positions `index` of a dimension. @throws ShapeError, DTypeError, ValueError */
export const indexFill: OpFunction<(x: TensorLike, dim: number, index: TensorLike, value: number) => Tensor> =
  defineFunction({
    name: 'indexFill',
    call: (target: TensorLike, dim: number, positions: TensorLike, value: number) => {
      const call = checkIndexed('indexFill', target, dim, positions, 0)
      return countHits('indexFill', call).gt(0).where(value, call.x)
    },
    samples: (make) => [[make.real([4, 5]), 1, make.integers([2], 0, 5), -1]],
    wrong: [
      {
        args: (make) => [make.real([4]), 0, make.integers([2], 4, 6), 1],
        error: 'ValueError',
        message: /indexFill: index/,
      },
    ],
  })

/** Settings of {@link maxUnpool2d}. */
export interface UnpoolOptions {
  /** Default: the kernel. */
  stride?: PerSpatial
  /** Default 0. */
  padding?: PerSpatial
  /** Height and width of the result. Default: the smallest that the pooling could have come from. */
  outputSize?: readonly [number, number]
}

/**
 * Puts maxima back where they came from, zeros elsewhere: x and indices [N, C, H, W] (or without N) as of
 * {@link maxPool2dWithIndices} -> [N, C, H', W'].
 * @throws ShapeError, DTypeError, ValueError
 */
export const maxUnpool2d: OpFunction<
  (x: TensorLike, indices: TensorLike, kernel: PerSpatial, options?: UnpoolOptions) => Tensor
> = defineFunction({
  name: 'maxUnpool2d',
  call: (value: TensorLike, positions: TensorLike, kernelGiven: PerSpatial, options: UnpoolOptions = {}) => {
    const x = toTensor('maxUnpool2d', value)
    if (x.rank !== 3 && x.rank !== 4)
      throw new ShapeError(`maxUnpool2d: x must be [N, C, H, W] or [C, H, W]; got ${formatShape(x.shape)}`)
    const kernel = perSpatial('maxUnpool2d', 'the kernel', kernelGiven, 2, 1)
    const stride = perSpatial('maxUnpool2d', 'stride', options.stride ?? kernel, 2, 1)
    const padding = perSpatial('maxUnpool2d', 'padding', options.padding ?? 0, 2, 0)
    const counts = x.shape.slice(-2)
    const sizes =
      options.outputSize ?? counts.map((count, i) => (count - 1) * stride[i]! - 2 * padding[i]! + kernel[i]!)
    const [height, width] = sizes as [number, number]
    if (!(height > 0 && width > 0))
      throw new ValueError(`maxUnpool2d: the result would have sizes [${sizes.join(', ')}]`)
    const indices = indicesOf('maxUnpool2d', positions, height * width)
    if (formatShape(indices.shape) !== formatShape(x.shape)) {
      throw new ShapeError(
        `maxUnpool2d: x ${formatShape(x.shape)} and indices ${formatShape(indices.shape)} must have one shape`,
      )
    }
    const lead = x.shape.slice(0, -2)
    const flat = [...lead, x.shape.at(-2)! * x.shape.at(-1)!]
    const shape = [...lead, height * width]
    return scatterLast('maxUnpool2d', x.reshape(flat), indices.reshape(flat), flat.length - 1, shape).reshape(
      [...lead, height, width],
    )
  },
  samples: (make) => [[make.real([1, 2, 2, 2]), make.integers([1, 2, 2, 2], 0, 16), 2]],
  wrong: [
    {
      args: (make) => [make.real([1, 1, 2, 2]), make.integers([1, 1, 2, 2], 16, 20), 2],
      error: 'ValueError',
      message: /maxUnpool2d: index 1\d/,
    },
    {
      args: (make) => [make.real([1, 1, 2, 2]), make.integers([1, 2, 2], 0, 4), 2],
      error: 'ShapeError',
      message: /must have one shape/,
    },
  ],
})
