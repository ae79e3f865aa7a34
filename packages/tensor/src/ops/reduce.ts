// Reductions over one dimension, several, or all: sums, products, extremes, and the statistics made of them. Reduced
// dimensions disappear unless `keepdim` says otherwise. Not here: running reductions (scan.ts).
import {
  checkDim,
  checkDims,
  formatShape,
  isFloating,
  sameShape,
  ShapeError,
  type DType,
  type ReduceFunction,
  type Shape,
} from '@nabla/engine'
import {
  createOp,
  defineFunction,
  toTensor,
  type GradientRule,
  type OpFunction,
  type Sample,
  type TensorLike,
  type TensorOp,
} from '../op.ts'
import type { SampleMaker } from '../samples.ts'
import { makeNode, noGrad, type Tensor } from '../tensor.ts'
import {
  countable,
  countOf,
  floating,
  reductionSamples,
  reductionWrong,
  withoutDims,
  type Dims,
  type ReduceOptions,
} from './common.ts'
import { concatenate, slice } from './pieces.ts'
import { indexAlong } from './position.ts'

/** A reduction over some dimensions. */
export type Reduction = OpFunction<(x: TensorLike, dims?: Dims, options?: ReduceOptions) => Tensor>

function reduceOp(name: string, fn: ReduceFunction, gradient: GradientRule): TensorOp {
  return createOp(name, { kind: 'reduce', fn }, gradient)
}

const sumOp = reduceOp('sum', 'sum', ({ inputs: [x] }, upstream) => [upstream.expand(x.shape)])

const prodOp = reduceOp('prod', 'prod', ({ inputs: [x], attributes }, upstream) => {
  return [upstream.mul(productOfOthers(x, attributes['dims'] as readonly number[]))]
})

// Equal extremes share the gradient evenly. The extreme is taken anew: where the output was read before, `x` may be
// computed again by another kernel, and a last bit of difference would leave no element equal to the old extreme. Inside
// one plan equal work is found once, so this costs nothing.
const extremeGradient: GradientRule = ({ inputs: [x], output, attributes }, upstream) => {
  const extreme = noGrad(() => makeNode(output.op, [x], attributes, output.shape, output.dtype))
  const chosen = noGrad(() => x.eq(extreme).to(x.dtype))
  const count = noGrad(() => chosen.sum(attributes['dims'] as readonly number[], { keepdim: true }))
  return [upstream.div(count).mul(chosen)]
}
const amaxOp = reduceOp('amax', 'max', extremeGradient)
const aminOp = reduceOp('amin', 'min', extremeGradient)

// All reductions end here: the node itself keeps reduced dimensions, a reshape drops them.
function reduce(
  op: TensorOp,
  x: Tensor,
  dims: readonly number[],
  keepdim: boolean,
  dtype: DType = x.dtype,
): Tensor {
  const kept = x.shape.slice()
  let changed = x.size === 0
  for (let i = 0; i < dims.length; i++) {
    const dim = dims[i]!
    if (kept[dim] !== 1) changed = true
    kept[dim] = 1
  }
  const result = changed ? makeNode(op, [x], { dims }, kept, dtype) : x
  return keepdim ? result : result.reshape(withoutDims(x.shape, dims))
}

const emptySample = (make: SampleMaker): Sample[] => [
  [make.real([0, 3]), 0],
  [make.real([0, 3]), 1],
  [make.real([0])],
]

/** Sum. Integers and bools are counted in int32. */
export const sum: Reduction = defineFunction({
  name: 'sum',
  call: (value: TensorLike, dims?: Dims, options?: ReduceOptions) => {
    const x = countable(toTensor('sum', value))
    return reduce(sumOp, x, checkDims('sum', dims, x.rank), options?.keepdim === true)
  },
  samples: (make) => [
    ...reductionSamples(make),
    ...emptySample(make),
    [make.bools([3, 4]), 1],
    [make.integers([3, 4], -5, 5)],
  ],
  wrong: reductionWrong('sum'),
})

/** Product. */
export const prod: Reduction = defineFunction({
  name: 'prod',
  call: (value: TensorLike, dims?: Dims, options?: ReduceOptions) => {
    const x = countable(toTensor('prod', value))
    return reduce(prodOp, x, checkDims('prod', dims, x.rank), options?.keepdim === true)
  },
  samples: (make) => [
    ...reductionSamples(make),
    ...emptySample(make),
    [make.values([2, 0, 3, 0, 5, 0], [3, 2]), 0],
    [make.integers([3, 4], 1, 4), 1],
  ],
  wrong: reductionWrong('prod'),
})

/** Arithmetic mean; of integers, a float32. */
export const mean: Reduction = defineFunction({
  name: 'mean',
  call: (value: TensorLike, dims?: Dims, options?: ReduceOptions) => {
    const x = floating(toTensor('mean', value))
    const over = checkDims('mean', dims, x.rank)
    const total = reduce(sumOp, x, over, options?.keepdim === true)
    return over.length === 0 ? total : total.div(countOf(x.shape, over))
  },
  samples: (make) => [...reductionSamples(make), [make.integers([3, 4], -5, 5), 0]],
  wrong: reductionWrong('mean'),
})

function extreme(name: string, op: TensorOp): Reduction {
  return defineFunction({
    name,
    call: (value: TensorLike, dims?: Dims, options?: ReduceOptions) => {
      const given = toTensor(name, value)
      const x = countable(given)
      const over = checkDims(name, dims, x.rank)
      if (countOf(x.shape, over) === 0) {
        throw new ShapeError(
          `${name}: nothing to choose from: shape ${formatShape(x.shape)} is empty along [${over.join(', ')}]`,
        )
      }
      const result = reduce(op, x, over, options?.keepdim === true)
      return given.dtype === 'bool' ? result.to('bool') : result
    },
    samples: (make) => [
      ...reductionSamples(make),
      [make.integers([3, 4], -5, 5), 0],
      [make.bools([3, 4]), 1],
    ],
    wrong: [
      ...reductionWrong(name),
      {
        args: (make) => [make.real([0, 2]), 0],
        error: 'ShapeError',
        message: new RegExp(`${name}: nothing to choose from`),
      },
    ],
  })
}

/** The largest element; NaN where there is one. Equal largest elements share the gradient. */
export const amax: Reduction = extreme('amax', amaxOp)
/** The smallest element; NaN where there is one. Equal smallest elements share the gradient. */
export const amin: Reduction = extreme('amin', aminOp)
/** The same as {@link amax}. Where the position matters, see {@link argmax}. */
export const max: Reduction = extreme('max', amaxOp)
/** The same as {@link amin}. Where the position matters, see {@link argmin}. */
export const min: Reduction = extreme('min', aminOp)

/** Whether any element differs from 0; false for none. */
export const any: Reduction = defineFunction({
  name: 'any',
  call: (value: TensorLike, dims?: Dims, options?: ReduceOptions) => {
    const x = toTensor('any', value)
    return reduce(sumOp, x.ne(0).to('int32'), checkDims('any', dims, x.rank), options?.keepdim === true).gt(0)
  },
  samples: (make) => [
    [make.bools([2, 5])],
    [make.bools([2, 5]), 0],
    [make.real([3]), 0, { keepdim: true }],
    [make.bools([0, 2]), 0],
  ],
  wrong: reductionWrong('any'),
})

/** Whether all elements differ from 0; true for none. */
export const all: Reduction = defineFunction({
  name: 'all',
  call: (value: TensorLike, dims?: Dims, options?: ReduceOptions) => {
    const x = toTensor('all', value)
    return reduce(sumOp, x.eq(0).to('int32'), checkDims('all', dims, x.rank), options?.keepdim === true).eq(0)
  },
  samples: (make) => [
    [make.bools([2, 5])],
    [make.bools([2, 5]), 1],
    [make.real([3]), 0, { keepdim: true }],
    [make.bools([0, 2]), 0],
  ],
  wrong: reductionWrong('all'),
})

function positionOfExtreme(
  name: string,
  op: TensorOp,
): OpFunction<(x: TensorLike, dim?: number, options?: ReduceOptions) => Tensor> {
  return defineFunction({
    name,
    call: (value: TensorLike, dim?: number, options?: ReduceOptions) => {
      const given = countable(toTensor(name, value))
      const x = dim === undefined ? given.reshape([given.size]) : given
      const along = checkDim(name, dim ?? 0, x.rank)
      if (x.shape[along] === 0)
        throw new ShapeError(`${name}: nothing to choose from in shape ${formatShape(x.shape)}`)
      const keepdim = options?.keepdim === true
      const result = noGrad(() => firstPosition(op, x, along))
      if (dim === undefined) return result.reshape(keepdim ? given.shape.map(() => 1) : [])
      return keepdim ? result : result.reshape(x.shape.filter((_, i) => i !== along))
    },
    samples: (make) => [
      [make.real([2, 3, 5])],
      [make.real([2, 3, 5]), 1],
      [make.strided([3, 4]), -1, { keepdim: true }],
      [make.values([1, 3, 3, 2])],
      [make.values([1, NaN, 3, NaN])],
      [make.integers([3, 4], 0, 3), 0],
      [make.real([])],
    ],
    wrong: [
      {
        args: (make) => [make.real([2, 0]), 1],
        error: 'ShapeError',
        message: new RegExp(`${name}: nothing to choose from`),
      },
    ],
  })
}

// The smallest position among those that hold the extreme value (or NaN, which is the extreme where there is one).
function firstPosition(op: TensorOp, x: Tensor, dim: number): Tensor {
  const found = x.eq(reduce(op, x, [dim], true))
  const matches = isFloating(x.dtype) ? found.logicalOr(x.isNaN()) : found
  return reduce(aminOp, matches.where(indexAlong(x.shape, dim), x.shape[dim]!), [dim], true)
}

/** Index (int32) of the first largest element along `dim`, or among all elements. A NaN counts as largest. */
export const argmax: OpFunction<(x: TensorLike, dim?: number, options?: ReduceOptions) => Tensor> =
  positionOfExtreme('argmax', amaxOp)
/** Index (int32) of the first smallest element along `dim`, or among all elements. A NaN counts as smallest. */
export const argmin: OpFunction<(x: TensorLike, dim?: number, options?: ReduceOptions) => Tensor> =
  positionOfExtreme('argmin', aminOp)

/**
 * Sums over what broadcasting to `x.shape` from `shape` repeated: the adjoint of {@link expand}.
 * @throws ShapeError when `shape` does not broadcast to the shape of x
 */
export const sumTo: OpFunction<(x: TensorLike, shape: Shape) => Tensor> = defineFunction({
  name: 'sumTo',
  call: (value: TensorLike, shape: Shape) => {
    const x = toTensor('sumTo', value)
    if (sameShape(x.shape, shape)) return x
    const added = x.rank - shape.length
    const over: number[] = []
    for (let dim = 0; dim < x.rank; dim++) {
      const target = dim < added ? 1 : shape[dim - added]!
      if (target === 1 && (x.shape[dim] !== 1 || dim < added)) over.push(dim)
      else if (target !== x.shape[dim]) refuseTarget(x.shape, shape)
    }
    if (added < 0) refuseTarget(x.shape, shape)
    return reduce(sumOp, x, over, true).reshape(shape)
  },
  samples: (make) => [
    [make.real([2, 3, 5]), [3, 1]],
    [make.real([2, 3]), []],
    [make.strided([4, 3]), [1, 3]],
    [make.real([2, 3]), [2, 3]],
    [make.real([0, 3]), [1, 3]],
  ],
  wrong: [
    {
      args: (make) => [make.real([2, 3]), [2]],
      error: 'ShapeError',
      message: /sumTo: shape \[2\] does not broadcast to \[2, 3\]/,
    },
  ],
})

function refuseTarget(from: Shape, to: Shape): never {
  throw new ShapeError(`sumTo: shape ${formatShape(to)} does not broadcast to ${formatShape(from)}`)
}

/** For every element the product of all others along `dims`; exact where elements are 0, and for any order of derivative. */
function productOfOthers(x: Tensor, dims: readonly number[]): Tensor {
  const rest = x.shape.map((_, dim) => dim).filter((dim) => !dims.includes(dim))
  const order = [...rest, ...dims]
  const moved = x.permute(order)
  const flat = moved.reshape([...rest.map((dim) => x.shape[dim]!), -1])
  return othersOfRow(flat)
    .reshape(moved.shape)
    .permute(order.map((_, i) => order.indexOf(i)))
}

// Pairs are multiplied, the products of the other pairs found the same way, and each element gets those of the other
// pairs times its partner: a tree of depth log2(n).
function othersOfRow(x: Tensor): Tensor {
  const last = x.rank - 1
  const length = x.shape[last]!
  if (length <= 1) return x.mul(0).add(1)
  if (length % 2 === 1) {
    const one = part(x, 0, 1, 1).mul(0).add(1)
    return part(othersOfRow(concatenate([x, one], last)), 0, 1, length)
  }
  const even = part(x, 0, 2, length / 2)
  const odd = part(x, 1, 2, length / 2)
  const others = othersOfRow(even.mul(odd))
  const pair = [...even.shape, 1]
  return concatenate([others.mul(odd).reshape(pair), others.mul(even).reshape(pair)], last + 1).reshape(
    x.shape,
  )
}

function part(x: Tensor, start: number, step: number, length: number): Tensor {
  const last = x.rank - 1
  return slice(
    x,
    x.shape.map((_, dim) => (dim === last ? start : 0)),
    x.shape.map((_, dim) => (dim === last ? step : 1)),
    [...x.shape.slice(0, -1), length],
  )
}
