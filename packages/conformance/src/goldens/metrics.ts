// How metrics of other libraries are called here: the mapping of metrics.json. Streaming metrics get their inputs in two
// batches, which must make no difference. Read before: format.ts, compare.ts.
import {
  Accuracy,
  F1,
  MeanAbsoluteError,
  MeanSquaredError,
  Precision,
  Recall,
  type Average,
  type PredictionMetric,
} from '@nabla/metrics'
import type { Tensor } from '@nabla/tensor'
import { expectNumbers } from './compare.ts'
import {
  elementsOf,
  isGoldenTensor,
  MissingFeature,
  outcomeOf,
  toTensor,
  type GoldenCase,
  type GoldenFile,
  type GoldenTensor,
  type Outcome,
} from './format.ts'
import { expectedNumbers, metricFunctions } from './metricFunctions.ts'

/** A case of metrics.json. */
export interface MetricCase extends GoldenCase {
  readonly metric: string
  readonly inputs: Readonly<Record<string, GoldenTensor | readonly string[]>>
  readonly kwargs: Readonly<Record<string, unknown>>
  readonly expected: number | GoldenTensor | readonly unknown[]
}

type Compute = (test: MetricCase) => Promise<ArrayLike<number>>

function classesIn(test: MetricCase): number {
  const labels = [...elementsOf(inputOf(test, 'y_true')), ...elementsOf(inputOf(test, 'y_pred'))]
  return Math.max(...labels) + 1
}

function inputOf(test: MetricCase, name: string): GoldenTensor {
  const input = test.inputs[name]
  if (!isGoldenTensor(input)) throw new MissingFeature(`${name} is no tensor`)
  return input
}

/** A metric of predictions and targets, fed in two parts. */
function streaming(make: (test: MetricCase) => PredictionMetric<unknown>, keywords: readonly string[] = []): Compute {
  return async (test) => {
    for (const name of Object.keys(test.kwargs)) {
      if (!keywords.includes(name)) throw new MissingFeature(`${test.metric} has no ${name} here`)
    }
    const metric = make(test)
    const [predictions, targets] = [toTensor(inputOf(test, 'y_pred')), toTensor(inputOf(test, 'y_true'))]
    const half = Math.floor(targets.size / 2)
    const part = (x: Tensor, from: number, to: number): Tensor => x.slice(0, from, to)
    metric.update(part(predictions, 0, half), part(targets, 0, half))
    metric.update(part(predictions, half, targets.size), part(targets, half, targets.size))
    const result = await metric.compute()
    return Array.isArray(result) ? (result as number[][]).flat() : [result as number]
  }
}

type ClassMetric = typeof Precision

// Without an average, scikit-learn gives each class by itself; the metric of class 1 is its default.
function perClass(metric: ClassMetric): Compute {
  const averaged = streaming(
    (test) => new metric({ classes: classesIn(test), average: (test.kwargs['average'] ?? 'binary') as Average }),
    ['average', 'zero_division'],
  )
  return async (test) => {
    if (test.kwargs['zero_division'] !== undefined && test.kwargs['zero_division'] !== 0) {
      throw new MissingFeature('only 0 where nothing is divided by nothing')
    }
    if (test.kwargs['average'] !== null) return averaged(test)
    const byClass = new metric({ classes: classesIn(test) })
    byClass.update(toTensor(inputOf(test, 'y_pred')), toTensor(inputOf(test, 'y_true')))
    return byClass.perClass()
  }
}

/** The metrics that exist here. */
const metrics: Readonly<Record<string, Compute>> = {
  'sklearn.metrics.accuracy_score': streaming(() => new Accuracy()),
  'sklearn.metrics.precision_score': perClass(Precision),
  'sklearn.metrics.recall_score': perClass(Recall as unknown as ClassMetric),
  'sklearn.metrics.f1_score': perClass(F1 as unknown as ClassMetric),
  'sklearn.metrics.mean_squared_error': streaming(() => new MeanSquaredError()),
  'sklearn.metrics.mean_absolute_error': streaming(() => new MeanAbsoluteError()),
  ...metricFunctions,
}

/** Replays all cases of metrics.json. */
export async function replayMetrics(file: GoldenFile<MetricCase>): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const test of file.cases) {
    outcomes.push(
      await outcomeOf(test.id, async () => {
        const compute = metrics[test.metric]
        if (compute === undefined) throw new MissingFeature(`there is no ${test.metric} here`)
        expectNumbers('the metric', await compute(test), expectedNumbers(test.expected))
      }),
    )
  }
  return outcomes
}
