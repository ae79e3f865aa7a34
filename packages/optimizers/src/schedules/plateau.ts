// The schedule that watches: the rate falls when a metric does not get better any more. It is no curve, for it depends on
// how training goes.
import { lookUp, ValueError } from '@nabla/engine'
import { checkCount, checkFactor, type LearningRateSchedule, type Scheduled } from './schedule.ts'

/** Settings of {@link ReduceLROnPlateau}. */
export interface PlateauOptions {
  /** Whether the metric is to fall or to rise. Default `min`. */
  mode?: 'min' | 'max'
  /** What rates are multiplied by. Default 0.1. */
  factor?: number
  /** How many steps without improvement are waited for. Default 10. */
  patience?: number
  /** How much counts as an improvement. Default 1e-4. */
  threshold?: number
  /** Whether that is a part of the best metric, or an amount. Default `rel`. */
  thresholdMode?: 'rel' | 'abs'
  /** How many steps after a fall are not counted. Default 0. */
  cooldown?: number
  /** The smallest rate. Default 0. */
  minLr?: number
  /** Falls by less than this are not made. Default 1e-8. */
  eps?: number
}

/** What `state()` gives and `loadState()` takes. */
export interface PlateauState {
  best: number | null
  badSteps: number
  cooling: number
  rates: number[]
}

/** Lowers the rates when a metric has not improved for a while. */
export class ReduceLROnPlateau implements LearningRateSchedule {
  readonly #optimizer: Scheduled
  readonly #options: Required<PlateauOptions>
  #best: number | null = null
  #badSteps: number = 0
  #cooling: number = 0

  /** @throws ValueError for settings out of range */
  constructor(optimizer: Scheduled, options: PlateauOptions = {}) {
    this.#optimizer = optimizer
    this.#options = {
      mode: options.mode ?? 'min',
      factor: options.factor ?? 0.1,
      patience: options.patience ?? 10,
      threshold: options.threshold ?? 1e-4,
      thresholdMode: options.thresholdMode ?? 'rel',
      cooldown: options.cooldown ?? 0,
      minLr: options.minLr ?? 0,
      eps: options.eps ?? 1e-8,
    }
    const { mode, thresholdMode, factor, patience, cooldown, threshold, minLr, eps } = this.#options
    lookUp('mode', mode, { min: true, max: true })
    lookUp('threshold mode', thresholdMode, { rel: true, abs: true })
    if (!(factor > 0 && factor < 1)) {
      throw new ValueError(`ReduceLROnPlateau: factor must lie in (0, 1); got ${String(factor)}`)
    }
    checkCount('ReduceLROnPlateau', 'patience', patience, 0)
    checkCount('ReduceLROnPlateau', 'cooldown', cooldown, 0)
    for (const [name, value] of Object.entries({ threshold, minLr, eps })) {
      checkFactor('ReduceLROnPlateau', name, value)
    }
  }

  /** The present rate of the first group. */
  get lr(): number {
    return this.#optimizer.groups[0]!.lr
  }

  /** Takes in the metric, usually after each epoch. @throws ValueError without one */
  step(metric?: number): void {
    if (typeof metric !== 'number') {
      throw new ValueError(
        'ReduceLROnPlateau: step() needs the metric, a number: schedule.step(validationLoss)',
      )
    }
    if (this.#isBetter(metric)) {
      this.#best = metric
      this.#badSteps = 0
    } else {
      this.#badSteps += 1
    }
    if (this.#cooling > 0) {
      this.#cooling -= 1
      this.#badSteps = 0
    }
    if (this.#badSteps <= this.#options.patience) return
    this.#lower()
    this.#cooling = this.#options.cooldown
    this.#badSteps = 0
  }

  /** Everything needed to go on later. */
  state(): PlateauState {
    return {
      best: this.#best,
      badSteps: this.#badSteps,
      cooling: this.#cooling,
      rates: this.#optimizer.groups.map(({ lr }) => lr),
    }
  }

  /** Goes on where another one was. @throws ValueError when the number of groups is another */
  loadState({ best, badSteps, cooling, rates }: PlateauState): void {
    const { groups } = this.#optimizer
    if (rates.length !== groups.length) {
      throw new ValueError(
        `ReduceLROnPlateau: the state is of ${rates.length} groups; the optimizer has ${groups.length}`,
      )
    }
    this.#best = best
    this.#badSteps = badSteps
    this.#cooling = cooling
    for (const [i, group] of groups.entries()) group.lr = rates[i]!
  }

  #isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options
    const best = this.#best
    if (best === null) return !Number.isNaN(metric)
    if (mode === 'min') return metric < (thresholdMode === 'rel' ? best * (1 - threshold) : best - threshold)
    return metric > (thresholdMode === 'rel' ? best * (1 + threshold) : best + threshold)
  }

  #lower(): void {
    const { factor, minLr, eps } = this.#options
    for (const group of this.#optimizer.groups) {
      const next = Math.max(group.lr * factor, minLr)
      if (group.lr - next > eps) group.lr = next
    }
  }
}
