// Reductions that count, and those that pass over NaN; histograms, the commonest value, covariances.
// Read before: reduce.ts, statistics.ts. Counts whose number of bins depends on the data are in selection.ts.
import { checkDim, checkDims, formatShape, isFloating, ShapeError, ValueError } from '@nabla/engine'
import { defineFunction, numberTensor, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import { noGrad, type Tensor } from '../tensor.ts'
import { argsortLast } from './argsort.ts'
import { floating, reductionSamples, reductionWrong, type Dims, type ReduceOptions } from './common.ts'
import { gatherAlong, scatterAlong } from './indexed.ts'
import { indexAlong } from './position.ts'
import type { Reduction } from './reduce.ts'
import { concatenate } from './pieces.ts'

/** How many elements differ from 0 (int32). */
export const countNonzero: Reduction = defineFunction({
  name: 'countNonzero',
  call: (value: TensorLike, dims?: Dims, options?: ReduceOptions) => {
    const x = toTensor('countNonzero', value)
    checkDims('countNonzero', dims, x.rank)
    return noGrad(() => x.ne(0).to('int32').sum(dims, options))
  },
  samples: (make) => [[make.integers([3, 4], -1, 2)], [make.bools([3, 4]), 1, { keepdim: true }]],
  wrong: reductionWrong('countNonzero'),
})

function withoutNaN(x: Tensor): Tensor {
  return isFloating(x.dtype) ? x.isNaN().where(0, x) : x
}

/** Sum of the elements that are not NaN. */
export const nansum: Reduction = defineFunction({
  name: 'nansum',
  call: (value: TensorLike, dims?: Dims, options?: ReduceOptions) => {
    const x = toTensor('nansum', value)
    checkDims('nansum', dims, x.rank)
    return withoutNaN(x).sum(dims, options)
  },
  samples: (make) => [
    ...reductionSamples(make),
    { args: [make.values([1, NaN, 3, NaN], [2, 2]), 0], gradient: false },
  ],
  wrong: reductionWrong('nansum'),
})

/** Mean of the elements that are not NaN; NaN where all are. */
export const nanmean: Reduction = defineFunction({
  name: 'nanmean',
  call: (value: TensorLike, dims?: Dims, options?: ReduceOptions) => {
    const x = floating(toTensor('nanmean', value))
    checkDims('nanmean', dims, x.rank)
    const count = noGrad(() => x.isNaN().logicalNot().to('int32').sum(dims, options))
    return withoutNaN(x).sum(dims, options).div(count)
  },
  samples: (make) => [
    ...reductionSamples(make),
    { args: [make.values([1, NaN, 3, NaN], [2, 2]), 0], gradient: false },
  ],
  wrong: reductionWrong('nanmean'),
})

/** The commonest element along a dimension, and where it is. */
export interface Mode {
  readonly values: Tensor
  /** Position of its last occurrence (int32). */
  readonly indices: Tensor
}

/** The commonest element along a dimension; of several equally common ones the smallest. @throws ShapeError */
export const mode: OpFunction<(x: TensorLike, dim?: number, options?: ReduceOptions) => Mode> =
  defineFunction({
    name: 'mode',
    call: (value: TensorLike, dim: number = -1, options: ReduceOptions = {}) => {
      const x = toTensor('mode', value)
      const axis = checkDim('mode', dim, x.rank)
      const length = x.shape[axis]!
      if (length === 0) throw new ShapeError(`mode: nothing to choose from in shape ${formatShape(x.shape)}`)
      const indices = noGrad(() => {
        // In order, equal elements form runs; where the longest run so far ends, there is the commonest element.
        const order = argsortLast(x.movedim(axis, -1), false)
        const last = order.rank - 1
        const sorted = gatherAlong(x.movedim(axis, -1), order, last, 'mode')
        const place = indexAlong(sorted.shape, last).expand(sorted.shape)
        const same = sorted.narrow(last, 1, length - 1).eq(sorted.narrow(last, 0, length - 1))
        const first = place.narrow(last, 0, 1).eq(0)
        const begins = length === 1 ? first : concatenate([first, same.logicalNot()], last)
        const { values: start } = begins.where(place, 0).cummax(last)
        const longest = place.sub(start).argmax(last, { keepdim: true })
        return gatherAlong(order, longest, last, 'mode').movedim(-1, axis)
      })
      const values = gatherAlong(x, indices, axis, 'mode')
      if (options.keepdim === true) return { values, indices }
      return { values: values.squeeze(axis), indices: indices.squeeze(axis) }
    },
    samples: (make) => [
      [make.integers([3, 7], 0, 3)],
      [make.integers([5, 2], 0, 3), 0, { keepdim: true }],
      [make.real([3, 4])],
      [make.real([2, 1])],
    ],
    wrong: [
      { args: (make) => [make.real([2, 0])], error: 'ShapeError', message: /mode: nothing to choose from/ },
    ],
  })

/** Settings of {@link histc}. */
export interface HistogramOptions {
  /** Number of bins of equal width. Default 100. */
  bins?: number
  /** Where the first begins and the last ends. Default: the smallest and largest element. */
  min?: number
  max?: number
}

/**
 * How many elements fall into each of `bins` intervals of equal width between `min` and `max`: [bins] in the type of x (of
 * integers, float32). Elements outside are not counted; the last interval holds its upper end. Has no derivative.
 * @throws ValueError
 */
export const histc: OpFunction<(x: TensorLike, options?: HistogramOptions) => Tensor> = defineFunction({
  name: 'histc',
  call: (value: TensorLike, { bins = 100, min, max }: HistogramOptions = {}) => {
    const given = floating(toTensor('histc', value))
    if (!Number.isInteger(bins) || bins < 1) {
      throw new ValueError(`histc: the number of bins is a whole number from 1; got ${String(bins)}`)
    }
    if ((min === undefined) !== (max === undefined) || (min !== undefined && !(min < max!))) {
      throw new ValueError(`histc: needs min below max, or neither; got ${String(min)} and ${String(max)}`)
    }
    return noGrad(() => {
      const x = given.reshape([given.size])
      if (given.size === 0) return scatterAlong(x, x.to('int32'), 0, [bins], 'histc')
      const low = min === undefined ? x.amin() : numberTensor(min, x.dtype)
      const high = max === undefined ? x.amax() : numberTensor(max, x.dtype)
      // Where all elements are equal they are put into an interval of width 1 on both sides.
      const flat = high.eq(low).to(x.dtype)
      const begin = low.sub(flat)
      const width = high.add(flat).sub(begin)
      const inside = x.ge(begin).logicalAnd(x.le(begin.add(width)))
      const bin = x
        .sub(begin)
        .div(width)
        .mul(bins)
        .floor()
        .clamp({ min: 0, max: bins - 1 })
      const index = inside.where(bin, 0).to('int32')
      return scatterAlong(inside.to(x.dtype), index, 0, [bins], 'histc')
    })
  },
  samples: (make) => [
    [make.real([40]), { bins: 5, min: -1, max: 1 }],
    [make.values([0, 1, 2, 3, 4, 4, 4]), { bins: 4 }],
    [make.values([2, 2]), { bins: 3 }],
    [make.integers([3, 4], 0, 5), { bins: 5, min: 0, max: 5 }],
    [make.real([0]), { bins: 2 }],
  ],
  wrong: [
    {
      args: (make) => [make.real([2]), { bins: 0 }],
      error: 'ValueError',
      message: /histc: the number of bins/,
    },
    {
      args: (make) => [make.real([2]), { min: 1, max: 0 }],
      error: 'ValueError',
      message: /histc: needs min below max/,
    },
  ],
})

/** Settings of {@link cov}. */
export interface CovarianceOptions {
  /** What is subtracted from the number of observations in the divisor. Default 1. */
  correction?: number
}

/** Rows of observations. @throws ShapeError */
function observations(op: string, value: TensorLike): Tensor {
  const x = floating(toTensor(op, value))
  if (x.rank === 0 || x.rank > 2) {
    throw new ShapeError(
      `${op}: takes [variables, observations] or [observations]; got ${formatShape(x.shape)}`,
    )
  }
  return x
}

/** Covariances of variables, the rows of x [V, N]: [V, V]; of one variable [N], its variance []. @throws ShapeError */
export const cov: OpFunction<(x: TensorLike, options?: CovarianceOptions) => Tensor> = defineFunction({
  name: 'cov',
  call: (value: TensorLike, { correction = 1 }: CovarianceOptions = {}) => {
    const given = observations('cov', value)
    const x = given.rank === 1 ? given.unsqueeze(0) : given
    const centred = x.sub(x.mean(1, { keepdim: true }))
    const result = centred.matmul(centred.transpose(0, 1)).div(Math.max(0, x.shape[1]! - correction))
    return given.rank === 1 ? result.reshape([]) : result
  },
  samples: (make) => [[make.real([3, 6])], [make.real([5])], [make.strided([2, 4]), { correction: 0 }]],
  wrong: [
    {
      args: (make) => [make.real([2, 2, 2])],
      error: 'ShapeError',
      message: /cov: takes \[variables, observations\]/,
    },
  ],
})

/** Correlation coefficients (Pearson) of variables, the rows of x [V, N]: [V, V]; of one variable, 1. @throws ShapeError */
export const corrcoef: OpFunction<(x: TensorLike) => Tensor> = defineFunction({
  name: 'corrcoef',
  call: (value: TensorLike) => {
    const x = observations('corrcoef', value)
    const covariances = cov(x)
    if (x.rank === 1) return covariances.div(covariances)
    const deviations = covariances.diagonal().sqrt()
    return covariances.div(deviations.unsqueeze(1)).div(deviations.unsqueeze(0)).clamp({ min: -1, max: 1 })
  },
  samples: (make) => [{ args: [make.real([3, 6])], gradient: false }],
  wrong: [
    {
      args: (make) => [make.real([])],
      error: 'ShapeError',
      message: /corrcoef: takes \[variables, observations\]/,
    },
  ],
})
