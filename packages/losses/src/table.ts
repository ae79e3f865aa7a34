// Losses by name, for programs that choose one by a string. Those that take more than predictions and targets, or mean
// something else by them, are not here.
import { lookUp } from '@nabla/engine'
import type { Tensor, TensorLike } from '@nabla/tensor'
import {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  hingeEmbeddingLoss,
  softMarginLoss,
} from './binary.ts'
import { crossEntropy, multiMarginLoss, nllLoss } from './classification.ts'
import {
  huberLoss,
  klDiv,
  l1Loss,
  logCoshLoss,
  mseLoss,
  poissonNllLoss,
  quantileLoss,
  smoothL1Loss,
} from './regression.ts'

/** A loss of predictions and targets. */
export type Loss = (predictions: TensorLike, targets: TensorLike) => Tensor

/** Names that {@link loss} knows. */
export type LossName =
  | 'mse'
  | 'mseLoss'
  | 'l1'
  | 'l1Loss'
  | 'smoothL1'
  | 'smoothL1Loss'
  | 'huber'
  | 'huberLoss'
  | 'logCosh'
  | 'logCoshLoss'
  | 'quantile'
  | 'quantileLoss'
  | 'crossEntropy'
  | 'nll'
  | 'nllLoss'
  | 'multiMargin'
  | 'multiMarginLoss'
  | 'binaryCrossEntropy'
  | 'binaryCrossEntropyWithLogits'
  | 'softMargin'
  | 'softMarginLoss'
  | 'hingeEmbedding'
  | 'hingeEmbeddingLoss'
  | 'klDiv'
  | 'poissonNll'
  | 'poissonNllLoss'

const losses: Readonly<Record<LossName, Loss>> = {
  mse: mseLoss,
  mseLoss,
  l1: l1Loss,
  l1Loss,
  smoothL1: smoothL1Loss,
  smoothL1Loss,
  huber: huberLoss,
  huberLoss,
  logCosh: logCoshLoss,
  logCoshLoss,
  quantile: quantileLoss,
  quantileLoss,
  crossEntropy,
  nll: nllLoss,
  nllLoss,
  multiMargin: multiMarginLoss,
  multiMarginLoss,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  softMargin: softMarginLoss,
  softMarginLoss,
  hingeEmbedding: hingeEmbeddingLoss,
  hingeEmbeddingLoss,
  klDiv,
  poissonNll: poissonNllLoss,
  poissonNllLoss,
}

/** The loss of a name, with its default settings. @throws ValueError listing the known names */
export function loss(name: LossName): Loss {
  return lookUp('loss', name, losses)
}
