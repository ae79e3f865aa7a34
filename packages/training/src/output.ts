// Where progress is written: a terminal that can redraw its last line, a pipe or a file that cannot, a browser's console.
// Read next: progress.ts, which decides what is written.

/** A place for text. Give one of your own to `fit` to show progress elsewhere: in a page, in a log. */
export interface ProgressOutput {
  /** Whether the last line can be written over. */
  readonly isTerminal: boolean
  /** Characters in a line; unlimited where it does not matter. */
  readonly columns: number
  /** Takes text as it comes: whole lines with their ends, or parts of a line on a terminal. */
  write(text: string): void
}

/** Standard output in Node, the console elsewhere. */
export function defaultOutput(): ProgressOutput {
  const stdout = globalThis.process?.stdout
  if (stdout === undefined || typeof stdout.write !== 'function') return consoleOutput
  return {
    isTerminal: stdout.isTTY === true,
    // Asked each time: windows change. Some terminals do not say.
    get columns() {
      return stdout.isTTY === true ? stdout.columns || 80 : Infinity
    },
    write: (text) => void stdout.write(text),
  }
}

// A console adds the end of a line by itself.
const consoleOutput: ProgressOutput = {
  isTerminal: false,
  columns: Infinity,
  write: (text) => console.log(text.replace(/\n$/, '')),
}
