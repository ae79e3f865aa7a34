// Selecting by index: gather and its relatives, embeddings, one-hot codes and masks. The reverse, writing by index, is in
// scatter.ts. Indices are int32 and never negative, as in PyTorch's functions (`at` takes negative positions).
import { checkDim, DTypeError, formatShape, ShapeError, ValueError } from '@nabla/engine'
import { defineFunction, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import type { Tensor } from '../tensor.ts'
import { checkHostIndices, checkIndexShape, gatherAlong, indexAcross, indicesOf } from './indexed.ts'
import { position } from './position.ts'

/**
 * One element of `x` for each index: result[i] = x[i with `index[i]` at dimension `dim`], in the shape of `index`. The index
 * has as many dimensions as `x`, and but for `dim` none of them larger.
 * @throws ShapeError, DTypeError; ValueError for an index outside of [0, x.shape[dim])
 */
export const gather: OpFunction<(x: TensorLike, dim: number, index: TensorLike) => Tensor> = defineFunction({
  name: 'gather',
  call: (value: TensorLike, dim: number, positions: TensorLike) => {
    const x = toTensor('gather', value)
    const axis = checkDim('gather', dim, x.rank)
    const index = indicesOf('gather', positions, x.shape[axis]!)
    checkIndexShape('gather', x.shape, index.shape, axis)
    return gatherAlong(x, index, axis, 'gather')
  },
  samples: (make) => [
    [make.real([4, 5]), 1, make.integers([4, 3], 0, 5)],
    [make.real([4, 5]), 0, make.integers([6, 2], 0, 4)],
    [make.strided([3, 4]), -1, make.integers([2, 7], 0, 4)],
    [make.real([4]), 0, make.integers([0], 0, 4)],
    [make.bools([3, 4]), 1, make.integers([3, 2], 0, 4)],
  ],
  wrong: [
    {
      args: (make) => [make.real([4, 5]), 1, make.integers([5, 2], 0, 5)],
      error: 'ShapeError',
      message: /gather: index \[5, 2\] does not fit/,
    },
    {
      args: (make) => [make.real([4, 5]), 1, make.real([4, 2])],
      error: 'DTypeError',
      message: /gather: indices must be int32/,
    },
    {
      args: (make) => [make.real([4]), 0, make.integers([2], 4, 6)],
      error: 'ValueError',
      message: /gather: index [45] at position \[0\]/,
    },
  ],
})

/**
 * Like {@link gather}, but the other dimensions of `x` and `index` broadcast. Made for the results of argsort and argmax.
 * Without `dim`, both are taken as flat lists.
 * @throws ShapeError, DTypeError, ValueError
 */
export const takeAlongDim: OpFunction<(x: TensorLike, index: TensorLike, dim?: number) => Tensor> =
  defineFunction({
    name: 'takeAlongDim',
    call: (value: TensorLike, positions: TensorLike, dim?: number) => {
      let x = toTensor('takeAlongDim', value)
      if (dim === undefined) x = x.reshape([x.size])
      const axis = checkDim('takeAlongDim', dim ?? 0, x.rank)
      let index = indicesOf('takeAlongDim', positions, x.shape[axis]!)
      if (dim === undefined) index = index.reshape([index.size])
      if (index.rank !== x.rank) {
        throw new ShapeError(
          `takeAlongDim: index ${formatShape(index.shape)} must have as many dimensions as x ${formatShape(x.shape)}`,
        )
      }
      const sizes = x.shape.map((size, d) => {
        const other = index.shape[d]!
        if (d === axis || size === other || size === 1 || other === 1) return size === 1 ? other : size
        throw new ShapeError(
          `takeAlongDim: x ${formatShape(x.shape)} and index ${formatShape(index.shape)} do not broadcast in dimension ${d}`,
        )
      })
      const source = x.expand(sizes.map((size, d) => (d === axis ? x.shape[d]! : size)))
      return gatherAlong(
        source,
        index.expand(sizes.map((size, d) => (d === axis ? index.shape[d]! : size))),
        axis,
        'takeAlongDim',
      )
    },
    samples: (make) => [
      [make.real([4, 5]), make.integers([4, 1], 0, 5), 1],
      [make.real([1, 5]), make.integers([3, 2], 0, 5), 1],
      [make.real([2, 3]), make.integers([4], 0, 6)],
    ],
    wrong: [
      {
        args: (make) => [make.real([2, 3]), make.integers([3], 0, 2), 0],
        error: 'ShapeError',
        message: /takeAlongDim: index \[3\]/,
      },
    ],
  })

/**
 * The parts of `x` at the given positions of a dimension: index [K] -> x.shape with K at `dim`.
 * @throws ShapeError, DTypeError; ValueError for an index outside of [0, x.shape[dim])
 */
export const indexSelect: OpFunction<(x: TensorLike, dim: number, index: TensorLike) => Tensor> =
  defineFunction({
    name: 'indexSelect',
    call: (value: TensorLike, dim: number, positions: TensorLike) => {
      const x = toTensor('indexSelect', value)
      const axis = checkDim('indexSelect', dim, x.rank)
      const index = indicesOf('indexSelect', positions, x.shape[axis]!)
      if (index.rank > 1) {
        throw new ShapeError(
          `indexSelect: the index must be a list; got shape ${formatShape(index.shape)}. See gather and embedding`,
        )
      }
      return selectAlong(x, index, axis, 'indexSelect')
    },
    samples: (make) => [
      [make.real([4, 5]), 0, make.integers([3], 0, 4)],
      [make.real([4, 5]), 1, make.integers([7], 0, 5)],
      [make.strided([2, 3, 4]), -2, make.integers([2], 0, 3)],
      [make.real([4]), 0, make.integers([0], 0, 4)],
    ],
    wrong: [
      {
        args: (make) => [make.real([4]), 0, make.integers([1, 2], 0, 4)],
        error: 'ShapeError',
        message: /indexSelect: the index must be a list/,
      },
      {
        args: (make) => [make.real([4]), 0, make.integers([1], -3, -1)],
        error: 'ValueError',
        message: /indexSelect: index -[23]/,
      },
    ],
  })

function selectAlong(x: Tensor, index: Tensor, axis: number, op: string): Tensor {
  const shape = x.shape.map((size, dim) => (dim === axis ? index.size : size))
  return gatherAlong(x, indexAcross(index, axis, shape), axis, op)
}

/** Elements of `x` as a flat list, in the shape of `index`. @throws DTypeError, ValueError */
export const take: OpFunction<(x: TensorLike, index: TensorLike) => Tensor> = defineFunction({
  name: 'take',
  call: (value: TensorLike, positions: TensorLike) => {
    const x = toTensor('take', value)
    const index = indicesOf('take', positions, x.size)
    return selectAlong(x.reshape([x.size]), index.reshape([index.size]), 0, 'take').reshape(index.shape)
  },
  samples: (make) => [[make.real([4, 5]), make.integers([2, 3], 0, 20)]],
  wrong: [
    {
      args: (make) => [make.real([2]), make.integers([1], 2, 3)],
      error: 'ValueError',
      message: /take: index 2/,
    },
  ],
})

/** Settings of {@link embedding}. */
export interface EmbeddingOptions {
  /** The row that gets no gradient. */
  paddingIdx?: number
}

/**
 * Rows of a table: weight [V, D], ids [...] -> [..., D].
 * @throws ShapeError, DTypeError; ValueError for an id outside of [0, V)
 */
export const embedding: OpFunction<
  (weight: TensorLike, ids: TensorLike, options?: EmbeddingOptions) => Tensor
> = defineFunction({
  name: 'embedding',
  call: (table: TensorLike, positions: TensorLike, options: EmbeddingOptions = {}) => {
    const weight = toTensor('embedding', table)
    if (weight.rank !== 2)
      throw new ShapeError(`embedding: the weight must be [rows, features]; got ${formatShape(weight.shape)}`)
    const [rows, features] = weight.shape as [number, number]
    const ids = indicesOf('embedding', positions, rows)
    const { paddingIdx } = options
    let found = selectAlong(weight, ids.reshape([ids.size]), 0, 'embedding').reshape([...ids.shape, features])
    if (paddingIdx !== undefined) {
      const row = paddingIdx < 0 ? paddingIdx + rows : paddingIdx
      if (!Number.isInteger(row) || row < 0 || row >= rows) {
        throw new ValueError(
          `embedding: paddingIdx ${paddingIdx} is no row of weight ${formatShape(weight.shape)}`,
        )
      }
      if (found.requiresGrad) found = ids.unsqueeze(-1).eq(row).where(found.detach(), found)
    }
    return found
  },
  samples: (make) => [
    [make.real([6, 4]), make.integers([2, 5], 0, 6)],
    [make.strided([5, 3]), make.integers([], 0, 5)],
    { args: [make.real([6, 2]), make.integers([4], 0, 6), { paddingIdx: 0 }], gradient: false },
  ],
  wrong: [
    {
      args: (make) => [make.real([6, 4]), make.integers([2], 6, 9)],
      error: 'ValueError',
      message: /embedding: index \d at position \[0\]/,
    },
    {
      args: (make) => [make.real([6]), make.integers([2], 0, 5)],
      error: 'ShapeError',
      message: /embedding: the weight must be/,
    },
    {
      args: (make) => [make.real([6, 4]), make.integers([2], 0, 6), { paddingIdx: 6 }],
      error: 'ValueError',
      message: /paddingIdx 6/,
    },
  ],
})

/** Settings of {@link embeddingBag}. */
export interface EmbeddingBagOptions extends EmbeddingOptions {
  /** How the rows of a bag are put together. Default mean. */
  mode?: 'sum' | 'mean' | 'max'
}

/** Bags of rows put together: weight [V, D], ids [B, L] -> [B, D]. @throws ShapeError, DTypeError, ValueError */
export const embeddingBag: OpFunction<
  (weight: TensorLike, ids: TensorLike, options?: EmbeddingBagOptions) => Tensor
> = defineFunction({
  name: 'embeddingBag',
  call: (weight: TensorLike, ids: TensorLike, options: EmbeddingBagOptions = {}) => {
    const { mode = 'mean', ...rest } = options
    const rows = embedding(weight, ids, rest)
    if (rows.rank !== 3)
      throw new ShapeError(
        `embeddingBag: ids must be [bags, length]; got ${formatShape(rows.shape.slice(0, -1))}`,
      )
    if (mode === 'sum') return rows.sum(1)
    if (mode === 'mean') return rows.mean(1)
    if (mode === 'max') return rows.amax(1)
    throw new ValueError(`embeddingBag: unknown mode '${String(mode)}'. Known: sum, mean, max`)
  },
  samples: (make) => [
    [make.real([6, 4]), make.integers([2, 5], 0, 6), { mode: 'sum' }],
    [make.real([6, 4]), make.integers([2, 5], 0, 6)],
  ],
  wrong: [
    {
      args: (make) => [make.real([6, 4]), make.integers([5], 0, 6)],
      error: 'ShapeError',
      message: /embeddingBag: ids must be/,
    },
    {
      args: (make) => [make.real([6, 4]), make.integers([1, 2], 0, 6), { mode: 'min' }],
      error: 'ValueError',
      message: /unknown mode 'min'/,
    },
  ],
})

/**
 * Ids as rows with a single 1: ids [...] -> int32 [..., classes]. Without `classes`, as many as the largest id needs, which
 * takes ids that are on the host. An id outside of the classes is an error where ids are on the host, else a row of zeros.
 * @throws DTypeError, ValueError
 */
export const oneHot: OpFunction<(ids: TensorLike, classes?: number) => Tensor> = defineFunction({
  name: 'oneHot',
  call: (value: TensorLike, classes?: number) => {
    const ids = indicesOf('oneHot', value, Infinity)
    const count = classes ?? classesOf(ids)
    if (!Number.isInteger(count) || count < 1)
      throw new ValueError(`oneHot: the number of classes must be a whole number > 0; got ${count}`)
    if (ids.host !== null) checkHostIndices('oneHot', ids.host, ids.shape, count)
    return ids
      .unsqueeze(-1)
      .eq(position([count], [1], 0))
      .to('int32')
  },
  samples: (make) => [
    [make.integers([2, 5], 0, 6), 6],
    [make.integers([4], 0, 3)],
    [make.integers([], 0, 3), 3],
    [make.integers([0], 0, 1), 2],
  ],
  wrong: [
    {
      args: (make) => [make.integers([3], 4, 9), 4],
      error: 'ValueError',
      message: /oneHot: index \d at position \[0\] .* outside of \[0, 4\)/,
    },
    { args: (make) => [make.real([3]), 4], error: 'DTypeError', message: /oneHot: indices must be int32/ },
  ],
})

function classesOf(ids: Tensor): number {
  if (ids.host === null)
    throw new ValueError(
      'oneHot: give the number of classes; it cannot be found from ids that are yet to be computed',
    )
  let classes = 1
  for (const id of ids.host) classes = Math.max(classes, id + 1)
  return classes
}

/**
 * `value` where the mask is true, `x` elsewhere. The mask broadcasts to `x`.
 * @throws DTypeError for a mask that is no bool, ShapeError when it does not broadcast
 */
export const maskedFill: OpFunction<(x: TensorLike, mask: TensorLike, value: TensorLike) => Tensor> =
  defineFunction({
    name: 'maskedFill',
    call: (input: TensorLike, condition: TensorLike, value: TensorLike) => {
      const x = toTensor('maskedFill', input)
      const mask = toTensor('maskedFill', condition)
      if (mask.dtype !== 'bool')
        throw new DTypeError(`maskedFill: the mask must be bool, for example x.gt(0); got ${mask.dtype}`)
      return mask.where(value, x)
    },
    samples: (make) =>
      [
        [make.real([4, 5]), make.bools([4, 5]), -9],
        [make.real([2, 4, 5]), make.bools([4, 1]), -Infinity],
        [make.strided([3, 4]), make.bools([4]), make.real([])],
      ].map((args, i) => (i === 1 ? { args, gradient: false } : args)),
    wrong: [
      {
        args: (make) => [make.real([4]), make.real([4]), 0],
        error: 'DTypeError',
        message: /maskedFill: the mask must be bool/,
      },
      { args: (make) => [make.real([4]), make.bools([3]), 0], error: 'ShapeError', message: /where: shapes/ },
    ],
  })
