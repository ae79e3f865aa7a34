// Distribution functions that are integrals of their density: the incomplete gamma and beta functions. They are integrated
// by Gauss and Legendre's rule in float64, all nodes at once along a new first dimension, so that gradients by all
// parameters come by themselves. Not here: the densities' users (gamma.ts, beta.ts, student.ts, counts.ts).
import { tensor, type Tensor } from '@nabla/tensor'

const nodeCount = 96
/** Standard deviations on either side of the mode beyond which nothing is left in float64. */
const reach = 12

let rule: { readonly nodes: Float64Array; readonly weights: Float64Array } | undefined

/**
 * Nodes and weights on (0, 1): the roots of the Legendre polynomial by Newton's method
 * (Press et al., Numerical Recipes, 3rd edition, section 4.6.1).
 */
function legendre(): NonNullable<typeof rule> {
  if (rule !== undefined) return rule
  const nodes = new Float64Array(nodeCount)
  const weights = new Float64Array(nodeCount)
  for (let i = 0; i < nodeCount; i++) {
    let root = Math.cos((Math.PI * (i + 0.75)) / (nodeCount + 0.5))
    let slope = 0
    for (let step = 0; step < 100; step++) {
      let [value, before] = [1, 0]
      for (let degree = 0; degree < nodeCount; degree++) {
        ;[value, before] = [((2 * degree + 1) * root * value - degree * before) / (degree + 1), value]
      }
      slope = (nodeCount * (root * value - before)) / (root * root - 1)
      const change = value / slope
      root -= change
      if (Math.abs(change) < 1e-15) break
    }
    nodes[i] = (1 - root) / 2
    weights[i] = 1 / ((1 - root * root) * slope * slope)
  }
  return (rule = { nodes, weights })
}

/** Integral of `density` from `low` to `high`, elementwise. A cubic substitution flattens roots of the density at both ends. */
function integrate(density: (t: Tensor) => Tensor, low: Tensor, high: Tensor): Tensor {
  const { nodes, weights } = legendre()
  const shape = [nodeCount, ...low.shape.map(() => 1)]
  // t = low + width * (3 u^2 - 2 u^3), which has slope 0 at both ends.
  const places = tensor(
    nodes.map((u) => u * u * (3 - 2 * u)),
    { shape },
  )
  const factors = tensor(
    weights.map((weight, i) => weight * 6 * nodes[i]! * (1 - nodes[i]!)),
    { shape },
  )
  const width = high.sub(low)
  return density(places.mul(width).add(low)).mul(factors).sum(0).mul(width)
}

/** Density of a gamma distribution with rate 1. */
function gammaDensity(order: Tensor): (t: Tensor) => Tensor {
  const scale = order.lgamma()
  return (t) => t.log().mul(order.sub(1)).sub(t).sub(scale).exp()
}

/** P(a, x): the share of a gamma distribution with rate 1 that lies below x, for a > 0. Float64. */
export function gammaShare(a: Tensor, x: Tensor): Tensor {
  const shape = a.to('float64')
  const given = x.to('float64')
  const inside = given.gt(0)
  const end = inside.where(given, 1)
  // For a < 1 the density is infinite at 0: P(a, x) = P(a + 1, x) + x^a e^-x / gamma(a + 1) (Abramowitz & Stegun 6.5.21).
  const small = shape.lt(1)
  const order = small.where(shape.add(1), shape)
  const { low, high } = gammaRange(order, end)
  const share = integrate(gammaDensity(order), low, high)
  const first = gammaDensity(shape.add(1))(end)
  return inside.where(small.where(share.add(first), share), 0)
}

/** The derivative of {@link gammaShare} by a, which is E[(log t - digamma a) below x], for x > 0. Float64. */
export function gammaShareSlope(a: Tensor, x: Tensor): Tensor {
  const small = a.lt(1)
  const next = a.add(1)
  const order = small.where(next, a)
  const slopeOf = (of: Tensor): ((t: Tensor) => Tensor) => {
    const [density, centre] = [gammaDensity(of), of.digamma()]
    return (t) => density(t).mul(t.log().sub(centre))
  }
  const { low, high } = gammaRange(order, x)
  const slope = integrate(slopeOf(order), low, high)
  return small.where(slope.add(slopeOf(next)(x)), slope)
}

/** Where a gamma distribution has anything worth adding up, below x. */
function gammaRange(order: Tensor, x: Tensor): { low: Tensor; high: Tensor } {
  const spread = order.sqrt().mul(reach)
  const high = x.minimum(order.add(spread).add(reach * 4))
  return { low: order.sub(spread).clamp({ min: 0 }).minimum(high), high }
}

/** I_x(a, b): the share of a beta distribution that lies below x, for a > 0, b > 0. Float64. */
export function betaShare(a: Tensor, b: Tensor, x: Tensor): Tensor {
  const [p, q, given] = [a.to('float64'), b.to('float64'), x.to('float64')]
  const inside = given.gt(0).logicalAnd(given.lt(1))
  const end = inside.where(given, 0.5)
  // t^(u - 1) (1 - t)^(v - 1) / B(u, v).
  const densityOf = (u: Tensor, v: Tensor): ((t: Tensor) => Tensor) => {
    const scale = logBeta(u, v)
    return (t) =>
      t
        .log()
        .mul(u.sub(1))
        .add(t.neg().log1p().mul(v.sub(1)))
        .sub(scale)
        .exp()
  }
  // Powers below 1 are raised by the recurrences 26.5.15 and 26.5.16 of Abramowitz & Stegun:
  // I(p, q) = I(p + 1, q) + ..., and I(p, q) = I(p, q + 1) - ...
  const [smallP, smallQ] = [p.lt(1), q.lt(1)]
  const higherP = smallP.where(p.add(1), p)
  const higherQ = smallQ.where(q.add(1), q)
  const total = higherP.add(higherQ)
  const middle = higherP.div(total)
  const spread = higherP
    .mul(higherQ)
    .div(total.square().mul(total.add(1)))
    .sqrt()
    .mul(reach)
  const high = end.minimum(middle.add(spread))
  const low = middle.sub(spread).clamp({ min: 0 }).minimum(high)
  const share = integrate(densityOf(higherP, higherQ), low, high)
  const product = end.mul(end.neg().add(1))
  const upQ = smallQ.where(densityOf(higherP, q)(end).mul(product).div(q), 0)
  const upP = smallP.where(densityOf(p, q)(end).mul(product).div(p), 0)
  return inside.where(share.sub(upQ).add(upP), given.ge(1).to('float64'))
}

/** log B(a, b). */
export function logBeta(a: Tensor, b: Tensor): Tensor {
  return a.lgamma().add(b.lgamma()).sub(a.add(b).lgamma())
}
