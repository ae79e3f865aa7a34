// What the loops of these tests train: small models on a small table. Read next: ../loops.test.ts.
import { Linear, Sequential, Tanh, type Module } from '@nabla/layers'
import { tensor, type Tensor } from '@nabla/tensor'
import { makeTable, type Table, type Weights } from './reference.ts'

/** Features of the table. */
export const columns = 3

/** The data of all loops. */
export const table: Table = makeTable(24, columns)

/** What {@link linearModel} starts from: weights, then the bias. */
export const startWeights: Weights = [0.2, -0.1, 0.3, 0]

/** Rows as tensors: features [N, 3] and targets [N, 1]. */
export interface Batch {
  readonly x: Tensor
  readonly y: Tensor
}

/** The rows of a table. */
export function batchOf({ features, targets }: Table): Batch {
  return { x: tensor(features), y: tensor(targets.map((target) => [target])) }
}

/** A linear model that starts where {@link startWeights} does. */
export function linearModel(): Linear {
  const model = new Linear(columns, 1)
  model.loadStateDict({
    weight: tensor([startWeights.slice(0, columns)]),
    bias: tensor([startWeights[columns]!]),
  })
  return model
}

/** Weights of a linear model, then its bias. */
export async function weightsOf(model: Linear): Promise<number[]> {
  return [...(await model.weight.value.data()), ...(await model.bias!.value.data())]
}

/** All parameters of a model, one after the other. */
export async function numbersOf(module: Module): Promise<number[]> {
  const values = await Promise.all(module.parameters().map((parameter) => parameter.read()))
  return values.flatMap((value) => [...value])
}

/** A net with one hidden layer. */
export function smallNet(inputs: number, outputs: number): Sequential {
  return new Sequential(new Linear(inputs, 6), new Tanh(), new Linear(6, outputs))
}
