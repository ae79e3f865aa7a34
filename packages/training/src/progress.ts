// The progress bar, drawn as Keras draws it:
//   Epoch 1/3
//    312/938 [=========>....................] - ETA: 8s - loss: 0.4120 - accuracy: 0.8764
//   938/938 [==============================] - 12s 13ms/step - loss: 0.2291 - accuracy: 0.9310 - val_loss: 0.0790 - val_accuracy: 0.9752
// On a terminal the line is redrawn in place; elsewhere a line is written when it is complete, and now and then in
// between. Nothing here reads a tensor or waits: values come in as plain numbers. Read next: output.ts, numbers.ts.
import { formatDuration, formatLogs, formatStepTime } from './numbers.ts'
import type { Logs } from './history.ts'
import type { ProgressOutput } from './output.ts'

/** 0: nothing. 1: a bar. 2: one line when an epoch is over. */
export type Verbosity = 0 | 1 | 2

/** Milliseconds between two lines about the same epoch where nothing can be redrawn. */
const lineInterval = 10_000

const longestBar = 30
const shortestBar = 10

/** The end of the line that the cursor is in, cleared. */
const clearRest = '\u001b[K'

/** One bar: an epoch, or one pass over data that is evaluated. */
export class ProgressBar {
  #output: ProgressOutput
  #verbosity: Verbosity
  #clock: () => number
  #title: string
  #steps: number
  #started: number
  #firstStepEnded = 0
  #lastStepEnded = 0
  #done = 0
  #nextLine: number

  /**
   * @param title stands above the bar, or before the line of verbosity 2; empty for none
   * @param steps how many there will be
   * @param clock milliseconds
   */
  constructor(
    output: ProgressOutput,
    verbosity: Verbosity,
    title: string,
    steps: number,
    clock: () => number = () => performance.now(),
  ) {
    this.#output = output
    this.#verbosity = verbosity
    this.#clock = clock
    this.#title = title
    this.#steps = steps
    this.#started = clock()
    this.#nextLine = this.#started + lineInterval
    if (verbosity !== 1) return
    if (title !== '') output.write(`${title}\n`)
    if (output.isTerminal) this.#redraw({})
  }

  /** Counts steps that are done. Draws nothing. */
  advance(done: number): void {
    this.#done = done
    this.#lastStepEnded = this.#clock()
    if (this.#firstStepEnded === 0) this.#firstStepEnded = this.#lastStepEnded
  }

  /** Shows how far it is, with the values read last. */
  update(logs: Logs): void {
    if (this.#verbosity !== 1) return
    if (this.#output.isTerminal) {
      this.#redraw(logs)
    } else if (this.#done < this.#steps && this.#clock() >= this.#nextLine) {
      this.#nextLine = this.#clock() + lineInterval
      this.#output.write(`${this.#runningLine(logs, longestBar)}\n`)
    }
  }

  /** Ends the bar with its final values. */
  finish(logs: Logs): void {
    if (this.#verbosity === 0) return
    const seconds = (this.#clock() - this.#started) / 1000
    // Validation is part of an epoch's time, but not of a step's.
    const perStep = this.#done === 0 ? 0 : (this.#lastStepEnded - this.#started) / 1000 / this.#done
    const times = `${formatDuration(seconds)} ${formatStepTime(perStep)}`
    const counts = `${this.#done}/${this.#steps}`
    if (this.#verbosity === 2) {
      const title = this.#title === '' ? '' : `${this.#title} - `
      this.#output.write(`${title}${counts} - ${times}${formatLogs(logs)}\n`)
      return
    }
    const line = `${counts} ${drawBar(this.#done, this.#steps, longestBar)} - ${times}${formatLogs(logs)}`
    this.#output.write(this.#output.isTerminal ? `\r${line}${clearRest}\n` : `${line}\n`)
  }

  /** Leaves the line as it is, so that what is written next begins on a line of its own. */
  breakLine(): void {
    if (this.#verbosity === 1 && this.#output.isTerminal) this.#output.write('\n')
  }

  // A line longer than the terminal would wrap, and a wrapped line cannot be redrawn: first the bar gives way, then the end.
  #redraw(logs: Logs): void {
    const room = Math.max(this.#output.columns - 1, shortestBar)
    const full = this.#runningLine(logs, longestBar)
    const excess = Math.max(full.length - room, 0)
    const line = excess === 0 ? full : this.#runningLine(logs, Math.max(longestBar - excess, shortestBar))
    const shown = line.length <= room ? line : `${line.slice(0, room - 1)}…`
    this.#output.write(`\r${shown}${clearRest}`)
  }

  #runningLine(logs: Logs, barWidth: number): string {
    const counts = `${String(this.#done).padStart(String(this.#steps).length)}/${this.#steps}`
    return `${counts} ${drawBar(this.#done, this.#steps, barWidth)}${this.#remaining()}${formatLogs(logs)}`
  }

  // The first step also compiles kernels, so it says little about the others.
  #remaining(): string {
    const timed = this.#done - 1
    if (timed < 1) return ''
    const perStep = (this.#lastStepEnded - this.#firstStepEnded) / 1000 / timed
    return ` - ETA: ${formatDuration(perStep * (this.#steps - this.#done))}`
  }
}

/** `[=========>....................]`, `width` characters between the brackets. */
export function drawBar(done: number, total: number, width: number): string {
  const share = total === 0 ? 1 : Math.min(done / total, 1)
  const filled = Math.floor(width * share)
  if (share === 1) return `[${'='.repeat(width)}]`
  const arrow = filled === 0 ? '' : `${'='.repeat(filled - 1)}>`
  return `[${arrow}${'.'.repeat(width - filled)}]`
}
