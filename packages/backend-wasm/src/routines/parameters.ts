// Parameter blocks: the numbers a routine's WebAssembly code reads at each run, in wasm memory at one address, one 32-bit
// word per name. Executables make their block once and then patch the few words that change, so a run costs no allocation.
import type { DeviceMemory } from '../memory.ts'

/** Which word of a parameter block holds what. */
export interface ParameterLayout<Name extends string> {
  readonly words: Readonly<Record<Name, number>>
  readonly length: number
}

/** Numbers the words of a parameter block in the order of their names. */
export function parameterLayout<Name extends string>(names: readonly Name[]): ParameterLayout<Name> {
  const words = {} as Record<Name, number>
  names.forEach((name, i) => {
    words[name] = i
  })
  return { words, length: names.length }
}

/** A parameter block in wasm memory. */
export class ParameterBlock<Name extends string> {
  readonly address: number
  readonly #memory: DeviceMemory
  readonly #words: Readonly<Record<Name, number>>
  // What was written last, word by word, so that words that stay as they are cost a comparison and no more.
  readonly #written: Float64Array

  /** At `place`, within an allocation that the caller made and releases, or in one of its own. */
  constructor(memory: DeviceMemory, layout: ParameterLayout<Name>, place?: number) {
    this.#memory = memory
    this.#words = layout.words
    this.#written = new Float64Array(layout.length).fill(NaN)
    this.address = place ?? memory.allocate(4 * layout.length)
  }

  /** Sets a word to an integer or an address; what lies above 2^31 is kept modulo 2^32. */
  set(name: Name, value: number): void {
    const word = this.#words[name]
    if (this.#written[word] === value) return
    this.#written[word] = value
    this.#memory.int32[this.address / 4 + word] = value
  }

  /** Sets several words. */
  setAll(values: Readonly<Partial<Record<Name, number>>>): void {
    for (const name of Object.keys(values) as Name[]) this.set(name, values[name]!)
  }

  /** Frees the memory of a block that has its own. */
  release(): void {
    this.#memory.release(this.address)
  }
}
