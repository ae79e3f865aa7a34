// explain: how values are computed, as a table (R11). The table itself is made by the engine.
import { explainNodes, ValueError } from '@nabla/engine'
import { Tensor } from './tensor.ts'

/**
 * Computes values and tells how: one line per step of the plan with the ops fused into it, what it reads and writes, its
 * size and its time. The values are there afterwards.
 *
 * @param values tensors that have not been read yet
 * @returns text for a terminal; `console.log(await explain(loss))`
 * @throws ValueError without tensors, StaleValueError for values that can no longer be computed
 */
export async function explain(...values: Tensor[]): Promise<string> {
  if (values.length === 0 || !values.every((value) => value instanceof Tensor)) {
    throw new ValueError('explain: expected one or more tensors, for example explain(loss)')
  }
  return explainNodes(values)
}
