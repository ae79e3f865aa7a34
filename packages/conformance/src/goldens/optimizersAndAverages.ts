// Cases of optimizers.json that are more than a rule beside given gradients: L-BFGS, which calls a closure, and averages of
// weights. A part of optimizers.ts.
import { Adafactor, EMA, LBFGS } from '@nabla/optimizers'
import { grad } from '@nabla/autograd'
import { Parameter, tensor, type Tensor } from '@nabla/tensor'
import { expectNumbers, expectTensor } from './compare.ts'
import { MissingFeature, toTensor, type GoldenCase, type GoldenTensor } from './format.ts'

/** Further classes that follow given gradients. */
export const furtherOptimizers: Readonly<Record<string, unknown>> = {
  'torch.optim.Adafactor': Adafactor,
}

/** The cases that are replayed here. */
export interface OptimizerReplayCase extends GoldenCase {
  readonly optimizer: string
  readonly options: Readonly<Record<string, unknown>>
  readonly problem?: string
  readonly trajectory?: readonly { readonly lossBefore: number; readonly x: GoldenTensor }[]
  readonly init?: unknown
  readonly values?: readonly GoldenTensor[]
  readonly ema?: readonly GoldenTensor[]
}

/** How each is replayed, by the name of its optimizer. */
export const optimizerReplays: Readonly<Record<string, (test: OptimizerReplayCase) => Promise<void>>> = {
  'torch.optim.LBFGS': replayLBFGS,
  ema: replayEMA,
}

async function replayLBFGS(test: OptimizerReplayCase): Promise<void> {
  if (!test.id.endsWith('.rosenbrock')) throw new MissingFeature(`${test.problem} is not written here`)
  const point = new Parameter([-1.2, 1])
  const optimizer = new LBFGS([point], {
    lr: Number(test.options['lr']),
    maxIterations: Number(test.options['max_iter']),
    lineSearch: test.options['line_search_fn'] === 'strong_wolfe' ? 'strongWolfe' : 'none',
  })
  const closure = (): Tensor => {
    const x = point.value.select(0, 0)
    const y = point.value.select(0, 1)
    const loss = y.sub(x.square()).square().mul(100).add(x.mul(-1).add(1).square())
    point.grad = grad(loss, [point])[0]!
    return loss
  }
  const losses: number[] = []
  for (let step = 0; step < test.trajectory!.length; step++) losses.push(await optimizer.step(closure))
  expectNumbers('the first loss', [losses[0]!], [test.trajectory![0]!.lossBefore])
  // Another line search takes another path; both end in the minimum.
  const end = test.trajectory!.at(-1)!.x
  await expectTensor('the end', point.value, end, { relative: 1e-3, absolute: 1e-3 })
}

async function replayEMA(test: OptimizerReplayCase): Promise<void> {
  const initial = toTensor(test.init as GoldenTensor)
  const parameter = new Parameter(initial)
  const average = new EMA([parameter], { decay: Number(test.options['decay']) })
  for (const [step, value] of test.values!.entries()) {
    parameter.value = tensor(await toTensor(value).data())
    average.update()
    await expectTensor(`the average after update ${step}`, average.averages[0]!.value, test.ema![step]!)
  }
}
