// The project's random stream, in plain TypeScript: Philox 4x32-10, a counter-based generator. A number depends on
// (key, counter, element) alone, so streams can be split, replayed and computed in any order and by any number of
// threads. This is the definition that every backend reproduces; it is written to be read, not to be fast.
//
// The one rule of order: element e of a stream takes word (e & 3) of the counter whose first part is (e >> 2).
// Source: Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3" (2011), section 3.3 and table 2.

/** The counter: first part counts blocks of four elements; the others tell streams of one key apart. */
export type PhiloxCounter = readonly [number, number, number, number]
/** The key: two 32-bit words, from the seed. */
export type PhiloxKey = readonly [number, number]

/** What a stream is, besides the position in it: the key and the three higher words of the counter. */
export interface PhiloxStream {
  readonly key: PhiloxKey
  /** Counter words 1, 2 and 3. */
  readonly counter: readonly [number, number, number]
}

const multiplier0 = 0xd2511f53
const multiplier1 = 0xcd9e8d57
// Weyl constants: the golden ratio and sqrt(3) - 1, as fractions of 2^32.
const keyStep0 = 0x9e3779b9
const keyStep1 = 0xbb67ae85

/** Four random 32-bit words (as unsigned numbers) of one counter: ten rounds. */
export function philox4x32(counter: PhiloxCounter, key: PhiloxKey): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter
  let [key0, key1] = key
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(multiplier0, c0)
    const low0 = Math.imul(multiplier0, c0)
    const high1 = multiplyHigh(multiplier1, c2)
    const low1 = Math.imul(multiplier1, c2)
    ;[c0, c1, c2, c3] = [high1 ^ c1 ^ key0, low1, high0 ^ c3 ^ key1, low0]
    key0 = (key0 + keyStep0) | 0
    key1 = (key1 + keyStep1) | 0
  }
  return [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0]
}

/** The upper 32 bits of the product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  // Each partial sum stays below 2^33, which a double holds exactly.
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const carry = aLow * bHigh + (middle % 0x10000)
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) | 0
}

/** The random word of element `element` (a whole number below 2^34). */
export function philoxWord(stream: PhiloxStream, element: number): number {
  return wordsOfBlock(stream, element)[element & 3]!
}

/** A number in [0, 1), a multiple of 2^-24: exact in float32. */
export function philoxUniform(stream: PhiloxStream, element: number): number {
  return unitFromWord(philoxWord(stream, element))
}

/**
 * A number of the standard normal distribution, by Box and Muller (1958): elements 2j and 2j + 1 are the cosine and the
 * sine of one angle, from words 0 and 1, or 2 and 3, of a counter.
 */
export function philoxNormal(stream: PhiloxStream, element: number): number {
  const words = wordsOfBlock(stream, element)
  const pair = element & 2
  // In (0, 1], so that the logarithm is finite; a multiple of 2^-24 as well.
  const radius = Math.sqrt(-2 * Math.log(unitFromWord(words[pair]!) + 2 ** -24))
  const angle = 2 * Math.PI * unitFromWord(words[pair + 1]!)
  return radius * ((element & 1) === 0 ? Math.cos(angle) : Math.sin(angle))
}

function wordsOfBlock(stream: PhiloxStream, element: number): [number, number, number, number] {
  const block = Math.floor(element / 4)
  const [c1, c2, c3] = stream.counter
  return philox4x32([block | 0, c1, c2, c3], stream.key)
}

const unitFromWord = (word: number): number => (word >>> 8) * 2 ** -24
