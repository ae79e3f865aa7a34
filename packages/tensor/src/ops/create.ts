// Creation: tensors from data, constants, ranges and grids. Constants and ranges take no memory until something needs it.
import {
  checkDType,
  checkShape,
  GradientError,
  hostArray,
  isFloating,
  lookUp,
  noAttributes,
  ShapeError,
  ValueError,
  type DType,
  type Shape,
} from '@nabla/engine'
import { toHost, type TensorData } from '../host.ts'
import {
  createOp,
  defineFree,
  numberTensor,
  toTensor,
  type FreeFunction,
  type TensorLike,
  type TensorOp,
} from '../op.ts'
import { makeHostLeaf, makeNode, Tensor } from '../tensor.ts'
import { position } from './position.ts'

/** What creation functions take last. */
export interface CreateOptions {
  /** Default float32, unless the function says otherwise. */
  dtype?: DType
  /** Whether gradients are wanted for the new tensor, see `grad` in @nabla/autograd. */
  requiresGrad?: boolean
}

/** What {@link tensor} takes last. */
export interface TensorOptions extends CreateOptions {
  /** The shape of flat data. */
  shape?: Shape
}

/**
 * A tensor of the given elements: a number, nested arrays, a typed array, or an ndarray. They are copied. Numbers become
 * float32, booleans bool, and typed arrays keep their type, unless `dtype` says otherwise.
 * @throws ShapeError for ragged arrays (naming the position) and shapes that do not fit
 * @throws ValueError for elements that are no numbers
 */
export const tensor: FreeFunction<(data: TensorData, options?: TensorOptions) => Tensor> = defineFree({
  name: 'tensor',
  call: (data: TensorData, options?: TensorOptions) => {
    if (data instanceof Tensor)
      throw new ValueError('tensor: the data is a tensor already; use it as it is, or detach()')
    const host = toHost('tensor', data, options?.shape, options?.dtype)
    return asked('tensor', makeHostLeaf(host.data, host.shape, host.dtype), options)
  },
  samples: () => [
    [
      [
        [1, 2],
        [3, 4],
      ],
    ],
    [[true, false]],
    [new Int32Array([1, 2, 3, 4]), { shape: [2, 2] }],
    [3.5],
    [[]],
  ],
  wrong: [
    {
      args: () => [[[1, 2], [3]]],
      error: 'ShapeError',
      message: /tensor: the nested arrays are ragged: .* at \[1\]/,
    },
    {
      args: () => [[1, 'two']],
      error: 'ValueError',
      message: /tensor: expected numbers or booleans, got a string at \[1\]/,
    },
    {
      args: () => [[1, 2, 3], { shape: [2, 2] }],
      error: 'ShapeError',
      message: /tensor: 3 elements do not fill shape \[2, 2\]/,
    },
    { args: () => [[1], { dtype: 'int64' }], error: 'ValueError', message: /unknown dtype 'int64'/ },
    {
      args: () => [[1], { dtype: 'int32', requiresGrad: true }],
      error: 'GradientError',
      message: /tensor: int32/,
    },
  ],
})

// The node of a constant: one number, seen from every element.
const fullOp: TensorOp = createOp('full', { kind: 'map', expr: ([value]) => value! }, null)

/** A constant of any shape, without gradient. Nothing is checked. */
export function constantTensor(shape: Shape, value: number, dtype: DType): Tensor {
  return makeNode(fullOp, [numberTensor(value, dtype)], noAttributes, shape, dtype)
}

/** A tensor whose elements all are `value`. */
export const full: FreeFunction<(shape: Shape, value: number, options?: CreateOptions) => Tensor> =
  defineFree({
    name: 'full',
    call: (shape: Shape, value: number, options?: CreateOptions) => {
      if (typeof value !== 'number')
        throw new ValueError(`full: the value must be a number; got ${String(value)}`)
      return filled('full', shape, value, options)
    },
    samples: () => [
      [[2, 3], 1.5],
      [[], -2],
      [[2], 3, { dtype: 'int32' }],
      [[0, 2], 1],
      [[2], 1, { dtype: 'bool' }],
    ],
    wrong: [
      { args: () => [[2, -1], 0], error: 'ValueError', message: /full: sizes must be non-negative integers/ },
      { args: () => [3, 0], error: 'ValueError', message: /full: a shape is an array of sizes/ },
      { args: () => [[NaN], 0], error: 'ValueError', message: /full: sizes must be non-negative integers/ },
    ],
  })

/** Zeros. */
export const zeros: FreeFunction<(shape: Shape, options?: CreateOptions) => Tensor> = defineFree({
  name: 'zeros',
  call: (shape: Shape, options?: CreateOptions) => filled('zeros', shape, 0, options),
  samples: () => [[[2, 3]], [[]], [[4], { dtype: 'bool' }]],
  wrong: [
    { args: () => [[1.5]], error: 'ValueError', message: /zeros: sizes must be non-negative integers/ },
  ],
})

/** Ones. */
export const ones: FreeFunction<(shape: Shape, options?: CreateOptions) => Tensor> = defineFree({
  name: 'ones',
  call: (shape: Shape, options?: CreateOptions) => filled('ones', shape, 1, options),
  samples: () => [[[2, 3]], [[]], [[4], { dtype: 'float64' }]],
})

/** A constant in the shape of `x`, and in its type unless another is given. */
export const fullLike: FreeFunction<(x: TensorLike, value: number, options?: CreateOptions) => Tensor> =
  defineFree({
    name: 'fullLike',
    call: (like: TensorLike, value: number, options?: CreateOptions) => {
      const x = toTensor('fullLike', like)
      return filled('fullLike', x.shape, value, options, x.dtype)
    },
    samples: (make) => [
      [make.real([2, 3]), 7],
      [make.integers([2], 0, 5), 7],
    ],
  })

/** Zeros in the shape of `x`, and in its type unless another is given. */
export const zerosLike: FreeFunction<(x: TensorLike, options?: CreateOptions) => Tensor> = defineFree({
  name: 'zerosLike',
  call: (like: TensorLike, options?: CreateOptions) => {
    const x = toTensor('zerosLike', like)
    return filled('zerosLike', x.shape, 0, options, x.dtype)
  },
  samples: (make) => [[make.real([2, 3])]],
})

/** Ones in the shape of `x`, and in its type unless another is given. */
export const onesLike: FreeFunction<(x: TensorLike, options?: CreateOptions) => Tensor> = defineFree({
  name: 'onesLike',
  call: (like: TensorLike, options?: CreateOptions) => {
    const x = toTensor('onesLike', like)
    return filled('onesLike', x.shape, 1, options, x.dtype)
  },
  samples: (make) => [[make.real([2, 3])]],
})

/**
 * Numbers from `start` up to and without `end` by `step`; with one argument from 0 to it. int32 when all three are whole,
 * else float32.
 */
export const arange: FreeFunction<
  (start: number, end?: number, step?: number, options?: CreateOptions) => Tensor
> = defineFree({
  name: 'arange',
  call: (start: number, end?: number, step = 1, options?: CreateOptions) => {
    const [from, to] = end === undefined ? [0, start] : [start, end]
    if (![from, to, step].every(Number.isFinite) || step === 0) {
      throw new ValueError(
        `arange: start, end and step must be finite numbers and the step not 0; got ${from}, ${to}, ${step}`,
      )
    }
    const whole = [from, to, step].every(Number.isInteger)
    const length = Math.max(0, Math.ceil((to - from) / step))
    const dtype = checkDType(options?.dtype ?? (whole ? 'int32' : 'float32'))
    checkShape('arange', [length])
    const index = whole ? position([length], [1], 0) : position([length], [1], 0).to(wide(dtype))
    const scaled = step === 1 ? index : index.mul(step)
    return asked('arange', (from === 0 ? scaled : scaled.add(from)).to(dtype), options)
  },
  samples: () => [[5], [1, 3, 0.25], [5, -3, -2], [0], [2, 5, 1, { dtype: 'float32' }]],
  wrong: [
    { args: () => [0, 5, 0], error: 'ValueError', message: /arange: start, end and step must be finite/ },
  ],
})

/** `count` numbers at equal distances from `start` to `end`, both included. */
export const linspace: FreeFunction<
  (start: number, end: number, count: number, options?: CreateOptions) => Tensor
> = defineFree({
  name: 'linspace',
  call: (start: number, end: number, count: number, options?: CreateOptions) =>
    spaced('linspace', start, end, count, options, (value) => value),
  samples: () => [
    [-1, 2, 7],
    [3, 1, 4],
    [2, 5, 1],
    [0, 1, 0],
  ],
  wrong: [
    { args: () => [0, 1, 2.5], error: 'ValueError', message: /linspace: the count must be a whole number/ },
  ],
})

/** `count` powers of 10 (or `base`) with exponents at equal distances from `start` to `end`. */
export const logspace: FreeFunction<
  (start: number, end: number, count: number, options?: CreateOptions & { base?: number }) => Tensor
> = defineFree({
  name: 'logspace',
  call: (start: number, end: number, count: number, options?: CreateOptions & { base?: number }) =>
    spaced('logspace', start, end, count, options, (value) => (options?.base ?? 10) ** value),
  samples: () => [
    [0, 2, 5],
    [0, 3, 4, { base: 2 }],
  ],
})

/** The matrix with ones on its main diagonal and zeros elsewhere; square unless `columns` is given. */
export const eye: FreeFunction<(rows: number, columns?: number, options?: CreateOptions) => Tensor> =
  defineFree({
    name: 'eye',
    call: (rows: number, columns = rows, options?: CreateOptions) => {
      checkShape('eye', [rows, columns])
      const dtype = checkDType(options?.dtype ?? 'float32')
      return asked('eye', position([rows, columns], [-1, 1], 0).eq(0).to(dtype), options)
    },
    samples: () => [[3], [2, 4], [3, 3, { dtype: 'int32' }], [0]],
    wrong: [{ args: () => [-1], error: 'ValueError', message: /eye: sizes must be non-negative integers/ }],
  })

/** Order of the dimensions of {@link meshgrid}. */
export interface MeshgridOptions {
  /** `ij` (default): dimensions in the order of the vectors; `xy`: the first two exchanged. */
  indexing?: 'ij' | 'xy'
}

/** Of n vectors, n tensors over the grid they span, each holding the coordinates along one of them. */
export const meshgrid: FreeFunction<(vectors: readonly TensorLike[], options?: MeshgridOptions) => Tensor[]> =
  defineFree({
    name: 'meshgrid',
    call: (vectors: readonly TensorLike[], options?: MeshgridOptions) => {
      const swap = lookUp('indexing of meshgrid', options?.indexing ?? 'ij', { ij: false, xy: true })
      const list = vectors.map((vector) => toTensor('meshgrid', vector))
      for (const vector of list) {
        if (vector.rank > 1)
          throw new ShapeError(`meshgrid: needs vectors; got shape [${vector.shape.join(', ')}]`)
      }
      const place = (i: number): number => (swap && i < 2 && list.length > 1 ? 1 - i : i)
      const shape = list.map((_, i) => list[place(i)]!.size)
      return list.map((vector, i) => {
        const along = shape.map((_, dim) => (dim === place(i) ? vector.size : 1))
        return vector.reshape(along).expand(shape)
      })
    },
    samples: (make) => [
      [[make.real([4]), make.real([3])]],
      [[make.real([4]), make.real([3]), make.real([2])], { indexing: 'xy' }],
    ],
    wrong: [
      { args: (make) => [[make.real([2, 2])]], error: 'ShapeError', message: /meshgrid: needs vectors/ },
    ],
  })

function filled(
  op: string,
  shape: Shape,
  value: number,
  options: CreateOptions | undefined,
  dtype: DType = 'float32',
): Tensor {
  checkShape(op, shape)
  const type = checkDType(options?.dtype ?? dtype)
  const number = type === 'bool' ? Number(value !== 0) : type === 'int32' ? Math.trunc(value) : value
  return asked(op, constantTensor([...shape], number, type), options)
}

function spaced(
  op: string,
  start: number,
  end: number,
  count: number,
  options: CreateOptions | undefined,
  map: (value: number) => number,
): Tensor {
  if (!Number.isInteger(count) || count < 0)
    throw new ValueError(`${op}: the count must be a whole number from 0; got ${String(count)}`)
  if (![start, end].every(Number.isFinite))
    throw new ValueError(`${op}: start and end must be finite numbers; got ${start}, ${end}`)
  checkShape(op, [count])
  const dtype = checkDType(options?.dtype ?? 'float32')
  const elements = hostArray(dtype, count)
  // From both ends, so that both are exact.
  for (let i = 0; i < count; i++) {
    const step = count > 1 ? (end - start) / (count - 1) : 0
    elements[i] = map(i < count / 2 ? start + i * step : end - (count - 1 - i) * step)
  }
  return asked(op, makeHostLeaf(elements, [count], dtype), options)
}

// Marks a new tensor as one that gradients are wanted for.
function asked(op: string, created: Tensor, options: CreateOptions | undefined): Tensor {
  if (options?.requiresGrad !== true) return created
  if (!isFloating(created.dtype)) {
    throw new GradientError(
      `${op}: ${created.dtype} tensors have no gradient; use dtype 'float32' or 'float64'`,
    )
  }
  created.requiresGrad = true
  return created
}

function wide(dtype: DType): DType {
  return dtype === 'float64' ? 'float64' : 'float32'
}
