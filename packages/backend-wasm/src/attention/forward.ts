// Attention, eight queries at a time: scores with all keys that they see, softmax, then values mixed by the weights. Eight
// rows of scores stay in the first-level cache even for long sequences, so softmax need not be done piece by piece, and no
// score ever goes to memory. Causal queries meet no key beyond their own place. Items of work are runs of queries of one
// head; what a query gets does not depend on how they are cut. Read before: products.ts, columns.ts.
import { minimum } from '../contract/code.ts'
import { FunctionBuilder } from '../wat/builder.ts'
import { f32, i32 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { hideFunction, maskFunction, packFunction, softmaxFunction } from './columns.ts'
import { parameter, type AttentionParameter } from './parameters.ts'
import { mix, mixFunction, scoresFunction, together } from './products.ts'

/** Which functions a kind of attention needs. */
export interface AttentionKind {
  readonly causal: boolean
  readonly mask: 'none' | 'bool' | 'real'
}

const pitch = 4 * together

/** Bytes of statistics of eight queries: largest score, one divided by the sum, and what else the gradient needs. */
export const statisticsBytes: number = 3 * pitch

/** A `lead` of mixing that leaves nothing out. */
export const noLead: Wat = i32.const(-(2 ** 30))

/** The module of an attention: its export `k(param, from, to, scratch)` does items. */
export function forwardFunctions(kind: AttentionKind): FunctionBuilder[] {
  return [
    packFunction(),
    scoresFunction(pitch),
    ...(kind.causal ? [hideFunction(pitch)] : []),
    ...(kind.mask === 'none' ? [] : [maskFunction(pitch, kind.mask)]),
    softmaxFunction(pitch),
    mixFunction('mix', { row: 4, step: pitch }),
    items(kind),
  ]
}

/** A value whose batches and heads lie at strides of their own. */
export type Operand = 'q' | 'k' | 'v' | 'mask' | 'upstream' | 'qGradient' | 'kGradient' | 'vGradient'

/** How the code of items reads parameters and finds operands. */
export interface Scope {
  readonly f: FunctionBuilder
  readonly get: (name: AttentionParameter) => Local
  /** Address of a head of an operand. */
  readonly headOf: (operand: Operand, batch: Local, head: Local) => Local
}

/** Reads each parameter once, where the function begins. */
export function scopeOf(f: FunctionBuilder, block: Local, names: readonly AttentionParameter[]): Scope {
  const known = new Map(names.map((name) => [name, f.let(parameter(block, name), name)]))
  const get = (name: AttentionParameter): Local => known.get(name) ?? f.let(parameter(block, name), name)
  return {
    f,
    get,
    headOf: (operand, batch, head) => {
      const ofBatch = i32.mul(batch, parameter(block, `${operand}Batch`))
      const ofHead = i32.mul(head, parameter(block, `${operand}Head`))
      return f.let(i32.add(parameter(block, operand), i32.add(ofBatch, ofHead)), operand)
    },
  }
}

function items({ causal, mask }: AttentionKind): FunctionBuilder {
  const f = new FunctionBuilder('items', 'k')
  const block = f.param('block', 'i32')
  const item = f.param('from', 'i32')
  const end = f.param('to', 'i32')
  const scratch = f.param('scratch', 'i32')
  const { get, headOf } = scopeOf(f, block, [
    ...(['heads', 'sharing', 'queries', 'keys', 'features', 'values', 'itemQueries', 'headItems'] as const),
    ...(['qRow', 'kRow', 'vRow', 'result', 'largest', 'inverse', 'scale', 'offset'] as const),
    ...(mask === 'none' ? [] : (['maskRow', 'maskKey'] as const)),
  ])
  const place = (name: AttentionParameter): Local => f.let(i32.add(scratch, parameter(block, name)), name)
  const [panel, scores] = [place('panelPlace'), place('scoresPlace')]
  const [statistics, tile] = [place('statisticsPlace'), place('tilePlace')]
  const resultRow = f.let(i32.mul(get('heads'), i32.shl(get('values'), 2)), 'resultRow')
  const query = f.local('i32', 'query')
  const last = f.local('i32', 'last')
  const count = f.local('i32', 'count')
  const limit = f.local('i32', 'limit')
  const seen = f.local('i32', 'seen')
  const reach = f.local('i32', 'reach')

  f.for(item, end, 1, () => {
    const outer = f.let(i32.div_u(item, get('headItems')), 'outer')
    const batch = f.let(i32.div_u(outer, get('heads')), 'batch')
    const head = f.let(i32.rem_u(outer, get('heads')), 'head')
    const keyHead = f.let(i32.div_u(head, get('sharing')), 'keyHead')
    const [q, k, v] = [headOf('q', batch, head), headOf('k', batch, keyHead), headOf('v', batch, keyHead)]
    const masks = mask === 'none' ? null : headOf('mask', batch, head)
    const resultHead = f.let(
      i32.add(
        get('result'),
        i32.add(i32.mul(i32.mul(batch, get('queries')), resultRow), i32.mul(head, i32.shl(get('values'), 2))),
      ),
    )
    const rowOfHead = f.let(i32.mul(outer, get('queries')), 'rowOfHead')
    f.set(query, i32.mul(i32.rem_u(item, get('headItems')), get('itemQueries')))
    const itemEnd = f.let(i32.add(query, get('itemQueries')))
    f.set(last, minimum(itemEnd, get('queries')))
    f.doWhile(() => {
      const rest = f.let(i32.sub(last, query))
      f.set(count, minimum(i32.const(together), rest))
      f.set(limit, get('keys'))
      if (causal) {
        // Query c of these sees keys up to c + reach.
        f.set(reach, i32.add(query, get('offset')))
        const beyond = f.let(i32.add(reach, count))
        f.set(limit, minimum(beyond, limit))
      }
      const rows = i32.add(q, i32.mul(query, get('qRow')))
      const scale = f32.reinterpret_i32(get('scale'))
      f.emit(f.call('$pack', panel, rows, get('qRow'), count, get('features'), scale))
      f.emit(f.call('$scores', scores, k, get('kRow'), limit, panel, get('features')))
      if (masks !== null) {
        const first = i32.add(masks, i32.mul(query, get('maskRow')))
        f.emit(f.call('$applyMask', scores, limit, first, get('maskRow'), get('maskKey'), count))
      }
      if (causal) {
        f.set(seen, i32.add(reach, 1))
        f.emit(f.call('$hide', scores, minimum(seen, limit), limit, reach))
      }
      f.emit(f.call('$softmax', scores, limit, statistics))
      const inverse = i32.add(statistics, pitch)
      const target = i32.add(resultHead, i32.mul(query, resultRow))
      mix(f, 'mix', {
        to: target,
        toStride: resultRow,
        rows: count,
        columns: get('values'),
        left: scores,
        right: v,
        rightStride: get('vRow'),
        count: limit,
        lead: noLead,
        accumulate: i32.const(0),
        factors: inverse,
        room: tile,
      })
      const words = f.let(i32.shl(i32.add(rowOfHead, query), 2))
      const lane = f.let(i32.const(0), 'lane')
      const laneEnd = f.let(i32.shl(count, 2))
      f.for(lane, laneEnd, 4, () => {
        const from = f.let(i32.add(statistics, lane))
        const to = f.let(i32.add(words, lane))
        f.emit(f32.store(i32.add(get('largest'), to), f32.load(from)))
        f.emit(f32.store(i32.add(get('inverse'), to), f32.load(from, pitch)))
      })
      return i32.lt_u(f.tee(query, i32.add(query, together)), last)
    })
  })
  return f
}
