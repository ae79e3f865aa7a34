// A table of vectors that are trained, one per index.
import { ValueError } from '@nabla/engine'
import { embedding, Parameter, type Tensor, type TensorLike } from '@nabla/tensor'
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
    this.paddingIdx = paddingIdx === undefined ? null : indexIn(paddingIdx, numEmbeddings)
    const initial = normal([numEmbeddings, embeddingDim], { dtype })
    if (this.paddingIdx !== null)
      initial.host!.fill(0, this.paddingIdx * embeddingDim, (this.paddingIdx + 1) * embeddingDim)
    this.weight = new Parameter(initial, { name: `Embedding(${numEmbeddings}, ${embeddingDim}).weight` })
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

function indexIn(index: number, count: number): number {
  const position = index < 0 ? index + count : index
  if (!Number.isInteger(index) || position < 0 || position >= count) {
    throw new ValueError(`Embedding: paddingIdx must lie in [${-count}, ${count - 1}]; got ${String(index)}`)
  }
  return position
}
