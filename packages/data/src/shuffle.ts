// Random orders: a permutation that depends on a seed and an epoch alone, the same on every platform. Fisher-Yates with
// words of the engine's Philox stream; the modulo bias is below n / 2^32.
import { philoxWord, ValueError, type PhiloxStream } from '@nabla/engine'

// Tells these streams apart from those of tensor ops with the same seed.
const purpose = 0x6461_7461

/** A permutation of 0 ... length - 1. @throws ValueError for what is no non-negative integer */
export function permutation(length: number, seed: number, epoch: number): Int32Array {
  for (const [what, value] of Object.entries({ length, seed, epoch })) {
    if (!Number.isInteger(value) || value < 0) {
      throw new ValueError(`permutation: ${what} must be a non-negative integer; got ${String(value)}`)
    }
  }
  const stream: PhiloxStream = {
    key: [seed | 0, Math.floor(seed / 2 ** 32) | 0],
    counter: [epoch, 0, purpose],
  }
  const order = Int32Array.from({ length }, (_, i) => i)
  for (let i = length - 1; i > 0; i--) {
    const j = philoxWord(stream, i) % (i + 1)
    const swapped = order[i]!
    order[i] = order[j]!
    order[j] = swapped
  }
  return order
}
