// Seeded random choices for the fuzzer. Equal seeds give equal programs on every platform.
// Not here: the random numbers of tensors, which are an op of the engine.

/** A stream of random choices. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
    // Neighbouring seeds begin alike without this.
    for (let i = 0; i < 4; i++) this.uniform()
  }

  /** A number in [0, 1): mulberry32 (T. Ettinger, 2017). */
  uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.uniform() * (high - low + 1))
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability
  }

  /** One of a list. */
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new Error('there is nothing to pick from')
    return list[Math.floor(this.uniform() * list.length)]!
  }

  /** One of a list; the last ones are likelier, so that programs become deep and not only wide. */
  pickLate<T>(list: readonly T[]): T {
    const position = Math.max(this.uniform(), this.uniform())
    return list[Math.min(list.length - 1, Math.floor(position * list.length))]!
  }

  /** The list in another order. */
  shuffled<T>(list: readonly T[]): T[] {
    const result = [...list]
    for (let i = result.length - 1; i > 0; i--) {
      const other = this.whole(0, i)
      ;[result[i], result[other]] = [result[other]!, result[i]!]
    }
    return result
  }

  /** Each of a list with the given probability. */
  some<T>(list: readonly T[], probability: number): T[] {
    return list.filter(() => this.chance(probability))
  }
}
