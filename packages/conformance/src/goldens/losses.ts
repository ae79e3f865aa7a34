// How torch losses are called here: the mapping of losses.json. Read before: replay.ts.
import * as losses from '@nabla/losses'
import { mapping, type Mapping } from './replay.ts'

/** A loss of predictions and targets. `options` says what torch's keywords are called here. */
function pair(loss: (x: never, y: never, options?: never) => unknown, options: Record<string, string> = {}): Mapping {
  const parameters = ['x', 'y', 'reduction', ...Object.keys(options)].join(' ')
  const call = loss as unknown as (x: unknown, y: unknown, options: unknown) => ReturnType<typeof losses.mseLoss>
  return mapping(parameters, (given) => {
    const renamed = Object.entries(options).map(([theirs, ours]) => [ours, given[theirs]])
    return call(given['x'], given['y'], withoutUndefined({ reduction: given['reduction'], ...Object.fromEntries(renamed) }))
  })
}

function withoutUndefined(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** The functions of losses.json that exist here. */
export const lossMappings: Readonly<Record<string, Mapping>> = {
  'F.mse_loss': pair(losses.mseLoss),
  'F.l1_loss': pair(losses.l1Loss),
  'F.smooth_l1_loss': pair(losses.smoothL1Loss, { beta: 'beta' }),
  'F.ctc_loss': mapping(
    'x y il tl blank reduction zero_infinity',
    ({ x, y, il, tl, blank, reduction, zero_infinity: zeroInfinity }) =>
      losses.ctcLoss(x, y, il, tl, withoutUndefined({ blank, reduction, zeroInfinity })),
  ),
  'F.multilabel_margin_loss': pair(losses.multilabelMarginLoss),
  'F.huber_loss': pair(losses.huberLoss, { delta: 'delta' }),
  'F.cross_entropy': pair(losses.crossEntropy, {
    weight: 'weight',
    ignore_index: 'ignoreIndex',
    label_smoothing: 'labelSmoothing',
  }),
  'F.nll_loss': pair(losses.nllLoss, { weight: 'weight', ignore_index: 'ignoreIndex' }),
  'F.binary_cross_entropy': pair(losses.binaryCrossEntropy, { weight: 'weight' }),
  'F.binary_cross_entropy_with_logits': pair(losses.binaryCrossEntropyWithLogits, {
    weight: 'weight',
    pos_weight: 'posWeight',
  }),
  'F.kl_div': pair(losses.klDiv, { log_target: 'logTarget' }),
  'F.poisson_nll_loss': pair(losses.poissonNllLoss, { log_input: 'logInput', full: 'full', eps: 'eps' }),
  'F.gaussian_nll_loss': mapping('x y var full eps reduction', ({ x, y, var: variance, ...options }) =>
    losses.gaussianNllLoss(x, y, variance, withoutUndefined(options)),
  ),
  'F.hinge_embedding_loss': pair(losses.hingeEmbeddingLoss, { margin: 'margin' }),
  'F.margin_ranking_loss': mapping('a b y margin reduction', ({ a, b, y, ...options }) =>
    losses.marginRankingLoss(a, b, y, withoutUndefined(options)),
  ),
  'F.cosine_embedding_loss': mapping('a b y margin reduction', ({ a, b, y, ...options }) =>
    losses.cosineEmbeddingLoss(a, b, y, withoutUndefined(options)),
  ),
  'F.triplet_margin_loss': mapping('a p n margin power eps swap reduction', ({ a, p, n, power, ...options }) =>
    losses.tripletMarginLoss(a, p, n, withoutUndefined({ ...options, p: power })),
  ),
  'F.multi_margin_loss': pair(losses.multiMarginLoss, { p: 'p', margin: 'margin', weight: 'weight' }),
  'F.multilabel_soft_margin_loss': pair(losses.multilabelSoftMarginLoss, { weight: 'weight' }),
  'F.soft_margin_loss': pair(losses.softMarginLoss),
  log_cosh: mapping('x y', ({ x, y }) => losses.logCoshLoss(x, y)),
  quantile_loss: mapping('x y', ({ x, y }, test) => losses.quantileLoss(x, y, { quantile: numberIn(test.note, 'q') })),
}

/** A number that a note states as `name=number`. */
function numberIn(note: string | undefined, name: string): number {
  const found = new RegExp(`\\b${name}\\s*=\\s*([-+.\\de]+)`).exec(note ?? '')
  if (found === null) throw new Error(`the note '${note ?? ''}' states no ${name}`)
  return Number(found[1])
}
