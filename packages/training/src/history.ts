// What a training run leaves behind: its losses and metrics, epoch by epoch.
import { ValueError } from '@nabla/engine'

/** Values by name: `loss`, one per metric, and the same of the validation data under `val_`. */
export type Logs = Readonly<Record<string, number>>

/**
 * The losses and metrics of all epochs, as Keras names them: `loss`, `accuracy`, `val_loss`, `val_accuracy`, ...
 *
 * `history.loss` and `history.get('val_loss')` are the usual ways in; `history.history` is the whole record.
 */
export class History {
  /** One list per name, one number per epoch. */
  readonly history: Record<string, number[]> = {}
  /** The epochs that were completed, counted from 0. */
  readonly epoch: number[] = []
  /** Why training ended before its last epoch; null when it did not. */
  stopReason: string | null = null

  /** The training loss of each epoch. */
  get loss(): number[] {
    return this.history['loss'] ?? []
  }

  /** The values of one name, an epoch each. @throws ValueError listing the names there are */
  get(name: string): number[] {
    const values = this.history[name]
    if (values !== undefined) return values
    const known = Object.keys(this.history).join(', ')
    throw new ValueError(
      `history: there is no '${name}'. ${known === '' ? 'No epoch was completed' : `Known: ${known}`}`,
    )
  }

  /** Adds the values of an epoch. */
  add(epoch: number, logs: Logs): void {
    this.epoch.push(epoch)
    for (const [name, value] of Object.entries(logs)) (this.history[name] ??= []).push(value)
  }
}
