// Argsort: the indices that would sort each row. Rows are sorted by unsigned integer keys whose order is that of the
// values, least significant byte first (LSD radix sort): stable, linear, and with no comparison that a NaN could upset.
// Short rows are sorted by insertion, which needs no counting. This is plain TypeScript on views of wasm memory: passes of
// a radix sort wait for memory, not for arithmetic, and vectors would not help.
import type { ArgsortSpec, Executable, RoutineFactory } from '@nabla/engine'
import type { DeviceMemory } from '../memory.ts'

/** Up to this length insertion takes fewer steps than clearing and summing four tables of 256 counts. */
const insertionLength = 48

/** Makes the factory of argsort executables. They share scratch space as large as the longest row needs. */
export function createArgsort(memory: DeviceMemory): RoutineFactory<ArgsortSpec> {
  const scratch = new SortScratch()
  return (spec) => {
    const wide = spec.dtype === 'float64'
    scratch.reserve(spec.length, wide)
    return new ArgsortExecutable(memory, scratch, spec)
  }
}

class ArgsortExecutable implements Executable {
  readonly #memory: DeviceMemory
  readonly #scratch: SortScratch
  readonly #spec: ArgsortSpec
  readonly #makeKeys: KeyMaker

  constructor(memory: DeviceMemory, scratch: SortScratch, spec: ArgsortSpec) {
    this.#memory = memory
    this.#scratch = scratch
    this.#spec = spec
    this.#makeKeys = keyMakers[spec.dtype]
  }

  run(places: readonly number[]): void {
    const { rows, length, descending, dtype, slots } = this.#spec
    const wordsPerElement = dtype === 'float64' ? 2 : 1
    const words = this.#memory.int32
    let source = places[slots[0]]! / 4
    let out = places[slots[1]]! / 4
    for (let row = 0; row < rows; row++) {
      this.#makeKeys(words, source, length, descending ? -1 : 0, this.#scratch)
      sortRow(this.#scratch, length, wordsPerElement, words, out)
      source += length * wordsPerElement
      out += length
    }
  }

  dispose(): void {
    // Scratch space belongs to all argsorts together.
  }
}

/** Keys of one row, and room for a second order of its indices. */
class SortScratch {
  /** Key words, most significant last. Narrow keys use only the first. */
  low: Uint32Array = new Uint32Array(0)
  high: Uint32Array = new Uint32Array(0)
  order: Int32Array = new Int32Array(0)
  readonly counts: Int32Array = new Int32Array(256)

  reserve(length: number, wide: boolean): void {
    if (this.low.length < length) this.low = new Uint32Array(length)
    if (wide && this.high.length < length) this.high = new Uint32Array(length)
    if (this.order.length < length) this.order = new Int32Array(length)
  }
}

/**
 * Writes keys for a row: unsigned integers in the order of the values, NaN above all. `flip` is 0, or -1 to turn the order
 * around; equal values then still keep the order they came in, because keys are flipped and not the result.
 */
type KeyMaker = (words: Int32Array, from: number, length: number, flip: 0 | -1, scratch: SortScratch) => void

const signBit = 0x80000000 | 0

/** Two's complement to unsigned order: only the sign bit stands on the wrong side. */
const integerKeys: KeyMaker = (words, from, length, flip, { low }) => {
  for (let i = 0; i < length; i++) low[i] = words[from + i]! ^ signBit ^ flip
}

const keyMakers: Readonly<Record<ArgsortSpec['dtype'], KeyMaker>> = {
  int32: integerKeys,
  bool: integerKeys,
  float32: (words, from, length, flip, { low }) => {
    for (let i = 0; i < length; i++) {
      const bits = words[from + i]!
      const isNaN = (bits & 0x7fffffff) > 0x7f800000
      low[i] = (isNaN ? -1 : floatingKey(bits, bits, bits === signBit)) ^ flip
    }
  },
  float64: (words, from, length, flip, { low, high }) => {
    for (let i = 0; i < length; i++) {
      const lowBits = words[from + 2 * i]!
      const highBits = words[from + 2 * i + 1]!
      const magnitude = highBits & 0x7fffffff
      const isNaN = magnitude > 0x7ff00000 || (magnitude === 0x7ff00000 && lowBits !== 0)
      const isMinusZero = highBits === signBit && lowBits === 0
      high[i] = (isNaN ? -1 : floatingKey(highBits, highBits, isMinusZero)) ^ flip
      low[i] = (isNaN ? -1 : highBits < 0 && !isMinusZero ? ~lowBits : lowBits) ^ flip
    }
  },
}

/** A word of an IEEE number as a word of its key: negative numbers turn around, positive ones move above them. -0 is 0. */
function floatingKey(word: number, signWord: number, isMinusZero: boolean): number {
  if (isMinusZero) return signBit
  return signWord < 0 ? ~word : word ^ signBit
}

function sortRow(
  scratch: SortScratch,
  length: number,
  wordsPerElement: number,
  words: Int32Array,
  out: number,
): void {
  for (let i = 0; i < length; i++) words[out + i] = i
  if (length <= insertionLength) {
    if (wordsPerElement === 1) insertionSort(scratch.low, length, words, out)
    else insertionSortWide(scratch.low, scratch.high, length, words, out)
    return
  }
  // Orders go back and forth between `out` and the scratch space; passes that would move nothing are left out.
  let from = words
  let fromStart = out
  let to = scratch.order
  let toStart = 0
  for (let word = 0; word < wordsPerElement; word++) {
    const keys = word === 0 ? scratch.low : scratch.high
    for (let shift = 0; shift < 32; shift += 8) {
      if (!countDigits(keys, length, shift, scratch.counts)) continue
      distribute(keys, shift, scratch.counts, from, fromStart, to, toStart, length)
      const freed = from
      const freedStart = fromStart
      from = to
      fromStart = toStart
      to = freed
      toStart = freedStart
    }
  }
  if (from !== words) for (let i = 0; i < length; i++) words[out + i] = from[i]!
}

/** Turns counts of a byte of the keys into the place of the first of each. False when all keys share one value of it. */
function countDigits(keys: Uint32Array, length: number, shift: number, counts: Int32Array): boolean {
  counts.fill(0)
  for (let i = 0; i < length; i++) counts[(keys[i]! >>> shift) & 255]!++
  if (counts[(keys[0]! >>> shift) & 255] === length) return false
  let total = 0
  for (let digit = 0; digit < 256; digit++) {
    const count = counts[digit]!
    counts[digit] = total
    total += count
  }
  return true
}

function distribute(
  keys: Uint32Array,
  shift: number,
  places: Int32Array,
  from: Int32Array,
  fromStart: number,
  to: Int32Array,
  toStart: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) {
    const index = from[fromStart + i]!
    const digit = (keys[index]! >>> shift) & 255
    to[toStart + places[digit]!++] = index
  }
}

function insertionSort(keys: Uint32Array, length: number, order: Int32Array, start: number): void {
  for (let i = 1; i < length; i++) {
    const key = keys[i]!
    let place = i
    while (place > 0 && keys[order[start + place - 1]!]! > key) {
      order[start + place] = order[start + place - 1]!
      place--
    }
    order[start + place] = i
  }
}

function insertionSortWide(
  low: Uint32Array,
  high: Uint32Array,
  length: number,
  order: Int32Array,
  start: number,
): void {
  for (let i = 1; i < length; i++) {
    const key = high[i]!
    const keyLow = low[i]!
    let place = i
    while (place > 0) {
      const before = order[start + place - 1]!
      if (high[before]! < key || (high[before] === key && low[before]! <= keyLow)) break
      order[start + place] = before
      place--
    }
    order[start + place] = i
  }
}
