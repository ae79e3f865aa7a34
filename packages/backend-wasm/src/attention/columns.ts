// What attention does besides its products, on scores that lie turned around: a row for each key, in it eight queries side
// by side. Everything runs down the keys with a query in each lane. Read before: products.ts. Read next: forward.ts.
import { expNeg } from '../math/exp.ts'
import { transpose, type FourVectors } from '../math/philox.ts'
import { minimum } from '../contract/code.ts'
import { FunctionBuilder } from '../wat/builder.ts'
import { f32x4, i32, i32x4, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { together } from './products.ts'

const panelPitch = 4 * together
const halves = [0, 1] as const

/**
 * `$pack(to, from, stride, rows, length, factor)`: eight rows turned into columns, each element times `factor`. Rows that do
 * not exist repeat the last one.
 */
export function packFunction(): FunctionBuilder {
  const f = new FunctionBuilder('pack')
  const to = f.param('to', 'i32')
  const from = f.param('from', 'i32')
  const stride = f.param('stride', 'i32')
  const rows = f.param('rows', 'i32')
  const length = f.param('length', 'i32')
  const factor = f.param('factor', 'f32')
  const factors = f.let(f32x4.splat(factor))
  const last = f.let(i32.sub(rows, 1))
  const end = f.let(i32.add(to, i32.mul(length, panelPitch)))
  const addresses = Array.from({ length: together }, (_, i) => {
    return f.let(i32.add(from, i32.mul(minimum(i32.const(i), last), stride)))
  })
  const advance = (count: number): void => {
    for (const address of addresses) f.set(address, i32.add(address, 4 * count))
    f.set(to, i32.add(to, panelPitch * count))
  }
  f.while(
    () => i32.le_u(i32.add(to, 4 * panelPitch), end),
    () => {
      for (const half of halves) {
        const loaded = addresses.slice(4 * half, 4 * half + 4).map((address) => f.let(v128.load(address)))
        transpose(f, loaded as unknown as FourVectors).forEach((column, i) => {
          f.emit(v128.store(to, f32x4.mul(column, factors), panelPitch * i + 16 * half))
        })
      }
      advance(4)
    },
  )
  const gathered = f.local('v128')
  f.while(
    () => i32.lt_u(to, end),
    () => {
      for (const half of halves) {
        f.set(gathered, v128.load32_zero(addresses[4 * half]!))
        for (const lane of [1, 2, 3])
          f.set(gathered, v128.load32_lane(lane, addresses[4 * half + lane]!, gathered))
        f.emit(v128.store(to, f32x4.mul(gathered, factors), 16 * half))
      }
      advance(1)
    },
  )
  return f
}

/**
 * `$hide(scores, from, to, reach)`: in the rows of keys `from` to `to`, scores become -Infinity where query c does not
 * see the key: where the key is beyond c + reach.
 */
export function hideFunction(pitch: number): FunctionBuilder {
  const f = new FunctionBuilder('hide')
  const scores = f.param('scores', 'i32')
  const from = f.param('from', 'i32')
  const to = f.param('to', 'i32')
  const reach = f.param('reach', 'i32')
  const ends = halves.map((half) => {
    const lanes: Wat = ['v128.const', 'i32x4', ...[0, 1, 2, 3].map((lane) => 4 * half + lane)]
    return f.let(i32x4.add(i32x4.splat(reach), lanes))
  })
  const place = f.let(i32.add(scores, i32.mul(from, pitch)))
  const infinity = f.f32x4(-Infinity)
  f.for(from, to, 1, () => {
    const key = f.let(i32x4.splat(from))
    for (const half of halves) {
      const score = v128.load(place, 16 * half)
      f.emit(v128.store(place, v128.bitselect(infinity, score, i32x4.gt_s(key, ends[half]!)), 16 * half))
    }
    f.set(place, i32.add(place, pitch))
  })
  return f
}

/**
 * `$applyMask(scores, keys, mask, maskRow, maskKey, rows)`: adds a mask of reals, or replaces what a mask of bools hides.
 * `mask` is the address for the first query and key; queries that do not exist repeat the last.
 */
export function maskFunction(pitch: number, kind: 'bool' | 'real'): FunctionBuilder {
  const f = new FunctionBuilder('applyMask')
  const scores = f.param('scores', 'i32')
  const keys = f.param('keys', 'i32')
  const mask = f.param('mask', 'i32')
  const maskRow = f.param('maskRow', 'i32')
  const maskKey = f.param('maskKey', 'i32')
  const rows = f.param('rows', 'i32')
  const last = f.let(i32.sub(rows, 1))
  const addresses = Array.from({ length: together }, (_, i) => {
    return f.let(i32.add(mask, i32.mul(minimum(i32.const(i), last), maskRow)))
  })
  const key = f.let(i32.const(0))
  const values = f.local('v128')
  f.for(key, keys, 1, () => {
    for (const half of halves) {
      f.set(values, v128.load32_zero(addresses[4 * half]!))
      for (const lane of [1, 2, 3]) f.set(values, v128.load32_lane(lane, addresses[4 * half + lane]!, values))
      const score = v128.load(scores, 16 * half)
      const masked =
        kind === 'real'
          ? f32x4.add(score, values)
          : v128.bitselect(f.f32x4(maskedScore), score, i32x4.eq(values, f.i32x4(0)))
      f.emit(v128.store(scores, masked, 16 * half))
    }
    for (const address of addresses) f.set(address, i32.add(address, maskKey))
    f.set(scores, i32.add(scores, pitch))
  })
  return f
}

/** What a score becomes that a mask hides: finite, so that where all are hidden all are alike. The same as in the op. */
export const maskedScore = -1e30

/**
 * `$softmax(scores, keys, statistics)`: turns scores into exp(score - largest), and writes the largest score of each query
 * and one divided by the sum, eight of each.
 */
export function softmaxFunction(pitch: number): FunctionBuilder {
  const f = new FunctionBuilder('softmax')
  const scores = f.param('scores', 'i32')
  const keys = f.param('keys', 'i32')
  const statistics = f.param('statistics', 'i32')
  const end = f.let(i32.add(scores, i32.mul(keys, pitch)))
  const place = f.let(scores)
  const largest = halves.map((half) => f.let(v128.load(scores, 16 * half)))
  f.doWhile(() => {
    for (const half of halves) {
      f.set(largest[half]!, f32x4.pmax(largest[half]!, v128.load(place, 16 * half)))
    }
    return i32.lt_u(f.tee(place, i32.add(place, pitch)), end)
  })
  const sums = halves.map(() => f.local('v128'))
  f.set(place, scores)
  f.doWhile(() => {
    for (const half of halves) {
      const difference = f.let(f32x4.sub(v128.load(place, 16 * half), largest[half]!))
      const exponential = f.let(expNeg(f, difference))
      f.set(sums[half]!, f32x4.add(sums[half]!, exponential))
      f.emit(v128.store(place, exponential, 16 * half))
    }
    return i32.lt_u(f.tee(place, i32.add(place, pitch)), end)
  })
  for (const half of halves) {
    f.emit(v128.store(statistics, largest[half]!, 16 * half))
    f.emit(v128.store(statistics, f32x4.div(f.f32x4(1), sums[half]!), panelPitch + 16 * half))
  }
  return f
}

/**
 * `$weigh(scores, gradients, keys, statistics, scale)`: scores become weights, exp(score - largest) / sum; gradients of
 * weights become those of the products of queries and keys, weight * (gradient - mean) * scale. Statistics: largest score,
 * one divided by the sum, and mean gradient, eight of each.
 */
export function weighFunction(pitch: number): FunctionBuilder {
  const f = new FunctionBuilder('weigh')
  const scores = f.param('scores', 'i32')
  const gradients = f.param('gradients', 'i32')
  const keys = f.param('keys', 'i32')
  const statistics = f.param('statistics', 'i32')
  const scale = f.param('scale', 'f32')
  const [largest, inverse, mean] = [0, 1, 2].map((which) =>
    halves.map((half) => f.let(v128.load(statistics, which * panelPitch + 16 * half))),
  ) as [Local[], Local[], Local[]]
  const scales = f.let(f32x4.splat(scale))
  const key = f.let(i32.const(0))
  f.for(key, keys, 1, () => {
    for (const half of halves) {
      const difference = f.let(f32x4.sub(v128.load(scores, 16 * half), largest[half]!))
      const weight = f.let(f32x4.mul(expNeg(f, difference), inverse[half]!))
      f.emit(v128.store(scores, weight, 16 * half))
      const centred = f32x4.sub(v128.load(gradients, 16 * half), mean[half]!)
      f.emit(v128.store(gradients, f32x4.mul(f32x4.mul(weight, centred), scales), 16 * half))
    }
    f.set(scores, i32.add(scores, pitch))
    f.set(gradients, i32.add(gradients, pitch))
  })
  return f
}

/** `$dots(to, one, other, length)`: the scalar products of the columns of two panels, eight numbers. */
export function dotsFunction(): FunctionBuilder {
  const f = new FunctionBuilder('dots')
  const to = f.param('to', 'i32')
  const one = f.param('one', 'i32')
  const other = f.param('other', 'i32')
  const length = f.param('length', 'i32')
  const end = f.let(i32.add(one, i32.mul(length, panelPitch)))
  const sums = halves.map(() => f.local('v128'))
  f.doWhile(() => {
    for (const half of halves) {
      const product = f32x4.mul(v128.load(one, 16 * half), v128.load(other, 16 * half))
      f.set(sums[half]!, f32x4.add(sums[half]!, product))
    }
    f.set(other, i32.add(other, panelPitch))
    return i32.lt_u(f.tee(one, i32.add(one, panelPitch)), end)
  })
  for (const half of halves) f.emit(v128.store(to, sums[half]!, 16 * half))
  return f
}
