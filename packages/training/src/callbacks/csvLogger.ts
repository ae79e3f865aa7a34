// Writes the values of each epoch into a CSV file.
import type { Callback, TrainingRun } from '../callback.ts'
import { requireFiles } from '../files.ts'
import type { Logs } from '../history.ts'

/** Settings of {@link CSVLogger}. */
export interface CSVLoggerOptions {
  /** Default: a comma. */
  separator?: string
  /** Whether rows are added to a file that is there already. Default: false, it is replaced. */
  append?: boolean
}

/** One row per epoch: `epoch` (from 0), then the losses and metrics. Rows are there as soon as their epoch is over. */
export class CSVLogger implements Callback {
  #path: string
  #separator: string
  #append: boolean
  #columns: string[] | null = null

  /** @throws BackendError where there are no files */
  constructor(path: string, { separator = ',', append = false }: CSVLoggerOptions = {}) {
    requireFiles('CSVLogger')
    this.#path = path
    this.#separator = separator
    this.#append = append
  }

  onTrainBegin(): void {
    this.#columns = null
  }

  onEpochEnd(run: TrainingRun, logs: Logs): void {
    const files = requireFiles('CSVLogger')
    if (this.#columns === null) {
      this.#columns = Object.keys(logs)
      const continues = this.#append && files.existsSync(this.#path) && files.statSync(this.#path).size > 0
      if (!continues) files.writeFileSync(this.#path, this.#row(['epoch', ...this.#columns]))
    }
    const values = this.#columns.map((name) => String(logs[name] ?? ''))
    files.appendFileSync(this.#path, this.#row([String(run.epoch), ...values]))
  }

  #row(cells: readonly string[]): string {
    const quoted = cells.map((cell) =>
      cell.includes(this.#separator) || /["\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell,
    )
    return `${quoted.join(this.#separator)}\n`
  }
}
