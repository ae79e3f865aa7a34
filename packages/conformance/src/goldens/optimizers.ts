// How torch optimizers and gradient clipping are called here: the mapping of optimizers.json. The gradients are given, so
// only the rules are compared. Read before: format.ts, compare.ts.
import {
  Adadelta,
  Adagrad,
  Adam,
  Adamax,
  AdamW,
  clipGradNorm,
  clipGradValue,
  NAdam,
  RAdam,
  RMSprop,
  SGD,
  type AnyOptimizer,
} from '@nabla/optimizers'
import { Parameter } from '@nabla/tensor'
import { expectNumbers, expectTensor } from './compare.ts'
import {
  MissingFeature,
  outcomeOf,
  toTensor,
  type GoldenCase,
  type GoldenFile,
  type GoldenTensor,
  type Outcome,
} from './format.ts'
import { furtherOptimizers, optimizerReplays } from './optimizersAndAverages.ts'

type Named = Readonly<Record<string, GoldenTensor>>

/** A case of optimizers.json. Which fields it has depends on what it is about. */
export interface OptimizerCase extends GoldenCase {
  readonly optimizer: string
  readonly options: Readonly<Record<string, unknown>>
  readonly init?: Named
  readonly gradsPerStep?: readonly Named[]
  readonly paramsAfterStep?: readonly Named[]
  readonly grads?: readonly GoldenTensor[]
  readonly clipped?: readonly GoldenTensor[]
  readonly returned?: number | null
}

type Make = new (parameters: Parameter[], options: Record<string, never>) => AnyOptimizer

/** The classes that exist here. Their options have torch's names in another spelling. */
const classes: Readonly<Record<string, unknown>> = {
  'torch.optim.SGD': SGD,
  'torch.optim.Adam': Adam,
  'torch.optim.AdamW': AdamW,
  'torch.optim.NAdam': NAdam,
  'torch.optim.RAdam': RAdam,
  'torch.optim.Adamax': Adamax,
  'torch.optim.Adagrad': Adagrad,
  'torch.optim.Adadelta': Adadelta,
  'torch.optim.RMSprop': RMSprop,
  ...furtherOptimizers,
}

/** Replays all cases of optimizers.json. */
export async function replayOptimizers(file: GoldenFile<OptimizerCase>): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const test of file.cases) outcomes.push(await outcomeOf(test.id, () => replay(test)))
  return outcomes
}

function replay(test: OptimizerCase): Promise<void> {
  if (test.optimizer === 'clip_grad_norm') return replayClipNorm(test)
  if (test.optimizer === 'clip_grad_value') return replayClipValue(test)
  const more = optimizerReplays[test.optimizer]
  if (more !== undefined) return more(test)
  const found = classes[test.optimizer]
  if (found === undefined) throw new MissingFeature(`there is no ${test.optimizer} here`)
  if (test.init === undefined || test.gradsPerStep === undefined || test.paramsAfterStep === undefined) {
    throw new MissingFeature(`cases of ${test.optimizer} without steps are not replayed`)
  }
  return replaySteps(test.init, test.gradsPerStep, test.paramsAfterStep, (parameters) => {
    return new (found as Make)(parameters, optionsOf(test.options) as Record<string, never>)
  })
}

async function replaySteps(
  init: Named,
  gradsPerStep: readonly Named[],
  paramsAfterStep: readonly Named[],
  make: (parameters: Parameter[]) => AnyOptimizer,
): Promise<void> {
  const parameters = new Map(
    Object.entries(init).map(([name, golden]) => [name, new Parameter(toTensor(golden), { name })]),
  )
  const optimizer = make([...parameters.values()])
  for (const [step, gradients] of gradsPerStep.entries()) {
    for (const [name, parameter] of parameters) parameter.grad = toTensor(gradients[name]!)
    optimizer.step()
    for (const [name, parameter] of parameters) {
      await expectTensor(`${name} after step ${step}`, parameter.value, paramsAfterStep[step]![name]!)
    }
  }
  for (const parameter of parameters.values()) parameter.dispose()
}

/** Options in this library's spelling. */
function optionsOf(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(given).map(([name, value]) => {
    return [name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()), value]
  })
  return Object.fromEntries(entries)
}

function withGradients(test: OptimizerCase): Parameter[] {
  return test.grads!.map((golden) => {
    const gradient = toTensor(golden)
    const parameter = new Parameter(new Float32Array(gradient.size), { shape: golden.shape })
    parameter.grad = gradient
    return parameter
  })
}

async function replayClipNorm(test: OptimizerCase): Promise<void> {
  const parameters = withGradients(test)
  const { norm } = test.options
  const returned = clipGradNorm(parameters, Number(test.options['max']), norm === null ? {} : { p: Number(norm) })
  await expectClipped(parameters, test)
  expectNumbers('the norm', [await returned.item()], [test.returned!])
}

async function replayClipValue(test: OptimizerCase): Promise<void> {
  const parameters = withGradients(test)
  clipGradValue(parameters, Number(test.options['max']))
  await expectClipped(parameters, test)
}

async function expectClipped(parameters: readonly Parameter[], test: OptimizerCase): Promise<void> {
  for (const [i, parameter] of parameters.entries()) {
    await expectTensor(`gradient ${i}`, parameter.grad!, test.clipped![i]!)
  }
}
