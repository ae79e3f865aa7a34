// Probability distributions over Nabla tensors: drawing, log-densities, moments, entropies, divergences.
// The public face of @nabla/distributions: everything exported here is API, everything else is not.
export { Beta, Dirichlet } from './beta.ts'
export { Categorical, Multinomial, OneHotCategorical } from './categorical.ts'
export { VonMises } from './circular.ts'
export { Independent, MixtureSameFamily } from './combined.ts'
export {
  Bernoulli,
  Binomial,
  Geometric,
  NegativeBinomial,
  Poisson,
  type ProbabilityOptions,
} from './counts.ts'
export { Distribution, type SampleOptions } from './distribution.ts'
export { Chi2, Gamma, InverseGamma } from './gamma.ts'
export { klDivergence, registerKl } from './kl.ts'
export { Cauchy, Gumbel, Laplace, LocationScale, Logistic, Normal } from './location.ts'
export { MultivariateNormal, type CovarianceOptions } from './multivariate.ts'
export { Exponential, HalfCauchy, HalfNormal, Kumaraswamy, Pareto, Uniform, Weibull } from './positive.ts'
export { RelaxedBernoulli, RelaxedOneHotCategorical } from './relaxed.ts'
export { FisherSnedecor, StudentT } from './student.ts'
export {
  affineTransform,
  expTransform,
  LogNormal,
  sigmoidTransform,
  tanhTransform,
  TransformedDistribution,
  type Transform,
} from './transforms.ts'
