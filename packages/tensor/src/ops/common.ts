// What several op families share: types of arguments, and the samples and wrong calls of reductions.
import { isFloating, type Shape } from '@nabla/engine'
import type { BatchRule, Sample, WrongCall } from '../op.ts'
import type { SampleMaker } from '../samples.ts'
import { makeNode, type Tensor } from '../tensor.ts'

/** One dimension or several, negative ones counted from the last. */
export type Dims = number | readonly number[]

/** What reductions take last. */
export interface ReduceOptions {
  /** Whether reduced dimensions stay, with size 1. Default: they disappear. */
  keepdim?: boolean
}

/** Bools as int32; other types as they are. */
export function countable(x: Tensor): Tensor {
  return x.dtype === 'bool' ? x.to('int32') : x
}

/** Integers and bools as float32; real types as they are. */
export function floating(x: Tensor): Tensor {
  return isFloating(x.dtype) ? x : x.to('float32')
}

/** The batch rule of ops that work along the last dimension, each row for itself. */
export const alongRows: BatchRule = ({ example: { op, attributes, shape, dtype }, all, size }) =>
  makeNode(op, [all()[0]], attributes, [size, ...shape], dtype)

// Shapes are made by copying one of the right length: an array that grows by pushing takes room for 17 elements at once.

/** A shape without some of its dimensions. */
export function withoutDims(shape: Shape, dims: readonly number[]): Shape {
  const rest = shape.slice()
  let count = 0
  for (let dim = 0; dim < shape.length; dim++) if (!dims.includes(dim)) rest[count++] = shape[dim]!
  return rest.slice(0, count)
}

/** Number of elements that a reduction over `dims` brings together. */
export function countOf(shape: Shape, dims: readonly number[]): number {
  return dims.reduce((count, dim) => count * shape[dim]!, 1)
}

/** Shapes and dimensions that any reduction is tried with. */
export function reductionSamples(make: SampleMaker): Sample[] {
  return [
    [make.real([2, 3, 5])],
    [make.real([2, 3, 5]), 1],
    [make.real([2, 3, 5]), -1, { keepdim: true }],
    [make.real([2, 3, 5]), [0, 2]],
    [make.strided([4, 3]), 0],
    [make.real([])],
    [make.real([3, 1]), 1],
  ]
}

/** Calls that any reduction refuses. */
export function reductionWrong(name: string): WrongCall[] {
  return [
    {
      args: (make) => [make.real([2, 3]), 2],
      error: 'ShapeError',
      message: new RegExp(`${name}: dimension 2 does not exist`),
    },
    {
      args: (make) => [make.real([2, 3]), [0, 0]],
      error: 'ValueError',
      message: new RegExp(`${name}: dimension 0 appears twice`),
    },
  ]
}
