// Order: sorting, the largest elements, medians, quantiles, and where values would stand in a sorted list. All of it is
// argsort (a routine, stable, NaN last) and selection by index, so that gradients follow.
import { checkDim, formatShape, ShapeError, ValueError } from '@nabla/engine'
import { defineFunction, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import { noGrad, type Tensor } from '../tensor.ts'
import { argsortLast } from './argsort.ts'
import { floating } from './common.ts'
import { gatherAlong } from './indexed.ts'
import { concatenate } from './pieces.ts'

/** Values with the positions (int32) they came from. */
export interface Sorted {
  readonly values: Tensor
  readonly indices: Tensor
}

function sortAlong(x: Tensor, axis: number, descending: boolean, op: string): Sorted {
  const indices = noGrad(() => argsortLast(x.movedim(axis, -1), descending).movedim(-1, axis))
  return { values: gatherAlong(x, indices, axis, op), indices }
}

/** Settings of sorts. */
export interface SortOptions {
  /** Largest first. Default false. */
  descending?: boolean
}

/**
 * Elements in order along a dimension (the last by default). Equal elements keep their order, NaN is larger than any number.
 * @throws ShapeError
 */
export const sort: OpFunction<(x: TensorLike, dim?: number, options?: SortOptions) => Sorted> =
  defineFunction({
    name: 'sort',
    call: (value: TensorLike, dim = -1, options: SortOptions = {}) => {
      const x = toTensor('sort', value)
      return sortAlong(x, checkDim('sort', dim, x.rank), options.descending === true, 'sort')
    },
    samples: (make) =>
      [
        [make.real([4, 5])],
        [make.real([4, 5]), 0, { descending: true }],
        [make.strided([2, 3, 4]), 1],
        [make.integers([3, 6], 0, 4)],
        [make.values([2, NaN, -1, Infinity, 2])],
        [make.real([0])],
      ].map((args, i) => (i === 4 ? { args, gradient: false } : args)),
    wrong: [
      {
        args: (make) => [make.real([3]), 1],
        error: 'ShapeError',
        message: /sort: dimension 1 does not exist/,
      },
    ],
  })

/** Positions (int32) that sort a dimension: see {@link sort}. @throws ShapeError */
export const argsort: OpFunction<(x: TensorLike, dim?: number, options?: SortOptions) => Tensor> =
  defineFunction({
    name: 'argsort',
    call: (value: TensorLike, dim = -1, options: SortOptions = {}) => {
      const x = toTensor('argsort', value)
      return sortAlong(x.detach(), checkDim('argsort', dim, x.rank), options.descending === true, 'argsort')
        .indices
    },
    samples: (make) => [
      [make.real([4, 5])],
      [make.integers([4, 5], 0, 3), 0, { descending: true }],
      [make.bools([7])],
    ],
    wrong: [
      {
        args: (make) => [make.real([])],
        error: 'ShapeError',
        message: /argsort: dimension -1 does not exist/,
      },
    ],
  })

/** Settings of {@link topk}. */
export interface TopkOptions {
  /** Default true; false gives the smallest. */
  largest?: boolean
}

/** The `k` largest (or smallest) elements along a dimension, in order. @throws ShapeError, ValueError when there are fewer */
export const topk: OpFunction<(x: TensorLike, k: number, dim?: number, options?: TopkOptions) => Sorted> =
  defineFunction({
    name: 'topk',
    call: (value: TensorLike, k: number, dim = -1, options: TopkOptions = {}) => {
      const x = toTensor('topk', value)
      const axis = checkDim('topk', dim, x.rank)
      checkRank('topk', k, 0, x, axis)
      const order = noGrad(() => argsortLast(x.movedim(axis, -1), options.largest !== false))
      const indices = noGrad(() => order.narrow(-1, 0, k).movedim(-1, axis))
      return { values: gatherAlong(x, indices, axis, 'topk'), indices }
    },
    samples: (make) => [
      [make.real([4, 5]), 3],
      [make.real([4, 5]), 2, 0, { largest: false }],
      [make.strided([6]), 6],
    ],
    wrong: [
      {
        args: (make) => [make.real([3]), 4],
        error: 'ValueError',
        message: /topk: k must be a whole number from 0 to 3; got 4/,
      },
    ],
  })

function checkRank(op: string, k: number, least: number, x: Tensor, axis: number): void {
  const size = x.shape[axis]!
  if (Number.isInteger(k) && k >= least && k <= size) return
  throw new ValueError(`${op}: k must be a whole number from ${least} to ${size}; got ${k}`)
}

/** Settings of selections along a dimension. */
export interface SelectOptions {
  /** Whether the dimension stays, with size 1. Default false. */
  keepdim?: boolean
}

/** The `k`-th smallest element (from 1) along a dimension, and where it is. @throws ShapeError, ValueError */
export const kthvalue: OpFunction<
  (x: TensorLike, k: number, dim?: number, options?: SelectOptions) => Sorted
> = defineFunction({
  name: 'kthvalue',
  call: (value: TensorLike, k: number, dim = -1, options: SelectOptions = {}) => {
    const x = toTensor('kthvalue', value)
    const axis = checkDim('kthvalue', dim, x.rank)
    checkRank('kthvalue', k, 1, x, axis)
    return kthAlong(x, k, axis, options.keepdim === true, 'kthvalue')
  },
  samples: (make) => [
    [make.real([4, 5]), 2],
    [make.strided([4, 3]), 4, 0, { keepdim: true }],
  ],
  wrong: [
    {
      args: (make) => [make.real([3]), 0],
      error: 'ValueError',
      message: /kthvalue: k must be a whole number from 1 to 3/,
    },
  ],
})

function kthAlong(x: Tensor, k: number, axis: number, keepdim: boolean, op: string): Sorted {
  const order = noGrad(() => argsortLast(x.movedim(axis, -1), false))
  const indices = noGrad(() => order.narrow(-1, k - 1, 1).movedim(-1, axis))
  const values = gatherAlong(x, indices, axis, op)
  if (keepdim) return { values, indices }
  const shape = x.shape.filter((_, dim) => dim !== axis)
  return { values: values.reshape(shape), indices: indices.reshape(shape) }
}

/**
 * The middle element in order along a dimension, or of all elements; of two middle ones the smaller, as in PyTorch.
 * @throws ShapeError for an empty dimension
 */
export const median: OpFunction<(x: TensorLike, dim?: number, options?: SelectOptions) => Tensor> =
  defineFunction({
    name: 'median',
    call: (value: TensorLike, dim?: number, options: SelectOptions = {}) => {
      const given = toTensor('median', value)
      const x = dim === undefined ? given.reshape([given.size]) : given
      const axis = checkDim('median', dim ?? 0, x.rank)
      const size = x.shape[axis]!
      if (size === 0)
        throw new ShapeError(`median: x ${formatShape(given.shape)} has no elements along dimension ${axis}`)
      const { values } = kthAlong(x, Math.ceil(size / 2), axis, options.keepdim === true, 'median')
      return dim === undefined && options.keepdim === true ? values.reshape(given.shape.map(() => 1)) : values
    },
    samples: (make) => [
      [make.real([4, 5]), 1],
      [make.real([3, 4])],
      [make.strided([4, 3]), 0, { keepdim: true }],
    ],
    wrong: [
      {
        args: (make) => [make.real([2, 0]), 1],
        error: 'ShapeError',
        message: /median: x \[2, 0\] has no elements/,
      },
    ],
  })

/** Settings of {@link quantile}. */
export interface QuantileOptions extends SelectOptions {
  /** What lies between two elements. Default linear. */
  interpolation?: 'linear' | 'lower' | 'higher' | 'nearest' | 'midpoint'
}

// From the position among sorted elements to the share of the upper of its two neighbours.
const interpolations: Readonly<Record<string, (fraction: number, lower: number) => number>> = {
  linear: (fraction) => fraction,
  lower: () => 0,
  higher: (fraction) => (fraction > 0 ? 1 : 0),
  // Halves go to the even neighbour.
  nearest: (fraction, lower) => (fraction > 0.5 || (fraction === 0.5 && lower % 2 === 1) ? 1 : 0),
  midpoint: (fraction) => (fraction > 0 ? 0.5 : 0),
}

/**
 * The value below which a share `q` of the elements lies, along a dimension or of all. A list of shares gives a new first
 * dimension.
 * @throws ValueError for shares outside of [0, 1], ShapeError for an empty dimension
 */
export const quantile: OpFunction<
  (x: TensorLike, q: number | readonly number[], dim?: number, options?: QuantileOptions) => Tensor
> = defineFunction({
  name: 'quantile',
  call: (value: TensorLike, q: number | readonly number[], dim?: number, options: QuantileOptions = {}) => {
    const given = floating(toTensor('quantile', value))
    const x = dim === undefined ? given.reshape([given.size]) : given
    const axis = checkDim('quantile', dim ?? 0, x.rank)
    const size = x.shape[axis]!
    if (size === 0)
      throw new ShapeError(`quantile: x ${formatShape(given.shape)} has no elements along dimension ${axis}`)
    const name = options.interpolation ?? 'linear'
    const share = interpolations[name]
    if (share === undefined) {
      throw new ValueError(
        `quantile: unknown interpolation '${String(name)}'. Known: ${Object.keys(interpolations).join(', ')}`,
      )
    }
    const { values } = sortAlong(x, axis, false, 'quantile')
    const one = (fraction: number): Tensor => {
      if (!(fraction >= 0 && fraction <= 1))
        throw new ValueError(`quantile: shares lie in [0, 1]; got ${String(fraction)}`)
      const place = fraction * (size - 1)
      const lower = Math.floor(place)
      const weight = share(place - lower, lower)
      const at = values.narrow(axis, lower, 1)
      return weight === 0 ? at : at.lerp(values.narrow(axis, lower + 1, 1), weight)
    }
    const kept = x.shape.map((length, d) => (d === axis ? 1 : length))
    const dropped = kept.filter((_, d) => d !== axis)
    const shape = options.keepdim !== true ? dropped : dim === undefined ? given.shape.map(() => 1) : kept
    if (typeof q === 'number') return one(q).reshape(shape)
    if (!Array.isArray(q) || q.length === 0)
      throw new ValueError(`quantile: q is a share or a list of shares; got ${String(q)}`)
    const all = q.map((fraction) => one(fraction).reshape([1, ...shape]))
    return concatenate(all, 0)
  },
  samples: (make) => [
    [make.real([4, 5]), 0.3, 1],
    [make.real([4, 5]), [0.25, 0.5, 1], 0, { keepdim: true }],
    [make.real([3, 3]), 0.4, undefined, { interpolation: 'lower' }],
  ],
  wrong: [
    {
      args: (make) => [make.real([3]), 1.5],
      error: 'ValueError',
      message: /quantile: shares lie in \[0, 1\]; got 1.5/,
    },
    {
      args: (make) => [make.real([3]), 0.5, 0, { interpolation: 'cubic' }],
      error: 'ValueError',
      message: /unknown interpolation 'cubic'/,
    },
  ],
})

/** Settings of searches in sorted lists. */
export interface SearchOptions {
  /** Whether equal elements are passed: counts those <= the value instead of those < it. Default false. */
  right?: boolean
}

/**
 * Where each value would have to be inserted to keep the last dimension of `sorted` in order: int32 in the shape of `values`.
 * `sorted` is one list [S] for all values, or has the leading dimensions of `values` [..., V].
 * @throws ShapeError
 */
export const searchsorted: OpFunction<
  (sorted: TensorLike, values: TensorLike, options?: SearchOptions) => Tensor
> = defineFunction({
  name: 'searchsorted',
  call: (list: TensorLike, searched: TensorLike, options: SearchOptions = {}) => {
    const sorted = toTensor('searchsorted', list)
    const values = toTensor('searchsorted', searched)
    const lead = sorted.shape.slice(0, -1)
    const own = sorted.rank === values.rank && formatShape(lead) === formatShape(values.shape.slice(0, -1))
    if (sorted.rank === 0 || (sorted.rank > 1 && !own)) {
      throw new ShapeError(
        `searchsorted: sorted ${formatShape(sorted.shape)} must be one list, or lists with the leading dimensions of values ` +
          formatShape(values.shape),
      )
    }
    const across = sorted.rank === 1 ? sorted : sorted.unsqueeze(-2)
    const value = values.unsqueeze(-1)
    const before = options.right === true ? across.le(value) : across.lt(value)
    return before.sum(-1)
  },
  samples: (make) => [
    [make.values([-1, 0, 0.5, 2]), make.real([3, 4])],
    [make.values([1, 3, 5, 2, 4, 6], [2, 3]), make.values([3, 6, 0, 9], [2, 2]), { right: true }],
    [make.values([1, 2]), 1.5],
  ],
  wrong: [
    {
      args: (make) => [make.real([2, 3]), make.real([3, 3])],
      error: 'ShapeError',
      message: /searchsorted: sorted \[2, 3\]/,
    },
  ],
})

/** The number of the bucket of each element, between ascending boundaries [S]: 0 to S. See {@link searchsorted}. */
export const bucketize: OpFunction<
  (x: TensorLike, boundaries: TensorLike, options?: SearchOptions) => Tensor
> = defineFunction({
  name: 'bucketize',
  call: (x: TensorLike, boundaries: TensorLike, options: SearchOptions = {}) => {
    const sorted = toTensor('bucketize', boundaries)
    if (sorted.rank !== 1)
      throw new ShapeError(`bucketize: boundaries must be one list; got shape ${formatShape(sorted.shape)}`)
    return searchsorted(sorted, x, options)
  },
  samples: (make) => [[make.real([3, 4]), make.values([-1, 0, 1])]],
  wrong: [
    {
      args: (make) => [make.real([3]), make.real([1, 2])],
      error: 'ShapeError',
      message: /bucketize: boundaries/,
    },
  ],
})
