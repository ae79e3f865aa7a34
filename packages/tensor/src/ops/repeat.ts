// Repeating and rolling: the same elements several times, or at other places.
import { checkDim, ValueError } from '@nabla/engine'
import { defineFunction, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import type { Tensor } from '../tensor.ts'
import { concatenate } from './pieces.ts'

/** The whole tensor `counts[i]` times along each dimension; more counts than dimensions add some in front. */
export const tile: OpFunction<(x: TensorLike, counts: readonly number[]) => Tensor> = defineFunction({
  name: 'tile',
  call: (value: TensorLike, counts: readonly number[]) =>
    repeatWhole('tile', toTensor('tile', value), counts),
  samples: (make) => [
    [make.real([2, 3]), [2, 1]],
    [make.real([2]), [3, 2]],
    [make.real([]), [2]],
  ],
})

/** The same as {@link tile}; PyTorch's name. */
export const repeat: OpFunction<(x: TensorLike, counts: readonly number[]) => Tensor> = defineFunction({
  name: 'repeat',
  call: (value: TensorLike, counts: readonly number[]) =>
    repeatWhole('repeat', toTensor('repeat', value), counts),
  samples: (make) => [
    [make.real([2, 3]), [2, 2]],
    [make.strided([2, 3]), [2, 1, 2]],
    [make.real([2]), [0]],
  ],
  wrong: [
    { args: (make) => [make.real([2]), [1.5]], error: 'ValueError', message: /repeat: counts must be/ },
  ],
})

function repeatWhole(op: string, x: Tensor, given: readonly number[]): Tensor {
  if (!Array.isArray(given) || !given.every((count) => Number.isInteger(count) && count >= 0)) {
    throw new ValueError(`${op}: counts must be an array of whole numbers from 0; got ${String(given)}`)
  }
  const rank = Math.max(x.rank, given.length)
  const shape = [...Array.from({ length: rank - x.rank }, () => 1), ...x.shape]
  const counts = [...Array.from({ length: rank - given.length }, () => 1), ...given]
  const paired = x.reshape(shape.flatMap((size) => [1, size]))
  return paired
    .expand(shape.flatMap((size, i) => [counts[i]!, size]))
    .reshape(shape.map((size, i) => size * counts[i]!))
}

/** Each element `count` times in a row along `dim`, or in the flat tensor without. */
export const repeatInterleave: OpFunction<(x: TensorLike, count: number, dim?: number) => Tensor> =
  defineFunction({
    name: 'repeatInterleave',
    call: (value: TensorLike, count: number, dim?: number) => {
      const given = toTensor('repeatInterleave', value)
      if (!Number.isInteger(count) || count < 0)
        throw new ValueError(
          `repeatInterleave: the count must be a whole number from 0; got ${String(count)}`,
        )
      const x = dim === undefined ? given.reshape([given.size]) : given
      const place = checkDim('repeatInterleave', dim ?? 0, x.rank)
      const wider = x.unsqueeze(place + 1)
      const shape = x.shape.map((size, i) => (i === place ? size * count : size))
      return wider.expand(wider.shape.map((size, i) => (i === place + 1 ? count : size))).reshape(shape)
    },
    samples: (make) => [
      [make.real([4, 5]), 3, 1],
      [make.strided([2, 3]), 2, 0],
      [make.real([2, 2]), 2],
    ],
    wrong: [
      { args: (make) => [make.real([2]), -1], error: 'ValueError', message: /repeatInterleave: the count/ },
    ],
  })

/** Elements moved along dimensions, those pushed out coming in at the other end. Without `dims`: as one flat row. */
export const roll: OpFunction<
  (x: TensorLike, shifts: number | readonly number[], dims?: number | readonly number[]) => Tensor
> = defineFunction({
  name: 'roll',
  call: (value: TensorLike, shifts: number | readonly number[], dims?: number | readonly number[]) => {
    const x = toTensor('roll', value)
    const amounts = typeof shifts === 'number' ? [shifts] : shifts
    if (!amounts.every(Number.isInteger))
      throw new ValueError(`roll: shifts must be whole numbers; got [${amounts.join(', ')}]`)
    if (dims === undefined) {
      if (amounts.length !== 1) throw new ValueError(`roll: ${amounts.length} shifts need as many dims`)
      return rollOne(x.reshape([x.size]), amounts[0]!, 0).reshape(x.shape)
    }
    const places = (typeof dims === 'number' ? [dims] : dims).map((dim) => checkDim('roll', dim, x.rank))
    if (places.length !== amounts.length)
      throw new ValueError(`roll: ${amounts.length} shifts need as many dims; got ${places.length}`)
    return places.reduce((rolled, dim, i) => rollOne(rolled, amounts[i]!, dim), x)
  },
  samples: (make) => [
    [make.real([4, 5]), 2, 1],
    [make.strided([3, 4]), [-1, 5], [0, 1]],
    [make.real([2, 3]), 1],
    [make.real([0]), 1, 0],
  ],
  wrong: [
    {
      args: (make) => [make.real([4]), [1, 2], 0],
      error: 'ValueError',
      message: /roll: 2 shifts need as many dims/,
    },
  ],
})

function rollOne(x: Tensor, shift: number, dim: number): Tensor {
  const size = x.shape[dim]!
  const wrapped = size === 0 ? 0 : ((shift % size) + size) % size
  if (wrapped === 0) return x
  return concatenate([x.narrow(dim, size - wrapped, wrapped), x.narrow(dim, 0, size - wrapped)], dim)
}
