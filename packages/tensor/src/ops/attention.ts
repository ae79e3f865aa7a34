// Attention, and what stands around it in networks: dropout, gated units and similarities. Everything here is made of other
// ops and differentiates through them.
import { checkDim, formatShape, ShapeError, ValueError } from '@nabla/engine'
import { defineFunction, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import { noGrad, type Tensor } from '../tensor.ts'
import { floating } from './common.ts'
import { columnMinusRow } from './position.ts'
import { Generator, rand } from './random.ts'
import { softmax } from './softmax.ts'

/** Settings of {@link dropout}. */
export interface DropoutOptions {
  /** Whether anything is dropped at all. Default true. */
  training?: boolean
  generator?: Generator
}

/**
 * Dropout (Srivastava et al. 2014): each element becomes 0 with probability `p`, the others are divided by 1 - p. A new mask
 * is drawn at every call.
 * @throws ValueError for p outside of [0, 1]
 */
export const dropout: OpFunction<(x: TensorLike, p?: number, options?: DropoutOptions) => Tensor> =
  defineFunction({
    name: 'dropout',
    call: (value: TensorLike, p = 0.5, options: DropoutOptions = {}) =>
      dropWhole('dropout', value, p, options, (x) => x.shape),
    samples: (make) => [
      { args: [make.real([4, 5]), 0.3, { generator: new Generator(7) }], gradient: false },
      [make.real([4, 5]), 0.3, { training: false }],
    ],
    wrong: [
      {
        args: (make) => [make.real([2]), 1.5],
        error: 'ValueError',
        message: /dropout: p must lie in \[0, 1\]; got 1.5/,
      },
    ],
  })

/** {@link dropout} of whole channels of x [N, C, ...] (Tompson et al. 2015). @throws ShapeError, ValueError */
export const channelDropout: OpFunction<(x: TensorLike, p?: number, options?: DropoutOptions) => Tensor> =
  defineFunction({
    name: 'channelDropout',
    call: (value: TensorLike, p = 0.5, options: DropoutOptions = {}) =>
      dropWhole('channelDropout', value, p, options, (x) => {
        if (x.rank < 2)
          throw new ShapeError(`channelDropout: x must be [N, C, ...]; got ${formatShape(x.shape)}`)
        return x.shape.map((size, dim) => (dim < 2 ? size : 1))
      }),
    samples: (make) => [
      { args: [make.real([2, 3, 4]), 0.5, { generator: new Generator(8) }], gradient: false },
    ],
    wrong: [
      { args: (make) => [make.real([2]), 0.5], error: 'ShapeError', message: /channelDropout: x must be/ },
    ],
  })

function dropWhole(
  op: string,
  value: TensorLike,
  p: number,
  { training = true, generator }: DropoutOptions,
  maskShape: (x: Tensor) => readonly number[],
): Tensor {
  const x = floating(toTensor(op, value))
  if (typeof p !== 'number' || !(p >= 0 && p <= 1))
    throw new ValueError(`${op}: p must lie in [0, 1]; got ${String(p)}`)
  const shape = maskShape(x)
  if (!training || p === 0) return x
  const kept = noGrad(() => rand(shape, generator === undefined ? {} : { generator }).ge(p))
  // With p = 1 nothing is kept, so the factor does not matter.
  return kept.where(x.mul(p === 1 ? 0 : 1 / (1 - p)), 0)
}

/** Settings of {@link scaledDotProductAttention}. */
export interface AttentionOptions {
  /** Broadcasts to [..., L, S]. Bool: true takes part; real: is added to the scores. */
  mask?: TensorLike | null
  /** Whether query i sees keys up to i only. Default false. */
  causal?: boolean
  /** Factor of the scores. Default 1 / sqrt(E). */
  scale?: number
  /** Probability that a weight is dropped. Default 0. */
  dropout?: number
  /** Default true; without, nothing is dropped. */
  training?: boolean
}

// What a masked score becomes. A finite number: a query that may see nothing then attends to everything alike instead of
// turning into NaN, and where it sees anything at all the weight of the rest is exactly 0.
const masked = -1e30

/**
 * Attention (Vaswani et al. 2017, eq. 1): softmax(q k^T scale + mask) v, with q [..., L, E], k [..., S, E], v [..., S, V]
 * -> [..., L, V]. Keys and values may have fewer heads (dimension -3) than queries if those divide: each then serves a group
 * of query heads (Ainslie et al. 2023).
 * @throws ShapeError
 */
export const scaledDotProductAttention: OpFunction<
  (q: TensorLike, k: TensorLike, v: TensorLike, options?: AttentionOptions) => Tensor
> = defineFunction({
  name: 'scaledDotProductAttention',
  call: (queries: TensorLike, keys: TensorLike, values: TensorLike, options: AttentionOptions = {}) => {
    const op = 'scaledDotProductAttention'
    const q = floating(toTensor(op, queries))
    const k = floating(toTensor(op, keys))
    const v = floating(toTensor(op, values))
    checkAttention(q, k, v)
    const { causal = false, dropout: p = 0, training = true } = options
    const [length, size] = q.shape.slice(-2) as [number, number]
    const positions = k.shape[k.rank - 2]!
    const heads = groupHeads(q, k, v)
    // Scaling the queries costs less than scaling the scores.
    const scaled = heads.q.mul(options.scale ?? 1 / Math.sqrt(size))
    let scores = scaled.matmul(heads.k.transpose())
    if (causal) scores = columnMinusRow([length, positions]).le(0).where(scores, masked)
    if (options.mask !== undefined && options.mask !== null) {
      const mask = heads.split(toTensor(op, options.mask))
      scores = mask.dtype === 'bool' ? mask.where(scores, masked) : scores.add(mask)
    }
    const weights = dropout(softmax(scores, -1), p, { training })
    return heads.join(weights.matmul(heads.v))
  },
  samples: (make) => [
    [make.real([2, 3, 5, 4]), make.real([2, 3, 6, 4]), make.real([2, 3, 6, 2])],
    [make.real([5, 4]), make.real([5, 4]), make.real([5, 4]), { causal: true }],
    [
      make.real([2, 3, 4]),
      make.real([2, 5, 4]),
      make.real([2, 5, 4]),
      { mask: make.bools([3, 5]), scale: 0.3 },
    ],
    [make.real([2, 4, 3, 2]), make.real([2, 2, 5, 2]), make.real([2, 2, 5, 2]), { mask: make.real([3, 5]) }],
  ],
  wrong: [
    {
      args: (make) => [make.real([3, 4]), make.real([5, 3]), make.real([5, 4])],
      error: 'ShapeError',
      message: /scaledDotProductAttention: q \[3, 4\] and k \[5, 3\]/,
    },
    {
      args: (make) => [make.real([3, 4]), make.real([5, 4]), make.real([6, 4])],
      error: 'ShapeError',
      message: /as many positions/,
    },
    {
      args: (make) => [make.real([3, 3, 4]), make.real([2, 5, 4]), make.real([2, 5, 4])],
      error: 'ShapeError',
      message: /3 query heads do not divide into 2/,
    },
  ],
})

function checkAttention(q: Tensor, k: Tensor, v: Tensor): void {
  const op = 'scaledDotProductAttention'
  if (q.rank < 2 || k.rank !== q.rank || v.rank !== q.rank || q.shape.at(-1) !== k.shape.at(-1)) {
    throw new ShapeError(
      `${op}: q ${formatShape(q.shape)} and k ${formatShape(k.shape)} must end in the same number of features, and v ` +
        `${formatShape(v.shape)} have as many dimensions`,
    )
  }
  if (k.shape.at(-2) !== v.shape.at(-2)) {
    throw new ShapeError(
      `${op}: k ${formatShape(k.shape)} and v ${formatShape(v.shape)} must have as many positions (dimension -2)`,
    )
  }
}

interface Heads {
  readonly q: Tensor
  readonly k: Tensor
  readonly v: Tensor
  /** Brings a mask into the arrangement of the scores. */
  split(mask: Tensor): Tensor
  /** Brings the result back into the arrangement of the queries. */
  join(result: Tensor): Tensor
}

/** With fewer key heads than query heads: queries as [..., heads of keys, group, L, E]. */
function groupHeads(q: Tensor, k: Tensor, v: Tensor): Heads {
  const same = (x: Tensor): Tensor => x
  const queryHeads = q.shape[q.rank - 3] ?? 1
  const keyHeads = k.shape[k.rank - 3] ?? 1
  if (queryHeads === keyHeads || keyHeads === 1 || queryHeads === 1)
    return { q, k, v, split: same, join: same }
  if (queryHeads % keyHeads !== 0 || v.shape[v.rank - 3] !== keyHeads) {
    throw new ShapeError(
      `scaledDotProductAttention: ${queryHeads} query heads do not divide into ${keyHeads} heads of keys and ` +
        `${v.shape[v.rank - 3]} of values`,
    )
  }
  const splitHeads = (x: Tensor): Tensor =>
    x.reshape([...x.shape.slice(0, -3), keyHeads, queryHeads / keyHeads, ...x.shape.slice(-2)])
  return {
    q: splitHeads(q),
    k: k.unsqueeze(-3),
    v: v.unsqueeze(-3),
    split: (mask) => {
      if (mask.rank < 3) return mask
      return mask.shape[mask.rank - 3] === 1 ? mask.unsqueeze(-3) : splitHeads(mask)
    },
    join: (result) => result.reshape([...q.shape.slice(0, -1), result.shape.at(-1)!]),
  }
}

/** Gated linear unit (Dauphin et al. 2017): the first half of a dimension times the sigmoid of the second. @throws ShapeError */
export const glu: OpFunction<(x: TensorLike, dim?: number) => Tensor> = defineFunction({
  name: 'glu',
  call: (value: TensorLike, dim = -1) => {
    const x = floating(toTensor('glu', value))
    const axis = checkDim('glu', dim, x.rank)
    const size = x.shape[axis]!
    if (size % 2 !== 0)
      throw new ShapeError(`glu: dimension ${axis} of x ${formatShape(x.shape)} has no two halves`)
    return x.narrow(axis, 0, size / 2).mul(x.narrow(axis, size / 2, size / 2).sigmoid())
  },
  samples: (make) => [[make.real([2, 6])], [make.real([4, 3]), 0]],
  wrong: [
    { args: (make) => [make.real([2, 5])], error: 'ShapeError', message: /glu: dimension 1 of x \[2, 5\]/ },
  ],
})

/** Settings of {@link cosineSimilarity}. */
export interface CosineOptions {
  /** Default 1. */
  dim?: number
  /** Lengths below this count as this. Default 1e-8. */
  eps?: number
}

/** Cosine of the angle between vectors along a dimension; `a` and `b` broadcast. @throws ShapeError */
export const cosineSimilarity: OpFunction<(a: TensorLike, b: TensorLike, options?: CosineOptions) => Tensor> =
  defineFunction({
    name: 'cosineSimilarity',
    call: (left: TensorLike, right: TensorLike, options: CosineOptions = {}) => {
      const a = floating(toTensor('cosineSimilarity', left))
      const b = floating(toTensor('cosineSimilarity', right))
      const { dim = 1, eps = 1e-8 } = options
      const product = a.mul(b)
      const axis = checkDim('cosineSimilarity', dim, product.rank)
      const fromEnd = axis - product.rank
      const length = (x: Tensor): Tensor => x.norm(fromEnd, { keepdim: true }).maximum(eps)
      const cosine = product.sum(axis, { keepdim: true }).div(length(a)).div(length(b))
      return cosine.squeeze(axis)
    },
    samples: (make) => [
      [make.real([3, 5]), make.real([3, 5])],
      [make.real([4]), make.real([3, 4]), { dim: -1 }],
    ],
    wrong: [
      { args: (make) => [make.real([3, 5]), make.real([3, 4])], error: 'ShapeError', message: /mul: shapes/ },
    ],
  })
