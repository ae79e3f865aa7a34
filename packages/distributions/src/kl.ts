// Kullback and Leibler's divergence KL(p || q) = E_p[log p - log q], in nats, for pairs with a closed form. A pair that is not
// here is added with `registerKl`; the most special rule for both classes wins.
import { ValueError } from '@nabla/engine'
import type { Tensor } from '@nabla/tensor'
import { Beta, Dirichlet } from './beta.ts'
import { Categorical, OneHotCategorical } from './categorical.ts'
import { Independent } from './combined.ts'
import { Bernoulli, Binomial, Geometric, Poisson } from './counts.ts'
import type { Distribution } from './distribution.ts'
import { Gamma } from './gamma.ts'
import { Cauchy, eulerGamma, Gumbel, Laplace, Normal } from './location.ts'
import { MultivariateNormal } from './multivariate.ts'
import { Exponential, HalfNormal, Pareto, Uniform } from './positive.ts'
import { logBeta } from './quadrature.ts'
import { LogNormal } from './transforms.ts'

type Class<D extends Distribution> = abstract new (...args: never[]) => D
type Rule = (p: never, q: never) => Tensor

const rules: { readonly p: Class<Distribution>; readonly q: Class<Distribution>; readonly rule: Rule }[] = []

/** Says how the divergence of two families is computed. Rules added later come before those there are. */
export function registerKl<P extends Distribution, Q extends Distribution>(
  p: Class<P>,
  q: Class<Q>,
  rule: (p: P, q: Q) => Tensor,
): void {
  rules.unshift({ p, q, rule: rule as Rule })
}

/** KL(p || q): [...batch]. @throws ValueError for a pair without a closed form */
export function klDivergence(p: Distribution, q: Distribution): Tensor {
  const found = rules.find((entry) => p instanceof entry.p && q instanceof entry.q)
  if (found !== undefined) return found.rule(p as never, q as never)
  throw new ValueError(
    `klDivergence: no closed form is known for ${p.constructor.name} and ${q.constructor.name}; average ` +
      'p.logProb(x) - q.logProb(x) over x = p.sample([n]), or teach one with registerKl',
  )
}

const half = 0.5

registerKl(Normal, Normal, (p, q) => {
  const ratio = p.scale.div(q.scale).square()
  const distance = p.loc.sub(q.loc).div(q.scale).square()
  return ratio.add(distance).sub(1).sub(ratio.log()).mul(half)
})
registerKl(LogNormal, LogNormal, (p, q) => klDivergence(p.base, q.base))
registerKl(HalfNormal, HalfNormal, (p, q) => {
  const ratio = p.scale.div(q.scale).square()
  return ratio.sub(1).sub(ratio.log()).mul(half)
})
registerKl(Laplace, Laplace, (p, q) => {
  const distance = p.loc.sub(q.loc).abs()
  const spread = p.scale.mul(distance.div(p.scale).neg().exp()).add(distance).div(q.scale)
  return spread.add(q.scale.div(p.scale).log()).sub(1)
})
// Chyzak and Nielsen 2019.
registerKl(Cauchy, Cauchy, (p, q) => {
  const above = p.scale.add(q.scale).square().add(p.loc.sub(q.loc).square())
  return above.div(p.scale.mul(q.scale).mul(4)).log()
})
registerKl(Gumbel, Gumbel, (p, q) => {
  const ratio = p.scale.div(q.scale)
  const moved = q.loc.sub(p.loc).div(q.scale)
  const tail = moved.add(ratio.add(1).lgamma()).exp()
  return ratio
    .log()
    .neg()
    .sub(moved)
    .add(ratio.mul(eulerGamma))
    .add(tail)
    .sub(1 + eulerGamma)
})
registerKl(Uniform, Uniform, (p, q) => {
  const inside = q.low.le(p.low).logicalAnd(p.high.le(q.high))
  return inside.where(q.high.sub(q.low).div(p.high.sub(p.low)).log(), Infinity)
})
registerKl(Exponential, Exponential, (p, q) => {
  const ratio = q.rate.div(p.rate)
  return ratio.sub(1).sub(ratio.log())
})
registerKl(Gamma, Gamma, (p, q) => {
  const shape = p.concentration.sub(q.concentration).mul(p.concentration.digamma())
  const norm = q.concentration.lgamma().sub(p.concentration.lgamma())
  const rates = q.concentration.mul(p.rate.div(q.rate).log())
  return shape
    .add(norm)
    .add(rates)
    .add(p.concentration.mul(q.rate.div(p.rate).sub(1)))
})
registerKl(Pareto, Pareto, (p, q) => {
  const ratio = q.alpha.div(p.alpha)
  const finite = p.scale.div(q.scale).log().mul(q.alpha).sub(ratio.log()).add(ratio).sub(1)
  return p.scale.ge(q.scale).where(finite, Infinity)
})
registerKl(Beta, Beta, (p, q) => {
  const [total, other] = [p.concentration1.add(p.concentration0), q.concentration1.add(q.concentration0)]
  return logBeta(q.concentration1, q.concentration0)
    .sub(logBeta(p.concentration1, p.concentration0))
    .add(p.concentration1.sub(q.concentration1).mul(p.concentration1.digamma()))
    .add(p.concentration0.sub(q.concentration0).mul(p.concentration0.digamma()))
    .add(other.sub(total).mul(total.digamma()))
})
registerKl(Dirichlet, Dirichlet, (p, q) => {
  const [a, b] = [p.concentration, q.concentration]
  const total = a.sum(-1, { keepdim: true })
  const norms = total.squeeze(-1).lgamma().sub(b.sum(-1).lgamma()).add(b.lgamma().sub(a.lgamma()).sum(-1))
  return norms.add(a.sub(b).mul(a.digamma().sub(total.digamma())).sum(-1))
})
registerKl(Bernoulli, Bernoulli, (p, q) => {
  const yes = p.probs.mul(p.logits.logsigmoid().sub(q.logits.logsigmoid()))
  const no = p.probs.neg().add(1).mul(p.logits.neg().logsigmoid().sub(q.logits.neg().logsigmoid()))
  return yes.add(no)
})
registerKl(Binomial, Binomial, (p, q) => {
  if (p.totalCount > q.totalCount) return p.probs.add(q.probs).mul(0).add(Infinity)
  if (p.totalCount < q.totalCount)
    throw new ValueError(
      'klDivergence: no closed form is known for binomial distributions with fewer trials in p',
    )
  const one = klDivergence(new Bernoulli({ logits: p.logits }), new Bernoulli({ logits: q.logits }))
  return one.mul(p.totalCount)
})
registerKl(Geometric, Geometric, (p, q) => {
  const failures = p.logits.neg().logsigmoid().sub(q.logits.neg().logsigmoid()).mul(p.mean)
  return failures.add(p.logits.logsigmoid()).sub(q.logits.logsigmoid())
})
registerKl(Poisson, Poisson, (p, q) => p.rate.mul(p.rate.div(q.rate).log()).sub(p.rate).add(q.rate))
registerKl(Categorical, Categorical, (p, q) => p.probs.mul(p.logits.sub(q.logits)).sum(-1))
registerKl(OneHotCategorical, OneHotCategorical, (p, q) => p.probs.mul(p.logits.sub(q.logits)).sum(-1))
registerKl(MultivariateNormal, MultivariateNormal, (p, q) => {
  const size = p.eventShape[0]!
  const logDet = (factor: Tensor): Tensor => factor.diagonal(0, -2, -1).log().sum(-1)
  const ratio = q.scaleTril.triangularSolve(p.scaleTril, { upper: false }).square().sum([-2, -1])
  const moved = p.loc.sub(q.loc).unsqueeze(-1)
  const distance = q.scaleTril.triangularSolve(moved, { upper: false }).square().sum([-2, -1])
  return logDet(q.scaleTril).sub(logDet(p.scaleTril)).add(ratio.add(distance).sub(size).mul(half))
})
registerKl(Independent, Independent, (p, q) => {
  const values = klDivergence(p.base, q.base)
  const extra = values.rank - p.batchShape.length
  return extra === 0 ? values : values.sum(Array.from({ length: extra }, (_, i) => -1 - i))
})
