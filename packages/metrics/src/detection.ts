// Boxes of detectors: how far they overlap, and which remain when overlapping ones are dropped. The IoU of label maps is
// Jaccard in precisionRecall.ts.
import { formatShape, ShapeError, ValueError } from '@nabla/engine'
import type { Tensor } from '@nabla/tensor'
import { byFallingValue, hostValues, rowsOf } from './host.ts'
import { toInput, type MetricInput } from './metric.ts'

/**
 * Intersection over union of each box of the one list with each of the other: a tensor, computed when it is read.
 * Shape: boxes [N, 4] and [M, 4] as left, top, right, bottom -> [N, M]. Boxes without area overlap with nothing.
 * @throws ShapeError
 */
export function boxIou(first: MetricInput, second: MetricInput): Tensor {
  const a = checkBoxes('boxIou', first).unsqueeze(1) // [N, 1, 4]
  const b = checkBoxes('boxIou', second).unsqueeze(0) // [1, M, 4]
  const at = (boxes: Tensor, side: number): Tensor => boxes.select(2, side)
  const length = (low: number): Tensor => {
    const right = at(a, low + 2).minimum(at(b, low + 2))
    return right.sub(at(a, low).maximum(at(b, low))).relu()
  }
  const area = (boxes: Tensor): Tensor =>
    at(boxes, 2)
      .sub(at(boxes, 0))
      .mul(at(boxes, 3).sub(at(boxes, 1)))
  const intersection = length(0).mul(length(1)) // [N, M]
  const union = area(a).add(area(b)).sub(intersection)
  return intersection.gt(0).where(intersection.div(union), 0)
}

/** Settings of {@link nonMaximumSuppression}. */
export interface SuppressionOptions {
  /** Boxes that overlap by more than this with a better one are dropped. Default 0.5. */
  threshold?: number
}

/**
 * Greedy non-maximum suppression: boxes by falling score, without those that overlap too much with one already kept.
 * A function on the host. Shape: boxes [N, 4] as left, top, right, bottom, scores [N].
 * @returns positions of the kept boxes, by falling score
 * @throws ShapeError; ValueError for a threshold outside of [0, 1]
 */
export async function nonMaximumSuppression(
  boxes: MetricInput,
  scores: MetricInput,
  { threshold = 0.5 }: SuppressionOptions = {},
): Promise<number[]> {
  if (!(threshold >= 0 && threshold <= 1)) {
    throw new ValueError(`nonMaximumSuppression: threshold must lie in [0, 1]; got ${String(threshold)}`)
  }
  checkBoxes('nonMaximumSuppression', boxes)
  const rows = rowsOf('nonMaximumSuppression', await hostValues(boxes))
  const { data } = await hostValues(scores)
  if (data.length !== rows.length) {
    throw new ShapeError(`nonMaximumSuppression: there are ${rows.length} boxes and ${data.length} scores`)
  }
  const kept: number[] = []
  for (const i of byFallingValue(data)) {
    if (kept.every((other) => overlap(rows[i]!, rows[other]!) <= threshold)) kept.push(i)
  }
  return kept
}

function checkBoxes(metric: string, boxes: MetricInput): Tensor {
  const tensor = toInput(boxes)
  if (tensor.rank === 2 && tensor.shape[1] === 4) return tensor
  throw new ShapeError(`${metric}: expected boxes [N, 4]; got ${formatShape(tensor.shape)}`)
}

function overlap(a: Float64Array, b: Float64Array): number {
  const length = (low: number): number =>
    Math.max(0, Math.min(a[low + 2]!, b[low + 2]!) - Math.max(a[low]!, b[low]!))
  const area = (box: Float64Array): number => (box[2]! - box[0]!) * (box[3]! - box[1]!)
  const intersection = length(0) * length(1)
  return intersection === 0 ? 0 : intersection / (area(a) + area(b) - intersection)
}
