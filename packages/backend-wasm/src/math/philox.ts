// Philox 4x32-10 on four counters at a time, written inline: the same words as the reference in the engine
// (reference/philox.ts, which defines the stream and its order and names the paper). Use, for 16 elements a turn:
//
//   const keys = roundKeys(f, key0, key1)                  // before the loop
//   const words = philoxWords(f, counter, keys)            // word w of four counters in vector w
//   const values = transpose(f, normals(f, words))         // elements 0-3, 4-7, 8-11, 12-15
import type { FunctionBuilder } from '../wat/builder.ts'
import { f32x4, i32x4, i64x2, shuffle32, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { log } from './log.ts'
import { isOdd, secondHalfSign, sineAndCosine } from './trigonometric.ts'

/** Four vectors: the four words of four counters, or sixteen elements. */
export type FourVectors = readonly [Local, Local, Local, Local]

/** The two key words of each of the ten rounds. */
export type RoundKeys = readonly (readonly [Local, Local])[]

const rounds = 10
const multiplier0 = 0xd2511f53
const multiplier1 = 0xcd9e8d57
const keyStep0 = 0x9e3779b9
const keyStep1 = 0xbb67ae85

/** The keys of all rounds, from the two words of the key in all lanes. They do not change: compute them before the loop. */
export function roundKeys(f: FunctionBuilder, key0: Wat, key1: Wat): RoundKeys {
  let keys: readonly [Local, Local] = [f.once(key0), f.once(key1)]
  const result = [keys]
  for (let round = 1; round < rounds; round++) {
    keys = [
      f.let(i32x4.add(keys[0], f.i32x4(keyStep0)), 'key'),
      f.let(i32x4.add(keys[1], f.i32x4(keyStep1)), 'key'),
    ]
    result.push(keys)
  }
  return result
}

/** The first counter words of four blocks that follow each other, the first of them being `block` (an i32). */
export function fourBlocks(f: FunctionBuilder, block: Wat): Wat {
  return i32x4.add(i32x4.splat(block), f.constant(['v128.const', 'i32x4', 0, 1, 2, 3]))
}

/** The random words of four counters: word w of counter lane l is lane l of vector w. */
export function philoxWords(
  f: FunctionBuilder,
  counter: readonly [Wat, Wat, Wat, Wat],
  keys: RoundKeys,
): FourVectors {
  let words = counter.map((word) => f.once(word)) as unknown as FourVectors
  for (const [key0, key1] of keys) {
    const product0 = multiply(f, words[0], multiplier0)
    const product1 = multiply(f, words[2], multiplier1)
    words = [
      f.let(v128.xor(v128.xor(product1.high, words[1]), key0), 'word'),
      product1.low,
      f.let(v128.xor(v128.xor(product0.high, words[3]), key1), 'word'),
      product0.low,
    ]
  }
  return words
}

// Upper and lower halves of the 64-bit products of four unsigned integers.
function multiply(f: FunctionBuilder, x: Local, multiplier: number): { high: Local; low: Local } {
  const factor = f.i32x4(multiplier)
  const first = f.let(i64x2.extmul_low_i32x4_u(x, factor), 'product')
  const second = f.let(i64x2.extmul_high_i32x4_u(x, factor), 'product')
  return {
    high: f.let(shuffle32(first, second, [1, 3, 5, 7]), 'high'),
    low: f.let(shuffle32(first, second, [0, 2, 4, 6]), 'low'),
  }
}

/** Rows become columns: from vectors of one word each to vectors of one counter each, the order of elements. */
export function transpose(f: FunctionBuilder, [a, b, c, d]: FourVectors): FourVectors {
  const abLow = f.let(shuffle32(a, b, [0, 4, 1, 5]))
  const abHigh = f.let(shuffle32(a, b, [2, 6, 3, 7]))
  const cdLow = f.let(shuffle32(c, d, [0, 4, 1, 5]))
  const cdHigh = f.let(shuffle32(c, d, [2, 6, 3, 7]))
  return [
    f.let(shuffle32(abLow, cdLow, [0, 1, 4, 5])),
    f.let(shuffle32(abLow, cdLow, [2, 3, 6, 7])),
    f.let(shuffle32(abHigh, cdHigh, [0, 1, 4, 5])),
    f.let(shuffle32(abHigh, cdHigh, [2, 3, 6, 7])),
  ]
}

/** Numbers in [0, 1): the upper 24 bits of each word, so that float32 holds them exactly. */
export function uniforms(f: FunctionBuilder, words: FourVectors): FourVectors {
  return words.map((word) => f.let(unit(f, word), 'uniform')) as unknown as FourVectors
}

/**
 * Normal numbers in the places of the words they come from (Box & Muller 1958): words 0 and 1, and words 2 and 3, become
 * radius times cosine and radius times sine.
 */
export function normals(f: FunctionBuilder, words: FourVectors): FourVectors {
  return [...normalPair(f, words[0], words[1]), ...normalPair(f, words[2], words[3])]
}

const unit = (f: FunctionBuilder, word: Wat): Wat =>
  f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(word, 8)), f.f32x4(2 ** -24))

function normalPair(f: FunctionBuilder, first: Local, second: Local): readonly [Local, Local] {
  // In (0, 1] and exact: float64 takes the logarithm of the very same number.
  const positive = f.let(f32x4.add(unit(f, first), f.f32x4(2 ** -24)), 'positive')
  const radius = f.let(f32x4.sqrt(f32x4.mul(f.f32x4(-2), log(f, positive))), 'radius')
  const { sine, cosine } = sineAndCosineOfTurns(f, f.let(unit(f, second), 'turns'))
  return [f.let(f32x4.mul(radius, cosine), 'normal'), f.let(f32x4.mul(radius, sine), 'normal')]
}

// Of a fraction of a full turn in [0, 1). Counted in quarters, the reduction is exact, so float32 suffices.
function sineAndCosineOfTurns(f: FunctionBuilder, turns: Local): { sine: Wat; cosine: Wat } {
  const quarters = f.let(f32x4.mul(turns, f.f32x4(4)), 'quarters')
  const nearest = f.let(f32x4.nearest(quarters), 'nearest')
  const angle = f.let(f32x4.mul(f32x4.sub(quarters, nearest), f.f32x4(Math.PI / 2)), 'angle')
  const n = f.let(i32x4.trunc_sat_f32x4_s(nearest), 'n')
  const { sine, cosine } = sineAndCosine(f, angle)
  const odd = f.let(isOdd(n), 'odd')
  const next = f.let(i32x4.add(n, f.i32x4(1)), 'next')
  return {
    sine: v128.xor(v128.bitselect(cosine, sine, odd), secondHalfSign(f, n)),
    cosine: v128.xor(v128.bitselect(sine, cosine, odd), secondHalfSign(f, next)),
  }
}
