// What all losses share: how shapes must agree, and how elements become one number. Read next: regression.ts.
import { formatShape, lookUp, sameShape, ShapeError, type Shape } from '@nabla/engine'
import { toTensor, type Tensor, type TensorLike } from '@nabla/tensor'

/** What becomes of the losses of the elements: their mean (the default), their sum, or nothing. */
export type LossReduction = 'mean' | 'sum' | 'none'

/** Settings of every loss. */
export interface LossOptions {
  /** Default `mean`. */
  reduction?: LossReduction
}

const reductions: Readonly<Record<LossReduction, (values: Tensor) => Tensor>> = {
  mean: (values) => values.mean(),
  sum: (values) => values.sum(),
  none: (values) => values,
}

/** Applies a reduction. @throws ValueError listing the known ones */
export function reduce(values: Tensor, reduction: LossReduction = 'mean'): Tensor {
  return lookUp('reduction', reduction, reductions)(values)
}

/** Checks a reduction before work begins. @throws ValueError listing the known ones */
export function checkReduction(reduction: LossReduction = 'mean'): LossReduction {
  lookUp('reduction', reduction, reductions)
  return reduction
}

/**
 * Predictions and targets in one shape. Broadcasting is refused: [N, 1] beside [N] would compare every prediction with
 * every target and train, badly, without a word. Shapes that differ in dimensions of size 1 alone mean the same
 * elements, and the second is brought to the first.
 * @throws ShapeError
 */
export function pairOf(loss: string, predictions: TensorLike, targets: TensorLike): [Tensor, Tensor] {
  const x = toTensor(loss, predictions)
  return [x, alignedTo(loss, 'the shape of the predictions', x.shape, targets)]
}

/** `value` in the given shape, from which it may differ in dimensions of size 1. @throws ShapeError */
export function alignedTo(loss: string, what: string, shape: Shape, value: TensorLike): Tensor {
  const tensor = toTensor(loss, value)
  if (sameShape(tensor.shape, shape)) return tensor
  if (!sameShape(withoutOnes(tensor.shape), withoutOnes(shape))) {
    throw new ShapeError(
      `${loss}: ${formatShape(tensor.shape)} does not fit ${what}, ${formatShape(shape)}. ` +
        'Losses compare element by element; reshape one of the two, or expand it if repeating is what you want',
    )
  }
  return tensor.reshape(shape)
}

function withoutOnes(shape: Shape): Shape {
  return shape.filter((size) => size !== 1)
}
