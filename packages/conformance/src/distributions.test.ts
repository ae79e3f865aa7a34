// Gradients of distributions: of log-densities and distribution functions by small steps, and of draws, whose path-wise
// derivative must keep the distribution function where it is.
import { grad, gradcheck } from '@nabla/autograd'
import * as d from '@nabla/distributions'
import { Generator, tensor, type Tensor } from '@nabla/tensor'
import { expect, test } from 'vitest'

type Family = (a: Tensor, b: Tensor) => d.Distribution

// Parameters [2] each, and a value where all densities are smooth.
const families: Readonly<Record<string, readonly [Family, a: number[], b: number[], x: number]>> = {
  Normal: [(a, b) => new d.Normal(a, b), [0, 1], [1, 2], 0.4],
  Gamma: [(a, b) => new d.Gamma(a, b), [0.6, 3], [1, 2], 0.7],
  InverseGamma: [(a, b) => new d.InverseGamma(a, b), [1.6, 3], [1, 2], 0.7],
  Beta: [(a, b) => new d.Beta(a, b), [0.7, 2.5], [3, 1.5], 0.4],
  StudentT: [(a, b) => new d.StudentT(a, b), [1.5, 6], [0, 1], 0.7],
  FisherSnedecor: [(a, b) => new d.FisherSnedecor(a, b), [3, 6], [5, 9], 0.7],
  Weibull: [(a, b) => new d.Weibull(a, b), [1, 2], [1.5, 3], 0.7],
  Kumaraswamy: [(a, b) => new d.Kumaraswamy(a, b), [1.2, 2], [1.5, 3], 0.6],
}

const double = (values: number[]): Tensor => tensor(values, { dtype: 'float64', requiresGrad: true })

for (const [name, [family, a, b, x]] of Object.entries(families)) {
  test(`${name}: log-density and distribution function`, async () => {
    const value = tensor([x, x * 1.1], { dtype: 'float64' })
    await gradcheck((p, q) => family(p, q).logProb(value), [double(a), double(b)])
    await gradcheck((p, q) => family(p, q).cdf(value), [double(a), double(b)])
    await gradcheck((at) => family(double(a), double(b)).cdf(at), [double([x, x * 1.1])], {
      secondOrder: true,
    })
  })
}

test('distribution functions at and beyond the ends of their range', async () => {
  const x = tensor([-1, 0, 1e6])
  for (const a of [0.5, 1, 3]) expect(await new d.Gamma(a, 1).cdf(x).toArray()).toEqual([0, 0, 1])
  for (const a of [0.5, 1, 3])
    expect(await new d.Beta(a, 1).cdf(tensor([-1, 0, 1, 2])).toArray()).toEqual([0, 0, 1, 1])
  expect(await new d.Poisson(0).cdf(tensor([-1, 0, 4])).toArray()).toEqual([0, 1, 1])
})

const drawn: Readonly<Record<string, readonly [Family, a: number, b: number]>> = {
  Normal: [(a, b) => new d.Normal(a, b), 1, 2],
  'Gamma of 0.4': [(a, b) => new d.Gamma(a, b), 0.4, 2],
  'Gamma of 5': [(a, b) => new d.Gamma(a, b), 5, 2],
  'Gamma of 400': [(a, b) => new d.Gamma(a, b), 400, 2],
  Gumbel: [(a, b) => new d.Gumbel(a, b), 1, 2],
  Weibull: [(a, b) => new d.Weibull(a, b), 1, 2],
  LogNormal: [(a, b) => new d.LogNormal(a, b), 0, 0.5],
}

for (const [name, [family, a, b]] of Object.entries(drawn)) {
  test(`${name}: draws move with their parameters`, async () => {
    // F(x(a, b); a, b) is the uniform number behind a draw, whatever the parameters: its whole derivative is 0.
    const [p, q] = [a, b].map((value) => tensor([value], { requiresGrad: true })) as [Tensor, Tensor]
    const generator = new Generator(7)
    for (let i = 0; i < 5; i++) {
      const x = family(p, q).rsample([], { generator })
      const [byP, byQ] = grad(x.sum(), [p, q]) as [Tensor, Tensor]
      const still = x.detach().to('float64')
      const [wideP, wideQ] = [double([a]), double([b])]
      const share = family(wideP, wideQ).cdf(still)
      const [partP, partQ] = grad(share.sum(), [wideP, wideQ]) as [Tensor, Tensor]
      const density = await family(wideP, wideQ).logProb(still).exp().item()
      for (const [along, part] of [
        [byP, partP],
        [byQ, partQ],
      ] as const) {
        const slope = await along.item()
        expect(slope * density + (await part.item())).toBeCloseTo(0, 4)
        expect(Number.isFinite(slope)).toBe(true)
      }
    }
  })
}

test('expected values move as they should: d E[x] / da of Beta and Dirichlet', async () => {
  const a = tensor([2, 3, 5], { requiresGrad: true })
  const x = new d.Dirichlet(a).rsample([40_000], { generator: new Generator(1) })
  const [slope] = grad(x.mean(0).select(0, 0), [a])
  // E x_0 = a_0 / (a_0 + a_1 + a_2).
  const expected = [0.08, -0.02, -0.02]
  const found = await slope!.data()
  expected.forEach((value, i) => expect(found[i]).toBeCloseTo(value, 2))
})

test('divergences have the slope of the mean of log p - log q', async () => {
  const q = (a: Tensor): d.Distribution => new d.Gamma(a, 2)
  await gradcheck(
    (a) => d.klDivergence(new d.Gamma(tensor([1.5], { dtype: 'float64' }), 1), q(a)),
    [double([2.5])],
  )
})

test('wrong calls say what is wrong', () => {
  expect(() => new d.Bernoulli({})).toThrow(/Bernoulli: give exactly one of probs and logits; got 0/)
  expect(() => new d.Bernoulli({ probs: 0.5, logits: 0 })).toThrow(/exactly one of probs and logits; got 2/)
  expect(() => new d.Normal(tensor([1, 2]), tensor([1, 2, 3]))).toThrow(
    /Normal: shapes \[2\] and \[3\] do not broadcast/,
  )
  expect(() => new d.Poisson(3).rsample()).toThrow(
    /Poisson.rsample: this distribution has no value that depends smoothly/,
  )
  expect(() => new d.VonMises(0, 1).cdf(0)).toThrow(
    /VonMises.cdf: this distribution has no distribution function/,
  )
  expect(() => d.klDivergence(new d.Normal(0, 1), new d.Poisson(1))).toThrow(
    /no closed form is known for Normal and Poisson/,
  )
  expect(() => new d.Binomial(1.5, { probs: 0.5 })).toThrow(/totalCount must be a whole number/)
  expect(() => new d.MultivariateNormal(tensor([1, 2]), { scaleTril: tensor([[1]]) })).toThrow(
    /loc must be \[\.\.\., D\]/,
  )
})
