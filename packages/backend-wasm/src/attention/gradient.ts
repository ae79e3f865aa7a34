// The gradient of attention: weights are computed again from queries, keys and the statistics of each query (Dao et al.
// 2022, algorithm 4), in blocks of keys by blocks of queries that stay in the second-level cache. An item of work is one
// head of keys with all query heads that share it, so every sum is taken in one order whatever the number of threads.
// Where causal, pairs of keys and queries that do not see each other are left out, up to tiles. Read before: forward.ts.
import { minimum } from '../contract/code.ts'
import { FunctionBuilder } from '../wat/builder.ts'
import { f32, i32, select, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { dotsFunction, hideFunction, maskFunction, packFunction, weighFunction } from './columns.ts'
import { noLead, scopeOf, type AttentionKind, type Scope } from './forward.ts'
import type { AttentionParameter } from './parameters.ts'
import { mix, mixFunction, scoresFunction, together } from './products.ts'

/** Keys and queries of a block; multiples of the tile's sides. */
export const keyBlock = 128
export const queryBlock = 64

/** Bytes from the scores of one key to those of the next: an odd number of cache lines, or they would push each other out. */
export const pitch: number = 4 * queryBlock + 64

const panelPitch = 4 * together

/** The module of a gradient: its export `k(param, from, to, scratch)` does items. */
export function gradientFunctions(kind: AttentionKind): FunctionBuilder[] {
  return [
    packFunction(),
    dotsFunction(),
    scoresFunction(pitch),
    ...(kind.causal ? [hideFunction(pitch)] : []),
    ...(kind.mask === 'none' ? [] : [maskFunction(pitch, kind.mask)]),
    weighFunction(pitch),
    mixFunction('mixKeys', { row: 4, step: pitch }),
    mixFunction('mixQueries', { row: pitch, step: 4 }),
    block(kind),
    items(kind),
  ]
}

/** Addresses in scratch space. */
function placesOf({ f, get }: Scope, scratch: Local): (name: AttentionParameter) => Local {
  return (name) => f.let(i32.add(scratch, get(name)), name)
}

const zero = i32.const(0)

/** All items: for each block of keys, all query heads and blocks of queries that see any of it. */
function items({ causal }: AttentionKind): FunctionBuilder {
  const f = new FunctionBuilder('items', 'k')
  const param = f.param('param', 'i32')
  const item = f.param('from', 'i32')
  const end = f.param('to', 'i32')
  const scratch = f.param('scratch', 'i32')
  const { get } = scopeOf(f, param, ['keyHeads', 'sharing', 'queries', 'keys', 'offset'])
  const firstKey = f.local('i32', 'firstKey')
  const keyCount = f.local('i32', 'keyCount')
  const firstQuery = f.local('i32', 'firstQuery')
  const queryCount = f.local('i32', 'queryCount')
  const share = f.local('i32', 'share')
  const begun = f.local('i32', 'begun')
  f.for(item, end, 1, () => {
    const batch = f.let(i32.div_u(item, get('keyHeads')), 'batch')
    const keyHead = f.let(i32.rem_u(item, get('keyHeads')), 'keyHead')
    f.set(firstKey, 0)
    f.doWhile(() => {
      const keysLeft = f.let(i32.sub(get('keys'), firstKey))
      f.set(keyCount, minimum(i32.const(keyBlock), keysLeft))
      f.set(begun, 0)
      f.set(share, 0)
      const doBlock = (head: Wat): void => {
        const place = [batch, keyHead, head, firstKey, keyCount, firstQuery, queryCount]
        f.emit(f.call('$block', param, scratch, ...place, begun))
      }
      f.doWhile(() => {
        const head = f.let(i32.add(i32.mul(keyHead, get('sharing')), share), 'head')
        f.set(firstQuery, 0)
        if (causal) {
          // Queries of earlier blocks see none of these keys.
          const first = f.let(i32.sub(firstKey, get('offset')))
          f.if(i32.gt_s(first, 0), () => f.set(firstQuery, i32.and(first, -queryBlock)))
        }
        f.for(firstQuery, get('queries'), queryBlock, () => {
          const queriesLeft = f.let(i32.sub(get('queries'), firstQuery))
          f.set(queryCount, minimum(i32.const(queryBlock), queriesLeft))
          doBlock(head)
          f.set(begun, 1)
        })
        return i32.lt_u(f.tee(share, i32.add(share, 1)), get('sharing'))
      })
      // Keys that nobody sees have gradients of zero.
      f.if(i32.eqz(begun), () => {
        f.set(firstQuery, 0)
        f.set(queryCount, 0)
        doBlock(i32.mul(keyHead, get('sharing')))
      })
      return i32.lt_u(f.tee(firstKey, i32.add(firstKey, keyBlock)), get('keys'))
    })
  })
  return f
}

/**
 * `$block(param, scratch, batch, keyHead, head, firstKey, keyCount, firstQuery, queryCount, begun)`: what one block of
 * queries and one block of keys give to each other's gradients. `begun`: whether those of the keys are to be added to.
 */
function block({ causal, mask }: AttentionKind): FunctionBuilder {
  const f = new FunctionBuilder('block')
  const param = f.param('param', 'i32')
  const scratch = f.param('scratch', 'i32')
  const batch = f.param('batch', 'i32')
  const keyHead = f.param('keyHead', 'i32')
  const head = f.param('head', 'i32')
  const firstKey = f.param('firstKey', 'i32')
  const keyCount = f.param('keyCount', 'i32')
  const firstQuery = f.param('firstQuery', 'i32')
  const queryCount = f.param('queryCount', 'i32')
  const begun = f.param('begun', 'i32')
  const scope = scopeOf(f, param, [
    ...(['heads', 'queries', 'keys', 'features', 'values', 'qRow', 'kRow', 'vRow', 'upstreamRow'] as const),
    ...(['scale', 'offset', 'qGradientRow'] as const),
  ])
  const { get, headOf } = scope
  const place = placesOf(scope, scratch)
  const [panel, otherPanel, statistics] = [
    place('panelPlace'),
    place('otherPanelPlace'),
    place('statisticsPlace'),
  ]
  const [tile, allScores, allGradients] = [
    place('tilePlace'),
    place('scoresPlace'),
    place('otherScoresPlace'),
  ]
  const scale = f.let(f32.reinterpret_i32(get('scale')))
  const rowAt = (start: Local, row: Local, stride: Local): Local =>
    f.let(i32.add(start, i32.mul(row, stride)))

  const keys = rowAt(headOf('k', batch, keyHead), firstKey, get('kRow'))
  const values = rowAt(headOf('v', batch, keyHead), firstKey, get('vRow'))
  const q = rowAt(headOf('q', batch, head), firstQuery, get('qRow'))
  const upstream = rowAt(headOf('upstream', batch, head), firstQuery, get('upstreamRow'))
  const rowBytes = f.let(i32.shl(get('values'), 2))
  const resultRow = f.let(i32.mul(get('heads'), rowBytes))
  const resultBatch = i32.mul(i32.mul(batch, get('queries')), resultRow)
  const result = f.let(i32.add(get('result'), i32.add(resultBatch, i32.mul(head, rowBytes))))
  const ofHead = f.let(i32.mul(i32.add(i32.mul(batch, get('heads')), head), get('queries')))

  const local = f.let(zero, 'local')
  const query = f.local('i32', 'query')
  const count = f.local('i32', 'count')
  const limit = f.local('i32', 'limit')
  const reach = f.local('i32', 'reach')
  f.for(local, queryCount, together, () => {
    f.set(query, i32.add(firstQuery, local))
    const left = f.let(i32.sub(queryCount, local))
    f.set(count, minimum(i32.const(together), left))
    f.set(limit, keyCount)
    if (causal) {
      // Query c of these sees keys up to c + reach of the block's.
      f.set(reach, i32.sub(i32.add(query, get('offset')), firstKey))
      const beyond = f.let(i32.add(reach, count))
      f.set(limit, select(beyond, limit, i32.lt_s(beyond, limit)))
    }
    f.if(i32.gt_s(limit, 0), () => {
      const scores = f.let(i32.add(allScores, i32.shl(local, 2)))
      const gradients = f.let(i32.add(allGradients, i32.shl(local, 2)))
      const rounded = f.let(i32.and(i32.add(limit, 3), -4))
      const pack = (to: Local, from: Local, stride: Local, length: Local, factor: Wat): void =>
        f.emit(f.call('$pack', to, from, stride, count, length, factor))
      pack(panel, rowAt(upstream, local, get('upstreamRow')), get('upstreamRow'), get('values'), f32.const(1))
      pack(otherPanel, rowAt(result, query, resultRow), resultRow, get('values'), f32.const(1))
      f.emit(f.call('$dots', i32.add(statistics, 2 * panelPitch), panel, otherPanel, get('values')))
      f.emit(f.call('$scores', gradients, values, get('vRow'), limit, panel, get('values')))
      const word = f.let(i32.shl(i32.add(ofHead, query), 2))
      ;(['largest', 'inverse'] as const).forEach((name, which) => {
        const from = f.let(i32.add(get(name), word))
        for (const half of [0, 16]) {
          f.emit(v128.store(statistics, v128.load(from, half), which * panelPitch + half))
        }
      })
      pack(panel, rowAt(q, local, get('qRow')), get('qRow'), get('features'), scale)
      f.emit(f.call('$scores', scores, keys, get('kRow'), limit, panel, get('features')))
      if (mask !== 'none') {
        const ofQuery = i32.mul(query, get('maskRow'))
        const first = i32.add(
          headOf('mask', batch, head),
          i32.add(ofQuery, i32.mul(firstKey, get('maskKey'))),
        )
        f.emit(f.call('$applyMask', scores, limit, first, get('maskRow'), get('maskKey'), count))
      }
      if (causal) {
        const seen = f.let(i32.add(reach, 1))
        const from = select(seen, zero, i32.gt_s(seen, 0))
        f.emit(f.call('$hide', scores, from, rounded, reach))
      }
      f.emit(f.call('$weigh', scores, gradients, rounded, statistics, scale))
      mix(f, 'mixKeys', {
        to: rowAt(headOf('qGradient', batch, head), query, get('qGradientRow')),
        toStride: get('qGradientRow'),
        rows: count,
        columns: get('features'),
        left: gradients,
        right: keys,
        rightStride: get('kRow'),
        count: limit,
        lead: noLead,
        accumulate: firstKey,
        factors: zero,
        room: tile,
      })
    })
  })

  // The first query of the block that sees key r of the block is r + lead.
  const lead = causal ? f.let(i32.sub(i32.sub(firstKey, get('offset')), firstQuery)) : noLead
  const mixQueries = (
    gradient: 'kGradient' | 'vGradient',
    columns: Local,
    left: Local,
    right: Local,
    rightStride: Local,
  ): void =>
    mix(f, 'mixQueries', {
      to: rowAt(headOf(gradient, batch, keyHead), firstKey, get(`${gradient}Row`)),
      toStride: get(`${gradient}Row`),
      rows: keyCount,
      columns,
      left,
      right,
      rightStride,
      count: queryCount,
      lead,
      accumulate: begun,
      factors: zero,
      room: tile,
    })
  mixQueries('vGradient', get('values'), allScores, upstream, get('upstreamRow'))
  mixQueries('kGradient', get('features'), allGradients, q, get('qRow'))
  return f
}
