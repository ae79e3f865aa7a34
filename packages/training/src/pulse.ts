// When training looks at running values and lets the rest of the program run. How it does the latter: the engine's slices.ts.

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
