// Attention of very few queries, as when a sequence is made position by position: eight queries at a time would leave most
// lanes empty. For each query, products with four keys at a time run along the features, softmax along the keys, and values
// are mixed by whole rows. Read before: forward.ts, which does all other sizes.
import { expNeg } from '../math/exp.ts'
import { transpose, type FourVectors } from '../math/philox.ts'
import { minimum, zeroVector } from '../contract/code.ts'
import { FunctionBuilder } from '../wat/builder.ts'
import { f32, f32x4, i32, select, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { maskedScore } from './columns.ts'
import { scopeOf, type AttentionKind } from './forward.ts'
import { parameter, type AttentionParameter } from './parameters.ts'

/** Queries up to which this is faster. */
export const fewQueries = 2

/** Values mixed at a time, in vectors: as many sums as stay in registers. */
const widest = 8

/** The module of an attention of few queries: its export `k(param, from, to, scratch)` does items, which are heads. */
export function fewFunctions(kind: AttentionKind): FunctionBuilder[] {
  return [scores(), ...(kind.mask === 'none' ? [] : [applyMask(kind.mask)]), softmax(), mix(), items(kind)]
}

/**
 * `$scores(to, from, stride, count, query, bytes, scale)`: to[r] = scale times the scalar product of the query and row r,
 * both `bytes` long, a multiple of 16. Writes whole vectors; rows that do not exist repeat the last.
 */
function scores(): FunctionBuilder {
  const f = new FunctionBuilder('scores')
  const to = f.param('to', 'i32')
  const from = f.param('from', 'i32')
  const stride = f.param('stride', 'i32')
  const count = f.param('count', 'i32')
  const query = f.param('query', 'i32')
  const bytes = f.param('bytes', 'i32')
  const scale = f.param('scale', 'f32')
  const scales = f.let(f32x4.splat(scale))
  const last = f.let(i32.sub(count, 1))
  const row = f.local('i32', 'row')
  const offset = f.local('i32', 'offset')
  const factor = f.local('v128', 'factor')
  const addresses = [0, 1, 2, 3].map(() => f.local('i32', 'address'))
  const sums = [0, 1, 2, 3].map(() => f.local('v128', 'sum'))
  f.doWhile(() => {
    addresses.forEach((address, i) => {
      const index = f.let(i32.add(row, i))
      f.set(address, i32.add(from, i32.mul(minimum(index, last), stride)))
      f.set(sums[i]!, zeroVector)
    })
    f.set(offset, 0)
    f.doWhile(() => {
      f.set(factor, f32x4.mul(v128.load(i32.add(query, offset)), scales))
      addresses.forEach((address, i) => {
        const product = f32x4.mul(v128.load(i32.add(address, offset)), factor)
        f.set(sums[i]!, f32x4.add(sums[i]!, product))
      })
      return i32.lt_u(f.tee(offset, i32.add(offset, 16)), bytes)
    })
    const [a, b, c, d] = transpose(f, sums as unknown as FourVectors)
    f.emit(v128.store(to, f32x4.add(f32x4.add(a, b), f32x4.add(c, d))))
    f.set(to, i32.add(to, 16))
    return i32.lt_u(f.tee(row, i32.add(row, 4)), count)
  })
  return f
}

/** `$applyMask(scores, count, mask, maskKey)`: adds a mask of reals, or replaces what a mask of bools hides. */
function applyMask(kind: 'bool' | 'real'): FunctionBuilder {
  const f = new FunctionBuilder('applyMask')
  const place = f.param('scores', 'i32')
  const count = f.param('count', 'i32')
  const mask = f.param('mask', 'i32')
  const maskKey = f.param('maskKey', 'i32')
  const end = f.let(i32.add(place, i32.shl(count, 2)))
  f.for(place, end, 4, () => {
    const score = f32.load(place)
    const masked =
      kind === 'real' ? f32.add(score, f32.load(mask)) : select(score, f32.const(maskedScore), i32.load(mask))
    f.emit(f32.store(place, masked))
    f.set(mask, i32.add(mask, maskKey))
  })
  return f
}

/**
 * `$softmax(scores, count, largestTo, inverseTo)`: turns scores into exp(score - largest), zeros up to the end of a vector,
 * and writes the largest score and one divided by the sum.
 */
function softmax(): FunctionBuilder {
  const f = new FunctionBuilder('softmax')
  const from = f.param('scores', 'i32')
  const count = f.param('count', 'i32')
  const largestTo = f.param('largestTo', 'i32')
  const inverseTo = f.param('inverseTo', 'i32')
  const end = f.let(i32.add(from, i32.shl(count, 2)))
  const rounded = f.let(i32.add(from, i32.shl(i32.and(i32.add(count, 3), -4), 2)))
  const place = f.let(end)
  f.for(place, rounded, 4, () => f.emit(f32.store(place, f32.const(-Infinity))))
  const largest = f.let(v128.load(from))
  f.set(place, from)
  f.doWhile(() => {
    f.set(largest, f32x4.pmax(largest, v128.load(place)))
    return i32.lt_u(f.tee(place, i32.add(place, 16)), rounded)
  })
  const lane = (i: number): Wat => f32x4.extract_lane(i, largest)
  const most = f.let(f32.max(f32.max(lane(0), lane(1)), f32.max(lane(2), lane(3))))
  f.set(largest, f32x4.splat(most))
  const sums = f.local('v128')
  f.set(place, from)
  f.doWhile(() => {
    const exponential = f.let(expNeg(f, f.let(f32x4.sub(v128.load(place), largest))))
    f.set(sums, f32x4.add(sums, exponential))
    f.emit(v128.store(place, exponential))
    return i32.lt_u(f.tee(place, i32.add(place, 16)), rounded)
  })
  const part = (i: number): Wat => f32x4.extract_lane(i, sums)
  const sum = f32.add(f32.add(part(0), part(1)), f32.add(part(2), part(3)))
  f.emit(f32.store(largestTo, most))
  f.emit(f32.store(inverseTo, f32.div(f32.const(1), sum)))
  return f
}

/**
 * `$mix(to, from, stride, count, weights, factor, columns)`: to[c] = factor times the sum over r of weights[r] * from[r][c],
 * for a number of columns that is a multiple of four.
 */
function mix(): FunctionBuilder {
  const f = new FunctionBuilder('mix')
  const to = f.param('to', 'i32')
  const from = f.param('from', 'i32')
  const stride = f.param('stride', 'i32')
  const count = f.param('count', 'i32')
  const weights = f.param('weights', 'i32')
  const factor = f.param('factor', 'f32')
  const columns = f.param('columns', 'i32')
  const factors = f.let(f32x4.splat(factor))
  const end = f.let(i32.add(weights, i32.shl(count, 2)))
  const sums = Array.from({ length: widest }, () => f.local('v128', 'sum'))
  const row = f.local('i32', 'row')
  const place = f.local('i32', 'place')
  const weight = f.local('v128', 'weight')
  const strips = (used: readonly Local[]): void =>
    f.while(
      () => i32.ge_u(columns, 4 * used.length),
      () => {
        for (const sum of used) f.set(sum, zeroVector)
        f.set(row, from)
        f.set(place, weights)
        f.doWhile(() => {
          f.set(weight, v128.load32_splat(place))
          used.forEach((sum, i) => f.set(sum, f32x4.add(sum, f32x4.mul(v128.load(row, 16 * i), weight))))
          f.set(row, i32.add(row, stride))
          return i32.lt_u(f.tee(place, i32.add(place, 4)), end)
        })
        used.forEach((sum, i) => f.emit(v128.store(to, f32x4.mul(sum, factors), 16 * i)))
        f.set(to, i32.add(to, 16 * used.length))
        f.set(from, i32.add(from, 16 * used.length))
        f.set(columns, i32.sub(columns, 4 * used.length))
      },
    )
  strips(sums)
  strips(sums.slice(0, 2))
  strips(sums.slice(0, 1))
  return f
}

function items({ causal, mask }: AttentionKind): FunctionBuilder {
  const f = new FunctionBuilder('items', 'k')
  const block = f.param('block', 'i32')
  const item = f.param('from', 'i32')
  const end = f.param('to', 'i32')
  const scratch = f.param('scratch', 'i32')
  const { get, headOf } = scopeOf(f, block, [
    ...(['heads', 'queries', 'keys', 'features', 'values', 'qRow', 'kRow', 'vRow'] as const),
    ...(mask === 'none' ? [] : (['maskRow', 'maskKey'] as const)),
  ])
  const place = (name: AttentionParameter): Local => f.let(i32.add(scratch, parameter(block, name)), name)
  const row = place('scoresPlace')
  const scale = f.let(f32.reinterpret_i32(get('scale')))
  const ends = f.let(i32.add(get('offset'), 1))
  const resultHead = f.let(i32.shl(get('values'), 2))
  const resultRow = f.let(i32.mul(get('heads'), resultHead))
  const query = f.local('i32', 'query')
  f.for(item, end, 1, () => {
    const batch = f.let(i32.div_u(item, get('heads')), 'batch')
    const head = f.let(i32.rem_u(item, get('heads')), 'head')
    const keyHead = f.let(i32.div_u(head, parameter(block, 'sharing')), 'keyHead')
    const [q, k, v] = [headOf('q', batch, head), headOf('k', batch, keyHead), headOf('v', batch, keyHead)]
    const masks = mask === 'none' ? null : headOf('mask', batch, head)
    f.set(query, 0)
    f.doWhile(() => {
      const seen = f.let(i32.add(ends, query))
      const count = f.let(causal ? minimum(seen, get('keys')) : get('keys'))
      const from = i32.add(q, i32.mul(query, get('qRow')))
      f.emit(f.call('$scores', row, k, get('kRow'), count, from, i32.shl(get('features'), 2), scale))
      if (masks !== null) {
        const first = i32.add(masks, i32.mul(query, get('maskRow')))
        f.emit(f.call('$applyMask', row, count, first, get('maskKey')))
      }
      const word = i32.shl(i32.add(i32.mul(item, get('queries')), query), 2)
      const largest = i32.add(parameter(block, 'largest'), word)
      const inverse = f.let(i32.add(parameter(block, 'inverse'), word))
      f.emit(f.call('$softmax', row, count, largest, inverse))
      const ofBatch = i32.mul(i32.add(i32.mul(batch, get('queries')), query), resultRow)
      const to = i32.add(parameter(block, 'result'), i32.add(ofBatch, i32.mul(head, resultHead)))
      f.emit(f.call('$mix', to, v, get('vRow'), count, row, f32.load(inverse), get('values')))
      return i32.lt_u(f.tee(query, i32.add(query, 1)), get('queries'))
    })
  })
  return f
}
