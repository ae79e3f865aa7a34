// Turning, stacking by rows and columns, positions of triangles, and membership: small functions made of views and joins.
// Read before: view.ts, join.ts, diagonal.ts.
import { checkDim, formatShape, ShapeError, ValueError } from '@nabla/engine'
import {
  defineFree,
  defineFunction,
  toTensor,
  type FreeFunction,
  type OpFunction,
  type Sample,
  type TensorLike,
  type WrongCall,
} from '../op.ts'
import { makeHostLeaf, noGrad, type Tensor } from '../tensor.ts'
import type { CloseOptions } from './compare.ts'
import { cat } from './join.ts'

/** Turned by `times` quarters in the plane of two dimensions, from the first towards the second. @throws ShapeError, ValueError */
export const rot90: OpFunction<(x: TensorLike, times?: number, dims?: readonly [number, number]) => Tensor> =
  defineFunction({
    name: 'rot90',
    call: (value: TensorLike, times: number = 1, dims: readonly [number, number] = [0, 1]) => {
      const x = toTensor('rot90', value)
      const [from, to] = dims.map((dim) => checkDim('rot90', dim, x.rank)) as [number, number]
      if (dims.length !== 2 || from === to) {
        throw new ValueError(`rot90: dims are two different dimensions; got [${dims.join(', ')}]`)
      }
      if (!Number.isInteger(times)) {
        throw new ValueError(`rot90: times is a whole number of quarters; got ${String(times)}`)
      }
      const quarters = ((times % 4) + 4) % 4
      if (quarters === 0) return x
      if (quarters === 2) return x.flip([from, to])
      return quarters === 1 ? x.flip(to).transpose(from, to) : x.transpose(from, to).flip(to)
    },
    samples: (make) => [
      [make.real([2, 3])],
      [make.real([2, 3]), 2],
      [make.strided([2, 3, 4]), -1, [1, 2]],
      [make.real([2, 2]), 4],
    ],
    wrong: [
      { args: (make) => [make.real([3])], error: 'ShapeError', message: /rot90: dimension 1 does not exist/ },
      {
        args: (make) => [make.real([2, 2]), 1, [0, 0]],
        error: 'ValueError',
        message: /rot90: dims are two different dimensions; got \[0, 0\]/,
      },
      {
        args: (make) => [make.real([2, 2]), 0.5],
        error: 'ValueError',
        message: /rot90: times is a whole number of quarters/,
      },
    ],
  })

type Stack = FreeFunction<(tensors: readonly TensorLike[]) => Tensor>

/** Beside one another: along dimension 1, or of lists along their only one. @throws ShapeError, ValueError */
export const hstack: Stack = defineFree({
  name: 'hstack',
  call: (tensors: readonly TensorLike[]) => {
    const list = tensors
      .map((value) => toTensor('hstack', value))
      .map((x) => (x.rank === 0 ? x.reshape([1]) : x))
    return cat(list, list[0]?.rank === 1 ? 0 : 1)
  },
  samples: (make) => [
    [[make.real([2, 3]), make.real([2, 1])]],
    [[make.real([2]), make.real([3])]],
    [[make.real([]), make.real([2])]],
  ],
  wrong: [
    {
      args: (make) => [[make.real([2, 3]), make.real([3, 3])]],
      error: 'ShapeError',
      message: /cat: /,
    },
  ],
})

/** Below one another: along dimension 0, lists being rows. @throws ShapeError, ValueError */
export const vstack: Stack = defineFree({
  name: 'vstack',
  call: (tensors: readonly TensorLike[]) => {
    const list = tensors.map((value) => toTensor('vstack', value))
    return cat(
      list.map((x) => (x.rank < 2 ? x.reshape([1, x.size]) : x)),
      0,
    )
  },
  samples: (make) => [
    [[make.real([2, 3]), make.real([1, 3])]],
    [[make.real([3]), make.real([3])]],
    [[make.real([2, 3]), make.real([3])]],
  ],
  wrong: [
    {
      args: (make) => [[make.real([2, 3]), make.real([2])]],
      error: 'ShapeError',
      message: /cat: /,
    },
  ],
})

type TriangleIndices = FreeFunction<(rows: number, columns: number, diagonal?: number) => Tensor>

function triangleIndices(
  name: string,
  isInside: (offset: number, diagonal: number) => boolean,
): TriangleIndices {
  return defineFree({
    name,
    call: (rows: number, columns: number, diagonal: number = 0) => {
      if (
        ![rows, columns].every((size) => Number.isInteger(size) && size >= 0) ||
        !Number.isInteger(diagonal)
      ) {
        throw new ValueError(
          `${name}: rows and columns are whole numbers from 0, the diagonal any; got ${rows}, ${columns}, ${diagonal}`,
        )
      }
      const found: number[][] = [[], []]
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          if (!isInside(column - row, diagonal)) continue
          found[0]!.push(row)
          found[1]!.push(column)
        }
      }
      return makeHostLeaf(Int32Array.from(found.flat()), [2, found[0]!.length], 'int32')
    },
    samples: triangleSamples,
    wrong: triangleWrong(name),
  })
}

function triangleSamples(): Sample[] {
  return [
    [3, 4],
    [4, 3, 1],
    [2, 2, -1],
    [0, 2],
  ]
}

function triangleWrong(name: string): WrongCall[] {
  return [
    {
      args: () => [-1, 2],
      error: 'ValueError',
      message: new RegExp(`${name}: rows and columns are whole numbers from 0`),
    },
  ]
}

/** Rows and columns of the elements on and below a diagonal, row by row: int32 [2, count]. @throws ValueError */
export const trilIndices: TriangleIndices = triangleIndices(
  'trilIndices',
  (offset, diagonal) => offset <= diagonal,
)

/** Rows and columns of the elements on and above a diagonal, row by row: int32 [2, count]. @throws ValueError */
export const triuIndices: TriangleIndices = triangleIndices(
  'triuIndices',
  (offset, diagonal) => offset >= diagonal,
)

/** Whether each element of `x` is among `values` (any shape): bool. @throws ValueError */
export const isIn: OpFunction<(x: TensorLike, values: TensorLike) => Tensor> = defineFunction({
  name: 'isIn',
  call: (value: TensorLike, among: TensorLike) => {
    const x = toTensor('isIn', value)
    const values = toTensor('isIn', among)
    return noGrad(() =>
      x
        .unsqueeze(-1)
        .eq(values.reshape([values.size]))
        .any(-1),
    )
  },
  samples: (make) => [
    [make.integers([3, 4], 0, 6), make.integers([2, 2], 0, 6)],
    [make.integers([5], 0, 3), 1],
    [make.integers([3], 0, 3), make.integers([0], 0, 3)],
  ],
  wrong: [
    {
      args: (make) => [make.integers([2], 0, 3), 'a'],
      error: 'ValueError',
      message: /isIn: expected a tensor/,
    },
  ],
})

/** Whether all elements are close: {@link isClose} everywhere, as one bool. @throws ShapeError */
export const allClose: OpFunction<(a: TensorLike, b: TensorLike, options?: CloseOptions) => Tensor> =
  defineFunction({
    name: 'allClose',
    call: (a: TensorLike, b: TensorLike, options?: CloseOptions) =>
      noGrad(() => toTensor('allClose', a).isClose(b, options).all()),
    samples: (make) => [
      [make.real([3]), make.real([3])],
      [make.values([1, 2]), make.values([1, 2 + 1e-7])],
    ],
    wrong: [{ args: (make) => [make.real([2]), make.real([3])], error: 'ShapeError', message: /broadcast/ }],
  })

/** The vectors of every choice of one element from each list [n], in order: [product of sizes, lists]. @throws ShapeError */
export const cartesianProd: FreeFunction<(lists: readonly TensorLike[]) => Tensor> = defineFree({
  name: 'cartesianProd',
  call: (lists: readonly TensorLike[]) => {
    const vectors = lists.map((value) => toTensor('cartesianProd', value))
    const sizes = vectors.map((x) => {
      if (x.rank === 1) return x.shape[0]!
      throw new ShapeError(`cartesianProd: takes lists [n]; got shape ${formatShape(x.shape)}`)
    })
    if (vectors.length === 0) throw new ValueError('cartesianProd: needs at least one list')
    const columns = vectors.map((x, i) =>
      x
        .reshape(sizes.map((size, dim) => (dim === i ? size : 1)))
        .expand(sizes)
        .reshape([-1, 1]),
    )
    return cat(columns, 1)
  },
  samples: (make) => [
    [[make.real([2]), make.real([3])]],
    [[make.real([3])]],
    [[make.real([2]), make.real([1]), make.real([2])]],
  ],
  wrong: [
    { args: () => [[]], error: 'ValueError', message: /cartesianProd: needs at least one list/ },
    {
      args: (make) => [[make.real([2, 2])]],
      error: 'ShapeError',
      message: /cartesianProd: takes lists \[n\]/,
    },
  ],
})
