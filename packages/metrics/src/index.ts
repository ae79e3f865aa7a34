// Metrics: streaming ones over Nabla tensors, and functions over all values at once.
// The public face of @nabla/metrics: everything exported here is API, everything else is not.
export { Accuracy, TopKAccuracy, ZeroOneLoss } from './accuracy.ts'
export {
  bleu,
  sacreBleu,
  tokenize13a,
  type BleuOptions,
  type BleuSmoothing,
  type BleuTokenizer,
} from './bleu.ts'
export {
  adjustedRandIndex,
  completeness,
  fowlkesMallows,
  homogeneity,
  mutualInformation,
  normalizedMutualInformation,
  randIndex,
  vMeasure,
} from './clustering.ts'
export { calinskiHarabasz, daviesBouldin, silhouette } from './clusterShape.ts'
export { ConfusionMatrix, type ConfusionOptions } from './confusion.ts'
export { BalancedAccuracy, CohenKappa, MatthewsCorrelation } from './confusionScores.ts'
export {
  averagePrecision,
  calibrationCurve,
  calibrationError,
  precisionRecallCurve,
  rocAuc,
  rocCurve,
  type CalibrationCurve,
  type CurveOptions,
  type PrecisionRecallCurve,
  type RocAucOptions,
  type RocCurve,
} from './curves.ts'
export { boxIou, nonMaximumSuppression, type SuppressionOptions } from './detection.ts'
export { PeakSignalNoiseRatio, type PeakSignalNoiseRatioOptions } from './image.ts'
export type { LabelOptions } from './labels.ts'
export { Mean, MeanAbsoluteError, MeanError, MeanSquaredError } from './mean.ts'
export { Metric, type MetricInput, type PredictionMetric } from './metric.ts'
export {
  F1,
  FBeta,
  Jaccard,
  Precision,
  Recall,
  type Average,
  type ClassMetricOptions,
  type FBetaOptions,
} from './precisionRecall.ts'
export {
  BrierScore,
  HingeLoss,
  LogLoss,
  Perplexity,
  type LogLossOptions,
  type PerplexityOptions,
} from './probabilities.ts'
export {
  coverageError,
  labelRankingAveragePrecision,
  labelRankingLoss,
  ndcg,
  type NdcgOptions,
} from './ranking.ts'
export {
  ExplainedVariance,
  GammaDeviance,
  MaxError,
  MeanAbsolutePercentageError,
  MeanSquaredLogError,
  PearsonCorrelation,
  PinballLoss,
  PoissonDeviance,
  R2Score,
  RootMeanSquaredError,
  SymmetricMeanAbsolutePercentageError,
} from './regression.ts'
export {
  retrievalAveragePrecision,
  retrievalFallOut,
  retrievalHitRate,
  retrievalPrecision,
  retrievalRecall,
  retrievalReciprocalRank,
  retrievalRPrecision,
  type AveragePrecisionOptions,
  type CutOff,
} from './retrieval.ts'
export { pairwiseCosineSimilarity } from './similarity.ts'
export { metric, type MetricName } from './table.ts'
export {
  characterErrorRate,
  editDistance,
  matchErrorRate,
  wordErrorRate,
  wordInformationLost,
  wordInformationPreserved,
} from './text.ts'
