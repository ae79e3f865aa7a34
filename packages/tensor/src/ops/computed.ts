// Ops that compute when they are called: factorisations, eigenvalues and Fourier transforms are no maps, reductions or
// routines that a plan could hold, so they read their input at once, work in float64 on the host, and leave a value that is
// there already. Gradients flow through them as through any op, by rules made of tensor ops. A call computes what its input
// depends on (and pending assignments with it), exactly as reading it would; backends must be able to answer at once.
// Read next: matrix.ts, decompositions.ts, fourier.ts, which are made of this.
import {
  BackendError,
  engine,
  formatShape,
  hostArray,
  noAttributes,
  ShapeError,
  sizeOf,
  type Attributes,
  type Lowering,
  type Shape,
} from '@nabla/engine'
import { numberTensor, toTensor, type TensorLike, type TensorOp } from '../op.ts'
import type { SampleMaker } from '../samples.ts'
import { detachOp, Tensor } from '../tensor.ts'
import { floating } from './common.ts'

/** The lowering of ops whose values are on the host from the beginning. */
export const computedLowering: Lowering = { kind: 'leaf', leaf: 'host' }

/** The elements of a tensor, in float64, computed now if they are not there yet. @throws BackendError, StaleValueError */
export function elementsNow(op: string, x: Tensor): Float64Array {
  let node = x
  if (node.host === null) {
    // A number or a Variable's value is no result of a plan; a copy of it is.
    if (node.isLeaf) node = new Tensor(detachOp, [x], noAttributes, x.shape, x.dtype)
    engine.realize([node])
  }
  if (node.host === null) {
    throw new BackendError(
      `${op}: computes when called, and needs a backend whose values can be read at once; ` +
        `${engine.backend.name} cannot. Use the wasm backend, or give it tensor(await x.data(), { shape: x.shape })`,
    )
  }
  return new Float64Array(node.host)
}

/** The node of a value that has just been computed. */
export function computed(
  op: TensorOp,
  inputs: readonly Tensor[],
  attributes: Attributes,
  shape: Shape,
  elements: Float64Array,
): Tensor {
  const { dtype } = inputs[0]!
  const node = new Tensor(op, inputs, attributes, shape, dtype)
  node.host = hostArray(dtype, elements)
  // A value with a gradient keeps its inputs; any other is a leaf like one made from data.
  node.forgetHistory()
  return node
}

/** A real tensor of at least two dimensions, the last two being rows and columns. @throws ShapeError */
export function toMatrices(op: string, value: TensorLike): Tensor {
  const x = floating(toTensor(op, value))
  if (x.rank < 2) {
    throw new ShapeError(
      `${op}: needs a matrix, or a batch of them [..., M, N]; got shape ${formatShape(x.shape)}`,
    )
  }
  return x
}

/** Square matrices. @throws ShapeError */
export function toSquare(op: string, value: TensorLike): Tensor {
  const x = toMatrices(op, value)
  const [rows, columns] = x.shape.slice(-2)
  if (rows !== columns) {
    throw new ShapeError(`${op}: needs square matrices [..., N, N]; got shape ${formatShape(x.shape)}`)
  }
  return x
}

/** Which matrix of a batch is meant, for messages; nothing where there is only one. */
export function ofBatch(x: Tensor, i: number): string {
  return x.rank === 2 ? '' : ` (matrix ${i} of the batch)`
}

/**
 * Fills the results of a batch of matrices one after the other.
 * @param work takes one matrix and its number; gives the elements of its result
 */
export function eachMatrix(
  op: string,
  x: Tensor,
  resultSize: number,
  work: (matrix: Float64Array, i: number) => ArrayLike<number>,
): Float64Array {
  const elements = elementsNow(op, x)
  const matrixSize = sizeOf(x.shape.slice(-2))
  const count = sizeOf(x.shape.slice(0, -2))
  const results = new Float64Array(count * resultSize)
  for (let i = 0; i < count; i++) {
    results.set(work(elements.subarray(i * matrixSize, (i + 1) * matrixSize), i), i * resultSize)
  }
  return results
}

/** The last two dimensions exchanged. */
export function adjoint(x: Tensor): Tensor {
  return x.transpose(-2, -1)
}

/** The identity of a size, as a tensor that broadcasts over batches. */
export function identityLike(x: Tensor, size: number): Tensor {
  return numberTensor(1, x.dtype).expand([size]).diagEmbed()
}

/** Sample matrices far from singular: random elements with a heavy diagonal. */
export function sampleSquare(make: SampleMaker, shape: Shape, weight: number = 3): Tensor {
  const size = shape[shape.length - 1]!
  const data = Array.from({ length: sizeOf(shape) }, (_, i) => {
    const place = i % (size * size)
    const diagonal = Math.floor(place / size) === place % size
    // Different diagonal elements keep eigenvalues apart.
    return make.uniform() * 2 - 1 + (diagonal ? weight + (place % size) * 1.5 : 0)
  })
  return make.values(data, shape)
}
