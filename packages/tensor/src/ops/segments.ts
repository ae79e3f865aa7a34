// Sources that go to one place, as runs: sorting by index puts them next to one another, in their order. What the last one
// of a run is then decides what is written: itself, or what has been put together along the run. Not public: see scatter.ts.
import type { Shape } from '@nabla/engine'
import { noGrad, type Tensor } from '../tensor.ts'
import { argsortLast } from './argsort.ts'
import { gatherAlong, scatterAlong } from './indexed.ts'
import { concatenate } from './pieces.ts'

/**
 * Zeros with the last source of each place. Stable sorting by index puts sources of one place next to one another in
 * their order; all but the last of each run are left out, and what remains can be added in any order.
 */
export function scatterLast(op: string, src: Tensor, index: Tensor, axis: number, shape: Shape): Tensor {
  const order = noGrad(() => argsortAlong(index, axis, false))
  const sorted = noGrad(() => gatherAlong(index, order, axis, op))
  const values = gatherAlong(src, order, axis, op)
  const last = noGrad(() => isLastOfRun(sorted, axis))
  return scatterAlong(last.where(values, 0), sorted, axis, shape, op)
}

function isLastOfRun(sorted: Tensor, axis: number): Tensor {
  const length = sorted.shape[axis]!
  if (length < 2) return sorted.eq(sorted)
  const differs = sorted.narrow(axis, 0, length - 1).ne(sorted.narrow(axis, 1, length - 1))
  const end = sorted.narrow(axis, length - 1, 1)
  return concatenate([differs, end.eq(end)], axis)
}

/** Positions that sort along a dimension; equal elements keep their order. */
export function argsortAlong(x: Tensor, axis: number, descending: boolean): Tensor {
  return argsortLast(x.movedim(axis, -1), descending).movedim(-1, axis)
}

/**
 * Zeros with the product of all sources of each place. Each round multiplies every element by the one twice as far before
 * it, where that belongs to the same run (Hillis & Steele 1986): log2(n) rounds of products, exact and differentiable to any
 * order where sources are 0.
 */
export function scatterProduct(op: string, src: Tensor, index: Tensor, axis: number, shape: Shape): Tensor {
  const order = noGrad(() => argsortAlong(index, axis, false))
  const sorted = noGrad(() => gatherAlong(index, order, axis, op))
  let products = gatherAlong(src, order, axis, op)
  const length = sorted.shape[axis]!
  for (let reach = 1; reach < length; reach *= 2) {
    const rest = length - reach
    const same = noGrad(() => sorted.narrow(axis, 0, rest).eq(sorted.narrow(axis, reach, rest)))
    const before = same.where(products.narrow(axis, 0, rest), 1)
    const joined = products.narrow(axis, reach, rest).mul(before)
    products = concatenate([products.narrow(axis, 0, reach), joined], axis)
  }
  const last = noGrad(() => isLastOfRun(sorted, axis))
  return scatterAlong(last.where(products, 0), sorted, axis, shape, op)
}
