// Log-densities, distribution functions, moments and entropies equal those of SciPy (fixtures/scipy.json).
import { expect, test } from 'vitest'
import fixture from '../fixtures/scipy.json' with { type: 'json' }
import { distributionOf, tensorOf, type Values } from './testing.ts'

interface Case {
  readonly name: string
  readonly params: Readonly<Record<string, Values>>
  readonly x: Values
  readonly logProb: Values
  readonly cdf?: Values
  readonly mean?: Values
  readonly variance?: Values
  readonly entropy?: Values
}

function expectClose(what: string, actual: ArrayLike<number>, expected: Values, relative: number): void {
  expect(actual.length, what).toBe(expected.length)
  expected.map(Number).forEach((value, i) => {
    if (!Number.isFinite(value)) return expect(actual[i], `${what}[${i}]`).toBe(value)
    const allowed = 2e-6 + relative * Math.abs(value)
    expect(
      Math.abs(actual[i]! - value),
      `${what}[${i}]: ${actual[i]} instead of ${value}`,
    ).toBeLessThanOrEqual(allowed)
  })
}

test.each(fixture.cases as unknown as Case[])('$name $params', async (one) => {
  const parameters = Object.entries(one.params).map(([name, values]) => {
    if (name === 'covarianceMatrix') return [name, tensorOf(values).reshape([2, 2])] as const
    // What is a plain number in the constructor's signature.
    if (name === 'totalCount' && values.length === 1) return [name, Number(values[0])] as const
    return [name, tensorOf(values)] as const
  })
  const distribution = distributionOf(one.name, Object.fromEntries(parameters))
  const x = tensorOf(one.x)
  // Differences of large logarithms lose digits in float32: hence the last places of lgamma at 1000.
  expectClose('logProb', await distribution.logProb(x).data(), one.logProb, 1e-3)
  if (one.cdf !== undefined) expectClose('cdf', await distribution.cdf(x).data(), one.cdf, 2e-5)
  if (one.mean !== undefined) expectClose('mean', await distribution.mean.data(), one.mean, 2e-5)
  if (one.variance !== undefined)
    expectClose('variance', await distribution.variance.data(), one.variance, 1e-4)
  if (one.entropy !== undefined)
    expectClose('entropy', await distribution.entropy().data(), one.entropy, 1e-3)
})
