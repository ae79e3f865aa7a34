// Learning-rate schedules: what all have in common. A schedule is a function from the number of steps taken and a group's
// base rate to the group's rate; so any step can be computed by itself, drawn, or gone back to. Not here: rates that
// depend on how training goes (plateau.ts). Read next: decay.ts, the shortest schedules.
import { ValueError } from '@nabla/engine'
import { plotCurve, type PlotOptions } from './plot.ts'

/** What schedules steer: any optimizer, or whatever has groups with a rate. */
export interface Scheduled {
  readonly groups: readonly ScheduledGroup[]
}

/** A group of parameters as schedules see it. */
export interface ScheduledGroup {
  lr: number
}

/** Something that is told of each step and sets rates: a {@link Schedule} or a {@link ReduceLROnPlateau}. */
export interface LearningRateSchedule {
  /** The present rate of the first group. */
  readonly lr: number
  /** Call it after each step of the optimizer (or after each epoch, if the schedule counts epochs). */
  step(metric?: number): void
}

/** From the steps taken (from 0), a group's base rate and the group's position to a rate. */
export type Curve = (step: number, base: number, group: number) => number

/** What `state()` gives and `loadState()` takes. */
export interface ScheduleState {
  step: number
  baseRates: number[]
}

// A group's rate as the user gave it, and the rate that a schedule has made of it. Schedules that are made for one optimizer
// one after another mean the same base rate; a rate that the user has set since is a new base.
const known = new WeakMap<object, { base: number; rate: number }>()

/** The base of all schedules that follow a curve. The optimizer has the rate of step 0 as soon as one is made. */
export class Schedule implements LearningRateSchedule {
  readonly #name: string
  readonly #optimizer: Scheduled
  readonly #curve: Curve
  readonly #momentum: Curve | null
  #baseRates: number[]
  #step: number = 0

  /**
   * @param name what messages call it
   * @param curve the rates
   * @param momentum the momentums, where the schedule changes them too
   */
  constructor(name: string, optimizer: Scheduled, curve: Curve, momentum: Curve | null = null) {
    this.#name = name
    this.#optimizer = optimizer
    this.#curve = curve
    this.#momentum = momentum
    this.#baseRates = optimizer.groups.map(baseRateOf)
    this.#apply()
  }

  /** Goes one step further. */
  step(): void {
    this.#step += 1
    this.#apply()
  }

  /** The steps taken. */
  get steps(): number {
    return this.#step
  }

  /** The present rate of the first group. */
  get lr(): number {
    return this.#optimizer.groups[0]!.lr
  }

  /** The rate of a group after so many steps. Changes nothing. */
  rateAt(step: number, group: number = 0): number {
    return this.curveAt(step, this.#baseRates[group]!, group)
  }

  /** The curve itself: for schedules that are made of others. @throws ValueError when it gives no finite number */
  curveAt(step: number, base: number, group: number): number {
    return this.#finite(this.#curve(step, base, group), step)
  }

  /** Everything needed to go on later. Functions that a schedule was given are not part of it. */
  state(): ScheduleState {
    return { step: this.#step, baseRates: [...this.#baseRates] }
  }

  /**
   * Goes on where another schedule of the same kind was.
   * @throws ValueError when the number of groups is another
   */
  loadState({ step, baseRates }: ScheduleState): void {
    if (baseRates.length !== this.#baseRates.length) {
      throw new ValueError(
        `${this.#name}: the state is of ${baseRates.length} groups; the optimizer has ${this.#baseRates.length}`,
      )
    }
    this.#step = step
    this.#baseRates = [...baseRates]
    this.#apply()
  }

  /** The rates of the first `steps` steps as an SVG drawing. */
  plot(steps: number = 100, options: PlotOptions = {}): string {
    const rates = Array.from({ length: steps }, (_, step) => this.rateAt(step))
    return plotCurve(rates, { title: this.#name, ...options })
  }

  #apply(): void {
    for (const [i, group] of this.#optimizer.groups.entries()) {
      const base = this.#baseRates[i]!
      setRate(group, base, this.curveAt(this.#step, base, i))
      if (this.#momentum !== null)
        setMomentum(group, this.#finite(this.#momentum(this.#step, base, i), this.#step))
    }
  }

  #finite(value: number, step: number): number {
    if (Number.isFinite(value)) return value
    throw new ValueError(`${this.#name}: the rate of step ${step} is ${String(value)}`)
  }
}

/** Whether a group has a momentum that can be set. */
export function hasMomentum(group: ScheduledGroup): boolean {
  const { momentum, betas } = group as WithMomentum
  return (typeof momentum === 'number' && momentum > 0) || Array.isArray(betas)
}

/** Throws ValueError unless `value` is an integer of at least `least`. */
export function checkCount(schedule: string, name: string, value: number, least: number = 1): void {
  if (Number.isInteger(value) && value >= least) return
  throw new ValueError(`${schedule}: ${name} must be an integer of at least ${least}; got ${String(value)}`)
}

/** Throws ValueError unless `value` is a finite number, zero or larger. */
export function checkFactor(schedule: string, name: string, value: number): void {
  if (Number.isFinite(value) && value >= 0) return
  throw new ValueError(`${schedule}: ${name} must be a finite number, zero or larger; got ${String(value)}`)
}

interface WithMomentum {
  momentum?: number
  betas?: readonly number[]
}

function baseRateOf(group: ScheduledGroup): number {
  const before = known.get(group)
  return before !== undefined && before.rate === group.lr ? before.base : group.lr
}

function setRate(group: ScheduledGroup, base: number, rate: number): void {
  group.lr = rate
  known.set(group, { base, rate })
}

function setMomentum(group: ScheduledGroup & WithMomentum, momentum: number): void {
  if (Array.isArray(group.betas)) group.betas = [momentum, ...group.betas.slice(1)]
  else group.momentum = momentum
}
