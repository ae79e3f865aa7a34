// Input data of all JavaScript peers: the same numbers in every process.

/** Values in [-1, 1) from a small generator (mulberry32); the same seed gives the same numbers. */
export function uniform(count, seed = 1) {
  const values = new Float32Array(count)
  let state = seed >>> 0
  for (let i = 0; i < count; i++) {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    values[i] = ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1
  }
  return values
}

/** Whole numbers in [0, below). */
export function integers(count, below, seed = 1) {
  return Int32Array.from(uniform(count, seed), (value) =>
    Math.min(below - 1, Math.floor(((value + 1) / 2) * below)),
  )
}

/** Product of sizes. */
export function sizeOf(shape) {
  return shape.reduce((product, size) => product * size, 1)
}

/** Initial weights: uniform in +-1 / sqrt(fanIn). */
export function weights(shape, fanIn, seed) {
  const bound = 1 / Math.sqrt(fanIn)
  return uniform(sizeOf(shape), seed).map((value) => value * bound)
}
