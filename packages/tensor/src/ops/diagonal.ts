// Diagonals and triangles of matrices: diagonals taken out (a view) or made into matrices, and all on one side of one.
import { checkDim, formatShape, ShapeError, ValueError, type AffineMap } from '@nabla/engine'
import { defineFunction, defineOp, toTensor, type OpFunction, type TensorLike } from '../op.ts'
import { makeNode, type Tensor } from '../tensor.ts'
import { columnMinusRow } from './position.ts'

/**
 * Diagonal number `offset` (0: the main one, positive: above it) of the matrices whose rows are dimension `dim1` and whose
 * columns are `dim2`, as a new last dimension. A view.
 */
export const diagonal: OpFunction<(x: TensorLike, offset?: number, dim1?: number, dim2?: number) => Tensor> =
  defineOp({
    name: 'diagonal',
    lowering: {
      kind: 'view',
      view: (input, attributes): AffineMap => {
        const dim1 = attributes['dim1'] as number
        const dim2 = attributes['dim2'] as number
        const offset = attributes['offset'] as number
        const rest = input.map((_, dim) => dim).filter((dim) => dim !== dim1 && dim !== dim2)
        return {
          kind: 'affine',
          start: input.map((_, dim) =>
            dim === dim1 ? Math.max(0, -offset) : dim === dim2 ? Math.max(0, offset) : 0,
          ),
          moves: [
            ...rest.map((dim) => [[dim, 1]] as [number, number][]),
            [
              [dim1, 1],
              [dim2, 1],
            ],
          ],
        }
      },
    },
    gradient: ({ inputs: [x], attributes }, upstream) => {
      const dim1 = attributes['dim1'] as number
      const dim2 = attributes['dim2'] as number
      const matrices = intoMatrices(upstream, attributes['offset'] as number, x.shape[dim1]!, x.shape[dim2]!)
      return [matrices.movedim([-2, -1], [dim1, dim2])]
    },
    call:
      (op) =>
      (value, given = 0, rows = 0, columns = 1) => {
        const x = toTensor('diagonal', value)
        const offset = wholeOffset('diagonal', given)
        const dim1 = checkDim('diagonal', rows, x.rank)
        const dim2 = checkDim('diagonal', columns, x.rank)
        if (dim1 === dim2) throw new ValueError(`diagonal: dim1 and dim2 are the same dimension ${dim1}`)
        const length = Math.max(
          0,
          Math.min(x.shape[dim1]! - Math.max(0, -offset), x.shape[dim2]! - Math.max(0, offset)),
        )
        const shape = [...x.shape.filter((_, dim) => dim !== dim1 && dim !== dim2), length]
        return makeNode(op, [x], { offset, dim1, dim2 }, shape, x.dtype)
      },
    samples: (make) => [
      [make.real([2, 4, 5]), 1, 1, 2],
      [make.real([4, 3]), -2],
      [make.strided([3, 3])],
      [make.real([2, 3]), 9],
      [make.real([3, 2, 4]), 0, 2, 0],
    ],
    wrong: [
      { args: (make) => [make.real([3, 3]), 0, 1], error: 'ValueError', message: /diagonal: dim1 and dim2/ },
      {
        args: (make) => [make.real([3])],
        error: 'ShapeError',
        message: /diagonal: dimension 1 does not exist/,
      },
    ],
  })

/** Square matrices with the last dimension of `x` on diagonal number `offset`, zeros elsewhere. */
export const diagEmbed: OpFunction<(x: TensorLike, offset?: number) => Tensor> = defineFunction({
  name: 'diagEmbed',
  call: (value: TensorLike, given?: number) => {
    const x = toTensor('diagEmbed', value)
    const offset = wholeOffset('diagEmbed', given)
    if (x.rank === 0) throw new ShapeError('diagEmbed: a scalar is no diagonal; reshape it to [1]')
    const size = x.shape[x.rank - 1]! + Math.abs(offset)
    return intoMatrices(x, offset, size, size)
  },
  samples: (make) => [[make.real([4, 5])], [make.strided([2, 3]), 1], [make.real([3]), -2]],
  wrong: [{ args: (make) => [make.real([])], error: 'ShapeError', message: /diagEmbed: a scalar/ }],
})

/** Of a vector, the matrix with it on a diagonal; of a matrix, that diagonal. */
export const diag: OpFunction<(x: TensorLike, offset?: number) => Tensor> = defineFunction({
  name: 'diag',
  call: (value: TensorLike, offset = 0) => {
    const x = toTensor('diag', value)
    if (x.rank === 1) return diagEmbed(x, offset)
    if (x.rank === 2) return diagonal(x, offset)
    throw new ShapeError(
      `diag: needs a vector or a matrix; got shape ${formatShape(x.shape)}. For batches, see diagonal and diagEmbed`,
    )
  },
  samples: (make) => [[make.real([3])], [make.real([3, 4]), 1]],
  wrong: [
    {
      args: (make) => [make.real([2, 2, 2])],
      error: 'ShapeError',
      message: /diag: needs a vector or a matrix/,
    },
  ],
})

/** Sum of the main diagonal of a matrix. */
export const trace: OpFunction<(x: TensorLike) => Tensor> = defineFunction({
  name: 'trace',
  call: (value: TensorLike) => {
    const x = toTensor('trace', value)
    if (x.rank !== 2) throw new ShapeError(`trace: needs a matrix; got shape ${formatShape(x.shape)}`)
    return diagonal(x).sum()
  },
  samples: (make) => [[make.real([5, 5])], [make.real([3, 2])]],
  wrong: [{ args: (make) => [make.real([3])], error: 'ShapeError', message: /trace: needs a matrix/ }],
})

function matrixOf(op: string, value: TensorLike): Tensor {
  const x = toTensor(op, value)
  if (x.rank < 2)
    throw new ShapeError(`${op}: needs a matrix or a batch of them; got shape ${formatShape(x.shape)}`)
  return x
}

/** The lower triangle of matrices, zeros above diagonal number `diagonal` (0: the main one, positive: above it). */
export const tril: OpFunction<(x: TensorLike, diagonal?: number) => Tensor> = defineFunction({
  name: 'tril',
  call: (value: TensorLike, diagonal = 0) => {
    const x = matrixOf('tril', value)
    return columnMinusRow(x.shape).le(diagonal).where(x, 0)
  },
  samples: (make) => [[make.real([2, 4, 5]), -1], [make.strided([3, 3])], [make.real([0, 2])]],
  wrong: [{ args: (make) => [make.real([3])], error: 'ShapeError', message: /tril: needs a matrix/ }],
})

/** The upper triangle of matrices, zeros below diagonal number `diagonal`. */
export const triu: OpFunction<(x: TensorLike, diagonal?: number) => Tensor> = defineFunction({
  name: 'triu',
  call: (value: TensorLike, diagonal = 0) => {
    const x = matrixOf('triu', value)
    return columnMinusRow(x.shape).ge(diagonal).where(x, 0)
  },
  samples: (make) => [[make.real([4, 5]), 1], [make.strided([2, 3, 3])]],
  wrong: [{ args: (make) => [make.real([3])], error: 'ShapeError', message: /triu: needs a matrix/ }],
})

function wholeOffset(op: string, offset = 0): number {
  if (!Number.isInteger(offset))
    throw new ValueError(`${op}: the offset must be a whole number; got ${String(offset)}`)
  return offset
}

// The last dimension on a diagonal of matrices of the given size: each row holds the whole of it, shifted, and a mask.
function intoMatrices(x: Tensor, offset: number, rows: number, columns: number): Tensor {
  const length = x.shape[x.rank - 1]!
  const before = Math.min(rows, Math.max(0, -offset))
  // One element per row, seen from every column.
  const perRow = x.pad([before, rows - length - before]).unsqueeze(-1)
  const shape = [...x.shape.slice(0, -1), rows, columns]
  return columnMinusRow(shape).eq(offset).where(perRow, 0)
}
