// Class indices and degrees of belief as losses take them: checked where they lie on the host, which labels of real data
// always do; what is itself computed cannot be checked without waiting for it.
import {
  DTypeError,
  formatShape,
  isFloating,
  sameShape,
  ShapeError,
  ValueError,
  type TypedArray,
} from '@nabla/engine'
import { toTensor, type Tensor, type TensorLike } from '@nabla/tensor'

/**
 * Checks that elements which lie on the host are probabilities, or degrees of belief. NaN is let through: it shows itself.
 * @throws ValueError naming the first that is not, and its position
 */
export function checkProbabilities(loss: string, what: string, given: TensorLike): void {
  const values = toTensor(loss, given)
  const wrong = values.host?.findIndex((value) => value < 0 || value > 1) ?? -1
  if (wrong < 0) return
  throw new ValueError(
    `${loss}: ${what} ${values.host![wrong]} at ${formatShape(indexOf(wrong, values.shape))} does not lie between 0 and 1`,
  )
}

/** Checked class indices. */
export interface Labels {
  /** int32, in the shape of the predictions without their class dimension. */
  readonly indices: Tensor
  /** Where an example counts; null when it is known that all do. */
  readonly used: Tensor | null
  /** Whether the ignored index is also the index of a class. */
  readonly ignoresClass: boolean
  /** How many examples count: a number where that is known. */
  readonly count: number | Tensor
}

/**
 * @throws ShapeError when the targets are not shaped like the predictions without the class dimension
 * @throws DTypeError for targets that are not whole numbers
 * @throws ValueError for a target outside of the classes
 */
export function checkLabels(
  loss: string,
  predictions: Tensor,
  dim: number,
  targets: Tensor,
  ignoreIndex: number = -100,
): Labels {
  const classes = predictions.shape[dim]!
  const expected = predictions.shape.filter((_, i) => i !== dim)
  if (!sameShape(targets.shape, expected)) {
    throw new ShapeError(
      `${loss}: predictions ${formatShape(predictions.shape)} need class indices ${formatShape(expected)}; got ${formatShape(targets.shape)}`,
    )
  }
  const indices = wholeNumbers(loss, targets)
  const ignoresClass = ignoreIndex >= 0 && ignoreIndex < classes
  if (targets.host !== null) {
    const count = countInClasses(loss, targets.host, targets.shape, classes, ignoreIndex)
    const used = count === targets.size ? null : indices.ne(ignoreIndex)
    return { indices, used, ignoresClass, count }
  }
  const used = indices.ne(ignoreIndex)
  return { indices, used, ignoresClass, count: used.to(predictions.dtype).sum() }
}

function wholeNumbers(loss: string, targets: Tensor): Tensor {
  if (targets.dtype === 'int32') return targets
  const host = targets.host
  if (isFloating(targets.dtype) && host !== null && host.every(Number.isInteger)) return targets.to('int32')
  throw new DTypeError(
    `${loss}: class indices must be int32; got ${targets.dtype}. Make them with tensor(labels, { dtype: 'int32' }), or ` +
      "convert with targets.to('int32')",
  )
}

// One pass over labels that lie on the host anyway: cheap beside the step they belong to.
function countInClasses(
  loss: string,
  labels: TypedArray,
  shape: readonly number[],
  classes: number,
  ignoreIndex: number,
): number {
  let count = 0
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!
    if (label === ignoreIndex) continue
    if (label < 0 || label >= classes) {
      throw new ValueError(
        `${loss}: target ${label} at ${formatShape(indexOf(i, shape))} is no class: there are ${classes}, numbered from 0`,
      )
    }
    count += 1
  }
  return count
}

function indexOf(position: number, shape: readonly number[]): number[] {
  const index: number[] = []
  let rest = position
  for (let dim = shape.length - 1; dim >= 0; dim--) {
    index.unshift(rest % shape[dim]!)
    rest = Math.floor(rest / shape[dim]!)
  }
  return index
}
