// Saves a model's weights while it trains.
import { ValueError } from '@nabla/engine'
import type { Callback, TrainingRun } from '../callback.ts'
import { requireFiles } from '../files.ts'
import type { Logs } from '../history.ts'
import { saveWeights } from '../weights.ts'
import { Monitor, type MonitorOptions } from './monitor.ts'

/** Settings of {@link ModelCheckpoint}. */
export interface ModelCheckpointOptions extends MonitorOptions {
  /** Saves only when the monitored value has improved. Default: false, after every epoch. */
  saveBestOnly?: boolean
}

/**
 * Writes a safetensors file after each epoch, or after each that is better than all before it.
 *
 * In the path `{epoch}` stands for the epoch as the screen counts it, from 1, and `{name}` for any value of the epoch:
 * `'out/model-{epoch}-{val_loss}.safetensors'`. Without any, each save replaces the one before.
 */
export class ModelCheckpoint implements Callback {
  #path: string
  #monitor: Monitor | null

  /** @throws BackendError where there are no files */
  constructor(path: string, { saveBestOnly = false, ...monitored }: ModelCheckpointOptions = {}) {
    requireFiles('ModelCheckpoint')
    if (typeof path !== 'string' || path === '')
      throw new ValueError(`ModelCheckpoint: the path is ${String(path)}`)
    this.#path = path
    const monitor = new Monitor('ModelCheckpoint', monitored)
    this.#monitor = saveBestOnly ? monitor : null
  }

  async onEpochEnd(run: TrainingRun, logs: Logs): Promise<void> {
    if (this.#monitor !== null && !this.#monitor.improves(logs)) return
    await saveWeights(run.model, this.#fill(run.epoch, logs))
  }

  #fill(epoch: number, logs: Logs): string {
    const values: Logs = { ...logs, epoch: epoch + 1 }
    return this.#path.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = values[name]
      if (value === undefined) {
        const known = Object.keys(values).join(', ')
        throw new ValueError(
          `ModelCheckpoint: there is no '${name}' for the path '${this.#path}'. Known: ${known}`,
        )
      }
      return Number.isInteger(value) ? String(value) : value.toFixed(4)
    })
  }
}
