// Lets the rest of the program run. Training computes on the calling thread: unless it steps aside now and then, timers
// are late, pages freeze and a handler for Ctrl-C never runs.

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

/** Milliseconds between two looks at running values, and between two breaths. */
const usualInterval = 80

/** Says when it is time again for something that must not happen too often. */
export class Pulse {
  #interval: number
  #next: number

  /** @param interval milliseconds */
  constructor(interval: number = usualInterval) {
    this.#interval = interval
    this.#next = performance.now() + interval
  }

  /** Whether the interval has passed; if so, the next one begins. */
  beats(): boolean {
    const now = performance.now()
    if (now < this.#next) return false
    this.#next = now + this.#interval
    return true
  }
}
