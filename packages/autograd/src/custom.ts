// Functions with a gradient of one's own: for derivatives that are better known than derived (stable forms, straight-
// through estimators, reversed gradients).
import { noAttributes } from '@nabla/engine'
import {
  createOp,
  GradientError,
  makeNode,
  noGrad,
  toTensor,
  type Tensor,
  type TensorLike,
  type RuleInputs,
  type TensorOp,
} from '@nabla/tensor'
import { onBatch } from './batching.ts'

/** From the gradient of the output (and the call) to those of the inputs; null where there is none. */
export type CustomRule = (
  upstream: Tensor,
  call: { readonly inputs: readonly Tensor[]; readonly output: Tensor },
) => readonly (Tensor | null)[]

// One op for all of them, whose rule is looked up by the node: so a function defined inside of a loop is the same work
// to the planner each time.
const rules = new WeakMap<Tensor, CustomRule>()

const customOp: TensorOp = createOp(
  'customGradient',
  { kind: 'view', view: () => ({ kind: 'reshape' }) },
  ({ inputs, output }, upstream) => {
    const given = inputs.slice(1)
    const gradients = rules.get(output)!(upstream, { inputs: given, output })
    if (!Array.isArray(gradients) || gradients.length !== given.length) {
      throw new GradientError(
        `customGradient: the rule must give one gradient (or null) for each of ${given.length} inputs`,
      )
    }
    return [null, ...gradients]
  },
  ({ example, all, size }) => {
    const rule = rules.get(example)!
    const output = makeNode(customOp, all(), noAttributes, [size, ...example.shape], example.dtype)
    const batched = onBatch(({ inputs, output: value }, upstream) =>
      rule(upstream, { inputs: inputs as readonly Tensor[], output: value }),
    )
    rules.set(output, (upstream, { inputs, output: value }) =>
      batched({ inputs: inputs as unknown as RuleInputs, output: value, attributes: noAttributes }, upstream),
    )
    return output
  },
)

/**
 * A function that computes `forward` and is differentiated by `rule`. What happens inside `forward` is not
 * differentiated; the rule is made of tensor ops and so can be differentiated itself.
 *
 * `const clipped = customGradient((x) => x.clamp({ min: 0 }), (upstream) => [upstream])` lets all gradients pass.
 */
export function customGradient(
  forward: (...inputs: Tensor[]) => Tensor,
  rule: CustomRule,
): (...inputs: TensorLike[]) => Tensor {
  return (...given) => {
    const inputs = given.map((value) => toTensor('customGradient', value))
    const value = noGrad(() => forward(...inputs))
    const output = makeNode(customOp, [value.detach(), ...inputs], noAttributes, value.shape, value.dtype)
    rules.set(output, rule)
    return output
  }
}
