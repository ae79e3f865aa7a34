// Ends training when a value has not improved for a while.
import { ValueError } from '@nabla/engine'
import type { Callback, TrainingRun } from '../callback.ts'
import type { Logs } from '../history.ts'
import { copyState } from '../weights.ts'
import type { HostTensor } from '../safetensors.ts'
import { Monitor, type MonitorOptions } from './monitor.ts'

/** Settings of {@link EarlyStopping}. */
export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs in a row without an improvement after which training ends. Default: 1. */
  patience?: number
  /** Whether the model gets back its weights of the best epoch. Default: false. */
  restoreBestWeights?: boolean
}

/** Stops when the monitored value has stopped improving (Prechelt, "Early stopping - but when?", 1998). */
export class EarlyStopping implements Callback {
  #monitor: Monitor
  #patience: number
  #restores: boolean
  #waited = 0
  #bestEpoch = -1
  #bestWeights: Record<string, HostTensor> | null = null

  /** @throws ValueError for a patience that is no whole number */
  constructor({ patience = 1, restoreBestWeights = false, ...monitored }: EarlyStoppingOptions = {}) {
    if (!Number.isInteger(patience) || patience < 0) {
      throw new ValueError(
        `EarlyStopping: patience must be a whole number of epochs; got ${String(patience)}`,
      )
    }
    this.#monitor = new Monitor('EarlyStopping', monitored)
    this.#patience = patience
    this.#restores = restoreBestWeights
  }

  /** The best epoch so far, counted from 0; -1 before there is one. */
  get bestEpoch(): number {
    return this.#bestEpoch
  }

  onTrainBegin(): void {
    this.#monitor.reset()
    this.#waited = 0
    this.#bestEpoch = -1
    this.#bestWeights = null
  }

  async onEpochEnd(run: TrainingRun, logs: Logs): Promise<void> {
    if (this.#monitor.improves(logs)) {
      this.#waited = 0
      this.#bestEpoch = run.epoch
      if (this.#restores) this.#bestWeights = await copyState(run.model)
      return
    }
    this.#waited += 1
    if (this.#waited >= this.#patience) {
      const best =
        this.#monitor.best === null ? '' : ` (best: ${this.#monitor.best}, epoch ${this.#bestEpoch + 1})`
      run.stop(`EarlyStopping: ${this.#monitor.name} has not improved for ${this.#waited} epochs${best}`)
    }
  }

  onTrainEnd(run: TrainingRun): void {
    if (this.#bestWeights === null) return
    run.model.loadStateDict(this.#bestWeights)
    this.#bestWeights = null
  }
}
