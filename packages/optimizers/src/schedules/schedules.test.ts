import { ValueError } from '@nabla/engine'
import { Parameter } from '@nabla/tensor'
import { expect, test } from 'vitest'
import { Adam } from '../adam.ts'
import { SGD } from '../sgd.ts'
import { ChainedScheduler, SequentialLR, WarmupLR } from './composed.ts'
import { CosineAnnealingLR, CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR } from './cycles.ts'
import {
  ConstantLR,
  ExponentialLR,
  InverseSquareRootLR,
  LambdaLR,
  LinearLR,
  MultiplicativeLR,
  MultiStepLR,
  PolynomialLR,
  StepLR,
} from './decay.ts'
import { ReduceLROnPlateau } from './plateau.ts'
import type { LearningRateSchedule, Schedule } from './schedule.ts'

const sgd = (lr = 1, momentum = 0): SGD => new SGD([new Parameter([0])], { lr, momentum })

/** Rates of the first steps, as an optimizer sees them. */
function rates(make: (optimizer: SGD) => LearningRateSchedule, steps: number): number[] {
  const optimizer = sgd()
  const schedule = make(optimizer)
  return Array.from({ length: steps }, () => {
    const { lr } = optimizer
    expect(schedule.lr).toBe(lr)
    schedule.step()
    return lr
  })
}

function expectRates(make: (optimizer: SGD) => LearningRateSchedule, expected: number[]): void {
  const found = rates(make, expected.length)
  for (const [i, rate] of expected.entries()) expect(found[i], `step ${i}`).toBeCloseTo(rate, 10)
}

test('stairs, powers and lines', () => {
  expectRates((o) => new StepLR(o, { stepSize: 2, gamma: 0.5 }), [1, 1, 0.5, 0.5, 0.25])
  expectRates((o) => new MultiStepLR(o, { milestones: [1, 3, 3], gamma: 0.5 }), [1, 0.5, 0.5, 0.125])
  expectRates((o) => new ExponentialLR(o, { gamma: 0.5 }), [1, 0.5, 0.25])
  expectRates((o) => new ConstantLR(o, { factor: 0.5, totalIterations: 2 }), [0.5, 0.5, 1, 1])
  expectRates((o) => new LinearLR(o, { startFactor: 0.5, totalIterations: 2 }), [0.5, 0.75, 1, 1])
  expectRates(
    (o) => new LinearLR(o, { startFactor: 1, endFactor: 0, totalIterations: 4 }),
    [1, 0.75, 0.5, 0.25, 0, 0],
  )
  expectRates((o) => new PolynomialLR(o, { totalIterations: 4, power: 2 }), [1, 0.5625, 0.25, 0.0625, 0, 0])
  expectRates((o) => new InverseSquareRootLR(o, { warmup: 4 }), [0.25, 0.5, 0.75, 1, Math.sqrt(4 / 5)])
  expectRates((o) => new LambdaLR(o, (step) => 1 / (step + 1)), [1, 1 / 2, 1 / 3])
  expectRates((o) => new MultiplicativeLR(o, (step) => step), [1, 1, 2, 6, 24])
})

test('cosines and cycles', () => {
  expectRates((o) => new CosineAnnealingLR(o, { period: 2, minimum: 0.5 }), [1, 0.75, 0.5, 0.75, 1])
  expectRates(
    (o) => new CosineAnnealingWarmRestarts(o, { period: 2, factor: 2 }),
    [1, 0.5, 1, (1 + Math.SQRT1_2) / 2, 0.5, (1 - Math.SQRT1_2) / 2, 1],
  )
  expectRates((o) => new CosineAnnealingWarmRestarts(o, { period: 2 }), [1, 0.5, 1, 0.5, 1])
  const cycle = { baseLr: 1, maxLr: 3, stepSizeUp: 2, stepSizeDown: 1 }
  expectRates((o) => new CyclicLR(o, cycle), [1, 2, 3, 1, 2, 3, 1])
  expectRates((o) => new CyclicLR(o, { ...cycle, mode: 'triangular2' }), [1, 2, 3, 1, 1.5, 2, 1])
  expectRates((o) => new CyclicLR(o, { ...cycle, mode: 'expRange', gamma: 0.5 }), [1, 1.5, 1.5, 1])
  expectRates(
    (o) => new OneCycleLR(o, { maxLr: 10, totalSteps: 10, anneal: 'linear', rising: 0.5, startDivisor: 10 }),
    [1, 3.25, 5.5, 7.75, 10, 8.00002, 6.00004, 4.00006, 2.00008, 0.0001],
  )
})

test('momentum goes down while the rate goes up, in SGD and in Adam', () => {
  const optimizer = sgd(1, 0.9)
  const schedule = new CyclicLR(optimizer, { baseLr: 1, maxLr: 3, stepSizeUp: 2 })
  const momentums = Array.from({ length: 5 }, () => {
    const { momentum } = optimizer.groups[0]!
    schedule.step()
    return momentum
  })
  for (const [i, value] of [0.9, 0.85, 0.8, 0.85, 0.9].entries()) expect(momentums[i]).toBeCloseTo(value, 10)
  const adam = new Adam([new Parameter([0])], { betas: [0.5, 0.999] })
  const oneCycle = new OneCycleLR(adam, { maxLr: 1, totalSteps: 10 })
  expect(adam.groups[0]!.betas).toEqual([0.95, 0.999])
  oneCycle.step()
  oneCycle.step()
  expect(adam.groups[0]!.betas[0]).toBeCloseTo(0.85, 10)
  // Without a momentum there is nothing to cycle, unless asked for.
  const plain = sgd()
  new OneCycleLR(plain, { maxLr: 1, totalSteps: 10 })
  expect(plain.groups[0]!.momentum).toBe(0)
  expect(() => new OneCycleLR(sgd(), { maxLr: 1, totalSteps: 10, cycleMomentum: true })).toThrow(
    /cycleMomentum needs an optimizer with momentum or betas/,
  )
})

test('one after another, all at once, after a warm-up', () => {
  expectRates(
    (o) =>
      new SequentialLR(o, [new ConstantLR(o, { factor: 0.5 }), new ExponentialLR(o, { gamma: 0.5 })], [2]),
    [0.5, 0.5, 1, 0.5, 0.25],
  )
  expectRates(
    (o) =>
      new ChainedScheduler(o, [
        new ConstantLR(o, { factor: 0.5, totalIterations: 2 }),
        new ExponentialLR(o, { gamma: 0.5 }),
      ]),
    [0.5, 0.25, 0.25, 0.125],
  )
  expectRates((o) => new WarmupLR(o, { steps: 4 }), [0.25, 0.5, 0.75, 1, 1])
  expectRates((o) => new WarmupLR(o, { steps: 1 }), [1, 1])
  expectRates(
    (o) => new WarmupLR(o, { steps: 2, startFactor: 0, next: new CosineAnnealingLR(o, { period: 2 }) }),
    [0, 0.5, 1, 0.5, 0],
  )
})

test('groups have rates and functions of their own', () => {
  const optimizer = new SGD([{ params: [new Parameter([0])], lr: 4 }, { params: [new Parameter([0])] }], {
    lr: 1,
  })
  const schedule = new LambdaLR(optimizer, [(step) => step + 1, () => 0.5])
  schedule.step()
  expect(optimizer.groups.map(({ lr }) => lr)).toEqual([8, 0.5])
  expect(schedule.rateAt(2)).toBe(12)
  expect(schedule.rateAt(2, 1)).toBe(0.5)
  expect(() => new LambdaLR(optimizer, [() => 1])).toThrow(/1 functions for 2 groups/)
})

test('a rate set by hand is the base of the next schedule', () => {
  const optimizer = sgd(1)
  new ConstantLR(optimizer, { factor: 0.5 })
  expect(optimizer.lr).toBe(0.5)
  new ExponentialLR(optimizer, { gamma: 0.5 })
  expect(optimizer.lr).toBe(1)
  optimizer.lr = 8
  new ConstantLR(optimizer, { factor: 0.5 })
  expect(optimizer.lr).toBe(4)
})

test('a schedule goes on from its state', () => {
  const make = (): [SGD, Schedule] => {
    const optimizer = sgd(2, 0.9)
    return [optimizer, new OneCycleLR(optimizer, { maxLr: 1, totalSteps: 20 })]
  }
  const [first, before] = make()
  for (let step = 0; step < 7; step++) before.step()
  const [second, after] = make()
  after.loadState(JSON.parse(JSON.stringify(before.state())))
  expect([second.lr, second.groups[0]!.momentum, after.steps]).toEqual([
    first.lr,
    first.groups[0]!.momentum,
    7,
  ])
  expect(() => after.loadState({ step: 1, baseRates: [1, 2] })).toThrow(/the state is of 2 groups/)
})

test('ReduceLROnPlateau waits, falls, cools down, and stops at the smallest rate', () => {
  const optimizer = sgd(1)
  const schedule = new ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 1, cooldown: 1, minLr: 0.3 })
  const seen = [5, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3].map((metric) => {
    schedule.step(metric)
    return schedule.lr
  })
  expect(seen).toEqual([1, 1, 1, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3, 0.3, 0.3])
  const other = sgd(1)
  const resumed = new ReduceLROnPlateau(other, { factor: 0.5, patience: 1 })
  resumed.loadState({ best: 3, badSteps: 1, cooling: 0, rates: [0.25] })
  expect(other.lr).toBe(0.25)
  resumed.step(3)
  expect(other.lr).toBe(0.125)
  const rising = new ReduceLROnPlateau(sgd(1), {
    mode: 'max',
    patience: 0,
    threshold: 0.1,
    thresholdMode: 'abs',
  })
  for (const metric of [0.5, 0.65, 0.7]) rising.step(metric)
  expect(rising.lr).toBeCloseTo(0.1, 10)
  expect(() => schedule.step()).toThrow(/step\(\) needs the metric/)
})

test('a plot is an SVG with one point per step', () => {
  const svg = new CosineAnnealingLR(sgd(0.1), { period: 50 }).plot(40, { title: 'a < b' })
  expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^]*<\/svg>$/)
  expect(svg.match(/points="([^"]*)"/)![1]!.split(' ')).toHaveLength(40)
  expect(svg).toContain('a &lt; b')
  expect(svg).toContain('>0.1</text>')
})

test('settings out of range are refused', () => {
  expect(() => new StepLR(sgd(), { stepSize: 0 })).toThrow(ValueError)
  expect(() => new ExponentialLR(sgd(), { gamma: NaN })).toThrow(
    /ExponentialLR: gamma must be a finite number/,
  )
  expect(() => new MultiStepLR(sgd(), { milestones: [1.5] })).toThrow(/a milestone must be an integer/)
  expect(() => new CyclicLR(sgd(), { baseLr: 1, maxLr: 2, mode: 'square' as 'triangular' })).toThrow(
    /unknown mode 'square'/,
  )
  expect(() => new OneCycleLR(sgd(), { maxLr: [1, 2], totalSteps: 5 })).toThrow(/2 rates for 1 groups/)
  const short = new OneCycleLR(sgd(), { maxLr: 1, totalSteps: 2 })
  short.step()
  short.step()
  expect(() => short.step()).toThrow(/step 3 is beyond the 2 steps/)
  const optimizer = sgd()
  const constant = new ConstantLR(optimizer)
  expect(() => new SequentialLR(optimizer, [constant, constant], [])).toThrow(
    /2 schedules need 1 milestones; got 0/,
  )
  expect(() => new SequentialLR(optimizer, [constant, constant, constant], [3, 3])).toThrow(
    /at least 4; got 3/,
  )
  expect(() => new ChainedScheduler(optimizer, [])).toThrow(/no schedules to chain/)
  expect(() => new LambdaLR(optimizer, () => Infinity)).toThrow(/LambdaLR: the rate of step 0 is Infinity/)
  expect(() => new ReduceLROnPlateau(optimizer, { factor: 1 })).toThrow(/factor must lie in \(0, 1\)/)
})
