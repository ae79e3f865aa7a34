// What a model makes of data, batch by batch, joined into one tensor.
import type { DataLoader } from '@nabla/data'
import {
  breathe,
  formatShape,
  hostArray,
  ShapeError,
  ValueError,
  type Shape,
  type TypedArray,
} from '@nabla/engine'
import type { Layer } from '@nabla/layers'
import { makeHostLeaf, Tensor } from '@nabla/tensor'
import { fieldOf } from './batches.ts'
import type { Pulse } from './pulse.ts'
import { predictStep } from './step.ts'

/** The outputs for all rows, in order. @throws ValueError, ShapeError for outputs that are no rows */
export async function predictAll(model: Layer, inputs: DataLoader, pulse: Pulse): Promise<Tensor> {
  const pieces: TypedArray[] = []
  let rows = 0
  let first: Tensor | null = null
  for await (const batch of inputs) {
    const output = predictStep(model, fieldOf('predict', batch, 'x'))
    checkOutput(output, first)
    first ??= output
    rows += output.shape[0]!
    pieces.push(await output.data())
    if (pulse.beats()) await breathe()
  }
  const { shape, dtype } = first!
  return makeHostLeaf(
    joined(pieces, hostArray(dtype, sizeWith(rows, shape))),
    [rows, ...shape.slice(1)],
    dtype,
  )
}

function checkOutput(output: unknown, first: Tensor | null): asserts output is Tensor {
  if (!(output instanceof Tensor)) {
    throw new ValueError(
      'predict: the model must give one tensor; call its forward() yourself for other outputs',
    )
  }
  const rowOf = (shape: Shape): string => formatShape(shape.slice(1))
  if (output.rank > 0 && (first === null || rowOf(first.shape) === rowOf(output.shape))) return
  const before = first === null ? '' : `, after batches of ${formatShape(first.shape)}`
  throw new ShapeError(
    `predict: outputs must have a row for each input, all of one shape; got ${formatShape(output.shape)}${before}`,
  )
}

function sizeWith(rows: number, shape: Shape): number {
  return shape.slice(1).reduce((size, length) => size * length, rows)
}

function joined(pieces: readonly TypedArray[], all: TypedArray): TypedArray {
  let position = 0
  for (const piece of pieces) {
    all.set(piece, position)
    position += piece.length
  }
  return all
}
