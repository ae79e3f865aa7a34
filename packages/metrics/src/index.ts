// Streaming metrics over Nabla tensors: accuracy, precision, recall, F1 and more.
// The public face of @nabla/metrics: everything exported here is API, everything else is not.
export { Accuracy } from './accuracy.ts'
export { ConfusionMatrix } from './confusion.ts'
export type { LabelOptions } from './labels.ts'
export { Mean, MeanAbsoluteError, MeanSquaredError } from './mean.ts'
export { Metric, type MetricInput, type PredictionMetric } from './metric.ts'
export { F1, Precision, Recall, type Average, type ClassMetricOptions } from './precisionRecall.ts'
export { metric, type MetricName } from './table.ts'
