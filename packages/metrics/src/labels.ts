// From what models put out to classes: scores become the class with the highest one, probabilities of one class become
// yes or no, labels stay what they are. All classification metrics read their inputs through this.
import { formatShape, isFloating, sameShape, ShapeError, ValueError, type Shape } from '@nabla/engine'
import { arange, type Tensor } from '@nabla/tensor'
import { toInput, type MetricInput } from './metric.ts'

/** How predictions are read. */
export interface LabelOptions {
  /** The number of classes; needed where it does not follow from the predictions, that is, where these are labels. */
  classes?: number
  /** Above which probability the answer is yes. Default 0.5; logits want 0. */
  threshold?: number
  /** Whether each element of [N, C] is a yes or no of its own, instead of C scores for one answer. Default false. */
  multilabel?: boolean
}

/** Predicted and actual classes, int32, of one shape. */
export interface ClassifiedBatch {
  readonly predicted: Tensor
  readonly actual: Tensor
  /** How many classes there are; null where that is not known. */
  readonly classes: number | null
}

/** @throws ValueError for options out of range */
export function checkOptions(metric: string, { classes, threshold = 0.5 }: LabelOptions): void {
  if (classes !== undefined && (!Number.isInteger(classes) || classes < 2)) {
    throw new ValueError(`${metric}: classes must be an integer of at least 2; got ${String(classes)}`)
  }
  if (!Number.isFinite(threshold))
    throw new ValueError(`${metric}: threshold must be a finite number; got ${String(threshold)}`)
}

/**
 * Shape: scores [N, C, ...] beside labels [N, ...] or beside probabilities [N, C, ...]; or probabilities of yes, or
 * labels, in the shape of the targets.
 * @throws ShapeError when the shapes fit in none of these ways
 * @throws ValueError for labels outside of the classes
 */
export function classify(
  metric: string,
  predictions: MetricInput,
  targets: MetricInput,
  options: LabelOptions,
): ClassifiedBatch {
  const scores = toInput(predictions)
  const truth = toInput(targets)
  const { predicted, actual, classes } = read(metric, scores, truth, options)
  if (classes !== null) {
    checkRange(metric, 'target', truth, actual, classes)
    checkRange(metric, 'prediction', scores, predicted, classes)
  }
  return { predicted: predicted.to('int32'), actual: actual.to('int32'), classes }
}

/** True where a label is the class of its column: labels [...] -> [elements, C]. */
export function oneHot(labels: Tensor, classes: number): Tensor {
  return labels.reshape([labels.size, 1]).eq(arange(classes))
}

function read(metric: string, scores: Tensor, truth: Tensor, options: LabelOptions): ClassifiedBatch {
  const { classes = null, threshold = 0.5, multilabel = false } = options
  const manyScores = isFloating(scores.dtype) && scores.rank >= 2 && scores.shape[1]! > 1 && !multilabel
  if (manyScores && sameShape(withoutClasses(scores.shape), truth.shape)) {
    return { predicted: scores.argmax(1), actual: truth, classes: agreed(metric, classes, scores.shape[1]!) }
  }
  if (!sameShape(withoutOnes(scores.shape), withoutOnes(truth.shape))) {
    throw new ShapeError(
      `${metric}: predictions ${formatShape(scores.shape)} do not fit targets ${formatShape(truth.shape)}: expected scores ` +
        '[N, C] beside labels [N], or one shape for both',
    )
  }
  if (manyScores) {
    const actual = truth.reshape(scores.shape).argmax(1)
    return { predicted: scores.argmax(1), actual, classes: agreed(metric, classes, scores.shape[1]!) }
  }
  const actual = truth.reshape(scores.shape)
  if (!isFloating(scores.dtype) || areLabels(scores)) return { predicted: scores, actual, classes }
  return { predicted: scores.gt(threshold), actual, classes: agreed(metric, classes, 2) }
}

// Labels in plain lists arrive as float32. Whole numbers from 0 on are labels: for 0 and 1 it makes no difference.
function areLabels(scores: Tensor): boolean {
  return scores.host !== null && scores.host.every((value) => Number.isInteger(value) && value >= 0)
}

function agreed(metric: string, given: number | null, found: number): number {
  if (given !== null && given !== found) {
    throw new ShapeError(`${metric}: the predictions are about ${found} classes, not ${given}`)
  }
  return found
}

function checkRange(metric: string, what: string, source: Tensor, labels: Tensor, classes: number): void {
  // Only labels as they were given can be outside; those found by a comparison cannot.
  if (source.host === null || labels.size !== source.size || labels.dtype === 'bool') return
  const wrong = source.host.find((label) => !(Number.isInteger(label) && label >= 0 && label < classes))
  if (wrong !== undefined)
    throw new ValueError(`${metric}: ${what} ${wrong} is no class: there are ${classes}, numbered from 0`)
}

function withoutClasses(shape: Shape): Shape {
  return shape.filter((_, dim) => dim !== 1)
}

function withoutOnes(shape: Shape): Shape {
  return shape.filter((size) => size !== 1)
}
