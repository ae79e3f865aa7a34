// Transformer blocks and stacks: attention, a feed-forward network, and norms before or after each. Read before:
// attention.ts. Positions are added by the caller, with a layer of positions.ts.
import { lookUp, ValueError } from '@nabla/engine'
import { gelu, relu, toTensor, type Tensor, type TensorLike } from '@nabla/tensor'
import { MultiheadAttention } from './attention.ts'
import { nonNegative, positiveInteger, probability } from './check.ts'
import { Dropout } from './dropout.ts'
import type { KeyValueCache } from './keyValueCache.ts'
import { Linear, type FloatingType } from './linear.ts'
import { Module } from './module.ts'
import { LayerNorm } from './norm.ts'

/** Settings of {@link TransformerEncoderLayer} and {@link TransformerDecoderLayer}. */
export interface TransformerLayerOptions {
  /** Features between the two linear layers. Default 2048. */
  dimFeedforward?: number
  /** Probability with which attention weights and outputs of sublayers are dropped in training. Default 0.1. */
  dropout?: number
  /** Between the two linear layers: a name, or a function. Default `relu`. */
  activation?: 'relu' | 'gelu' | ((x: Tensor) => Tensor)
  /** Added to the variance in norms. Default 1e-5. */
  layerNormEps?: number
  /** Whether sequences are [N, L, E] instead of [L, N, E]. Default false. */
  batchFirst?: boolean
  /** Whether norms stand before sublayers (Xiong et al. 2020) instead of after their sum with the input. Default false. */
  normFirst?: boolean
  /** Whether linear layers and norms have biases (the default). */
  bias?: boolean
  dtype?: FloatingType
}

/** Masks of {@link TransformerEncoderLayer} and {@link TransformerEncoder}. True in a mask means NOT attended to. */
export interface EncoderMasks {
  /** [L, L] or [N·heads, L, L] */
  srcMask?: TensorLike | null
  /** [N, L] */
  srcKeyPaddingMask?: TensorLike | null
  /** Whether position i sees positions up to i only. Default false. */
  isCausal?: boolean
}

/** Settings of a call of {@link TransformerEncoderLayer}. */
export interface EncoderLayerCall extends EncoderMasks {
  /** Keys and values of earlier positions: src holds the positions that follow. See {@link KeyValueCache}. */
  cache?: KeyValueCache | null
}

/** Settings of a call of {@link TransformerEncoder}. */
export interface EncoderCall extends EncoderMasks {
  /** One cache for each block, from {@link TransformerEncoder.createCaches}. */
  caches?: readonly KeyValueCache[] | null
}

/** Masks of {@link TransformerDecoderLayer} and {@link TransformerDecoder}. True in a mask means NOT attended to. */
export interface DecoderMasks {
  /** [L, L] or [N·heads, L, L] */
  tgtMask?: TensorLike | null
  /** [L, S] or [N·heads, L, S] */
  memoryMask?: TensorLike | null
  /** [N, L] */
  tgtKeyPaddingMask?: TensorLike | null
  /** [N, S] */
  memoryKeyPaddingMask?: TensorLike | null
  /** Whether position i of the target sees positions up to i only. Default false. */
  tgtIsCausal?: boolean
}

abstract class TransformerLayer extends Module {
  readonly dModel: number
  readonly nhead: number
  readonly normFirst: boolean
  readonly selfAttn: MultiheadAttention
  readonly linear1: Linear
  readonly linear2: Linear
  readonly dropout: Dropout
  readonly #activation: (x: Tensor) => Tensor

  constructor(dModel: number, nhead: number, options: TransformerLayerOptions) {
    super()
    const layer = new.target.name
    this.dModel = positiveInteger(layer, 'dModel', dModel)
    this.nhead = positiveInteger(layer, 'nhead', nhead)
    const { dimFeedforward = 2048, activation = 'relu', normFirst = false } = options
    const { bias, dtype } = sharedSettings(options)
    this.normFirst = normFirst
    this.#activation =
      typeof activation === 'function'
        ? activation
        : lookUp(`activation of ${layer}`, activation, { relu, gelu: (x: Tensor) => gelu(x) })
    this.selfAttn = this.makeAttention(options)
    positiveInteger(layer, 'dimFeedforward', dimFeedforward)
    this.linear1 = new Linear(dModel, dimFeedforward, { bias, dtype })
    this.linear2 = new Linear(dimFeedforward, dModel, { bias, dtype })
    this.dropout = new Dropout(probability(layer, 'dropout', options.dropout ?? 0.1))
  }

  override describe(): string {
    return `${this.dModel}, ${this.nhead}${this.normFirst ? ', normFirst: true' : ''}`
  }

  protected makeAttention(options: TransformerLayerOptions): MultiheadAttention {
    const { bias, dtype } = sharedSettings(options)
    const { dropout = 0.1, batchFirst = false } = options
    probability(this.constructor.name, 'dropout', dropout)
    return new MultiheadAttention(this.dModel, this.nhead, { dropout, batchFirst, bias, dtype })
  }

  protected makeNorm(options: TransformerLayerOptions): LayerNorm {
    const eps = nonNegative(this.constructor.name, 'layerNormEps', options.layerNormEps ?? 1e-5)
    return new LayerNorm(this.dModel, { eps, ...sharedSettings(options) })
  }

  /** x plus what a sublayer makes of it, with the norm where it belongs. */
  protected residual(x: Tensor, norm: LayerNorm, drop: Dropout, sublayer: (x: Tensor) => Tensor): Tensor {
    if (this.normFirst) return x.add(drop.forward(sublayer(norm.forward(x))))
    return norm.forward(x.add(drop.forward(sublayer(x))))
  }

  protected feedForward(x: Tensor): Tensor {
    return this.linear2.forward(this.dropout.forward(this.#activation(this.linear1.forward(x))))
  }
}

/**
 * A block of an encoder: self-attention and a feed-forward network (Vaswani et al. 2017, section 3.1).
 *
 * Shape: src [L, N, E] ([N, L, E] with `batchFirst`, [L, E] without a batch) -> y of the same shape.
 */
export class TransformerEncoderLayer extends TransformerLayer {
  readonly norm1: LayerNorm
  readonly norm2: LayerNorm
  readonly dropout1: Dropout
  readonly dropout2: Dropout

  /** @throws ValueError for sizes that are no positive integers, and heads that do not divide dModel */
  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super(dModel, nhead, options)
    this.norm1 = this.makeNorm(options)
    this.norm2 = this.makeNorm(options)
    this.dropout1 = new Dropout(options.dropout ?? 0.1)
    this.dropout2 = new Dropout(options.dropout ?? 0.1)
  }

  /** @throws ShapeError when x has not dModel features, and for masks that do not fit */
  override forward(src: TensorLike, call: EncoderLayerCall = {}): Tensor {
    const { srcMask = null, srcKeyPaddingMask = null, isCausal = false, cache = null } = call
    const options = {
      attnMask: srcMask,
      keyPaddingMask: srcKeyPaddingMask,
      isCausal,
      cache,
      needWeights: false,
    }
    const x = toTensor('TransformerEncoderLayer', src)
    const attended = this.residual(x, this.norm1, this.dropout1, (each) => {
      return this.selfAttn.forward(each, each, each, options)[0]
    })
    return this.residual(attended, this.norm2, this.dropout2, (each) => this.feedForward(each))
  }
}

/**
 * A block of a decoder: self-attention, attention to the encoder's output, and a feed-forward network (Vaswani et al.
 * 2017, section 3.1).
 *
 * Shape: tgt [L, N, E], memory [S, N, E] ([N, L, E] and [N, S, E] with `batchFirst`) -> y of the shape of tgt.
 */
export class TransformerDecoderLayer extends TransformerLayer {
  readonly multiheadAttn: MultiheadAttention
  readonly norm1: LayerNorm
  readonly norm2: LayerNorm
  readonly norm3: LayerNorm
  readonly dropout1: Dropout
  readonly dropout2: Dropout
  readonly dropout3: Dropout

  /** @throws ValueError for sizes that are no positive integers, and heads that do not divide dModel */
  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super(dModel, nhead, options)
    this.multiheadAttn = this.makeAttention(options)
    this.norm1 = this.makeNorm(options)
    this.norm2 = this.makeNorm(options)
    this.norm3 = this.makeNorm(options)
    this.dropout1 = new Dropout(options.dropout ?? 0.1)
    this.dropout2 = new Dropout(options.dropout ?? 0.1)
    this.dropout3 = new Dropout(options.dropout ?? 0.1)
  }

  /** @throws ShapeError when sizes or masks do not fit */
  override forward(tgt: TensorLike, memory: TensorLike, masks: DecoderMasks = {}): Tensor {
    const { tgtMask = null, tgtKeyPaddingMask = null, tgtIsCausal = false } = masks
    const { memoryMask = null, memoryKeyPaddingMask = null } = masks
    const own = {
      attnMask: tgtMask,
      keyPaddingMask: tgtKeyPaddingMask,
      isCausal: tgtIsCausal,
      needWeights: false,
    }
    const other = { attnMask: memoryMask, keyPaddingMask: memoryKeyPaddingMask, needWeights: false }
    const x = toTensor('TransformerDecoderLayer', tgt)
    const seen = this.residual(x, this.norm1, this.dropout1, (each) => {
      return this.selfAttn.forward(each, each, each, own)[0]
    })
    const told = this.residual(seen, this.norm2, this.dropout2, (each) => {
      return this.multiheadAttn.forward(each, memory, memory, other)[0]
    })
    return this.residual(told, this.norm3, this.dropout3, (each) => this.feedForward(each))
  }
}

/**
 * Encoder blocks in a row, with an optional norm at the end.
 *
 * Shape: as {@link TransformerEncoderLayer}. State keys: `layers.0...`, `norm...`.
 */
export class TransformerEncoder extends Module {
  readonly layers: readonly TransformerEncoderLayer[]
  readonly norm: LayerNorm | null

  /**
   * @param makeLayer makes one block; called `numLayers` times, so that each has weights of its own
   * @param norm at the end; blocks with `normFirst` need one
   * @throws ValueError
   */
  constructor(makeLayer: () => TransformerEncoderLayer, numLayers: number, norm: LayerNorm | null = null) {
    super()
    this.layers = makeLayers('TransformerEncoder', makeLayer, numLayers)
    this.norm = norm
  }

  /** Caches for calls with `batch` sequences of up to `capacity` positions, one for each block. */
  createCaches(batch: number, capacity: number): KeyValueCache[] {
    return this.layers.map(({ selfAttn }) => selfAttn.createCache(batch, capacity))
  }

  /** @throws ShapeError when sizes or masks do not fit, ValueError when there is not one cache for each block */
  override forward(src: TensorLike, { caches = null, ...masks }: EncoderCall = {}): Tensor {
    if (caches !== null && caches.length !== this.layers.length) {
      throw new ValueError(
        `TransformerEncoder: ${caches.length} caches for ${this.layers.length} blocks; see createCaches()`,
      )
    }
    let x = toTensor('TransformerEncoder', src)
    this.layers.forEach((layer, i) => {
      x = layer.forward(x, { ...masks, cache: caches === null ? null : caches[i]! })
    })
    return this.norm === null ? x : this.norm.forward(x)
  }
}

/**
 * Decoder blocks in a row, with an optional norm at the end.
 *
 * Shape: as {@link TransformerDecoderLayer}. State keys: `layers.0...`, `norm...`.
 */
export class TransformerDecoder extends Module {
  readonly layers: readonly TransformerDecoderLayer[]
  readonly norm: LayerNorm | null

  /**
   * @param makeLayer makes one block; called `numLayers` times, so that each has weights of its own
   * @param norm at the end; blocks with `normFirst` need one
   * @throws ValueError
   */
  constructor(makeLayer: () => TransformerDecoderLayer, numLayers: number, norm: LayerNorm | null = null) {
    super()
    this.layers = makeLayers('TransformerDecoder', makeLayer, numLayers)
    this.norm = norm
  }

  /** @throws ShapeError when sizes or masks do not fit */
  override forward(tgt: TensorLike, memory: TensorLike, masks: DecoderMasks = {}): Tensor {
    let x = toTensor('TransformerDecoder', tgt)
    for (const layer of this.layers) x = layer.forward(x, memory, masks)
    return this.norm === null ? x : this.norm.forward(x)
  }
}

function sharedSettings(options: TransformerLayerOptions): { bias: boolean; dtype: FloatingType } {
  return { bias: options.bias ?? true, dtype: options.dtype ?? 'float32' }
}

function makeLayers<L extends Module>(stack: string, makeLayer: () => L, numLayers: number): readonly L[] {
  positiveInteger(stack, 'numLayers', numLayers)
  if (typeof makeLayer !== 'function') {
    throw new ValueError(`${stack}: the first argument must be a function that makes a layer, () => new ...`)
  }
  const layers = Array.from({ length: numLayers }, makeLayer)
  if (new Set(layers).size !== numLayers || layers.some((layer) => !(layer instanceof Module))) {
    throw new ValueError(`${stack}: the function must make a new layer at every call`)
  }
  return layers
}
