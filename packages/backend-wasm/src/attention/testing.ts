// What the tests of attention share: random specifications, what they mean in plain float64 loops, and a place to run them.
// Part of no build. Read next: attention.test.ts.
import type { Access, AttentionGradientSpec, AttentionSizes, AttentionSpec } from '@nabla/engine'
import type { DeviceMemory } from '../memory.ts'
import type { Random } from '../contract/testing.ts'
import type { Threads } from '../pool/threads.ts'
import { createAttention } from './attention.ts'

type Operand = 'q' | 'k' | 'v' | 'mask' | 'upstream'

/** An attention, its gradient, the elements of all operands and the two numbers. */
export interface Case {
  readonly forward: AttentionSpec
  readonly gradient: AttentionGradientSpec
  readonly buffers: Readonly<Record<Operand, Float32Array>>
  readonly numbers: readonly number[]
}

/** What both wrote: the result with its statistics, and the gradients. */
export interface Written {
  readonly forward: Float32Array
  readonly gradient: Float32Array
}

export interface CaseOptions {
  readonly causal: boolean
  readonly mask: 'none' | 'bool' | 'real'
  readonly offset: number
}

/** Axes in any order but for the last, with gaps, and for a mask stride 0 here and there. */
function layoutOf(sizes: readonly number[], random: Random, isMask: boolean): Access & { length: number } {
  const strides = sizes.map(() => 0)
  const outer = sizes.map((_, i) => i).slice(0, -1)
  const order: number[] = []
  while (outer.length > 0) order.push(...outer.splice(random(outer.length), 1))
  let stride = 1
  for (const axis of isMask && random(2) === 0 ? [...order, 3] : [3, ...order]) {
    if (isMask && random(3) === 0) continue
    strides[axis] = stride
    stride = stride * sizes[axis]! + random(2) * random(5)
  }
  const offset = random(3)
  return { offset, strides, length: offset + stride + 8 }
}

/** One after the other, or, where there are as many queries as keys, position by position. */
function gradientsOf(sizes: AttentionSizes, mayBeTogether: boolean): AttentionGradientSpec['gradients'] {
  const { batch, heads, keyHeads, queries, keys, features, values } = sizes
  const rows = [heads * features, keyHeads * features, keyHeads * values]
  const isTogether = mayBeTogether && queries === keys
  const whole = rows[0]! + rows[1]! + rows[2]!
  let offset = 0
  const [q, k, v] = [queries, keys, keys].map((positions, i) => {
    const row = isTogether ? whole : rows[i]!
    const access = { offset, strides: [positions * row, i === 2 ? values : features, row, 1] }
    offset += isTogether ? rows[i]! : batch * positions * row
    return access
  })
  return { q: q!, k: k!, v: v! }
}

export function makeCase(sizes: AttentionSizes, options: CaseOptions, random: Random): Case {
  const { batch, heads, keyHeads, queries, keys, features, values } = sizes
  const { causal, mask, offset } = options
  const shapes = {
    q: [batch, heads, queries, features],
    k: [batch, keyHeads, keys, features],
    v: [batch, keyHeads, keys, values],
    mask: [batch, heads, queries, keys],
    upstream: [batch, heads, queries, values],
  }
  const layout = (operand: Operand): Access & { length: number } =>
    layoutOf(shapes[operand], random, operand === 'mask')
  const layouts = {
    q: layout('q'),
    k: layout('k'),
    v: layout('v'),
    mask: layout('mask'),
    upstream: layout('upstream'),
  }
  const real = (length: number): Float32Array => Float32Array.from({ length }, () => random(4000) / 1000 - 2)
  const buffers = {
    q: real(layouts.q.length),
    k: real(layouts.k.length),
    v: real(layouts.v.length),
    mask: real(layouts.mask.length),
    upstream: real(layouts.upstream.length),
  }
  if (mask === 'bool') {
    const words = new Int32Array(buffers.mask.buffer)
    for (let i = 0; i < words.length; i++) words[i] = random(4) === 0 ? 0 : 1
  }
  const common = {
    dtype: 'float32',
    sizes,
    q: layouts.q,
    k: layouts.k,
    v: layouts.v,
    mask: mask === 'none' ? null : { ...layouts.mask, kind: mask },
    causal,
    numbers: [0, 1],
  } as const
  // Slots: q, k, v, mask, upstream, what the attention writes, the gradients.
  const operands = mask === 'none' ? [0, 1, 2] : [0, 1, 2, 3]
  return {
    forward: { ...common, name: 'attention', slots: [...operands, 5] },
    gradient: {
      ...common,
      name: 'attentionGradient',
      upstream: layouts.upstream,
      gradients: gradientsOf(sizes, random(2) === 0),
      slots: [...operands, 4, 5, 6],
    },
    buffers,
    numbers: [1 / Math.sqrt(features), offset],
  }
}

/** Runs an attention and its gradient. @throws where anything behind the results has changed */
export function run(
  memory: DeviceMemory,
  threads: Threads,
  { forward, gradient, buffers, numbers }: Case,
): Written {
  const { batch, heads, keyHeads, queries, keys, features, values } = forward.sizes
  const lengths = [
    batch * heads * queries * (values + 2),
    batch * heads * queries * features + batch * keyHeads * keys * (features + values),
  ]
  const guard = 16
  const operands = (['q', 'k', 'v', 'mask', 'upstream'] as const).map((name) => buffers[name])
  const places = [...operands.map(({ length }) => length), ...lengths.map((length) => length + guard)].map(
    (length) => memory.allocate(4 * length),
  )
  operands.forEach((data, i) => memory.float32.set(data, places[i]! / 4))
  for (const i of [0, 1])
    memory.float32.fill(12345, places[5 + i]! / 4, places[5 + i]! / 4 + lengths[i]! + guard)
  const factories = createAttention(memory, threads)
  const executables = [factories.attention(forward)!, factories.attentionGradient(gradient)!]
  for (const executable of executables) executable.run(places, numbers)
  for (const executable of executables) executable.dispose()
  const [result, gradients] = [0, 1].map((i) => {
    const start = places[5 + i]! / 4
    const behind = memory.float32.slice(start + lengths[i]!, start + lengths[i]! + guard)
    if (behind.some((value) => value !== 12345)) throw new Error('something was written behind a result')
    return memory.float32.slice(start, start + lengths[i]!)
  })
  for (const place of places) memory.release(place)
  return { forward: result!, gradient: gradients! }
}

/** What {@link run} should give, in plain loops. */
export function reference({ forward, gradient, buffers, numbers }: Case): {
  forward: Float64Array
  gradient: Float64Array
} {
  const { batch, heads, keyHeads, queries, keys, features, values } = forward.sizes
  const [scale, offset] = numbers as [number, number]
  const sharing = heads / keyHeads
  const at = ({ offset: start, strides }: Access, ...index: number[]): number =>
    index.reduce((place, i, axis) => place + i * strides[axis]!, start)
  const bools = new Int32Array(buffers.mask.buffer)
  const rows = batch * heads * queries
  const result = new Float64Array(rows * (values + 2))
  const gradients = new Float64Array(rows * features + batch * keyHeads * keys * (features + values))
  const { q, k, v } = gradient.gradients

  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const g = Math.floor(h / sharing)
      for (let i = 0; i < queries; i++) {
        const scores = Array.from({ length: keys }, (_, j) => {
          if (forward.causal && j > i + offset) return -Infinity
          let score = 0
          for (let e = 0; e < features; e++)
            score += buffers.q[at(forward.q, b, h, i, e)]! * buffers.k[at(forward.k, b, g, j, e)]!
          score *= scale
          if (forward.mask === null) return score
          const place = at(forward.mask, b, h, i, j)
          if (forward.mask.kind === 'real') return score + buffers.mask[place]!
          return bools[place] === 0 ? -1e30 : score
        })
        const largest = Math.max(...scores)
        const exponentials = scores.map((score) => Math.exp(score - largest))
        const inverse = 1 / exponentials.reduce((sum, x) => sum + x, 0)
        const weights = exponentials.map((x) => x * inverse)
        const row = (b * heads + h) * queries + i
        result[rows * values + row] = largest
        result[rows * (values + 1) + row] = inverse
        const ofWeights = weights.map(() => 0)
        for (let j = 0; j < keys; j++) {
          for (let e = 0; e < values; e++) {
            const value = buffers.v[at(forward.v, b, g, j, e)]!
            const upstream = buffers.upstream[at(gradient.upstream, b, h, i, e)]!
            result[((b * queries + i) * heads + h) * values + e]! += weights[j]! * value
            gradients[at(v, b, g, j, e)]! += weights[j]! * upstream
            ofWeights[j]! += upstream * value
          }
        }
        const mean = weights.reduce((sum, weight, j) => sum + weight * ofWeights[j]!, 0)
        for (let j = 0; j < keys; j++) {
          const ofScore = weights[j]! * (ofWeights[j]! - mean) * scale
          for (let e = 0; e < features; e++) {
            gradients[at(q, b, h, i, e)]! += ofScore * buffers.k[at(forward.k, b, g, j, e)]!
            gradients[at(k, b, g, j, e)]! += ofScore * buffers.q[at(forward.q, b, h, i, e)]!
          }
        }
      }
    }
  }
  return { forward: result, gradient: gradients }
}
