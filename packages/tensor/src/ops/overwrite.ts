// A part of a value replaced by another value, at a place that may change from call to call without a new plan. Assigned
// to the Variable it came from, only the part is written: this is how caches grow. Fixed places: see slicing.ts, join.ts.
import { checkDim, DTypeError, formatShape, ShapeError, ValueError, type Shape } from '@nabla/engine'
import {
  createOp,
  defineFunction,
  numberTensor,
  toTensor,
  type OpFunction,
  type TensorLike,
  type TensorOp,
} from '../op.ts'
import { makeNode, type Tensor } from '../tensor.ts'
import { gatherAlong, indexAcross } from './indexed.ts'
import { indexAlong } from './position.ts'
import { zeros } from './create.ts'

const sliceScatterOp: TensorOp = createOp(
  'sliceScatter',
  {
    kind: 'composite',
    expand: (inputs, attributes) => {
      const [x, src, start] = inputs as readonly [Tensor, Tensor, Tensor]
      const axis = attributes['axis'] as number
      const place = indexAlong(x.shape, axis).sub(start)
      const length = src.shape[axis]!
      const inside = place.ge(0).logicalAnd(place.lt(length))
      const shape = x.shape.map((size, dim) => (dim === axis ? size : src.shape[dim]!))
      const nearest = place.clamp({ min: 0, max: length - 1 }).reshape([x.shape[axis]!])
      return inside.where(gatherAlong(src, indexAcross(nearest, axis, shape), axis, 'sliceScatter'), x)
    },
    whole: {
      kind: 'routine',
      name: 'sliceScatter',
      operands: ['rowMajor', 'strided'],
      overwrites: 0,
      specify: ({ inputs: [x, src], dtype, attributes, slots, numbers }) => ({
        name: 'sliceScatter',
        dtype,
        shape: x!.shape,
        axis: attributes['axis'] as number,
        sizes: src!.shape,
        source: { offset: src!.offset, strides: src!.strides },
        numbers: [numbers[0]!],
        slots: [slots[0]!, slots[1]!, slots[2]!],
      }),
    },
  },
  ({ inputs: [x, src, start], attributes }, upstream) => {
    const axis = attributes['axis'] as number
    const { shape } = src
    const ofX = x.requiresGrad ? overwritten(upstream, zeros(shape, { dtype: x.dtype }), axis, start) : null
    if (!src.requiresGrad) return [ofX, null, null]
    const places = indexAlong([shape[axis]!], 0).add(start)
    return [ofX, gatherAlong(upstream, indexAcross(places, axis, shape), axis, 'sliceScatter'), null]
  },
)

function overwritten(x: Tensor, src: Tensor, axis: number, start: Tensor): Tensor {
  return makeNode(sliceScatterOp, [x, src, start], { axis }, x.shape, x.dtype)
}

/**
 * `x` with `src` in the place of its part from `start` on along `dim`; in the other dimensions both are of one size. A new
 * value like any other, but where it is assigned to the Variable whose value `x` is, only the part is written:
 * `v.value = v.value.sliceScatter(row, 0, i)` costs as much as `row`, and another `i` needs no new plan.
 * @throws ShapeError, DTypeError, and ValueError for a start from which `src` reaches beyond `x`
 */
export const sliceScatter: OpFunction<
  (x: TensorLike, src: TensorLike, dim?: number, start?: number) => Tensor
> = defineFunction({
  name: 'sliceScatter',
  call: (target: TensorLike, source: TensorLike, dim = 0, start = 0) => {
    const x = toTensor('sliceScatter', target)
    const src = toTensor('sliceScatter', source)
    const axis = checkDim('sliceScatter', dim, x.rank)
    checkPart(x, src, axis, start)
    if (src.size === 0) return x
    return overwritten(x, src, axis, numberTensor(start, 'int32'))
  },
  samples: (make) => [
    [make.real([4, 3]), make.real([2, 3]), 0, 1],
    [make.strided([2, 5, 3]), make.strided([2, 1, 3]), -2, 4],
    [make.real([6]), make.real([6])],
    [make.integers([3, 4], 0, 9), make.integers([3, 2], 0, 9), 1, 2],
    [make.bools([5]), make.bools([2]), 0, 3],
    [make.real([3, 2]), make.real([0, 2]), 0, 3],
  ],
  wrong: [
    {
      args: (make) => [make.real([4, 3]), make.real([2, 2]), 0, 1],
      error: 'ShapeError',
      message: /sliceScatter: src \[2, 2\] does not fit into x \[4, 3\] along dimension 0/,
    },
    {
      args: (make) => [make.real([4]), make.real([2]), 0, 3],
      error: 'ValueError',
      message: /sliceScatter: start must be a whole number from 0 to 2; got 3/,
    },
    {
      args: (make) => [make.real([4]), make.integers([2], 0, 3), 0, 1],
      error: 'DTypeError',
      message: /sliceScatter: x is float32 and src int32/,
    },
  ],
})

function checkPart(x: Tensor, src: Tensor, axis: number, start: number): void {
  const same = (shape: Shape): boolean => shape.every((size, dim) => dim === axis || size === x.shape[dim])
  if (src.rank !== x.rank || !same(src.shape) || src.shape[axis]! > x.shape[axis]!) {
    throw new ShapeError(
      `sliceScatter: src ${formatShape(src.shape)} does not fit into x ${formatShape(x.shape)} along dimension ${axis}`,
    )
  }
  if (src.dtype !== x.dtype) {
    throw new DTypeError(`sliceScatter: x is ${x.dtype} and src ${src.dtype}; convert with .to('${x.dtype}')`)
  }
  const last = x.shape[axis]! - src.shape[axis]!
  if (!Number.isInteger(start) || start < 0 || start > last) {
    throw new ValueError(`sliceScatter: start must be a whole number from 0 to ${last}; got ${String(start)}`)
  }
}
