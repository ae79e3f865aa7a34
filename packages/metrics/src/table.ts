// Metrics by name, for programs that choose one by a string.
import { lookUp } from '@nabla/engine'
import { Accuracy } from './accuracy.ts'
import { MeanAbsoluteError, MeanSquaredError } from './mean.ts'
import type { PredictionMetric } from './metric.ts'
import { F1, Precision, Recall } from './precisionRecall.ts'

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

const metrics: Readonly<Record<MetricName, () => PredictionMetric>> = {
  accuracy: () => new Accuracy(),
  precision: () => new Precision(),
  recall: () => new Recall(),
  f1: () => new F1(),
  meanSquaredError: () => new MeanSquaredError(),
  mse: () => new MeanSquaredError(),
  meanAbsoluteError: () => new MeanAbsoluteError(),
  mae: () => new MeanAbsoluteError(),
}

/** A new metric of a name, with its default settings. @throws ValueError listing the known names */
export function metric(name: MetricName): PredictionMetric {
  return lookUp('metric', name, metrics)()
}
