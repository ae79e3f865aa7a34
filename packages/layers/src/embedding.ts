// Tables of vectors that are trained, one per index: looked up one by one, or put together per bag.
import { formatShape, lookUp, sameShape, ShapeError, ValueError } from '@nabla/engine'
import { embedding, Parameter, toTensor, where, type Tensor, type TensorLike } from '@nabla/tensor'
import { positiveInteger } from './check.ts'
import { normal } from './init.ts'
import type { FloatingType } from './linear.ts'
import { Module } from './module.ts'

/** Settings of {@link Embedding}. */
export interface EmbeddingLayerOptions {
  /** An index whose vector stays as it is (zeros at first): the filling of short sequences. */
  paddingIdx?: number
  dtype?: FloatingType
}

/**
 * The vector of each index.
 *
 * Shape: indices [...] (int32) -> y [..., embeddingDim]; weight [numEmbeddings, embeddingDim], standard normal at first.
 */
export class Embedding extends Module {
  readonly numEmbeddings: number
  readonly embeddingDim: number
  readonly paddingIdx: number | null
  readonly weight: Parameter

  /** @throws ValueError for sizes that are no positive integers, and a paddingIdx outside of the table */
  constructor(
    numEmbeddings: number,
    embeddingDim: number,
    { paddingIdx, dtype = 'float32' }: EmbeddingLayerOptions = {},
  ) {
    super()
    this.numEmbeddings = positiveInteger('Embedding', 'numEmbeddings', numEmbeddings)
    this.embeddingDim = positiveInteger('Embedding', 'embeddingDim', embeddingDim)
    this.paddingIdx = paddingIdx === undefined ? null : indexIn('Embedding', paddingIdx, numEmbeddings)
    const name = `Embedding(${numEmbeddings}, ${embeddingDim}).weight`
    this.weight = makeTable(numEmbeddings, embeddingDim, this.paddingIdx, dtype, name)
  }

  /** @throws DTypeError for indices that are not int32, ValueError for indices outside of the table */
  override forward(indices: TensorLike): Tensor {
    return embedding(this.weight, indices, this.paddingIdx === null ? {} : { paddingIdx: this.paddingIdx }) // [..., embeddingDim]
  }

  override describe(): string {
    const padding = this.paddingIdx === null ? '' : `, paddingIdx: ${this.paddingIdx}`
    return `${this.numEmbeddings}, ${this.embeddingDim}${padding}`
  }
}

/** Settings of {@link EmbeddingBag}. */
export interface EmbeddingBagLayerOptions {
  /** How the vectors of a bag are put together. Default `mean`. */
  mode?: 'sum' | 'mean' | 'max'
  /** An index that fills short bags: its vector takes no part and stays as it is. */
  paddingIdx?: number
  dtype?: FloatingType
}

/**
 * The vectors of each bag of indices, put together.
 *
 * Shape: indices [B, L] (int32), and with mode `sum` weights [B, L] -> y [B, embeddingDim]; weight [numEmbeddings,
 * embeddingDim], standard normal at first. A bag of filling alone gives zeros.
 */
export class EmbeddingBag extends Module {
  readonly numEmbeddings: number
  readonly embeddingDim: number
  readonly mode: 'sum' | 'mean' | 'max'
  readonly paddingIdx: number | null
  readonly weight: Parameter

  /** @throws ValueError for sizes that are no positive integers, an unknown mode, a paddingIdx outside of the table */
  constructor(
    numEmbeddings: number,
    embeddingDim: number,
    { mode = 'mean', paddingIdx, dtype = 'float32' }: EmbeddingBagLayerOptions = {},
  ) {
    super()
    this.numEmbeddings = positiveInteger('EmbeddingBag', 'numEmbeddings', numEmbeddings)
    this.embeddingDim = positiveInteger('EmbeddingBag', 'embeddingDim', embeddingDim)
    lookUp('mode of EmbeddingBag', mode, { sum: true, mean: true, max: true })
    this.mode = mode
    this.paddingIdx = paddingIdx === undefined ? null : indexIn('EmbeddingBag', paddingIdx, numEmbeddings)
    const name = `EmbeddingBag(${numEmbeddings}, ${embeddingDim}).weight`
    this.weight = makeTable(numEmbeddings, embeddingDim, this.paddingIdx, dtype, name)
  }

  /**
   * @param perSampleWeights a factor for each vector, with mode `sum` only
   * @throws ShapeError, DTypeError; ValueError for indices outside of the table
   */
  override forward(indices: TensorLike, perSampleWeights?: TensorLike): Tensor {
    const ids = toTensor('EmbeddingBag', indices)
    if (ids.rank !== 2)
      throw new ShapeError(
        `EmbeddingBag: indices must be [bags, length]; got shape ${formatShape(ids.shape)}`,
      )
    let rows = embedding(this.weight, ids) // [B, L, embeddingDim]
    if (perSampleWeights !== undefined) rows = this.#weighted(rows, perSampleWeights)
    if (this.paddingIdx === null) {
      if (this.mode === 'max') return rows.amax(1)
      return this.mode === 'sum' ? rows.sum(1) : rows.mean(1)
    }
    const real = ids.ne(this.paddingIdx).unsqueeze(-1) // [B, L, 1]
    const count = real.to(rows.dtype).sum(1) // [B, 1]
    if (this.mode === 'max') return where(count.gt(0), where(real, rows, -Infinity).amax(1), 0)
    const sum = where(real, rows, 0).sum(1)
    return this.mode === 'sum' ? sum : sum.div(count.maximum(1))
  }

  override describe(): string {
    const padding = this.paddingIdx === null ? '' : `, paddingIdx: ${this.paddingIdx}`
    return `${this.numEmbeddings}, ${this.embeddingDim}, mode: '${this.mode}'${padding}`
  }

  #weighted(rows: Tensor, given: TensorLike): Tensor {
    const weights = toTensor('EmbeddingBag', given)
    if (this.mode !== 'sum')
      throw new ValueError(`EmbeddingBag: weights per sample need mode 'sum'; it is '${this.mode}'`)
    if (!sameShape(weights.shape, rows.shape.slice(0, 2))) {
      throw new ShapeError(
        `EmbeddingBag: weights must have the shape of indices, ${formatShape(rows.shape.slice(0, 2))}; got ${formatShape(weights.shape)}`,
      )
    }
    return rows.mul(weights.unsqueeze(-1))
  }
}

// Standard normal numbers, and zeros in the row of the filling.
function makeTable(
  rows: number,
  features: number,
  paddingIdx: number | null,
  dtype: FloatingType,
  name: string,
): Parameter {
  const initial = normal([rows, features], { dtype })
  if (paddingIdx !== null) initial.host!.fill(0, paddingIdx * features, (paddingIdx + 1) * features)
  return new Parameter(initial, { name })
}

function indexIn(layer: string, index: number, count: number): number {
  const position = index < 0 ? index + count : index
  if (!Number.isInteger(index) || position < 0 || position >= count) {
    throw new ValueError(`${layer}: paddingIdx must lie in [${-count}, ${count - 1}]; got ${String(index)}`)
  }
  return position
}
