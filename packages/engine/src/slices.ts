// Work that is done in slices, so that the rest of the program runs in between: a page must not stand still while a plan is
// computed on its main thread. A slice ends with the first step of a plan that ends too late; a step is never cut.
// Read next: engine.ts, which sees to it that nobody meets a plan half done.

/** How long a slice may take by default, in milliseconds: 50 is what a page may stand still, and a last step comes on top. */
export const usualSlice: number = typeof globalThis.document === 'object' ? 25 : Infinity

/** Work of which a part has been done. */
export class SlicedWork {
  readonly #steps: Iterator<void>
  #finished = false
  #failure: { readonly error: unknown } | null = null

  /** Begins the work. What fails before its first step fails here. */
  constructor(steps: Iterator<void>) {
    this.#steps = steps
    this.#finished = steps.next().done === true
  }

  get finished(): boolean {
    return this.#finished
  }

  /** Goes on until `deadline`, at least with one step. Fails never: see {@link throwFailure}. */
  advance(deadline: number): void {
    try {
      while (!this.#finished) {
        this.#finished = this.#steps.next().done === true
        if (performance.now() >= deadline) return
      }
    } catch (error) {
      this.#finished = true
      this.#failure = { error }
    }
  }

  /** Goes on to the end, in slices of so many milliseconds. */
  async drive(slice: number): Promise<void> {
    while (!this.#finished) {
      this.advance(performance.now() + slice)
      if (!this.#finished) await breathe()
    }
  }

  /** For whoever asked for the work: what it failed with, if it failed. */
  throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error
  }
}

/** Waits until everything that is due in the event loop has had its turn. */
export function breathe(): Promise<void> {
  if (typeof globalThis.setImmediate === 'function')
    return new Promise((resolve) => globalThis.setImmediate(resolve))
  // Browsers stretch repeated timeouts to 4 ms; messages come back at once.
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
}
