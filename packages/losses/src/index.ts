// Loss functions over Nabla tensors: pure functions from predictions and targets to a scalar (or a loss per element).
// The public face of @nabla/losses: everything exported here is API, everything else is not.
export {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  hingeEmbeddingLoss,
  marginRankingLoss,
  multilabelSoftMarginLoss,
  softMarginLoss,
  type BinaryCrossEntropyOptions,
  type BinaryLogitsOptions,
  type MarginOptions,
  type MultilabelOptions,
} from './binary.ts'
export {
  crossEntropy,
  multilabelMarginLoss,
  multiMarginLoss,
  nllLoss,
  type CrossEntropyOptions,
  type MultiMarginOptions,
  type NllOptions,
} from './classification.ts'
export { type LossOptions, type LossReduction } from './common.ts'
export { cosineEmbeddingLoss, tripletMarginLoss, type TripletOptions } from './embedding.ts'
export {
  gaussianNllLoss,
  huberLoss,
  klDiv,
  l1Loss,
  logCoshLoss,
  mseLoss,
  mseLoss as mse,
  poissonNllLoss,
  quantileLoss,
  smoothL1Loss,
  type GaussianOptions,
  type HuberOptions,
  type KlDivOptions,
  type PoissonOptions,
  type QuantileLossOptions,
  type SmoothL1Options,
} from './regression.ts'
export { ctcLoss, type CtcOptions } from './sequence.ts'
export { loss, type Loss, type LossName } from './table.ts'
