// The loss and the metrics of one pass over data. They are added up on the device, in Variables that are written with the
// step's own plan; reading them makes the device finish its work, so that is done a few times a second and not every step.
import { ValueError } from '@nabla/engine'
import type { Loss, LossName } from '@nabla/losses'
import {
  Accuracy,
  F1,
  Mean,
  metric,
  Precision,
  Recall,
  type MetricName,
  type PredictionMetric,
} from '@nabla/metrics'
import { noGrad, type Tensor } from '@nabla/tensor'

/** The mean loss and the metrics, together. */
export class Meters {
  readonly #loss = new Mean('loss')
  readonly #metrics: readonly PredictionMetric[]

  /** @throws ValueError for unknown names, and for names that occur twice */
  constructor(metrics: readonly (MetricName | PredictionMetric)[], loss: LossName | Loss) {
    this.#metrics = metrics.map((given) => (typeof given === 'string' ? metricFor(given, loss) : given))
    const names = ['loss', ...this.#metrics.map(({ name }) => name)]
    const repeated = names.find((name, i) => names.indexOf(name) !== i)
    if (repeated !== undefined) {
      throw new ValueError(`Trainer: two of the metrics (the loss is one) are called '${repeated}'`)
    }
  }

  /** Forgets everything. */
  reset(): void {
    this.#loss.reset()
    for (const one of this.#metrics) one.reset()
  }

  /** Counts a batch in. Nothing is computed before the next flush. */
  update(loss: Tensor, predictions: Tensor, targets: Tensor): void {
    noGrad(() => {
      // The mean of a short last batch counts for its rows alone.
      this.#loss.update(loss, targets.shape[0] ?? 1)
      for (const one of this.#metrics) one.update(predictions, targets)
    })
  }

  /** The values so far, the loss first. @throws ValueError for a metric whose result is no number */
  async read(): Promise<Record<string, number>> {
    const logs: Record<string, number> = { loss: await this.#loss.compute() }
    for (const one of this.#metrics) {
      const value = await one.compute()
      if (typeof value !== 'number') {
        throw new ValueError(
          `Trainer: the metric '${one.name}' gives no number; measure it yourself, on predictions`,
        )
      }
      logs[one.name] = value
    }
    return logs
  }
}

// With this loss a model puts out logits, for which yes begins at 0: at the usual threshold, one half, the metrics would
// be wrong and nobody would notice.
function metricFor(name: MetricName, loss: LossName | Loss): PredictionMetric {
  if (loss !== 'binaryCrossEntropyWithLogits') return metric(name)
  if (name === 'accuracy') return new Accuracy({ threshold: 0 })
  if (name === 'precision') return new Precision({ threshold: 0 })
  if (name === 'recall') return new Recall({ threshold: 0 })
  if (name === 'f1') return new F1({ threshold: 0 })
  return metric(name)
}
