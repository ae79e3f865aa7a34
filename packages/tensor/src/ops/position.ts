// Positions as values: int32 tensors that hold an index of each element. They take no memory and cost next to nothing in
// a kernel; triangles, diagonals, arg-reductions and ranges are made of them.
import type { Shape } from '@nabla/engine'
import { createOp, type TensorOp } from '../op.ts'
import { makeNode, noTensors, type Tensor } from '../tensor.ts'

const positionOp: TensorOp = createOp('position', { kind: 'position' }, null)

/** An int32 value of `shape`: `start` + the sum over dimensions of `coefficients[d]` * index. */
export function position(shape: Shape, coefficients: readonly number[], start: number): Tensor {
  return makeNode(positionOp, noTensors, { start, coefficients }, shape, 'int32')
}

/** The index along one dimension, in a shape that broadcasts with `shape`. */
export function indexAlong(shape: Shape, dim: number): Tensor {
  return position(
    shape.map((size, i) => (i === dim ? size : 1)),
    shape.map((_, i) => (i === dim ? 1 : 0)),
    0,
  )
}

/** Column minus row over the last two dimensions, in a shape that broadcasts with `shape`. */
export function columnMinusRow(shape: Shape): Tensor {
  const rows = shape[shape.length - 2]!
  const columns = shape[shape.length - 1]!
  return position([rows, columns], [-1, 1], 0)
}
