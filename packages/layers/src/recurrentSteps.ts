// What one step of a recurrent network computes: the equations of the plain, the long short-term memory and the gated
// network, each split into the part that depends on inputs alone (one product for all time steps) and the part that
// waits for the step before. Not here: loops over time (recurrent.ts) and single steps as layers (recurrentCells.ts).
import { chunk, linear, relu, sigmoid, tanh, type Parameter, type Tensor } from '@nabla/tensor'
import { fanInUniform } from './init.ts'
import type { FloatingType } from './linear.ts'

/** The weights of one layer in one direction; `gates` blocks of rows lie below one another in each. */
export interface RecurrentWeights {
  /** [gates·H, I] */
  readonly weightIh: Parameter
  /** [gates·H, output size] */
  readonly weightHh: Parameter
  /** [gates·H] */
  readonly biasIh: Parameter | null
  /** [gates·H] */
  readonly biasHh: Parameter | null
  /** [projSize, H], where outputs are projected */
  readonly weightHr: Parameter | null
}

/** What a recurrent network carries from step to step: [h], or [h, c], each [N, size]. */
export type RecurrentState = readonly Tensor[]

/** The equations of one kind of network. */
export interface RecurrentKind {
  /** How many blocks of rows the weights have. */
  readonly gates: number
  /** How many tensors the state has. */
  readonly states: number
  /** The part of the sums that inputs alone decide: x [..., I] -> [..., gates·H]. */
  project(x: Tensor, weights: RecurrentWeights): Tensor
  /** The state after a step; the first tensor of it is the output. */
  step(projected: Tensor, state: RecurrentState, weights: RecurrentWeights): RecurrentState
}

/** What {@link makeWeights} needs to know. */
export interface WeightSizes {
  readonly inputSize: number
  readonly hiddenSize: number
  /** 0: outputs are the hidden state itself. */
  readonly projSize: number
  readonly bias: boolean
  readonly dtype: FloatingType
}

/** Fresh weights, uniform within ±1/√hiddenSize. */
export function makeWeights(kind: RecurrentKind, sizes: WeightSizes, name: string): RecurrentWeights {
  const { inputSize, hiddenSize, projSize, bias, dtype } = sizes
  const rows = kind.gates * hiddenSize
  const outputSize = projSize === 0 ? hiddenSize : projSize
  const make = (shape: readonly number[], field: string): Parameter =>
    fanInUniform(shape, hiddenSize, dtype, `${name}.${field}`)
  return {
    weightIh: make([rows, inputSize], 'weightIh'),
    weightHh: make([rows, outputSize], 'weightHh'),
    biasIh: bias ? make([rows], 'biasIh') : null,
    biasHh: bias ? make([rows], 'biasHh') : null,
    weightHr: projSize === 0 ? null : make([projSize, hiddenSize], 'weightHr'),
  }
}

function plain(nonlinearity: (x: Tensor) => Tensor): RecurrentKind {
  return {
    gates: 1,
    states: 1,
    project: projectWithBothBiases,
    step: (projected, [h], weights) => [nonlinearity(projected.add(linear(h!, weights.weightHh)))],
  }
}

/** h' = tanh(W_ih x + b_ih + W_hh h + b_hh) (Elman 1990). */
export const plainTanh: RecurrentKind = plain(tanh)

/** As {@link plainTanh}, with max(·, 0). */
export const plainRelu: RecurrentKind = plain(relu)

/** Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000); gates i, f, g, o. */
export const longShortTerm: RecurrentKind = {
  gates: 4,
  states: 2,
  project: projectWithBothBiases,
  step: (projected, [h, c], weights) => {
    const sums = projected.add(linear(h!, weights.weightHh)) // [N, 4·H]
    const [input, forget, candidate, output] = chunk(sums, 4, -1) as [Tensor, Tensor, Tensor, Tensor]
    const cell = sigmoid(forget)
      .mul(c!)
      .add(sigmoid(input).mul(tanh(candidate)))
    const hidden = sigmoid(output).mul(tanh(cell)) // [N, H]
    return [weights.weightHr === null ? hidden : linear(hidden, weights.weightHr), cell]
  },
}

/** Gated recurrent unit (Cho et al. 2014, with the reset gate after the product as in PyTorch); gates r, z, n. */
export const gated: RecurrentKind = {
  gates: 3,
  states: 1,
  project: (x, { weightIh, biasIh }) => linear(x, weightIh, biasIh ?? undefined),
  step: (projected, [h], { weightHh, biasHh }) => {
    const sums = linear(h!, weightHh, biasHh ?? undefined) // [N, 3·H]
    const [resetX, updateX, newX] = chunk(projected, 3, -1) as [Tensor, Tensor, Tensor]
    const [resetH, updateH, newH] = chunk(sums, 3, -1) as [Tensor, Tensor, Tensor]
    const reset = sigmoid(resetX.add(resetH))
    const update = sigmoid(updateX.add(updateH))
    const candidate = tanh(newX.add(reset.mul(newH)))
    // (1 - z) n + z h, with one product less
    return [candidate.add(update.mul(h!.sub(candidate)))]
  },
}

// Where both biases are only added up, they are so before the loop over time.
function projectWithBothBiases(x: Tensor, { weightIh, biasIh, biasHh }: RecurrentWeights): Tensor {
  return biasIh === null || biasHh === null
    ? linear(x, weightIh)
    : linear(x, weightIh, biasIh.value.add(biasHh))
}
