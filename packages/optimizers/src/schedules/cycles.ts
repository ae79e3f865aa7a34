// Schedules that come back: cosine annealing, with warm restarts, triangular cycles, and one cycle for a whole training.
// Names and curves are those of PyTorch; options say in words what they are. Read before: schedule.ts.
import { lookUp, ValueError } from '@nabla/engine'
import { checkCount, checkFactor, hasMomentum, Schedule, type Curve, type Scheduled } from './schedule.ts'

/** Down to `minimum` along half a cosine in `period` steps, and up again in as many (Loshchilov and Hutter 2017). */
export class CosineAnnealingLR extends Schedule {
  constructor(optimizer: Scheduled, { period, minimum = 0 }: { period: number; minimum?: number }) {
    checkCount('CosineAnnealingLR', 'period', period)
    checkFactor('CosineAnnealingLR', 'minimum', minimum)
    super('CosineAnnealingLR', optimizer, (step, base) => cosine(base, minimum, step / period))
  }
}

/** Settings of {@link CosineAnnealingWarmRestarts}. */
export interface WarmRestartOptions {
  /** Steps until the first restart. */
  period: number
  /** How many times longer each period is than the one before. Default 1. */
  factor?: number
  /** The rate at the end of a period. Default 0. */
  minimum?: number
}

/** Down along half a cosine, again and again from the top (Loshchilov and Hutter 2017, equation 5). */
export class CosineAnnealingWarmRestarts extends Schedule {
  constructor(optimizer: Scheduled, { period, factor = 1, minimum = 0 }: WarmRestartOptions) {
    checkCount('CosineAnnealingWarmRestarts', 'period', period)
    checkCount('CosineAnnealingWarmRestarts', 'factor', factor)
    checkFactor('CosineAnnealingWarmRestarts', 'minimum', minimum)
    super('CosineAnnealingWarmRestarts', optimizer, (step, base) => {
      let since = step
      let length = period
      if (factor === 1) since %= period
      else {
        for (; since >= length; length *= factor) since -= length
      }
      return cosine(base, minimum, since / length)
    })
  }
}

/** How cycles get smaller: not at all, by half each time, or by gamma at each step. */
export type CycleMode = 'triangular' | 'triangular2' | 'expRange'

/** Settings of {@link CyclicLR}. */
export interface CyclicLROptions {
  /** The rate at the bottom. */
  baseLr: number
  /** The rate at the top of the first cycle. */
  maxLr: number
  /** Steps up. Default 2000. */
  stepSizeUp?: number
  /** Steps down. Default: as many. */
  stepSizeDown?: number
  /** Default `triangular`. */
  mode?: CycleMode
  /** For `expRange`. Default 1. */
  gamma?: number
  /** Whether the momentum goes down while the rate goes up. Default: where the optimizer has one. */
  cycleMomentum?: boolean
  /** The momentum at the top. Default 0.8. */
  baseMomentum?: number
  /** The momentum at the bottom. Default 0.9. */
  maxMomentum?: number
}

/** Up and down along lines (Smith 2017). The rate that the optimizer was made with plays no part. */
export class CyclicLR extends Schedule {
  constructor(optimizer: Scheduled, options: CyclicLROptions) {
    const {
      baseLr,
      maxLr,
      stepSizeUp = 2000,
      stepSizeDown = stepSizeUp,
      mode = 'triangular',
      gamma = 1,
    } = options
    const { cycleMomentum, baseMomentum = 0.8, maxMomentum = 0.9 } = options
    checkFactor('CyclicLR', 'baseLr', baseLr)
    checkFactor('CyclicLR', 'maxLr', maxLr)
    checkCount('CyclicLR', 'stepSizeUp', stepSizeUp)
    checkCount('CyclicLR', 'stepSizeDown', stepSizeDown)
    const scale = lookUp<(cycle: number, step: number) => number>('mode', mode, {
      triangular: () => 1,
      triangular2: (cycle) => 0.5 ** cycle,
      expRange: (_, step) => gamma ** step,
    })
    const length = stepSizeUp + stepSizeDown
    // How far up from the bottom, 0 to 1.
    const height = (step: number): number => {
      const cycle = Math.floor(step / length)
      const since = step - cycle * length
      const part = since <= stepSizeUp ? since / stepSizeUp : (length - since) / stepSizeDown
      return part * scale(cycle, step)
    }
    const momentum: Curve = (step) => maxMomentum - (maxMomentum - baseMomentum) * height(step)
    super(
      'CyclicLR',
      optimizer,
      (step) => baseLr + (maxLr - baseLr) * height(step),
      cyclesMomentum('CyclicLR', optimizer, cycleMomentum) ? momentum : null,
    )
  }
}

/** Settings of {@link OneCycleLR}. */
export interface OneCycleLROptions {
  /** The rate at the top, for all groups or for each. */
  maxLr: number | readonly number[]
  /** Steps of the whole training. */
  totalSteps: number
  /** The part of them in which the rate rises. Default 0.3. */
  rising?: number
  /** Along half a cosine or along lines. Default `cos`. */
  anneal?: 'cos' | 'linear'
  /** How many times smaller than the top the first rate is. Default 25. */
  startDivisor?: number
  /** How many times smaller than the first rate the last is. Default 1e4. */
  endDivisor?: number
  /** Whether it goes down as slowly as up, and only then to the last rate. Default false. */
  threePhases?: boolean
  /** Whether the momentum goes down while the rate goes up. Default: where the optimizer has one. */
  cycleMomentum?: boolean
  /** The momentum at the top. Default 0.85. */
  baseMomentum?: number
  /** The momentum at the bottom. Default 0.95. */
  maxMomentum?: number
}

interface Phase {
  readonly end: number
  readonly rates: readonly [number, number]
  readonly momentums: readonly [number, number]
}

/** Once up and once down, in one training (Smith and Topin 2018). One step per batch. */
export class OneCycleLR extends Schedule {
  constructor(optimizer: Scheduled, options: OneCycleLROptions) {
    const { maxLr, totalSteps, rising = 0.3, anneal = 'cos', startDivisor = 25, endDivisor = 1e4 } = options
    const { threePhases = false, cycleMomentum, baseMomentum = 0.85, maxMomentum = 0.95 } = options
    checkCount('OneCycleLR', 'totalSteps', totalSteps, 2)
    if (!(rising > 0 && rising < 1))
      throw new ValueError(`OneCycleLR: rising must lie in (0, 1); got ${rising}`)
    const tops = typeof maxLr === 'number' ? optimizer.groups.map(() => maxLr) : maxLr
    if (tops.length !== optimizer.groups.length) {
      throw new ValueError(`OneCycleLR: maxLr has ${tops.length} rates for ${optimizer.groups.length} groups`)
    }
    for (const top of tops) checkFactor('OneCycleLR', 'maxLr', top)
    const between = lookUp('anneal', anneal, { cos: cosineBetween, linear: linearBetween })
    const phases = tops.map((top): Phase[] => {
      const first = top / startDivisor
      const last = first / endDivisor
      const up = {
        end: rising * totalSteps - 1,
        rates: [first, top],
        momentums: [maxMomentum, baseMomentum],
      } as const
      if (!threePhases) {
        return [up, { end: totalSteps - 1, rates: [top, last], momentums: [baseMomentum, maxMomentum] }]
      }
      return [
        up,
        { end: 2 * rising * totalSteps - 2, rates: [top, first], momentums: [baseMomentum, maxMomentum] },
        { end: totalSteps - 1, rates: [first, last], momentums: [maxMomentum, maxMomentum] },
      ]
    })
    const at = (step: number, group: number, what: 'rates' | 'momentums'): number => {
      if (step > totalSteps) {
        throw new ValueError(
          `OneCycleLR: step ${step} is beyond the ${totalSteps} steps that totalSteps announced`,
        )
      }
      const list = phases[group]!
      const i = Math.max(
        list.findIndex(({ end }) => step <= end),
        step > list.at(-1)!.end ? list.length - 1 : 0,
      )
      const begin = i === 0 ? 0 : list[i - 1]!.end
      const part = Math.min((step - begin) / (list[i]!.end - begin), 1)
      return between(...list[i]![what], part)
    }
    const momentum: Curve = (step, _, group) => at(step, group, 'momentums')
    super(
      'OneCycleLR',
      optimizer,
      (step, _, group) => at(step, group, 'rates'),
      cyclesMomentum('OneCycleLR', optimizer, cycleMomentum) ? momentum : null,
    )
  }
}

function cyclesMomentum(schedule: string, optimizer: Scheduled, asked: boolean | undefined): boolean {
  const possible = optimizer.groups.every(hasMomentum)
  if (asked === true && !possible) {
    throw new ValueError(`${schedule}: cycleMomentum needs an optimizer with momentum or betas`)
  }
  return asked ?? possible
}

/** From `base` (part 0) to `minimum` (part 1) and back (part 2). */
function cosine(base: number, minimum: number, part: number): number {
  return cosineBetween(base, minimum, part)
}

function cosineBetween(from: number, to: number, part: number): number {
  return to + ((from - to) / 2) * (1 + Math.cos(Math.PI * part))
}

function linearBetween(from: number, to: number, part: number): number {
  return from + (to - from) * part
}
