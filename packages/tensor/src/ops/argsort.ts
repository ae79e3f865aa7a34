// Positions that sort: the routine behind sorting, medians, and writing by index where the last one stays. Not public: see
// sorting.ts and scatter.ts.
import { sizeOf, type DType } from '@nabla/engine'
import { createOp, type TensorOp } from '../op.ts'
import { alongRows } from './common.ts'
import { makeNode, type Tensor } from '../tensor.ts'

function argsortOp(descending: boolean): TensorOp {
  return createOp(
    descending ? 'argsortDescending' : 'argsort',
    {
      kind: 'routine',
      operands: ['rowMajor'],
      specify: ({ inputs, shape, slots, attributes }) => ({
        name: 'argsort',
        dtype: attributes['dtype'] as DType,
        rows: sizeOf(inputs[0]!.shape.slice(0, -1)),
        length: shape[shape.length - 1]!,
        descending,
        slots: [slots[0]!, slots[1]!],
      }),
    },
    null,
    alongRows,
  )
}
const ascendingOp = argsortOp(false)
const descendingOp = argsortOp(true)

/** Positions that sort the last dimension, which must exist. */
export function argsortLast(x: Tensor, descending: boolean): Tensor {
  return makeNode(descending ? descendingOp : ascendingOp, [x.detach()], { dtype: x.dtype }, x.shape, 'int32')
}
