// Running reductions along one dimension: each element becomes the sum, product or extreme of all up to and with it. And
// their counterparts: differences of neighbours, and the integral.
import {
  checkDim,
  isFloating,
  noAttributes,
  sizeOf,
  ValueError,
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
import { alongRows } from './common.ts'
import { reverse, slice, surround } from './pieces.ts'
import { indexAlong } from './position.ts'

// A scan runs along the last dimension of a row-major value.
function scanOp(name: string, fn: ReduceFunction, gradient: GradientRule | null): TensorOp {
  return createOp(
    name,
    {
      kind: 'routine',
      operands: ['rowMajor'],
      specify: ({ shape, dtype, slots }) => ({
        name: 'scan',
        fn,
        dtype,
        rows: sizeOf(shape.slice(0, -1)),
        length: shape[shape.length - 1]!,
        slots: [slots[0]!, slots[1]!],
      }),
    },
    gradient,
    alongRows,
  )
}

const cumsumOp = scanOp('cumsum', 'sum', (_, upstream) => {
  const last = upstream.rank - 1
  return [reverse(scan(cumsumOp, reverse(upstream, [last])), [last])]
})

const cumprodOp = scanOp('cumprod', 'prod', ({ inputs: [x] }, upstream) => {
  // With r[k] = upstream[k] + x[k + 1] r[k + 1], the gradient is r[k] times the product of all before k: no division, so
  // zeros are no special case. The recurrence is solved by doubling: r holds the sum over the next 2^i terms, a the
  // product that carries what lies behind them.
  const last = x.rank - 1
  const length = x.shape[last]!
  let a = shifted(x, 1, 0)
  let r = upstream
  for (let reach = 1; reach < length; reach *= 2) {
    r = r.add(a.mul(shifted(r, reach, 0)))
    a = a.mul(shifted(a, reach, 0))
  }
  const before = shifted(scan(cumprodOp, x), -1, 1)
  return [r.mul(before)]
})

const cummaxOp = scanOp('cummax', 'max', null)
const cumminOp = scanOp('cummin', 'min', null)

function scan(op: TensorOp, x: Tensor): Tensor {
  return x.size === 0 ? x : makeNode(op, [x], noAttributes, x.shape, x.dtype)
}

/** x[k + by] along the last dimension, `fill` where that lies outside. */
function shifted(x: Tensor, by: number, fill: number): Tensor {
  const last = x.rank - 1
  const kept = Math.max(0, x.shape[last]! - Math.abs(by))
  const only = (value: number): number[] => x.shape.map((_, dim) => (dim === last ? value : 0))
  const shape: Shape = x.shape.map((size, dim) => (dim === last ? kept : size))
  const rest = x.shape[last]! - kept
  const part = slice(
    x,
    only(Math.max(0, Math.min(by, rest))),
    x.shape.map(() => 1),
    shape,
  )
  return by > 0 ? surround(part, only(0), only(rest), fill) : surround(part, only(rest), only(0), fill)
}

// Brings `dim` to the end, works there, and brings it back.
function along(name: string, value: TensorLike, dim: number, work: (x: Tensor) => Tensor): Tensor {
  const given = toTensor(name, value)
  const x = given.dtype === 'bool' ? given.to('int32') : given
  if (x.rank === 0) {
    checkDim(name, dim, 1)
    return work(x.reshape([1])).reshape([])
  }
  const place = checkDim(name, dim, x.rank)
  return work(x.transpose(place, -1)).transpose(place, -1)
}

function scanSamples(make: SampleMaker): Sample[] {
  return [
    [make.real([2, 3, 5]), 1],
    [make.strided([3, 4]), -1],
    [make.real([2, 7]), 0],
    [make.real([0, 3]), 1],
    [make.real([]), 0],
    [make.integers([2, 5], -3, 4), 1],
  ]
}

type Scan = OpFunction<(x: TensorLike, dim: number) => Tensor>

function scanWrong(
  name: string,
): { args: (make: SampleMaker) => unknown[]; error: 'ShapeError'; message: RegExp }[] {
  return [
    {
      args: (make) => [make.real([2, 3]), 2],
      error: 'ShapeError',
      message: new RegExp(`${name}: dimension 2 does not exist`),
    },
  ]
}

/** Running sum along `dim`. */
export const cumsum: Scan = defineFunction({
  name: 'cumsum',
  call: (x: TensorLike, dim: number) => along('cumsum', x, dim, (moved) => scan(cumsumOp, moved)),
  samples: scanSamples,
  wrong: scanWrong('cumsum'),
})

/** Running product along `dim`. */
export const cumprod: Scan = defineFunction({
  name: 'cumprod',
  call: (x: TensorLike, dim: number) => along('cumprod', x, dim, (moved) => scan(cumprodOp, moved)),
  samples: (make) => [...scanSamples(make), [make.values([2, 0, 3, 0, 4, 1]), 0]],
  wrong: scanWrong('cumprod'),
})

/** log of the running sum of exp(x) along `dim`, without overflow. */
export const logcumsumexp: Scan = defineFunction({
  name: 'logcumsumexp',
  call: (value: TensorLike, dim: number) =>
    along('logcumsumexp', value, dim, (moved) => {
      const last = moved.rank - 1
      let x = isFloating(moved.dtype) ? moved : moved.to('float32')
      const lowest = x.dtype === 'float64' ? -1e300 : -1e30
      // Each round joins every element with the one twice as far before it; a very low number stands for "nothing".
      for (let reach = 1; reach < x.shape[last]!; reach *= 2) x = x.logaddexp(shifted(x, -reach, lowest))
      return x
    }),
  samples: scanSamples,
  wrong: scanWrong('logcumsumexp'),
})

/** Extremes so far and where they stand. */
export interface RunningExtremes {
  readonly values: Tensor
  /** int32 positions along the dimension: of the last such element, as in PyTorch. */
  readonly indices: Tensor
}

function runningExtreme(
  name: string,
  op: TensorOp,
): OpFunction<(x: TensorLike, dim: number) => RunningExtremes> {
  return defineFunction({
    name,
    call: (value: TensorLike, dim: number): RunningExtremes => {
      const x = toTensor(name, value)
      const indices = noGrad(() =>
        along(name, x, dim, (moved) => {
          const last = moved.rank - 1
          const found = moved.eq(scan(op, moved))
          const matches = isFloating(moved.dtype) ? found.logicalOr(moved.isNaN()) : found
          return scan(cummaxOp, matches.where(indexAlong(moved.shape, last), -1))
        }),
      )
      if (x.rank === 0) return { values: x, indices }
      return { values: x.gather(dim, indices), indices }
    },
    samples: (make) => [
      [make.real([2, 3, 5]), 1],
      [make.strided([3, 4]), -1],
      [make.integers([2, 6], 0, 4), 1],
    ],
    wrong: scanWrong(name),
  })
}

/** Largest element so far along `dim`, with its position. */
export const cummax: OpFunction<(x: TensorLike, dim: number) => RunningExtremes> = runningExtreme(
  'cummax',
  cummaxOp,
)
/** Smallest element so far along `dim`, with its position. */
export const cummin: OpFunction<(x: TensorLike, dim: number) => RunningExtremes> = runningExtreme(
  'cummin',
  cumminOp,
)

/** What {@link diff} takes last. */
export interface DiffOptions {
  /** How many times differences are taken. Default 1. */
  n?: number
  /** Default: the last dimension. */
  dim?: number
}

/** Differences between neighbours along a dimension, which gets shorter by `n`: what {@link cumsum} undoes. */
export const diff: OpFunction<(x: TensorLike, options?: DiffOptions) => Tensor> = defineFunction({
  name: 'diff',
  call: (value: TensorLike, { n = 1, dim = -1 }: DiffOptions = {}) => {
    let x = toTensor('diff', value)
    const place = checkDim('diff', dim, x.rank)
    if (!Number.isInteger(n) || n < 0)
      throw new ValueError(`diff: n must be a whole number from 0; got ${String(n)}`)
    if (x.dtype === 'bool') x = x.to('int32')
    for (let i = 0; i < n && x.shape[place]! > 0; i++) x = x.slice(place, 1).sub(x.slice(place, 0, -1))
    return x
  },
  samples: (make) => [[make.real([2, 5]), { n: 2 }], [make.strided([4, 3]), { dim: 0 }], [make.real([1])]],
  wrong: [
    { args: (make) => [make.real([])], error: 'ShapeError', message: /diff: dimension -1 does not exist/ },
  ],
})

/** What {@link trapezoid} takes last. */
export interface TrapezoidOptions {
  /** Distance between neighbours. Default 1. */
  dx?: number
  /** Default: the last dimension. */
  dim?: number
}

/** Integral along a dimension by the trapezoidal rule. */
export const trapezoid: OpFunction<(y: TensorLike, options?: TrapezoidOptions) => Tensor> = defineFunction({
  name: 'trapezoid',
  call: (value: TensorLike, { dx = 1, dim = -1 }: TrapezoidOptions = {}) => {
    const y = toTensor('trapezoid', value)
    const place = checkDim('trapezoid', dim, y.rank)
    const sums = y.slice(place, 1).add(y.slice(place, 0, -1))
    return sums.sum(place).mul(dx / 2)
  },
  samples: (make) => [
    [make.real([2, 5]), { dx: 0.5 }],
    [make.strided([4, 3]), { dim: 0 }],
  ],
  wrong: [
    {
      args: (make) => [make.real([])],
      error: 'ShapeError',
      message: /trapezoid: dimension -1 does not exist/,
    },
  ],
})
