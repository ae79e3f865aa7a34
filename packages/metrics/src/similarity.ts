// Comparing each row of one matrix with each of another: tensors, computed when they are read.
import { formatShape, ShapeError } from '@nabla/engine'
import type { Tensor } from '@nabla/tensor'
import { toInput, type MetricInput } from './metric.ts'

/**
 * Cosines of the angles between rows. Rows of zeros have a cosine of 0 with everything.
 * Shape: [N, D] and [M, D] -> [N, M]. @throws ShapeError
 */
export function pairwiseCosineSimilarity(first: MetricInput, second: MetricInput): Tensor {
  const [a, b] = [toInput(first), toInput(second)]
  if (a.rank !== 2 || b.rank !== 2 || a.shape[1] !== b.shape[1]) {
    throw new ShapeError(
      `pairwiseCosineSimilarity: expected [N, D] and [M, D]; got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    )
  }
  return unit(a).matmul(unit(b).transpose())
}

function unit(rows: Tensor): Tensor {
  const lengths = rows.square().sum(1, { keepdim: true }).sqrt()
  return rows.div(lengths.gt(0).where(lengths, 1))
}
