// Recurrent networks over whole sequences: stacked, in both directions, with sequences of different lengths. The
// products of all inputs with their weights are one contraction per layer; only the rest waits for the step before.
// Not here: the equations (recurrentSteps.ts), single steps as layers (recurrentCells.ts).
import { formatShape, lookUp, sameShape, ShapeError, ValueError } from '@nabla/engine'
import {
  cat,
  dropout,
  stack,
  tensor,
  toTensor,
  unbind,
  where,
  zeros,
  type Tensor,
  type TensorLike,
} from '@nabla/tensor'
import { nonNegativeInteger, positiveInteger, probability } from './check.ts'
import type { FloatingType } from './linear.ts'
import { Module, type Member } from './module.ts'
import {
  gated,
  longShortTerm,
  makeWeights,
  plainRelu,
  plainTanh,
  type RecurrentKind,
  type RecurrentState,
  type RecurrentWeights,
} from './recurrentSteps.ts'

/** Settings of {@link RNN}, {@link LSTM} and {@link GRU}. */
export interface RecurrentOptions {
  /** Networks on top of one another, each taking the outputs of the one below. Default 1. */
  numLayers?: number
  /** Whether biases are added (the default). */
  bias?: boolean
  /** Whether sequences are [N, T, I] instead of [T, N, I]. Default false. States are [layers, N, H] in either case. */
  batchFirst?: boolean
  /** Probability with which outputs of all layers but the last are dropped in training. Default 0. */
  dropout?: number
  /** Whether a second network reads backwards; outputs of both lie beside one another. Default false. */
  bidirectional?: boolean
  dtype?: FloatingType
}

/** Settings of {@link RNN}. */
export interface RNNOptions extends RecurrentOptions {
  /** Default `tanh`. */
  nonlinearity?: 'tanh' | 'relu'
}

/** Settings of {@link LSTM}. */
export interface LSTMOptions extends RecurrentOptions {
  /** Size to which outputs are projected (Sak et al. 2014). Default 0: they are not. */
  projSize?: number
}

/** How long each sequence is (int32, [N]); what comes after is filling: it changes nothing, and outputs there are 0. */
export type SequenceLengths = TensorLike | readonly number[]

interface Result {
  readonly output: Tensor
  readonly state: RecurrentState
}

abstract class Recurrent extends Module {
  readonly inputSize: number
  readonly hiddenSize: number
  readonly projSize: number
  readonly numLayers: number
  readonly batchFirst: boolean
  readonly dropout: number
  readonly bidirectional: boolean
  /** Of each layer: forwards, then where there are two directions backwards. */
  readonly weights: readonly RecurrentWeights[][]
  readonly #kind: RecurrentKind

  constructor(kind: RecurrentKind, inputSize: number, hiddenSize: number, options: LSTMOptions) {
    super()
    const { numLayers = 1, bias = true, batchFirst = false, bidirectional = false, projSize = 0 } = options
    const { dropout: p = 0, dtype = 'float32' } = options
    const layer = new.target.name
    this.inputSize = positiveInteger(layer, 'inputSize', inputSize)
    this.hiddenSize = positiveInteger(layer, 'hiddenSize', hiddenSize)
    this.projSize = nonNegativeInteger(layer, 'projSize', projSize)
    if (projSize >= hiddenSize && projSize > 0) {
      throw new ValueError(
        `${layer}: projSize (${projSize}) must be smaller than hiddenSize (${hiddenSize}); leave it out to project nothing`,
      )
    }
    this.numLayers = positiveInteger(layer, 'numLayers', numLayers)
    this.dropout = probability(layer, 'dropout', p)
    this.batchFirst = batchFirst
    this.bidirectional = bidirectional
    this.#kind = kind
    const directions = bidirectional ? 2 : 1
    this.weights = Array.from({ length: numLayers }, (_, level) => {
      const size = level === 0 ? inputSize : directions * this.outputSize
      return Array.from({ length: directions }, () =>
        makeWeights(kind, { inputSize: size, hiddenSize, projSize, bias, dtype }, layer),
      )
    })
  }

  /** The parameters by PyTorch's names: `weight_ih_l0`, `weight_hh_l0_reverse`, ... */
  override *members(): Iterable<[string, Member]> {
    for (const [level, directions] of this.weights.entries()) {
      for (const [direction, weights] of directions.entries()) {
        const end = `l${level}${direction === 1 ? '_reverse' : ''}`
        yield [`weight_ih_${end}`, weights.weightIh]
        yield [`weight_hh_${end}`, weights.weightHh]
        if (weights.biasIh !== null) yield [`bias_ih_${end}`, weights.biasIh]
        if (weights.biasHh !== null) yield [`bias_hh_${end}`, weights.biasHh]
        if (weights.weightHr !== null) yield [`weight_hr_${end}`, weights.weightHr]
      }
    }
  }

  override describe(): string {
    const parts = [`${this.inputSize}, ${this.hiddenSize}`]
    if (this.numLayers > 1) parts.push(`numLayers: ${this.numLayers}`)
    if (this.projSize > 0) parts.push(`projSize: ${this.projSize}`)
    if (this.batchFirst) parts.push('batchFirst: true')
    if (this.dropout > 0) parts.push(`dropout: ${this.dropout}`)
    if (this.bidirectional) parts.push('bidirectional: true')
    return parts.join(', ')
  }

  /** Size of one direction's outputs. */
  protected get outputSize(): number {
    return this.projSize === 0 ? this.hiddenSize : this.projSize
  }

  /** Runs all layers. @throws ShapeError */
  protected run(
    value: TensorLike,
    initial: readonly TensorLike[] | undefined,
    lengths: SequenceLengths | undefined,
  ): Result {
    const given = toTensor(this.constructor.name, value)
    this.#checkInput(given)
    const single = given.rank === 2
    const timeFirst = single ? given.unsqueeze(1) : this.batchFirst ? given.transpose(0, 1) : given
    const [steps, count] = timeFirst.shape as [number, number, number]
    const states = this.#initialStates(initial, count, single)
    const alive = lengths === undefined ? null : this.#aliveAt(lengths, steps, count)
    let x = timeFirst
    const finals: RecurrentState[] = []
    for (const [level, directions] of this.weights.entries()) {
      if (level > 0) x = dropout(x, this.dropout, { training: this.training })
      const outputs = directions.map((weights, direction) => {
        const start = states[level * directions.length + direction]!
        const { output, state } = runDirection(this.#kind, x, weights, start, alive, direction === 1)
        finals.push(state)
        return output
      })
      x = outputs.length === 1 ? outputs[0]! : cat(outputs, -1) // [T, N, directions·outputSize]
    }
    const state = finals[0]!.map((_, i) => stack(finals.map((final) => final[i]!))) // [layers·directions, N, size]
    if (single) return { output: x.squeeze(1), state: state.map((each) => each.squeeze(1)) }
    return { output: this.batchFirst ? x.transpose(0, 1) : x, state }
  }

  #checkInput(x: Tensor): void {
    const timeDim = x.rank === 3 && this.batchFirst ? 1 : 0
    if ((x.rank === 2 || x.rank === 3) && x.shape.at(-1) === this.inputSize && x.shape[timeDim]! > 0) return
    const form = this.batchFirst ? '[N, T, I]' : '[T, N, I]'
    throw new ShapeError(
      `${this.constructor.name}(${this.describe()}): x must be ${form} or [T, I] with T >= 1 and I = ${this.inputSize}; ` +
        `got shape ${formatShape(x.shape)}`,
    )
  }

  // One state per layer and direction.
  #initialStates(
    given: readonly TensorLike[] | undefined,
    count: number,
    single: boolean,
  ): readonly RecurrentState[] {
    const places = this.numLayers * (this.bidirectional ? 2 : 1)
    const sizes = this.#kind.states === 2 ? [this.outputSize, this.hiddenSize] : [this.outputSize]
    const { dtype } = this.weights[0]![0]!.weightHh
    if (given === undefined) {
      const start = sizes.map((size) => zeros([count, size], { dtype }))
      return Array.from({ length: places }, () => start)
    }
    const parts = sizes.map((size, i) => {
      const state = toTensor(this.constructor.name, given[i] as TensorLike)
      const expected = single ? [places, size] : [places, count, size]
      if (!sameShape(state.shape, expected)) {
        throw new ShapeError(
          `${this.constructor.name}: the initial ${i === 0 ? 'hidden' : 'cell'} state must be ${formatShape(expected)}; ` +
            `got ${formatShape(state.shape)}`,
        )
      }
      return unbind(single ? state.unsqueeze(1) : state)
    })
    return Array.from({ length: places }, (_, place) => parts.map((part) => part[place]!))
  }

  // For each step, which sequences have not ended: [N, 1].
  #aliveAt(lengths: SequenceLengths, steps: number, count: number): Tensor[] {
    const layer = this.constructor.name
    if (Array.isArray(lengths)) {
      for (const length of lengths as readonly number[]) {
        if (!Number.isInteger(length) || length < 1 || length > steps) {
          throw new ValueError(`${layer}: lengths must be integers from 1 to ${steps}; got ${String(length)}`)
        }
      }
    }
    const ends = Array.isArray(lengths)
      ? tensor(lengths as number[], { dtype: 'int32' })
      : toTensor(layer, lengths as TensorLike)
    if (!sameShape(ends.shape, [count])) {
      throw new ShapeError(
        `${layer}: there must be one length per sequence, [${count}]; got ${formatShape(ends.shape)}`,
      )
    }
    const column = ends.unsqueeze(1)
    return Array.from({ length: steps }, (_, t) => column.gt(t))
  }
}

// One layer in one direction: x [T, N, I] -> output [T, N, size].
function runDirection(
  kind: RecurrentKind,
  x: Tensor,
  weights: RecurrentWeights,
  start: RecurrentState,
  alive: readonly Tensor[] | null,
  backwards: boolean,
): Result {
  const projected = unbind(kind.project(x, weights)) // per step [N, gates·H]
  const outputs: Tensor[] = []
  let state = start
  for (let i = 0; i < projected.length; i++) {
    const t = backwards ? projected.length - 1 - i : i
    const next = kind.step(projected[t]!, state, weights)
    if (alive === null) {
      state = next
      outputs[t] = next[0]!
    } else {
      // A sequence that has ended (or backwards, not begun) keeps its state.
      const before = state
      state = next.map((each, which) => where(alive[t]!, each, before[which]!))
      outputs[t] = where(alive[t]!, next[0]!, 0)
    }
  }
  return { output: stack(outputs), state }
}

/**
 * A plain recurrent network: h' = tanh(W_ih x + b_ih + W_hh h + b_hh).
 *
 * Shape: x [T, N, I] ([N, T, I] with `batchFirst`; [T, I] for one sequence) -> output [T, N, D·H] and the last state
 * [layers·D, N, H], D being the number of directions; of each layer and direction weight_ih [H, I], weight_hh [H, H],
 * bias_ih and bias_hh [H].
 */
export class RNN extends Recurrent {
  /** @throws ValueError for sizes that are no positive integers, and an unknown nonlinearity */
  constructor(inputSize: number, hiddenSize: number, options: RNNOptions = {}) {
    const kinds = { tanh: plainTanh, relu: plainRelu }
    super(
      lookUp('nonlinearity of RNN', options.nonlinearity ?? 'tanh', kinds),
      inputSize,
      hiddenSize,
      options,
    )
  }

  /** @throws ShapeError for inputs, states and lengths that do not fit */
  override forward(x: TensorLike, h0?: TensorLike, lengths?: SequenceLengths): [output: Tensor, h: Tensor] {
    const { output, state } = this.run(x, h0 === undefined ? undefined : [h0], lengths)
    return [output, state[0]!]
  }
}

/**
 * Gated recurrent units (Cho et al. 2014): r and z are gates, n the candidate, h' = (1 - z) n + z h.
 *
 * Shape: as {@link RNN}; weights have 3·H rows, for r, z and n.
 */
export class GRU extends Recurrent {
  /** @throws ValueError for sizes that are no positive integers */
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super(gated, inputSize, hiddenSize, options)
  }

  /** @throws ShapeError for inputs, states and lengths that do not fit */
  override forward(x: TensorLike, h0?: TensorLike, lengths?: SequenceLengths): [output: Tensor, h: Tensor] {
    const { output, state } = this.run(x, h0 === undefined ? undefined : [h0], lengths)
    return [output, state[0]!]
  }
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997): c' = f c + i g, h' = o tanh(c').
 *
 * Shape: as {@link RNN}, the state being the pair h [layers·D, N, H] and c [layers·D, N, H]; weights have 4·H rows, for
 * i, f, g and o. With `projSize` P, outputs and h have size P and there is weight_hr [P, H].
 */
export class LSTM extends Recurrent {
  /** @throws ValueError for sizes that are no positive integers */
  constructor(inputSize: number, hiddenSize: number, options: LSTMOptions = {}) {
    super(longShortTerm, inputSize, hiddenSize, options)
  }

  /** @throws ShapeError for inputs, states and lengths that do not fit */
  override forward(
    x: TensorLike,
    initial?: readonly [h0: TensorLike, c0: TensorLike],
    lengths?: SequenceLengths,
  ): [output: Tensor, state: [h: Tensor, c: Tensor]] {
    const { output, state } = this.run(x, initial, lengths)
    return [output, [state[0]!, state[1]!]]
  }
}
