// How torch's distributions are called here: the mapping of distributions.json. Read before: format.ts.
import { grad } from '@nabla/autograd'
import * as distributions from '@nabla/distributions'
import { klDivergence, type Distribution } from '@nabla/distributions'
import type { Tensor } from '@nabla/tensor'
import { expectTensor, type Tolerance } from './compare.ts'
import {
  elementsOf,
  MissingFeature,
  outcomeOf,
  toTensor,
  type GoldenCase,
  type GoldenFile,
  type GoldenTensor,
  type Outcome,
} from './format.ts'

type Parameters = Readonly<Record<string, GoldenTensor>>

/** A case of distributions.json: one distribution, or two and their divergence. */
export interface DistributionCase extends GoldenCase {
  readonly distribution: string
  readonly params?: Parameters
  readonly x?: GoldenTensor
  readonly log_prob?: GoldenTensor
  readonly paramGradsOfSumLogProb?: Readonly<Record<string, GoldenTensor | null>>
  readonly mean?: GoldenTensor
  readonly variance?: GoldenTensor
  readonly entropy?: GoldenTensor
  readonly cdf?: GoldenTensor
  readonly p?: string
  readonly q?: string
  readonly pParams?: Parameters
  readonly qParams?: Parameters
  readonly kl?: GoldenTensor
}

type Given = Readonly<Record<string, Tensor>>

/** Classes whose parameters are given by name here, as in torch; all others take them in torch's order. */
const named: Readonly<Record<string, (given: Given, golden: Parameters) => Distribution>> = {
  Bernoulli: (given) => new distributions.Bernoulli(given),
  Geometric: (given) => new distributions.Geometric(given),
  Categorical: (given) => new distributions.Categorical(given),
  OneHotCategorical: (given) => new distributions.OneHotCategorical(given),
  Binomial: (given, golden) => new distributions.Binomial(countOf(golden), probabilityOf(given)),
  Multinomial: (given, golden) => new distributions.Multinomial(countOf(golden), probabilityOf(given)),
  NegativeBinomial: ({ total_count: count, ...rest }) => new distributions.NegativeBinomial(count!, rest),
  MultivariateNormal: ({ loc, covariance_matrix: covarianceMatrix, scale_tril: scaleTril }) =>
    new distributions.MultivariateNormal(loc!, covarianceMatrix === undefined ? { scaleTril: scaleTril! } : { covarianceMatrix }),
}

const orders: Readonly<Record<string, readonly string[]>> = {
  Uniform: ['low', 'high'],
  Exponential: ['rate'],
  Poisson: ['rate'],
  Gamma: ['concentration', 'rate'],
  InverseGamma: ['concentration', 'rate'],
  Beta: ['concentration1', 'concentration0'],
  Kumaraswamy: ['concentration1', 'concentration0'],
  Dirichlet: ['concentration'],
  Weibull: ['scale', 'concentration'],
  Pareto: ['scale', 'alpha'],
  HalfNormal: ['scale'],
  HalfCauchy: ['scale'],
  Chi2: ['df'],
  StudentT: ['df', 'loc', 'scale'],
  FisherSnedecor: ['df1', 'df2'],
  VonMises: ['loc', 'concentration'],
}

function countOf(golden: Parameters): number {
  return elementsOf(golden['total_count']!)[0]!
}

/** What is left without the number of trials, which is no tensor here. */
function probabilityOf({ probs, logits }: Given): distributions.ProbabilityOptions {
  return probs === undefined ? { logits: logits! } : { probs }
}

function make(name: string, golden: Parameters, given: Given): Distribution {
  const short = name.replace('torch.distributions.', '')
  const byName = named[short]
  if (byName !== undefined) return byName(given, golden)
  const found = (distributions as Readonly<Record<string, unknown>>)[short]
  if (typeof found !== 'function') throw new MissingFeature(`nothing here corresponds to ${name}`)
  const order = orders[short] ?? ['loc', 'scale']
  return new (found as new (...parameters: (Tensor | undefined)[]) => Distribution)(...order.map((key) => given[key]))
}

function tensorsOf(golden: Parameters, gradients: DistributionCase['paramGradsOfSumLogProb'] = {}): Given {
  const entries = Object.entries(golden).map(([name, value]) => {
    const requiresGrad = (gradients[name] ?? null) !== null
    return [name, toTensor(value, requiresGrad ? { requiresGrad } : {})]
  })
  return Object.fromEntries(entries)
}

/** Replays all cases of the file. */
export async function replayDistributions(file: GoldenFile<DistributionCase>): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const test of file.cases) outcomes.push(await outcomeOf(test.id, () => replay(test)))
  return outcomes
}

/** Elementary functions of float32 values at several places: a little more than the usual tolerance. */
const tolerance: Tolerance = { relative: 1e-4, absolute: 2e-5 }

async function replay(test: DistributionCase): Promise<void> {
  if (test.kl !== undefined) {
    const p = make(test.p!, test.pParams!, tensorsOf(test.pParams!))
    const q = make(test.q!, test.qParams!, tensorsOf(test.qParams!))
    return expectTensor('kl', klDivergence(p, q), test.kl, tolerance)
  }
  const gradients = test.paramGradsOfSumLogProb ?? {}
  const given = tensorsOf(test.params!, gradients)
  const distribution = make(test.distribution, test.params!, given)
  const x = toTensor(test.x!)
  const logProb = distribution.logProb(x)
  await expectTensor('log_prob', logProb, test.log_prob!, tolerance)
  for (const [name, expected] of Object.entries(gradients)) {
    if (expected === null) continue
    const [gradient] = grad(logProb.sum(), [given[name]!])
    await expectTensor(`gradient of ${name}`, gradient!, expected, tolerance)
  }
  if (test.mean !== undefined) await expectTensor('mean', distribution.mean, test.mean, tolerance)
  if (test.variance !== undefined) await expectTensor('variance', distribution.variance, test.variance, tolerance)
  if (test.entropy !== undefined) await expectTensor('entropy', distribution.entropy(), test.entropy, tolerance)
  if (test.cdf !== undefined) await expectTensor('cdf', distribution.cdf(x), test.cdf, tolerance)
}
