// How torch learning-rate schedulers are called here: the mapping of schedulers.json. Compared are the rates of 50 steps,
// and the momentums where a case has them. Read before: format.ts, compare.ts.
import {
  ChainedScheduler,
  ConstantLR,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  CyclicLR,
  ExponentialLR,
  InverseSquareRootLR,
  LinearLR,
  MultiStepLR,
  OneCycleLR,
  ReduceLROnPlateau,
  SequentialLR,
  SGD,
  StepLR,
  type LearningRateSchedule,
} from '@nabla/optimizers'
import { Parameter } from '@nabla/tensor'
import { expectNumbers, type Tolerance } from './compare.ts'
import { MissingFeature, outcomeOf, type GoldenCase, type GoldenFile, type Outcome } from './format.ts'

/** A case of schedulers.json. */
export interface SchedulerCase extends GoldenCase {
  readonly scheduler: string
  readonly options: Readonly<Record<string, unknown>>
  readonly baseLr: number
  readonly lrAtStep: readonly number[]
  readonly momentumAtStep?: readonly number[]
  readonly metrics?: readonly number[]
}

// What options hold is not known to the compiler.
// oxlint-disable-next-line typescript/no-explicit-any
type Options = Readonly<Record<string, any>>

// Rates are computed in float64 here as well, and written with nine digits.
const tolerance: Tolerance = { relative: 1e-7, absolute: 1e-12 }

/** The schedules that exist here. */
const schedulers: Readonly<Record<string, (optimizer: SGD, options: Options) => LearningRateSchedule>> = {
  StepLR: (optimizer, o) => new StepLR(optimizer, { stepSize: o['step_size'], gamma: o['gamma'] }),
  MultiStepLR: (optimizer, o) =>
    new MultiStepLR(optimizer, { milestones: o['milestones'], gamma: o['gamma'] }),
  ExponentialLR: (optimizer, o) => new ExponentialLR(optimizer, { gamma: o['gamma'] }),
  ConstantLR: (optimizer, o) =>
    new ConstantLR(optimizer, { factor: o['factor'], totalIterations: o['total_iters'] }),
  CosineAnnealingLR: (optimizer, o) =>
    new CosineAnnealingLR(optimizer, { period: o['T_max'], minimum: o['eta_min'] }),
  CosineAnnealingWarmRestarts: (optimizer, o) =>
    new CosineAnnealingWarmRestarts(optimizer, {
      period: o['T_0'],
      factor: o['T_mult'],
      minimum: o['eta_min'],
    }),
  OneCycleLR: (optimizer, o) =>
    new OneCycleLR(optimizer, {
      maxLr: o['max_lr'],
      totalSteps: o['total_steps'],
      threePhases: o['three_phase'],
    }),
  CyclicLR: (optimizer, o) =>
    new CyclicLR(optimizer, {
      baseLr: o['base_lr'],
      maxLr: o['max_lr'],
      stepSizeUp: o['step_size_up'],
      stepSizeDown: o['step_size_down'],
      mode: o['mode'],
      gamma: o['gamma'],
      cycleMomentum: o['cycle_momentum'],
    }),
  ReduceLROnPlateau: (optimizer, o) =>
    new ReduceLROnPlateau(optimizer, {
      mode: o['mode'],
      factor: o['factor'],
      patience: o['patience'],
      threshold: o['threshold'],
      thresholdMode: o['threshold_mode'],
    }),
  // The one case is the inverse square root, which has a name of its own here.
  LambdaLR: (optimizer, o) => new InverseSquareRootLR(optimizer, { warmup: o['warmup'] }),
  SequentialLR: (optimizer, o) => {
    const warmup = new LinearLR(optimizer, { startFactor: o['start_factor'], totalIterations: o['warmup'] })
    const cosine = new CosineAnnealingLR(optimizer, { period: o['T_max'] })
    return new SequentialLR(optimizer, [warmup, cosine], [o['warmup']])
  },
  ChainedScheduler: (optimizer, o) =>
    new ChainedScheduler(optimizer, [
      new ConstantLR(optimizer, { factor: o['factor'], totalIterations: o['total_iters'] }),
      new ExponentialLR(optimizer, { gamma: o['gamma'] }),
    ]),
}

/** Replays all cases of schedulers.json. */
export async function replaySchedulers(file: GoldenFile<SchedulerCase>): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const test of file.cases) outcomes.push(await outcomeOf(test.id, async () => replay(test)))
  return outcomes
}

function replay(test: SchedulerCase): void {
  const make = schedulers[test.scheduler]
  if (make === undefined) throw new MissingFeature(`there is no ${test.scheduler} here`)
  const optimizer = new SGD([new Parameter([0])], { lr: test.baseLr, momentum: 0.9 })
  const schedule = make(optimizer, test.options)
  const rates: number[] = []
  const momentums: number[] = []
  for (let step = 0; step < test.lrAtStep.length; step++) {
    rates.push(optimizer.lr)
    momentums.push(optimizer.groups[0]!.momentum)
    schedule.step(test.metrics?.[step])
  }
  expectNumbers('rates', rates, test.lrAtStep, tolerance)
  if (test.momentumAtStep !== undefined) expectNumbers('momentums', momentums, test.momentumAtStep, tolerance)
}
