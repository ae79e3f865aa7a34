// Distributions by name, as the tests want them. Not published.
import { tensor, type Tensor, type TensorLike } from '@nabla/tensor'
import * as all from './index.ts'
import type { Distribution } from './index.ts'

/** Numbers of a file; those that are not finite are text. */
export type Values = readonly (number | string)[]

/** A tensor of a file's numbers; a single one is a scalar. */
export function tensorOf(values: Values): Tensor {
  const numbers = Float32Array.from(values, Number)
  return numbers.length === 1 ? tensor(numbers[0]!) : tensor(numbers)
}

type Parameters = Readonly<Record<string, TensorLike>>

const counted: Readonly<Record<string, (count: TensorLike, rest: Parameters) => Distribution>> = {
  Binomial: (count, rest) => new all.Binomial(count as number, rest),
  Multinomial: (count, rest) => new all.Multinomial(count as number, rest),
  NegativeBinomial: (count, rest) => new all.NegativeBinomial(count, rest),
}

/** A distribution from parameters by name, in the order of its constructor. */
export function distributionOf(name: string, parameters: Parameters): Distribution {
  const { totalCount, ...rest } = parameters
  if (totalCount !== undefined) return counted[name]!(totalCount, rest)
  if (name === 'MultivariateNormal') {
    const { loc, ...covariance } = rest
    return new all.MultivariateNormal(loc!, covariance)
  }
  const Class = (all as unknown as Readonly<Record<string, new (...values: unknown[]) => Distribution>>)[
    name
  ]!
  return 'probs' in rest ? new Class(rest) : new Class(...Object.values(rest))
}
