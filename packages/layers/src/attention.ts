// Multi-head attention as a layer: weights, heads and masks around the op scaledDotProductAttention. Not here: blocks
// with feed-forward networks and norms (transformer.ts), and where tokens stand (positions.ts).
import { formatShape, ShapeError, ValueError } from '@nabla/engine'
import {
  arange,
  chunk,
  dropout,
  linear,
  Parameter,
  scaledDotProductAttention,
  softmax,
  toTensor,
  where,
  type Tensor,
  type TensorLike,
} from '@nabla/tensor'
import { positiveInteger, probability } from './check.ts'
import { xavierUniform, zeros } from './init.ts'
import { KeyValueCache } from './keyValueCache.ts'
import { Linear, type FloatingType } from './linear.ts'
import { Module } from './module.ts'

/** Settings of {@link MultiheadAttention}. */
export interface MultiheadAttentionOptions {
  /** Probability with which attention weights are dropped in training. Default 0. */
  dropout?: number
  /** Whether biases are added (the default). */
  bias?: boolean
  /** Number of features of keys. Default embedDim. */
  kdim?: number
  /** Number of features of values. Default embedDim. */
  vdim?: number
  /** Whether sequences are [N, L, E] instead of [L, N, E]. Default false. */
  batchFirst?: boolean
  dtype?: FloatingType
}

/** Settings of a call of {@link MultiheadAttention}. In masks of bools, true means NOT attended to, as in PyTorch. */
export interface AttentionCall {
  /** Which keys are filling: [N, S] (or [S]), bools, or reals that are added to the scores. */
  keyPaddingMask?: TensorLike | null
  /** Which keys each query may not see: [L, S] or [N·heads, L, S], bools, or reals that are added to the scores. */
  attnMask?: TensorLike | null
  /** Whether query i sees keys up to i only. Default false. */
  isCausal?: boolean
  /** Whether attention weights are returned. Without, less is computed. Default true, but for calls with a cache. */
  needWeights?: boolean
  /** Whether returned weights are averages over heads (the default). */
  averageAttnWeights?: boolean
  /**
   * Keys and values of earlier calls, to which those of this one are added: queries see all of them, and those of this call
   * as if `isCausal` were set. For making sequences position by position; see {@link MultiheadAttention.createCache}.
   */
  cache?: KeyValueCache | null
}

// What a masked score becomes: finite, so that a query that may see nothing does not turn into NaN.
const masked = -1e30

/**
 * Multi-head attention (Vaswani et al. 2017, section 3.2.2).
 *
 * Shape: query [L, N, E], key [S, N, kdim], value [S, N, vdim] ([N, L, E] and so on with `batchFirst`, [L, E] without a
 * batch) -> output of the shape of query, and weights [N, L, S] ([N, heads, L, S] unless averaged). Parameters:
 * in_proj_weight [3·E, E] (or q_proj_weight [E, E], k_proj_weight [E, kdim], v_proj_weight [E, vdim] where sizes differ),
 * in_proj_bias [3·E], out_proj.weight [E, E], out_proj.bias [E].
 */
export class MultiheadAttention extends Module {
  readonly embedDim: number
  readonly numHeads: number
  readonly kdim: number
  readonly vdim: number
  readonly dropout: number
  readonly batchFirst: boolean
  readonly qProjWeight: Parameter | null
  readonly kProjWeight: Parameter | null
  readonly vProjWeight: Parameter | null
  readonly inProjWeight: Parameter | null
  readonly inProjBias: Parameter | null
  readonly outProj: Linear

  /** @throws ValueError when the heads do not divide embedDim */
  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    super()
    const { dropout: p = 0, bias = true, kdim = embedDim, vdim = embedDim, batchFirst = false } = options
    const { dtype = 'float32' } = options
    const layer = 'MultiheadAttention'
    this.embedDim = positiveInteger(layer, 'embedDim', embedDim)
    this.numHeads = positiveInteger(layer, 'numHeads', numHeads)
    if (embedDim % numHeads !== 0)
      throw new ValueError(`${layer}: numHeads (${numHeads}) must divide embedDim (${embedDim})`)
    this.kdim = positiveInteger(layer, 'kdim', kdim)
    this.vdim = positiveInteger(layer, 'vdim', vdim)
    this.dropout = probability(layer, 'dropout', p)
    this.batchFirst = batchFirst
    const name = `${layer}(${embedDim}, ${numHeads})`
    const make = (rows: number, columns: number, field: string): Parameter =>
      new Parameter(xavierUniform([rows, columns], { dtype }), { name: `${name}.${field}` })
    const together = kdim === embedDim && vdim === embedDim
    this.inProjWeight = together ? make(3 * embedDim, embedDim, 'inProjWeight') : null
    this.qProjWeight = together ? null : make(embedDim, embedDim, 'qProjWeight')
    this.kProjWeight = together ? null : make(embedDim, kdim, 'kProjWeight')
    this.vProjWeight = together ? null : make(embedDim, vdim, 'vProjWeight')
    this.inProjBias = bias
      ? new Parameter(zeros([3 * embedDim], { dtype }), { name: `${name}.inProjBias` })
      : null
    this.outProj = new Linear(embedDim, embedDim, { bias, dtype })
    if (this.outProj.bias !== null) this.outProj.bias.value = zeros([embedDim], { dtype })
  }

  /** A cache for calls with `batch` sequences of up to `capacity` positions. */
  createCache(batch: number, capacity: number): KeyValueCache {
    const dtype = this.outProj.weight.dtype as FloatingType
    return new KeyValueCache(batch, this.numHeads, capacity, this.embedDim / this.numHeads, { dtype })
  }

  /**
   * @returns the output, and the attention weights (null with `needWeights: false`)
   * @throws ShapeError when sizes or masks do not fit, ValueError for a cache that is full or together with weights
   */
  override forward(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    options: AttentionCall = {},
  ): [output: Tensor, weights: Tensor | null] {
    const { cache = null, averageAttnWeights = true } = options
    const { needWeights = cache === null } = options
    if (cache !== null && needWeights)
      throw new ValueError(
        'MultiheadAttention: weights are not returned with a cache; set needWeights: false',
      )
    const given = [query, key, value].map((x) => toTensor('MultiheadAttention', x))
    const single = given[0]!.rank === 2
    const self = given[1] === given[0] && given[2] === given[0]
    const [q, k, v] = given.map((x, i) => this.#batchFirst(x, i, single)) as [Tensor, Tensor, Tensor]
    if (k.shape[0] !== q.shape[0] || v.shape[0] !== q.shape[0] || v.shape[1] !== k.shape[1]) {
      throw new ShapeError(
        `MultiheadAttention: batches and lengths do not fit: query ${formatShape(given[0]!.shape)}, key ` +
          `${formatShape(given[1]!.shape)}, value ${formatShape(given[2]!.shape)}`,
      )
    }
    const heads = (self ? this.#projectTogether(q) : this.#projectEach(q, k, v)).map((x) => this.#split(x))
    const [queries, keys, values] = heads as [Tensor, Tensor, Tensor] // [N, heads, L or S, E / heads]
    const { mask, causal } = this.#masks(options, q, cache === null ? k.shape[1]! : cache.capacity)
    let result: Tensor
    let weights: Tensor | null = null
    if (needWeights) {
      let scores = queries.mul(1 / Math.sqrt(this.embedDim / this.numHeads)).matmul(keys.transpose()) // [N, heads, L, S]
      if (mask !== null) scores = scores.add(mask)
      if (causal) scores = where(causalMask(q.shape[1]!, k.shape[1]!), masked, scores)
      weights = dropout(softmax(scores, -1), this.dropout, { training: this.training })
      result = weights.matmul(values)
    } else {
      const { training } = this
      const seen = cache === null ? { keys, values, offset: 0 } : cache.append(keys, values)
      result = scaledDotProductAttention(queries, seen.keys, seen.values, {
        mask,
        causal: causal || cache !== null,
        offset: seen.offset,
        dropout: this.dropout,
        training,
      })
    }
    const joined = result.permute([0, 2, 1, 3]).reshape([q.shape[0]!, q.shape[1]!, this.embedDim])
    const output = this.outProj.forward(joined) // [N, L, E]
    if (weights !== null && averageAttnWeights) weights = weights.mean(1)
    if (single) return [output.squeeze(0), weights === null ? null : weights.squeeze(0)]
    return [this.batchFirst ? output : output.transpose(0, 1), weights]
  }

  override describe(): string {
    const sizes = this.inProjWeight === null ? `, kdim: ${this.kdim}, vdim: ${this.vdim}` : ''
    return `${this.embedDim}, ${this.numHeads}${sizes}${this.batchFirst ? ', batchFirst: true' : ''}`
  }

  // [N, L, features], whatever form it comes in.
  #batchFirst(x: Tensor, which: number, single: boolean): Tensor {
    const features = [this.embedDim, this.kdim, this.vdim][which]!
    if (x.rank !== (single ? 2 : 3) || x.shape.at(-1) !== features) {
      const what = ['query', 'key', 'value'][which]!
      const form = single ? '[L, features]' : this.batchFirst ? '[N, L, features]' : '[L, N, features]'
      throw new ShapeError(
        `MultiheadAttention(${this.describe()}): ${what} must be ${form} with ${features} features; ` +
          `got shape ${formatShape(x.shape)}`,
      )
    }
    if (single) return x.unsqueeze(0)
    return this.batchFirst ? x : x.transpose(0, 1)
  }

  // Queries, keys and values of the same sequence are one product.
  #projectTogether(x: Tensor): Tensor[] {
    if (this.inProjWeight === null) return this.#projectEach(x, x, x)
    return chunk(linear(x, this.inProjWeight, this.inProjBias ?? undefined), 3, -1)
  }

  #projectEach(...inputs: readonly Tensor[]): Tensor[] {
    const weights =
      this.inProjWeight === null
        ? [this.qProjWeight!, this.kProjWeight!, this.vProjWeight!]
        : chunk(this.inProjWeight, 3, 0)
    const biases = this.inProjBias === null ? [] : chunk(this.inProjBias, 3, 0)
    return inputs.map((x, i) => linear(x, weights[i]!, biases[i]))
  }

  #split(x: Tensor): Tensor {
    const [count, length] = x.shape as [number, number, number]
    return x.reshape([count, length, this.numHeads, this.embedDim / this.numHeads]).permute([0, 2, 1, 3])
  }

  // Both masks as one value that is added to scores [N, heads, L, S].
  #masks(options: AttentionCall, q: Tensor, positions: number): { mask: Tensor | null; causal: boolean } {
    const [count, length] = q.shape as [number, number, number]
    let mask: Tensor | null = null
    if (options.attnMask !== undefined && options.attnMask !== null) {
      const given = toTensor('MultiheadAttention', options.attnMask)
      const shapes = [
        [length, positions],
        [count * this.numHeads, length, positions],
      ]
      checkMask('attnMask', given, shapes)
      mask = added(given.rank === 2 ? given : given.reshape([count, this.numHeads, length, positions]))
    }
    if (options.keyPaddingMask !== undefined && options.keyPaddingMask !== null) {
      const given = toTensor('MultiheadAttention', options.keyPaddingMask)
      checkMask('keyPaddingMask', given, count === 1 ? [[positions], [1, positions]] : [[count, positions]])
      const padding = added(given.reshape([count, 1, 1, positions]))
      mask = mask === null ? padding : mask.add(padding)
    }
    return { mask, causal: options.isCausal ?? false }
  }
}

/**
 * Which keys come later than each query: bools [queries, keys], true above the diagonal. For `attnMask`.
 */
export function causalMask(queries: number, keys: number = queries): Tensor {
  positiveInteger('causalMask', 'queries', queries)
  positiveInteger('causalMask', 'keys', keys)
  return arange(keys).gt(arange(queries).unsqueeze(1))
}

function added(mask: Tensor): Tensor {
  return mask.dtype === 'bool' ? where(mask, masked, 0) : mask
}

function checkMask(name: string, mask: Tensor, shapes: readonly (readonly number[])[]): void {
  const fits = shapes.some((shape) => formatShape(shape) === formatShape(mask.shape))
  if (fits) return
  const expected = shapes.map(formatShape).join(' or ')
  throw new ShapeError(
    `MultiheadAttention: ${name} must be ${expected}; got shape ${formatShape(mask.shape)}`,
  )
}
