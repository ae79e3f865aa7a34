// Metrics by name, for programs that choose one by a string.
import { lookUp } from '@nabla/engine'
import { Accuracy, TopKAccuracy } from './accuracy.ts'
import { MeanAbsoluteError, MeanSquaredError } from './mean.ts'
import type { PredictionMetric } from './metric.ts'
import { F1, Jaccard, Precision, Recall } from './precisionRecall.ts'
import { BrierScore, LogLoss, Perplexity } from './probabilities.ts'
import { MeanAbsolutePercentageError, R2Score, RootMeanSquaredError } from './regression.ts'

/** Names that {@link metric} knows. */
export type MetricName =
  | 'accuracy'
  | 'precision'
  | 'recall'
  | 'f1'
  | 'meanSquaredError'
  | 'mse'
  | 'meanAbsoluteError'
  | 'mae'
  | 'topKAccuracy'
  | 'jaccard'
  | 'logLoss'
  | 'brierScore'
  | 'perplexity'
  | 'rootMeanSquaredError'
  | 'rmse'
  | 'meanAbsolutePercentageError'
  | 'mape'
  | 'r2Score'

const metrics: Readonly<Record<MetricName, () => PredictionMetric>> = {
  accuracy: () => new Accuracy(),
  precision: () => new Precision(),
  recall: () => new Recall(),
  f1: () => new F1(),
  meanSquaredError: () => new MeanSquaredError(),
  mse: () => new MeanSquaredError(),
  meanAbsoluteError: () => new MeanAbsoluteError(),
  mae: () => new MeanAbsoluteError(),
  topKAccuracy: () => new TopKAccuracy(),
  jaccard: () => new Jaccard(),
  logLoss: () => new LogLoss(),
  brierScore: () => new BrierScore(),
  perplexity: () => new Perplexity(),
  rootMeanSquaredError: () => new RootMeanSquaredError(),
  rmse: () => new RootMeanSquaredError(),
  meanAbsolutePercentageError: () => new MeanAbsolutePercentageError(),
  mape: () => new MeanAbsolutePercentageError(),
  r2Score: () => new R2Score(),
}

/** A new metric of a name, with its default settings. @throws ValueError listing the known names */
export function metric(name: MetricName): PredictionMetric {
  return lookUp('metric', name, metrics)()
}
