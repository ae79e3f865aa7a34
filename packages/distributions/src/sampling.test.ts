// Draws follow their distribution: means and variances within five standard errors, whole distribution functions by the
// test of Kolmogorov and Smirnov, and the same seed gives the same draws.
import { Generator, tensor, type TensorLike } from '@nabla/tensor'
import { expect, test } from 'vitest'
import {
  Categorical,
  Independent,
  klDivergence,
  MixtureSameFamily,
  Multinomial,
  MultivariateNormal,
  Normal,
  OneHotCategorical,
} from './index.ts'
import { distributionOf } from './testing.ts'

const count = 20_000

type Entry = readonly [name: string, parameters: Readonly<Record<string, TensorLike>>]

const continuous: readonly Entry[] = [
  ['Normal', { loc: 1, scale: 2 }],
  ['Laplace', { loc: 1, scale: 2 }],
  ['Logistic', { loc: -1, scale: 0.5 }],
  ['Gumbel', { loc: 1, scale: 2 }],
  ['Cauchy', { loc: 0, scale: 1 }],
  ['HalfNormal', { scale: 2 }],
  ['HalfCauchy', { scale: 2 }],
  ['Uniform', { low: -2, high: 3 }],
  ['Exponential', { rate: 2 }],
  ['Weibull', { scale: 2, concentration: 1.5 }],
  ['Pareto', { scale: 1, alpha: 6 }],
  ['Kumaraswamy', { concentration1: 2, concentration0: 3 }],
  ['Gamma', { concentration: 0.3, rate: 2 }],
  ['Gamma', { concentration: 7, rate: 2 }],
  ['Gamma', { concentration: 500, rate: 2 }],
  ['InverseGamma', { concentration: 6, rate: 2 }],
  ['Chi2', { df: 3 }],
  ['Beta', { concentration1: 0.5, concentration0: 2 }],
  ['StudentT', { df: 6, loc: 1, scale: 2 }],
  ['FisherSnedecor', { df1: 4, df2: 12 }],
  ['LogNormal', { loc: 0, scale: 0.5 }],
]

const discrete: readonly Entry[] = [
  ['Bernoulli', { probs: 0.3 }],
  ['Geometric', { probs: 0.3 }],
  ['Poisson', { rate: 3.5 }],
  ['Poisson', { rate: 9.9 }],
  ['Poisson', { rate: 10 }],
  ['Poisson', { rate: 300 }],
  ['Binomial', { totalCount: 7, probs: 0.3 }],
  ['Binomial', { totalCount: 600, probs: 0.3 }],
  ['NegativeBinomial', { totalCount: 4.5, probs: 0.4 }],
]

async function draw([name, parameters]: Entry): Promise<Float64Array> {
  const drawn = distributionOf(name, parameters).sample([count], { generator: new Generator(11) })
  return Float64Array.from(await drawn.data()).sort()
}

async function expectMoments(entry: Entry, values: Float64Array): Promise<void> {
  const distribution = distributionOf(...entry)
  const [mean, variance] = [await distribution.mean.item(), await distribution.variance.item()]
  if (!Number.isFinite(mean) || !Number.isFinite(variance)) return
  const average = values.reduce((sum, value) => sum + value, 0) / count
  const squares = values.map((value) => (value - average) ** 2)
  const spread = squares.reduce((sum, value) => sum + value, 0) / count
  const fourth = squares.reduce((sum, value) => sum + value * value, 0) / count
  expect(Math.abs(average - mean)).toBeLessThan(5 * Math.sqrt(variance / count))
  expect(Math.abs(spread - variance)).toBeLessThan(5 * Math.sqrt(fourth / count))
}

test.each(continuous)('draws of %s %j', async (...entry) => {
  const values = await draw(entry)
  await expectMoments(entry, values)
  const shares = await distributionOf(...entry)
    .cdf(tensor(Float32Array.from(values)))
    .data()
  let distance = 0
  shares.forEach((share, i) => {
    distance = Math.max(distance, Math.abs(share - i / count), Math.abs(share - (i + 1) / count))
  })
  // One in ten thousand draws of this size is farther away.
  expect(distance).toBeLessThan(2.23 / Math.sqrt(count))
})

test.each(discrete)('draws of %s %j', async (...entry) => {
  const values = await draw(entry)
  expect(values.every((value) => Number.isInteger(value) && value >= 0)).toBe(true)
  await expectMoments(entry, values)
  const distribution = distributionOf(...entry)
  const distinct = [...new Set(values)]
  const probabilities = await distribution
    .logProb(tensor(Float32Array.from(distinct)))
    .exp()
    .data()
  // How often each value comes up, against its probability.
  distinct.forEach((value, i) => {
    const share = values.filter((drawn) => drawn === value).length / count
    const p = probabilities[i]!
    expect(Math.abs(share - p)).toBeLessThan(6 * Math.sqrt((p * (1 - p)) / count) + 1 / count)
  })
})

test('von Mises draws lie around their direction', async () => {
  for (const concentration of [0.5, 5, 100]) {
    const distribution = distributionOf('VonMises', { loc: 2, concentration })
    const drawn = distribution.sample([count], { generator: new Generator(5) })
    const [cosine, sine] = [await drawn.cos().mean().item(), await drawn.sin().mean().item()]
    expect(Math.atan2(sine, cosine)).toBeCloseTo(2, 1)
    expect(1 - Math.hypot(sine, cosine)).toBeCloseTo(await distribution.variance.item(), 1)
    expect(Math.max(...(await drawn.abs().data()))).toBeLessThanOrEqual(Math.PI + 1e-6)
  }
})

test('classes come up as often as their probabilities say', async () => {
  const options = { generator: new Generator(3) }
  const probs = tensor([0.1, 0.6, 0.3])
  const drawn = await new Categorical({ probs }).sample([count], options).data()
  const shares = [0, 1, 2].map((kind) => drawn.filter((value) => value === kind).length / count)
  ;[0.1, 0.6, 0.3].forEach((p, i) => expect(shares[i]).toBeCloseTo(p, 1))
  const oneHot = new OneHotCategorical({ probs }).sample([5], options)
  expect(oneHot.shape).toEqual([5, 3])
  expect(await oneHot.sum(-1).toArray()).toEqual([1, 1, 1, 1, 1])
  const counts = new Multinomial(10, { probs }).sample([4], options)
  expect(await counts.sum(-1).toArray()).toEqual([10, 10, 10, 10])
})

test('vectors have the covariance they were given', async () => {
  const covarianceMatrix = tensor([
    [2, 0.6],
    [0.6, 0.5],
  ])
  const distribution = new MultivariateNormal(tensor([1, -1]), { covarianceMatrix })
  const drawn = distribution.sample([count], { generator: new Generator(4) })
  const covariance = (await drawn.transpose().cov().data()) as Float32Array
  ;[2, 0.6, 0.6, 0.5].forEach((value, i) => expect(covariance[i]).toBeCloseTo(value, 1))
})

test('shapes: drawn, then batch, then event', () => {
  const base = new Normal(
    tensor([
      [0, 1, 2],
      [3, 4, 5],
    ]),
    1,
  )
  expect(base.sample([4]).shape).toEqual([4, 2, 3])
  const independent = new Independent(base, 1)
  expect([independent.batchShape, independent.eventShape]).toEqual([[2], [3]])
  expect(independent.logProb(base.sample([4])).shape).toEqual([4, 2])
  expect(klDivergence(independent, new Independent(new Normal(0, tensor([1, 2, 3])), 1)).shape).toEqual([2])
})

test('a mixture has the mean, the variance and the draws of its parts', async () => {
  const mixture = new MixtureSameFamily(
    new Categorical({ probs: tensor([0.25, 0.75]) }),
    new Normal(tensor([-2, 2]), tensor([0.5, 1])),
  )
  expect(await mixture.mean.item()).toBeCloseTo(1, 5)
  expect(await mixture.variance.item()).toBeCloseTo(0.25 * 0.25 + 0.75 + 3, 5)
  const drawn = mixture.sample([count], { generator: new Generator(9) })
  expect(await drawn.mean().item()).toBeCloseTo(1, 1)
  // The density integrates to 1.
  const grid = tensor(Float32Array.from({ length: 2001 }, (_, i) => -10 + i / 100))
  expect(await mixture.logProb(grid).exp().sum().mul(0.01).item()).toBeCloseTo(1, 4)
})

test('a seed gives the same draws again, and another seed others', async () => {
  const drawn = async (seed: number): Promise<unknown> =>
    distributionOf('Gamma', { concentration: 2, rate: 1 })
      .sample([5], { generator: new Generator(seed) })
      .toArray()
  expect(await drawn(1)).toEqual(await drawn(1))
  expect(await drawn(1)).not.toEqual(await drawn(2))
})
