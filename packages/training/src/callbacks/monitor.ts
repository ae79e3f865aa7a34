// Watches one value over epochs: which direction is better, and whether it has improved. Shared by EarlyStopping and
// ModelCheckpoint.
import { ValueError } from '@nabla/engine'
import type { Logs } from '../history.ts'

/** What to watch. */
export interface MonitorOptions {
  /** A name in the logs of an epoch. Default: `val_loss`. */
  monitor?: string
  /** Whether less or more is better. Default: more for accuracy and its like, less for anything else. */
  mode?: 'min' | 'max'
  /** What a change must exceed to count as an improvement. Default: 0. */
  minDelta?: number
}

const moreIsBetter = /(accuracy|precision|recall|f1|auc|r2)/i

/** The best value so far. */
export class Monitor {
  readonly name: string
  #owner: string
  #sign: 1 | -1
  #minDelta: number
  best: number | null = null

  /** @throws ValueError for an unknown mode or a minDelta that is no number */
  constructor(owner: string, { monitor = 'val_loss', mode, minDelta = 0 }: MonitorOptions) {
    if (mode !== undefined && mode !== 'min' && mode !== 'max') {
      throw new ValueError(`${owner}: unknown mode '${String(mode)}'. Known: min, max`)
    }
    if (!(minDelta >= 0)) {
      throw new ValueError(`${owner}: minDelta must be zero or a positive number; got ${String(minDelta)}`)
    }
    this.name = monitor
    this.#owner = owner
    this.#sign = (mode ?? (moreIsBetter.test(monitor) ? 'max' : 'min')) === 'max' ? 1 : -1
    this.#minDelta = minDelta
  }

  /** Whether this epoch is better than all before it. NaN never is. @throws ValueError when the value is not in the logs */
  improves(logs: Logs): boolean {
    const value = logs[this.name]
    if (value === undefined) {
      const hint =
        this.name.startsWith('val_') && !('val_loss' in logs)
          ? ' Give fit validationData or a validationSplit.'
          : ''
      throw new ValueError(
        `${this.#owner}: there is no '${this.name}' to monitor.${hint} Known: ${Object.keys(logs).join(', ')}`,
      )
    }
    if (Number.isNaN(value)) return false
    if (this.best !== null && !((value - this.best) * this.#sign > this.#minDelta)) return false
    this.best = value
    return true
  }

  /** Forgets what was best. */
  reset(): void {
    this.best = null
  }
}
