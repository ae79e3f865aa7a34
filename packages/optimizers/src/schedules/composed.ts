// Schedules made of schedules: one after another, all at once, and one after a warm-up. Read before: schedule.ts.
import { ValueError } from '@nabla/engine'
import { checkCount, checkFactor, Schedule, type Scheduled } from './schedule.ts'

/** One schedule after another. At each milestone the next one begins, with its own step 0. */
export class SequentialLR extends Schedule {
  /**
   * @param schedules made for the same optimizer; from here on, only this one is told of steps
   * @param milestones the steps at which the second, third, ... begin
   * @throws ValueError unless there is one milestone less than there are schedules, and they rise
   */
  constructor(optimizer: Scheduled, schedules: readonly Schedule[], milestones: readonly number[]) {
    if (schedules.length === 0 || milestones.length !== schedules.length - 1) {
      throw new ValueError(
        `SequentialLR: ${schedules.length} schedules need ${Math.max(schedules.length - 1, 0)} milestones; got ${milestones.length}`,
      )
    }
    for (const [i, milestone] of milestones.entries()) {
      checkCount('SequentialLR', 'a milestone', milestone, i === 0 ? 1 : milestones[i - 1]! + 1)
    }
    super('SequentialLR', optimizer, (step, base, group) => {
      const passed = milestones.filter((milestone) => milestone <= step).length
      const begin = passed === 0 ? 0 : milestones[passed - 1]!
      return schedules[passed]!.curveAt(step - begin, base, group)
    })
  }
}

/**
 * Several schedules at once: their factors are multiplied. (A cosine with a minimum is such a factor too: the minimum of
 * the whole is then smaller by what the others make of it.)
 */
export class ChainedScheduler extends Schedule {
  /** @param schedules made for the same optimizer; from here on, only this one is told of steps */
  constructor(optimizer: Scheduled, schedules: readonly Schedule[]) {
    if (schedules.length === 0) throw new ValueError('ChainedScheduler: there are no schedules to chain')
    super('ChainedScheduler', optimizer, (step, base, group) => {
      // A base rate of 0 has no factors, but stays 0 whatever they are.
      if (base === 0) return 0
      return schedules.reduce((rate, schedule) => (rate * schedule.curveAt(step, base, group)) / base, base)
    })
  }
}

/** Settings of {@link WarmupLR}. */
export interface WarmupLROptions {
  /** How many steps it takes to reach the whole rate. */
  steps: number
  /** Which part of the rate it begins with. Default 1 / steps: each step adds as much as the first has. */
  startFactor?: number
  /** What follows, from its step 0 on. Default: the whole rate. */
  next?: Schedule
}

/** Up along a line to the whole rate, and then whatever follows (Goyal et al. 2017, section 2.2). */
export class WarmupLR extends Schedule {
  constructor(optimizer: Scheduled, { steps, startFactor, next }: WarmupLROptions) {
    checkCount('WarmupLR', 'steps', steps)
    const first = startFactor ?? 1 / steps
    checkFactor('WarmupLR', 'startFactor', first)
    // With the default, the step before `steps` has the whole rate already; with a factor, the step `steps` has.
    const length = startFactor === undefined ? Math.max(steps - 1, 1) : steps
    super('WarmupLR', optimizer, (step, base, group) => {
      if (step < steps) return base * (first + (1 - first) * (step / length))
      return next === undefined ? base : next.curveAt(step - steps, base, group)
    })
  }
}
