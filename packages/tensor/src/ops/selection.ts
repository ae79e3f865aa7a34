// Functions whose result has a size that depends on the data: they must look at it, so they give promises. What is selected
// is taken by index, so gradients flow to it. Not here: selecting by given positions (indexing.ts).
import {
  broadcastShapes,
  DTypeError,
  formatShape,
  hostArray,
  rowMajorStrides,
  ShapeError,
  sizeOf,
  ValueError,
} from '@nabla/engine'
import { defineFunction, numberTensor, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import { makeHostLeaf, type Tensor } from '../tensor.ts'
import { gatherAlong, scatterAlong } from './indexed.ts'

/** The elements of `x` where `mask` (bool, broadcast with x) is true, in row-major order: a promise of [count]. @throws DTypeError, ShapeError */
export const maskedSelect: OpFunction<(x: TensorLike, mask: TensorLike) => Promise<Tensor>> = defineFunction({
  name: 'maskedSelect',
  call: (value: TensorLike, chosen: TensorLike) => {
    const given = toTensor('maskedSelect', value)
    const mask = toTensor('maskedSelect', chosen)
    if (mask.dtype !== 'bool') throw new DTypeError(`maskedSelect: the mask must be bool; got ${mask.dtype}`)
    const shape = broadcastShapes('maskedSelect', given.shape, mask.shape)
    const x = given.expand(shape).reshape([sizeOf(shape)])
    return placesOf(mask.expand(shape)).then((places) => gatherAlong(x, listOf(places), 0, 'maskedSelect'))
  },
  samples: (make) => [
    [make.real([4, 5]), make.bools([4, 5])],
    [make.real([3]), make.bools([2, 1])],
    [make.real([0]), make.bools([0])],
  ],
  wrong: [
    {
      args: (make) => [make.real([2]), make.real([2])],
      error: 'DTypeError',
      message: /maskedSelect: the mask must be bool; got float32/,
    },
    {
      args: (make) => [make.real([2]), make.bools([3])],
      error: 'ShapeError',
      message: /maskedSelect: shapes/,
    },
  ],
})

/** Row-major positions of what differs from 0. */
async function placesOf(x: Tensor): Promise<number[]> {
  const data = await x.data()
  const places: number[] = []
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) places.push(i)
  return places
}

function listOf(values: readonly number[]): Tensor {
  return makeHostLeaf(Int32Array.from(values), [values.length], 'int32')
}

/** The positions of all elements that differ from 0, in row-major order: a promise of int32 [count, rank of x]. */
export const nonzero: OpFunction<(x: TensorLike) => Promise<Tensor>> = defineFunction({
  name: 'nonzero',
  call: (value: TensorLike) => {
    const x = toTensor('nonzero', value)
    const strides = rowMajorStrides(x.shape)
    return placesOf(x.detach()).then((places) => {
      const positions = places.flatMap((place) =>
        strides.map((stride, dim) => Math.floor(place / stride) % x.shape[dim]!),
      )
      return makeHostLeaf(Int32Array.from(positions), [places.length, x.rank], 'int32')
    })
  },
  samples: (make) => [[make.bools([3, 4])], [make.integers([5], -1, 2)], [make.real([2, 2, 2])]],
  wrong: [{ args: () => ['mask'], error: 'ValueError', message: /nonzero: expected a tensor/ }],
})

/** What {@link unique} finds. */
export interface Unique {
  /** The different elements, ascending; every NaN is different from all others. */
  readonly values: Tensor
  /** For each element of x its position among the values (int32, in the shape of x). */
  readonly inverse: Tensor
  /** How often each value occurs (int32). */
  readonly counts: Tensor
}

/** The different elements of a tensor: a promise, since their number depends on the data. Has no derivative. */
export const unique: OpFunction<(x: TensorLike) => Promise<Unique>> = defineFunction({
  name: 'unique',
  call: (value: TensorLike) => {
    const x = toTensor('unique', value).detach()
    return x.data().then((data) => {
      // Typed arrays sort numbers as numbers, NaN last.
      const sorted = data.slice().sort()
      const values: number[] = []
      for (const element of sorted)
        if (values.length === 0 || element !== values[values.length - 1]) values.push(element)
      const numbers = new Map<number, number>()
      values.forEach((element, i) => {
        if (!Number.isNaN(element)) numbers.set(element, i)
      })
      let nextNaN = numbers.size
      const inverse = Int32Array.from(data, (element) => numbers.get(element) ?? nextNaN++)
      const counts = new Int32Array(values.length)
      for (const number of inverse) counts[number]! += 1
      return {
        values: makeHostLeaf(hostArray(x.dtype, values), [values.length], x.dtype),
        inverse: makeHostLeaf(inverse, x.shape, 'int32'),
        counts: makeHostLeaf(counts, [values.length], 'int32'),
      }
    })
  },
  samples: (make) => [
    [make.integers([4, 5], 0, 6)],
    [make.bools([7])],
    [make.values([2, NaN, 1, 2, NaN])],
    [make.real([0])],
  ],
  wrong: [{ args: () => [null], error: 'ValueError', message: /unique: expected a tensor/ }],
})

/** Settings of {@link bincount}. */
export interface BincountOptions {
  /** What each element counts, in the shape of x. Default: 1. */
  weights?: TensorLike
  /** Least number of bins. Default 0. */
  minLength?: number
}

/**
 * How often each number from 0 to the largest occurs among non-negative integers x [n]: a promise of int32 [bins], or of the
 * sums of `weights`, through which gradients flow.
 * @throws DTypeError, ShapeError, ValueError
 */
export const bincount: OpFunction<(x: TensorLike, options?: BincountOptions) => Promise<Tensor>> =
  defineFunction({
    name: 'bincount',
    call: (value: TensorLike, { weights, minLength = 0 }: BincountOptions = {}) => {
      const x = toTensor('bincount', value)
      if (x.dtype !== 'int32') throw new DTypeError(`bincount: counts int32 numbers; got ${x.dtype}`)
      const weight = weights === undefined ? null : toTensor('bincount', weights)
      if (x.rank !== 1 || (weight !== null && formatShape(weight.shape) !== formatShape(x.shape))) {
        throw new ShapeError(
          `bincount: x is a list [n], and weights too; got ${formatShape(x.shape)}` +
            (weight === null ? '' : ` and ${formatShape(weight.shape)}`),
        )
      }
      if (!Number.isInteger(minLength) || minLength < 0) {
        throw new ValueError(`bincount: minLength is a whole number from 0; got ${String(minLength)}`)
      }
      return x.data().then((data) => {
        let length = minLength
        for (const element of data) {
          if (element < 0) throw new ValueError(`bincount: numbers are not negative; got ${element}`)
          length = Math.max(length, element + 1)
        }
        const source = weight ?? numberTensor(1, 'int32').expand(x.shape)
        return scatterAlong(source, x, 0, [length], 'bincount')
      })
    },
    samples: (make) => [
      [make.integers([20], 0, 6)],
      [make.integers([6], 0, 4), { weights: make.real([6]), minLength: 9 }],
      [make.integers([0], 0, 1)],
    ],
    wrong: [
      {
        args: (make) => [make.real([3])],
        error: 'DTypeError',
        message: /bincount: counts int32 numbers; got float32/,
      },
      {
        args: (make) => [make.integers([2, 2], 0, 3)],
        error: 'ShapeError',
        message: /bincount: x is a list \[n\]/,
      },
      {
        args: (make) => [make.integers([2], 0, 3), { minLength: -1 }],
        error: 'ValueError',
        message: /bincount: minLength/,
      },
    ],
  })
