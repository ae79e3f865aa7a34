// Single steps of recurrent networks, for loops of one's own. Read before: recurrentSteps.ts, which has the equations.
import { formatShape, lookUp, sameShape, ShapeError } from '@nabla/engine'
import { toTensor, zeros, type Parameter, type Tensor, type TensorLike } from '@nabla/tensor'
import { positiveInteger } from './check.ts'
import type { FloatingType } from './linear.ts'
import { Module } from './module.ts'
import {
  gated,
  longShortTerm,
  makeWeights,
  plainRelu,
  plainTanh,
  type RecurrentKind,
  type RecurrentState,
} from './recurrentSteps.ts'

/** Settings of {@link LSTMCell} and {@link GRUCell}. */
export interface RecurrentCellOptions {
  /** Whether biases are added (the default). */
  bias?: boolean
  dtype?: FloatingType
}

/** Settings of {@link RNNCell}. */
export interface RNNCellOptions extends RecurrentCellOptions {
  /** Default `tanh`. */
  nonlinearity?: 'tanh' | 'relu'
}

abstract class RecurrentCell extends Module {
  readonly inputSize: number
  readonly hiddenSize: number
  readonly weightIh: Parameter
  readonly weightHh: Parameter
  readonly biasIh: Parameter | null
  readonly biasHh: Parameter | null
  readonly #kind: RecurrentKind

  constructor(
    kind: RecurrentKind,
    inputSize: number,
    hiddenSize: number,
    { bias = true, dtype = 'float32' }: RecurrentCellOptions,
  ) {
    super()
    const layer = new.target.name
    this.inputSize = positiveInteger(layer, 'inputSize', inputSize)
    this.hiddenSize = positiveInteger(layer, 'hiddenSize', hiddenSize)
    const weights = makeWeights(kind, { inputSize, hiddenSize, projSize: 0, bias, dtype }, layer)
    this.weightIh = weights.weightIh
    this.weightHh = weights.weightHh
    this.biasIh = weights.biasIh
    this.biasHh = weights.biasHh
    this.#kind = kind
  }

  override describe(): string {
    return `${this.inputSize}, ${this.hiddenSize}`
  }

  /** One step. @throws ShapeError */
  protected step(value: TensorLike, given: readonly TensorLike[] | undefined): RecurrentState {
    const layer = `${this.constructor.name}(${this.describe()})`
    const x = toTensor(this.constructor.name, value)
    if ((x.rank !== 1 && x.rank !== 2) || x.shape.at(-1) !== this.inputSize) {
      throw new ShapeError(
        `${layer}: x must be [N, ${this.inputSize}] or [${this.inputSize}]; got shape ${formatShape(x.shape)}`,
      )
    }
    const shape = [...x.shape.slice(0, -1), this.hiddenSize]
    const start = Array.from({ length: this.#kind.states }, (_, i) => {
      if (given === undefined) return zeros(shape, { dtype: this.weightHh.dtype as FloatingType })
      const state = toTensor(this.constructor.name, given[i] as TensorLike)
      if (sameShape(state.shape, shape)) return state
      throw new ShapeError(
        `${layer}: the state must be ${formatShape(shape)}; got shape ${formatShape(state.shape)}`,
      )
    })
    const { weightIh, weightHh, biasIh, biasHh } = this
    const weights = { weightIh, weightHh, biasIh, biasHh, weightHr: null }
    return this.#kind.step(this.#kind.project(x, weights), start, weights)
  }
}

/**
 * One step of a plain recurrent network: h' = tanh(W_ih x + b_ih + W_hh h + b_hh).
 *
 * Shape: x [N, I] or [I], h [N, H] or [H] -> h' of the shape of h; weight_ih [H, I], weight_hh [H, H], biases [H].
 */
export class RNNCell extends RecurrentCell {
  /** @throws ValueError for sizes that are no positive integers, and an unknown nonlinearity */
  constructor(inputSize: number, hiddenSize: number, options: RNNCellOptions = {}) {
    const kinds = { tanh: plainTanh, relu: plainRelu }
    const kind = lookUp('nonlinearity of RNNCell', options.nonlinearity ?? 'tanh', kinds)
    super(kind, inputSize, hiddenSize, options)
  }

  /** @param h zeros if left out @throws ShapeError */
  override forward(x: TensorLike, h?: TensorLike): Tensor {
    return this.step(x, h === undefined ? undefined : [h])[0]!
  }
}

/**
 * One step of gated recurrent units.
 *
 * Shape: x [N, I] or [I], h [N, H] or [H] -> h' of the shape of h; weights have 3·H rows, for r, z and n.
 */
export class GRUCell extends RecurrentCell {
  /** @throws ValueError for sizes that are no positive integers */
  constructor(inputSize: number, hiddenSize: number, options: RecurrentCellOptions = {}) {
    super(gated, inputSize, hiddenSize, options)
  }

  /** @param h zeros if left out @throws ShapeError */
  override forward(x: TensorLike, h?: TensorLike): Tensor {
    return this.step(x, h === undefined ? undefined : [h])[0]!
  }
}

/**
 * One step of a long short-term memory.
 *
 * Shape: x [N, I] or [I], h and c [N, H] or [H] -> the new [h, c]; weights have 4·H rows, for i, f, g and o.
 */
export class LSTMCell extends RecurrentCell {
  /** @throws ValueError for sizes that are no positive integers */
  constructor(inputSize: number, hiddenSize: number, options: RecurrentCellOptions = {}) {
    super(longShortTerm, inputSize, hiddenSize, options)
  }

  /** @param state h and c, zeros if left out @throws ShapeError */
  override forward(x: TensorLike, state?: readonly [h: TensorLike, c: TensorLike]): [h: Tensor, c: Tensor] {
    const [h, c] = this.step(x, state)
    return [h!, c!]
  }
}
