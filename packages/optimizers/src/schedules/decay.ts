// Schedules that fall (or rise, or stay): in stairs, by powers, along lines. Names and curves are those of
// PyTorch, except for InverseSquareRootLR. Read before: schedule.ts. Read next: cycles.ts, composed.ts.
import { ValueError } from '@nabla/engine'
import { checkCount, checkFactor, Schedule, type Scheduled } from './schedule.ts'

/** Every so many steps the rate is multiplied by gamma. */
export class StepLR extends Schedule {
  constructor(optimizer: Scheduled, { stepSize, gamma = 0.1 }: { stepSize: number; gamma?: number }) {
    checkCount('StepLR', 'stepSize', stepSize)
    checkFactor('StepLR', 'gamma', gamma)
    super('StepLR', optimizer, (step, base) => base * gamma ** Math.floor(step / stepSize))
  }
}

/** At each of the milestones the rate is multiplied by gamma; at one that is listed twice, twice. */
export class MultiStepLR extends Schedule {
  constructor(optimizer: Scheduled, options: { milestones: readonly number[]; gamma?: number }) {
    const { milestones, gamma = 0.1 } = options
    for (const milestone of milestones) checkCount('MultiStepLR', 'a milestone', milestone, 0)
    checkFactor('MultiStepLR', 'gamma', gamma)
    super('MultiStepLR', optimizer, (step, base) => {
      const passed = milestones.filter((milestone) => milestone <= step).length
      return base * gamma ** passed
    })
  }
}

/** At each step the rate is multiplied by gamma. */
export class ExponentialLR extends Schedule {
  constructor(optimizer: Scheduled, { gamma }: { gamma: number }) {
    checkFactor('ExponentialLR', 'gamma', gamma)
    super('ExponentialLR', optimizer, (step, base) => base * gamma ** step)
  }
}

/** A part of the rate for so many steps, and then all of it. */
export class ConstantLR extends Schedule {
  constructor(optimizer: Scheduled, options: { factor?: number; totalIterations?: number } = {}) {
    const { factor = 1 / 3, totalIterations = 5 } = options
    checkFactor('ConstantLR', 'factor', factor)
    checkCount('ConstantLR', 'totalIterations', totalIterations, 0)
    super('ConstantLR', optimizer, (step, base) => (step < totalIterations ? base * factor : base))
  }
}

/** Settings of {@link LinearLR}. */
export interface LinearLROptions {
  /** Which part of the rate it begins with. Default 1/3. */
  startFactor?: number
  /** Which part of the rate it ends with. Default 1. */
  endFactor?: number
  /** How many steps it takes. Default 5. */
  totalIterations?: number
}

/** Along a line from one part of the rate to another: with the defaults a warm-up. */
export class LinearLR extends Schedule {
  constructor(optimizer: Scheduled, options: LinearLROptions = {}) {
    const { startFactor = 1 / 3, endFactor = 1, totalIterations = 5 } = options
    checkFactor('LinearLR', 'startFactor', startFactor)
    checkFactor('LinearLR', 'endFactor', endFactor)
    checkCount('LinearLR', 'totalIterations', totalIterations)
    super('LinearLR', optimizer, (step, base) => {
      const part = Math.min(step, totalIterations) / totalIterations
      return base * (startFactor + (endFactor - startFactor) * part)
    })
  }
}

/** To zero in so many steps: base · (1 - step / totalIterations)^power. */
export class PolynomialLR extends Schedule {
  constructor(optimizer: Scheduled, options: { totalIterations?: number; power?: number } = {}) {
    const { totalIterations = 5, power = 1 } = options
    checkCount('PolynomialLR', 'totalIterations', totalIterations)
    checkFactor('PolynomialLR', 'power', power)
    super('PolynomialLR', optimizer, (step, base) => {
      return base * (1 - Math.min(step, totalIterations) / totalIterations) ** power
    })
  }
}

/** Up along a line for `warmup` steps, and then down with the root of the step (Vaswani et al. 2017, equation 3). */
export class InverseSquareRootLR extends Schedule {
  constructor(optimizer: Scheduled, { warmup }: { warmup: number }) {
    checkCount('InverseSquareRootLR', 'warmup', warmup)
    super('InverseSquareRootLR', optimizer, (step, base) => {
      return base * Math.min((step + 1) / warmup, Math.sqrt(warmup / (step + 1)))
    })
  }
}

/** A function from the step to a factor, or one for each group of parameters. */
export type Factor = ((step: number) => number) | readonly ((step: number) => number)[]

/** The rate times what a function of the step gives. */
export class LambdaLR extends Schedule {
  constructor(optimizer: Scheduled, factor: Factor) {
    const factors = factorsOf('LambdaLR', optimizer, factor)
    super('LambdaLR', optimizer, (step, base, group) => base * factors[group]!(step))
  }
}

/** At each step the rate is multiplied by what a function of the step gives; the first time is step 1. */
export class MultiplicativeLR extends Schedule {
  constructor(optimizer: Scheduled, factor: Factor) {
    const factors = factorsOf('MultiplicativeLR', optimizer, factor)
    // Products up to each step, so that a long training does not multiply them all again at each step.
    const products = factors.map(() => [1])
    super('MultiplicativeLR', optimizer, (step, base, group) => {
      const found = products[group]!
      for (let i = found.length; i <= step; i++) found.push(found[i - 1]! * factors[group]!(i))
      return base * found[step]!
    })
  }
}

function factorsOf(schedule: string, optimizer: Scheduled, factor: Factor): ((step: number) => number)[] {
  const groups = optimizer.groups.length
  const factors = typeof factor === 'function' ? Array.from({ length: groups }, () => factor) : [...factor]
  if (factors.length === groups) return factors
  throw new ValueError(
    `${schedule}: there are ${factors.length} functions for ${groups} groups of parameters`,
  )
}
