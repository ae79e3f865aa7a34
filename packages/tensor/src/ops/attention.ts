// Attention, and what stands around it in networks: dropout, gated units and similarities. Everything here is made of other
// ops and differentiates through them.
import { broadcastShapes, checkDim, formatShape, promote, ShapeError, ValueError } from '@nabla/engine'
import { defineFunction, numberTensor, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import { noGrad, type Tensor } from '../tensor.ts'
import { attend, attendInOps, type Attention } from './attend.ts'
import { floating } from './common.ts'
import { Generator, rand } from './random.ts'

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
  /** Whether query i sees keys up to i + offset only. Default false. */
  causal?: boolean
  /**
   * Where the first query stands among the keys, when causal. For keys and values that are kept from call to call while
   * their number grows; it may change without a new plan. Default 0.
   */
  offset?: number
  /** Factor of the scores. Default 1 / sqrt(E). */
  scale?: number
  /** Probability that a weight is dropped. Default 0. */
  dropout?: number
  /** Default true; without, nothing is dropped. */
  training?: boolean
}

/**
 * Attention (Vaswani et al. 2017, eq. 1): softmax(q k^T scale + mask) v, with q [..., L, E], k [..., S, E], v [..., S, V]
 * -> [..., L, V]. Keys and values may have fewer heads (dimension -3) than queries if those divide: each then serves a group
 * of query heads (Ainslie et al. 2023). Scores are not kept for the gradient but computed again, block by block, unless
 * weights are dropped or the mask has a gradient.
 * @throws ShapeError, ValueError
 */
export const scaledDotProductAttention: OpFunction<
  (q: TensorLike, k: TensorLike, v: TensorLike, options?: AttentionOptions) => Tensor
> = defineFunction({
  name: 'scaledDotProductAttention',
  call: (queries: TensorLike, keys: TensorLike, values: TensorLike, options: AttentionOptions = {}) => {
    const op = 'scaledDotProductAttention'
    const [q, k, v] = ofOneType([queries, keys, values].map((value) => floating(toTensor(op, value))))
    checkAttention(q!, k!, v!)
    const { mask: given = null, causal = false, offset = 0, training = true } = options
    const p = training ? (options.dropout ?? 0) : 0
    if (!Number.isInteger(offset) || offset < 0)
      throw new ValueError(`${op}: offset must be a whole number from 0 on; got ${String(offset)}`)
    const scale = options.scale ?? 1 / Math.sqrt(q!.shape.at(-1)!)
    const arranged = arrange(q!, k!, v!)
    let mask = given === null ? null : toTensor(op, given)
    if (mask !== null) mask = arranged.arrangeMask(mask.dtype === 'bool' ? mask : mask.to(q!.dtype))
    const call: Attention = {
      q: arranged.q,
      k: arranged.k,
      v: arranged.v,
      mask,
      causal,
      scale: numberTensor(scale, q!.dtype),
      offset: numberTensor(offset, 'int32'),
    }
    const isWhole = p === 0 && mask?.requiresGrad !== true && call.q.size * call.v.size > 0
    return arranged.restore(isWhole ? attend(call) : attendInOps(call, (weights) => dropout(weights, p)))
  },
  samples: (make) => [
    [make.real([2, 3, 5, 4]), make.real([2, 3, 6, 4]), make.real([2, 3, 6, 2])],
    [make.real([5, 4]), make.real([5, 4]), make.real([5, 4]), { causal: true }],
    [make.real([3, 11, 4]), make.real([3, 14, 4]), make.real([3, 14, 9]), { causal: true, offset: 3 }],
    [make.real([1, 4]), make.real([9, 4]), make.real([9, 4]), { causal: true, offset: 6 }],
    [make.real([5, 3]), make.real([2, 3]), make.real([2, 4]), { causal: true }],
    [
      make.real([2, 3, 4]),
      make.real([2, 5, 4]),
      make.real([2, 5, 4]),
      { mask: make.bools([3, 5]), scale: 0.3 },
    ],
    [make.real([2, 4, 3, 2]), make.real([2, 2, 5, 2]), make.real([2, 2, 5, 2]), { mask: make.real([3, 5]) }],
    [
      make.real([2, 4, 3, 2]),
      make.real([1, 2, 3, 2]),
      make.real([1, 2, 3, 2]),
      { mask: make.bools([2, 1, 1, 3]), causal: true },
    ],
    [make.real([2, 1, 3, 2]), make.real([2, 1, 5, 2]), make.real([2, 4, 5, 2])],
    [make.real([2, 0, 2]), make.real([2, 5, 2]), make.real([2, 5, 3])],
    [make.real([2, 3, 2]), make.real([2, 0, 2]), make.real([2, 0, 3])],
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
    {
      args: (make) => [make.real([3, 4]), make.real([5, 4]), make.real([5, 4]), { mask: make.bools([2, 5]) }],
      error: 'ShapeError',
      message: /mask \[2, 5\] does not broadcast to the scores \[3, 5\]/,
    },
    {
      args: (make) => [make.real([3, 4]), make.real([5, 4]), make.real([5, 4]), { causal: true, offset: -1 }],
      error: 'ValueError',
      message: /offset must be a whole number/,
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

interface Arranged {
  /** [batch, heads, queries, features] */
  readonly q: Tensor
  /** [batch, keyHeads, keys, features] */
  readonly k: Tensor
  /** [batch, keyHeads, keys, values] */
  readonly v: Tensor
  /** A mask as [batch, heads, queries, keys]. @throws ShapeError */
  arrangeMask(mask: Tensor): Tensor
  /** A result [batch, heads, queries, values] as [..., queries, values]. */
  restore(result: Tensor): Tensor
}

/** Brings operands into four dimensions: one of batches, one of heads. */
function arrange(q: Tensor, k: Tensor, v: Tensor): Arranged {
  const op = 'scaledDotProductAttention'
  const headsOf = (x: Tensor): number => x.shape[x.rank - 3] ?? 1
  const [keyHeads] = broadcastShapes(op, [headsOf(k)], [headsOf(v)]) as [number]
  const heads = headsOf(q) === 1 ? keyHeads : headsOf(q)
  if (heads % keyHeads !== 0) {
    throw new ShapeError(
      `${op}: ${heads} query heads do not divide into ${headsOf(k)} heads of keys and ${headsOf(v)} of values`,
    )
  }
  const batchesOf = (x: Tensor): readonly number[] => x.shape.slice(0, Math.max(0, x.rank - 3))
  const batches = [k, v].reduce((shape, x) => broadcastShapes(op, shape, batchesOf(x)), batchesOf(q))
  const batch = batches.reduce((product, size) => product * size, 1)
  const toFour = (x: Tensor, count: number): Tensor => {
    const [rows, columns] = x.shape.slice(-2) as [number, number]
    // Nearly always so; a step of a model that generates notices what is not done here.
    if (x.rank === 4 && x.shape[0] === batch && x.shape[1] === count) return x
    return x
      .expand([...batches, ...(x.rank < 3 ? [] : [count]), rows, columns])
      .reshape([batch, count, rows, columns])
  }
  const [queries, positions] = [q.shape.at(-2)!, k.shape.at(-2)!]
  const inner = q.rank < 3 ? [] : [heads]
  return {
    q: toFour(q, heads),
    k: toFour(k, keyHeads),
    v: toFour(v, keyHeads),
    arrangeMask: (mask) => {
      const scores = [...batches, ...inner, queries, positions]
      const fits =
        mask.rank <= scores.length &&
        mask.shape.every((size, i) => size === 1 || size === scores[scores.length - mask.rank + i])
      if (!fits) {
        throw new ShapeError(
          `${op}: mask ${formatShape(mask.shape)} does not broadcast to the scores ${formatShape(scores)}`,
        )
      }
      return mask.expand(scores).reshape([batch, heads, queries, positions])
    },
    restore: (result) =>
      q.rank === 4 ? result : result.reshape([...batches, ...inner, queries, v.shape.at(-1)!]),
  }
}

function ofOneType(values: readonly Tensor[]): readonly Tensor[] {
  if (values.every(({ dtype }) => dtype === values[0]!.dtype)) return values
  const common = values.map(({ dtype }) => dtype).reduce(promote)
  return values.map((value) => value.to(common))
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
