// How further metrics of scikit-learn, torchmetrics and sacrebleu are called here. A part of metrics.ts: streaming metrics
// get their inputs in two batches, which must make no difference.
import * as metrics from '@nabla/metrics'
import type { Tensor } from '@nabla/tensor'
import { elementsOf, isGoldenTensor, MissingFeature, toTensor, type GoldenTensor } from './format.ts'

/** What is needed of a case of metrics.json. */
export interface MetricFunctionCase {
  readonly metric: string
  readonly inputs: Readonly<Record<string, GoldenTensor | readonly string[]>>
  readonly kwargs: Readonly<Record<string, unknown>>
}

type Compute = (test: MetricFunctionCase) => Promise<ArrayLike<number>>
type Streaming = metrics.Metric<unknown> & {
  update(predictions: Tensor, targets: Tensor, sampleWeight?: Tensor): void
}

function goldenOf(test: MetricFunctionCase, name: string): GoldenTensor {
  const input = test.inputs[name]
  if (!isGoldenTensor(input)) throw new MissingFeature(`${name} is no tensor`)
  return input
}

function inputOf(test: MetricFunctionCase, name: string): Tensor {
  return toTensor(goldenOf(test, name))
}

function textsOf(test: MetricFunctionCase, name: string): readonly string[] {
  const input = test.inputs[name]
  if (!Array.isArray(input)) throw new MissingFeature(`${name} is no list of texts`)
  return input as readonly string[]
}

function numbersOf(result: unknown): number[] {
  return [result].flat(Infinity) as number[]
}

/** A metric of predictions, targets and perhaps weights, fed in two parts. */
function streaming(
  make: (test: MetricFunctionCase) => Streaming,
  predictions: string = 'y_pred',
  targets: string = 'y_true',
): Compute {
  return async (test) => {
    const metric = make(test)
    const names = [predictions, targets, ...('w' in test.inputs ? ['w'] : [])]
    const inputs = names.map((name) => inputOf(test, name))
    const length = inputs[0]!.shape[0]!
    const half = Math.floor(length / 2)
    const ranges = half === 0 ? [[0, length]] : [[0, half], [half, length]]
    for (const [from, to] of ranges) {
      const [x, y, weight] = inputs.map((input) => input.slice(0, from!, to!))
      metric.update(x!, y!, weight)
    }
    return numbersOf(await metric.compute())
  }
}

/** A function of two inputs on the host. */
function hosted(
  compute: (first: Tensor, second: Tensor, test: MetricFunctionCase) => Promise<unknown>,
  first: string = 'y_pred',
  second: string = 'y_true',
): Compute {
  return async (test) => numbersOf(await compute(inputOf(test, first), inputOf(test, second), test))
}

function texts(compute: (predictions: readonly string[], references: readonly string[]) => number): Compute {
  return async (test) => [compute(textsOf(test, 'pred'), textsOf(test, 'target'))]
}

function classesIn(test: MetricFunctionCase): number {
  return Math.max(...['y_true', 'y_pred'].flatMap((name) => elementsOf(goldenOf(test, name)))) + 1
}

function labelOptions(test: MetricFunctionCase): metrics.ClassMetricOptions {
  return { classes: classesIn(test), average: (test.kwargs['average'] ?? 'binary') as metrics.Average }
}

function cutOff(test: MetricFunctionCase): metrics.CutOff {
  return test.kwargs['top_k'] === undefined ? {} : { k: Number(test.kwargs['top_k']) }
}

function retrieval(
  compute: (scores: Tensor, relevances: Tensor, options: metrics.CutOff) => Promise<number>,
): Compute {
  return hosted((scores, relevances, test) => compute(scores, relevances, cutOff(test)), 'scores', 'rel')
}

const sklearn: Readonly<Record<string, Compute>> = {
  balanced_accuracy_score: streaming((test) => new metrics.BalancedAccuracy({ classes: classesIn(test) })),
  matthews_corrcoef: streaming((test) => new metrics.MatthewsCorrelation({ classes: classesIn(test) })),
  cohen_kappa_score: streaming((test) => new metrics.CohenKappa({ classes: classesIn(test) })),
  zero_one_loss: streaming(() => new metrics.ZeroOneLoss()),
  'accuracy_score(sample_weight)': streaming(() => new metrics.Accuracy()),
  jaccard_score: streaming((test) => new metrics.Jaccard(labelOptions(test))),
  fbeta_score: streaming(
    (test) => new metrics.FBeta({ beta: Number(test.kwargs['beta']), ...labelOptions(test) }),
  ),
  confusion_matrix: streaming((test) => {
    const normalize = { true: 'actual', pred: 'predicted', all: 'all', none: 'none' } as const
    const given = String(test.kwargs['normalize'] ?? 'none') as keyof typeof normalize
    return new metrics.ConfusionMatrix({ classes: classesIn(test), normalize: normalize[given] })
  }),
  log_loss: streaming(() => new metrics.LogLoss(), 'y_prob'),
  hinge_loss: streaming(() => new metrics.HingeLoss(), 'd'),
  r2_score: streaming(() => new metrics.R2Score()),
  explained_variance_score: streaming(() => new metrics.ExplainedVariance()),
  max_error: streaming(() => new metrics.MaxError()),
  mean_absolute_percentage_error: streaming(() => new metrics.MeanAbsolutePercentageError()),
  mean_squared_log_error: streaming(() => new metrics.MeanSquaredLogError()),
  mean_poisson_deviance: streaming(() => new metrics.PoissonDeviance()),
  mean_gamma_deviance: streaming(() => new metrics.GammaDeviance()),
  mean_pinball_loss: streaming((test) => new metrics.PinballLoss(Number(test.kwargs['alpha'] ?? 0.5))),
  roc_auc_score: hosted((scores, labels) => metrics.rocAuc(scores, labels), 'y_prob'),
  'roc_auc_score(sample_weight)': hosted(
    (scores, labels, test) => metrics.rocAuc(scores, labels, { sampleWeight: inputOf(test, 'w') }),
    'y_score',
  ),
  average_precision_score: hosted((scores, labels) => metrics.averagePrecision(scores, labels), 'y_score'),
  normalized_mutual_info_score: hosted(metrics.normalizedMutualInformation),
  homogeneity_score: hosted(metrics.homogeneity),
  completeness_score: hosted(metrics.completeness),
  v_measure_score: hosted((predicted, actual) => metrics.vMeasure(predicted, actual)),
  fowlkes_mallows_score: hosted(metrics.fowlkesMallows),
  rand_score: hosted(metrics.randIndex),
  davies_bouldin_score: hosted(metrics.daviesBouldin, 'X', 'labels'),
  calinski_harabasz_score: hosted(metrics.calinskiHarabasz, 'X', 'labels'),
  ndcg_score: hosted((scores, relevances) => metrics.ndcg(scores, relevances), 'y_score'),
  label_ranking_average_precision_score: hosted(metrics.labelRankingAveragePrecision, 'y_score'),
  label_ranking_loss: hosted(metrics.labelRankingLoss, 'y_score'),
  'pairwise.cosine_similarity': hosted(
    (x, y) => metrics.pairwiseCosineSimilarity(x, y).toArray(),
    'X',
    'Y',
  ),
}

const others: Readonly<Record<string, Compute>> = {
  'sklearn.calibration.calibration_curve': hosted(
    async (scores, labels, test) => {
      const curve = await metrics.calibrationCurve(scores, labels, { bins: Number(test.kwargs['n_bins']) })
      return [curve.actual, curve.predicted]
    },
    'y_score',
  ),
  'scipy.stats.pearsonr': streaming(() => new metrics.PearsonCorrelation()),
  'torchmetrics.text.word_error_rate': texts(metrics.wordErrorRate),
  'torchmetrics.text.match_error_rate': texts(metrics.matchErrorRate),
  'torchmetrics.text.word_information_lost': texts(metrics.wordInformationLost),
  'torchmetrics.text.bleu_score (n=4, no smoothing, whitespace tokens, 0..1)': texts((predictions, references) =>
    metrics.bleu(predictions, references),
  ),
  'torchmetrics.text.bleu_score smooth=True': texts((predictions, references) =>
    metrics.bleu(predictions, references, { smoothing: 'addOne' }),
  ),
  'sacrebleu.corpus_bleu (13a tokens, exp smoothing, 0..100)': texts(metrics.sacreBleu),
  'torchmetrics.text.perplexity': streaming(() => new metrics.Perplexity(), 'logits', 'target'),
  'torchmetrics.image.psnr data_range=1': streaming(() => new metrics.PeakSignalNoiseRatio(), 'a', 'b'),
  // There, documents with a score of 0 are not found.
  'torchmetrics.retrieval.average_precision': retrieval((scores, relevances, options) =>
    metrics.retrievalAveragePrecision(scores, relevances, { ...options, above: 0 }),
  ),
  'torchmetrics.retrieval.r_precision': retrieval(metrics.retrievalRPrecision),
  'torchmetrics.retrieval.recall': retrieval(metrics.retrievalRecall),
  'torchmetrics.retrieval.hit_rate': retrieval(metrics.retrievalHitRate),
  'torchmetrics.retrieval.fall_out': retrieval(metrics.retrievalFallOut),
  'torchmetrics.retrieval.ndcg': retrieval(metrics.ndcg),
  'torchmetrics smape (0..2)': streaming(
    () => new metrics.SymmetricMeanAbsolutePercentageError(),
    'pred',
    'target',
  ),
  'box IoU matrix, xyxy': hosted((a, b) => metrics.boxIou(a, b).toArray(), 'a', 'b'),
  'greedy non-maximum suppression: kept indices by falling score, drops IoU > threshold': hosted(
    (boxes, scores, test) => {
      return metrics.nonMaximumSuppression(boxes, scores, { threshold: Number(test.kwargs['iou_threshold']) })
    },
    'boxes',
    'scores',
  ),
  'per-class IoU of label maps, 3 classes': async (test) => {
    const metric = new metrics.Jaccard({ classes: 3 })
    metric.update(inputOf(test, 'y_pred'), inputOf(test, 'y_true'))
    return metric.perClass()
  },
}

/** The metrics that are replayed here, by the names of metrics.json. */
export const metricFunctions: Readonly<Record<string, Compute>> = {
  ...Object.fromEntries(Object.entries(sklearn).map(([name, compute]) => [`sklearn.metrics.${name}`, compute])),
  ...others,
}

/** What a case expects as numbers; several results one after another. */
export function expectedNumbers(expected: unknown): number[] {
  if (typeof expected === 'number') return [expected]
  if (isGoldenTensor(expected)) return elementsOf(expected)
  if (Array.isArray(expected)) return expected.flatMap(expectedNumbers)
  throw new MissingFeature('a result of another kind')
}
