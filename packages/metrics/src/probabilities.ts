// Metrics of probabilities and scores beside labels: log loss, perplexity, Brier score, hinge loss. All stream. Not here:
// curves and areas, which need all scores at once (curves.ts).
import { formatShape, isFloating, sameShape, ShapeError, ValueError } from '@nabla/engine'
import { full, type Tensor } from '@nabla/tensor'
import { oneHot } from './labels.ts'
import { Metric, toInput, type MetricInput, type PredictionMetric } from './metric.ts'

/** Predictions of one number per answer, or of one per class. */
interface Answers {
  /** [n] or [n, C], float64. */
  readonly scores: Tensor
  /** [n], int32. */
  readonly labels: Tensor
  readonly manyClasses: boolean
}

abstract class MeanOfAnswers extends Metric implements PredictionMetric {
  /**
   * Shape: one number per class [N, C, ...] beside labels [N, ...], or one number [...] in the shape of the labels, which
   * are then 0 and 1.
   * @throws ShapeError
   */
  override update(predictions: MetricInput, targets: MetricInput): void {
    const answers = readAnswers(this.name, predictions, targets)
    this.add('float64', () => this.amounts(answers))
  }

  override async compute(): Promise<number> {
    const { total, count } = await this.read()
    return total![0]! / count![0]!
  }

  protected amounts(answers: Answers): Record<string, Tensor> {
    const total = answers.manyClasses ? this.ofClasses(answers) : this.ofYes(answers)
    return { total: total.sum(), count: full([], answers.labels.size, { dtype: 'float64' }) }
  }

  /** The loss of each answer [n], from one number per class. */
  protected abstract ofClasses(answers: Answers): Tensor

  /** The loss of each answer [n], from one number. */
  protected abstract ofYes(answers: Answers): Tensor
}

/** Settings of {@link LogLoss}. */
export interface LogLossOptions {
  /** Whether predictions are logits instead of probabilities. Default false. */
  logits?: boolean
}

/** Mean of -log(probability of the right class). Probabilities are kept away from 0 by 2^-52. */
export class LogLoss extends MeanOfAnswers {
  readonly name: string = 'logLoss'
  readonly #logits: boolean

  constructor({ logits = false }: LogLossOptions = {}) {
    super()
    this.#logits = logits
  }

  protected override ofClasses({ scores, labels }: Answers): Tensor {
    const logs = this.#logits ? scores.logSoftmax(1) : logarithm(scores)
    return ofLabel(logs, labels).neg()
  }

  protected override ofYes({ scores, labels }: Answers): Tensor {
    if (this.#logits) return labels.gt(0).where(scores.neg(), scores).softplus()
    return logarithm(labels.gt(0).where(scores, scores.neg().add(1))).neg()
  }
}

/** Settings of {@link Perplexity}. */
export interface PerplexityOptions {
  /** A label that is not counted: that of padding. */
  ignoreIndex?: number
}

/** exp of the mean of -log(probability of the right token): over how many tokens a model hesitates. */
export class Perplexity extends Metric implements PredictionMetric {
  readonly name: string = 'perplexity'
  readonly #ignoreIndex: number | null

  constructor({ ignoreIndex }: PerplexityOptions = {}) {
    super()
    this.#ignoreIndex = ignoreIndex ?? null
  }

  /** Shape: logits [..., vocabulary], tokens [...]. @throws ShapeError */
  override update(predictions: MetricInput, targets: MetricInput): void {
    const [logits, tokens] = [toInput(predictions), toInput(targets)]
    const vocabulary = logits.shape.at(-1) ?? 0
    if (logits.rank < 2 || !sameShape(logits.shape.slice(0, -1), tokens.shape)) {
      throw new ShapeError(
        `${this.name}: predictions ${formatShape(logits.shape)} do not fit targets ${formatShape(tokens.shape)}: ` +
          'expected logits [..., vocabulary] beside tokens [...]',
      )
    }
    this.add('float64', () => {
      const ids = tokens.to('int32').reshape([tokens.size])
      const counted = this.#ignoreIndex === null ? ids.ge(0) : ids.ne(this.#ignoreIndex)
      const logs = logits.reshape([tokens.size, vocabulary]).to('float64').logSoftmax(1)
      const own = ofLabel(logs, counted.where(ids, 0))
      return { total: counted.where(own.neg(), 0).sum(), count: counted.sum() }
    })
  }

  override async compute(): Promise<number> {
    const { total, count } = await this.read()
    return Math.exp(total![0]! / count![0]!)
  }
}

/** Mean of the squared differences between probabilities and what was the case, summed over classes (Brier 1950). */
export class BrierScore extends MeanOfAnswers {
  readonly name: string = 'brierScore'

  protected override ofClasses({ scores, labels }: Answers): Tensor {
    // Σ (p - y)² = Σ p² - 2 · p of the right class + 1.
    return scores.square().sum(1).sub(ofLabel(scores, labels).mul(2)).add(1)
  }

  protected override ofYes({ scores, labels }: Answers): Tensor {
    return scores.sub(labels.gt(0).to('float64')).square()
  }
}

/**
 * Mean hinge loss: max(0, 1 - margin), the margin being the decision value itself, with the sign of the label, or the
 * distance to the highest score of a wrong class (Crammer and Singer 2001). Labels may be 0 and 1, or -1 and 1.
 */
export class HingeLoss extends MeanOfAnswers {
  readonly name: string = 'hingeLoss'

  protected override ofClasses({ scores, labels }: Answers): Tensor {
    const own = ofLabel(scores, labels)
    const isOwn = oneHot(labels, scores.shape[1]!)
    const best = isOwn.where(-Infinity, scores).amax(1)
    return best.sub(own).add(1).relu()
  }

  protected override ofYes({ scores, labels }: Answers): Tensor {
    return labels.gt(0).where(scores.neg(), scores).add(1).relu()
  }
}

function readAnswers(metric: string, predictions: MetricInput, targets: MetricInput): Answers {
  const [scores, truth] = [toInput(predictions), toInput(targets)]
  if (!isFloating(scores.dtype)) {
    throw new ValueError(`${metric}: predictions must be probabilities or scores, not ${scores.dtype}`)
  }
  const labels = truth.to('int32').reshape([truth.size])
  const ones = (size: number): boolean => size !== 1
  if (sameShape(scores.shape.filter(ones), truth.shape.filter(ones))) {
    return { scores: scores.to('float64').reshape([truth.size]), labels, manyClasses: false }
  }
  const classes = scores.shape[1] ?? 0
  if (
    !sameShape(
      scores.shape.filter((_, dim) => dim !== 1),
      truth.shape,
    )
  ) {
    throw new ShapeError(
      `${metric}: predictions ${formatShape(scores.shape)} do not fit targets ${formatShape(truth.shape)}: expected [N, C] ` +
        'beside labels [N], or one shape for both',
    )
  }
  const last = scores.movedim(1, -1).reshape([truth.size, classes]).to('float64')
  return { scores: last, labels, manyClasses: true }
}

/** The element of each row that its label names: [n, C] -> [n]. */
function ofLabel(rows: Tensor, labels: Tensor): Tensor {
  return rows.gather(1, labels.unsqueeze(1)).reshape([labels.size])
}

function logarithm(probabilities: Tensor): Tensor {
  return probabilities.clamp({ min: Number.EPSILON, max: 1 }).log()
}
