// vmap: a function written for one example, made to work on a whole batch. The function is called once, with values that
// stand for one example; what it computes is then made again with the batch as a dimension more (batching.ts). So there is
// no loop, and one matrix product instead of many. Composes with grad: gradients per example are vmap of a gradient.
import { engine, checkDim, ShapeError } from '@nabla/engine'
import { collectDraws, toTensor, type Tensor, type TensorLike } from '@nabla/tensor'
import { Batching, BatchingError, exampleOf, type Randomness } from './batching.ts'

/** Settings of {@link vmap}. */
export interface VmapOptions {
  /** The dimension of each input that counts the examples; null for inputs that all examples share. Default 0 for all. */
  inDims?: number | readonly (number | null)[]
  /** Where the results count the examples. Default 0. */
  outDims?: number
  /** What random numbers drawn inside of the function do. Default: they are an error. */
  randomness?: Randomness
}

/**
 * Makes a function of single examples work on batches.
 *
 * Shape: for `fn` from [...] to [...], inputs [N, ...] give results [N, ...].
 *
 * @param fn is called once, and may do everything but read elements; it may use values from outside, and gradients inside
 * @throws ShapeError when the inputs disagree about the number of examples
 * @throws BatchingError (a ValueError) where `fn` reads a value, or draws random numbers without `randomness`
 */
export function vmap<Result extends Tensor | readonly Tensor[]>(
  fn: (...examples: Tensor[]) => Result,
  options: VmapOptions = {},
): (...inputs: TensorLike[]) => Result {
  const { outDims = 0, randomness = 'error' } = options
  return (...given) => {
    const inputs = given.map((input) => toTensor('vmap', input))
    const dims = inputs.map((input, i) => batchDim(input, i, options.inDims))
    const batching = new Batching(batchSize(inputs, dims))
    const examples = inputs.map((input, i) => {
      const dim = dims[i]!
      if (dim === null) return input
      const whole = dim === 0 ? input : input.movedim(dim, 0)
      const example = exampleOf(whole)
      batching.place(example, whole)
      return example
    })
    const { result, drawn } = collectDraws(() => engine.tracing(() => fn(...examples)))
    if (drawn.size > 0 && randomness === 'error') {
      throw new BatchingError(
        "vmap: the function draws random numbers. Pass randomness: 'different' for new ones in each example, or 'same'",
      )
    }
    if (randomness === 'different') for (const tensor of drawn) batching.drawEach(tensor)
    const wholeOf = (value: Tensor): Tensor => {
      const whole = batching.wholeOf(value)
      return outDims === 0 ? whole : whole.movedim(0, outDims)
    }
    return (Array.isArray(result) ? result.map(wholeOf) : wholeOf(result as Tensor)) as Result
  }
}

function batchDim(input: Tensor, i: number, inDims: VmapOptions['inDims'] = 0): number | null {
  const dim = typeof inDims === 'number' ? inDims : inDims[i]
  if (dim === undefined)
    throw new ShapeError(`vmap: inDims says nothing about input ${i}; use null for shared inputs`)
  return dim === null ? null : checkDim('vmap', dim, input.rank)
}

function batchSize(inputs: readonly Tensor[], dims: readonly (number | null)[]): number {
  let size: number | null = null
  let first = 0
  dims.forEach((dim, i) => {
    if (dim === null) return
    const own = inputs[i]!.shape[dim]!
    if (size !== null && own !== size) {
      throw new ShapeError(
        `vmap: input ${first} has ${size} examples and input ${i} has ${own} (dimension ${dim} of [${inputs[i]!.shape.join(', ')}])`,
      )
    }
    if (size === null) [size, first] = [own, i]
  })
  if (size === null) throw new ShapeError('vmap: no input has a dimension of examples')
  return size
}
