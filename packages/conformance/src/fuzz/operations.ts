// What the fuzzer's programs are made of. An operation looks for operands that suit it among the values there are, adds one
// or a few steps, and gives the last value, or null where nothing suits. Weights say how often each is tried: fusion is
// decided by maps, reductions and views, so these come most. Read before: builder.ts. Read next: generate.ts.
import { sizeOf, type DType, type Shape } from '@nabla/engine'
import { isReal, type Builder, type Entry } from './builder.ts'

/** A way to extend a program. */
export interface Operation {
  readonly name: string
  readonly weight: number
  readonly apply: (builder: Builder) => Promise<Entry | null>
}

/** No value of a program has more elements. */
const mostElements = 3000

const real = (entry: Entry): boolean => isReal(entry.dtype)
const anything = (): boolean => true

/** Values that broadcast with a given one, and do not become too large by it. */
function broadcasts(entry: Entry): (other: Entry) => boolean {
  return (other) => {
    const rank = Math.max(entry.shape.length, other.shape.length)
    let size = 1
    for (let i = 1; i <= rank; i++) {
      const a = entry.shape[entry.shape.length - i] ?? 1
      const b = other.shape[other.shape.length - i] ?? 1
      if (a !== b && a !== 1 && b !== 1) return false
      size *= a === 1 ? b : a
    }
    return size <= mostElements
  }
}

/** A value to go on with: mostly any, sometimes a fresh leaf. */
async function operand(builder: Builder, condition: (entry: Entry) => boolean): Promise<Entry | null> {
  const entry = builder.find(condition)
  return entry === null ? null : builder.tame(entry)
}

// Maps

const plainUnary = ['neg', 'abs', 'square', 'sin', 'tanh', 'sigmoid', 'relu', 'silu', 'erf', 'cos']
const guardedUnary: Readonly<Record<string, readonly [name: string, argument: unknown][]>> = {
  exp: [['minimum', 3]],
  log: [
    ['abs', undefined],
    ['add', 0.5],
  ],
  sqrt: [
    ['abs', undefined],
    ['add', 0.25],
  ],
  rsqrt: [
    ['square', undefined],
    ['add', 0.5],
  ],
  reciprocal: [
    ['square', undefined],
    ['add', 0.75],
  ],
}

async function unary(builder: Builder): Promise<Entry | null> {
  const x = await operand(builder, real)
  if (x === null) return null
  if (builder.random.chance(0.7)) return builder.call(builder.random.pick(plainUnary), x)
  const name = builder.random.pick(Object.keys(guardedUnary))
  let safe = x
  for (const [guard, argument] of guardedUnary[name]!) {
    safe = argument === undefined ? await builder.call(guard, safe) : await builder.call(guard, safe, argument)
  }
  return builder.call(name, safe)
}

async function binary(builder: Builder): Promise<Entry | null> {
  const a = await operand(builder, anything)
  if (a === null) return null
  const b = await operand(builder, broadcasts(a))
  if (b === null) return null
  const name = builder.random.pick(['add', 'sub', 'mul', 'maximum', 'minimum', 'add', 'mul'])
  // Differences and products of two bools are no arithmetic.
  if (a.dtype === 'bool' && b.dtype === 'bool') return builder.call(builder.random.pick(['logicalAnd', 'logicalOr', 'logicalXor']), a, b)
  return builder.call(name, a, b)
}

async function quotient(builder: Builder): Promise<Entry | null> {
  const a = await operand(builder, real)
  const b = a === null ? null : await operand(builder, (other) => real(other) && broadcasts(a)(other))
  if (a === null || b === null) return null
  return builder.call('div', a, await builder.call('add', await builder.call('square', b), 0.5))
}

async function withNumber(builder: Builder): Promise<Entry | null> {
  const x = await operand(builder, anything)
  if (x === null) return null
  const whole = !isReal(x.dtype)
  const number = whole ? builder.random.whole(-3, 3) : Math.fround(builder.random.uniform() * 4 - 2)
  return builder.call(builder.random.pick(['add', 'mul', 'sub', 'maximum']), x, number)
}

async function compare(builder: Builder): Promise<Entry | null> {
  const a = builder.find((entry) => entry.exact)
  const b = a === null ? null : builder.find((entry) => entry.exact && broadcasts(a)(entry))
  if (a === null || b === null) return null
  return builder.call(builder.random.pick(['eq', 'ne', 'lt', 'le', 'gt', 'ge']), a, b)
}

async function where(builder: Builder): Promise<Entry | null> {
  const condition = builder.find((entry) => entry.dtype === 'bool')
  const a = condition === null ? null : await operand(builder, broadcasts(condition))
  if (condition === null || a === null) return null
  if (builder.random.chance(0.4)) return builder.call('where', condition, a, isReal(a.dtype) ? 0.5 : 2)
  const fits = (entry: Entry): boolean => broadcasts(condition)(entry) && broadcasts(a)(entry)
  const b = await operand(builder, fits)
  return b === null ? null : builder.call('where', condition, a, b)
}

async function convert(builder: Builder): Promise<Entry | null> {
  const x = await operand(builder, anything)
  if (x === null) return null
  const types: DType[] = x.exact ? ['float32', 'float64', 'int32', 'bool'] : ['float32', 'float64']
  return builder.call('to', x, builder.random.pick(types.filter((dtype) => dtype !== x.dtype)))
}

// Values that take no memory: every reader computes them again.
async function constant(builder: Builder): Promise<Entry | null> {
  const like = builder.find((entry) => entry.size > 0 && entry.size < 500)
  if (like === null) return null
  if (builder.random.chance(0.5)) return builder.call('full', like.shape, builder.random.pick([0, 1, 0.5, -2]))
  const count = await builder.call('arange', like.size)
  const line = builder.random.chance(0.5) ? await builder.call('to', count, 'float32') : count
  return builder.call('reshape', await builder.tame(line), like.shape)
}

// Reductions

function someDims(builder: Builder, x: Entry): number[] {
  const all = x.shape.map((_, dim) => dim)
  const chosen = builder.random.some(all, 0.5)
  const dims = chosen.length > 0 ? chosen : [builder.random.pick(all)]
  return dims.map((dim) => (builder.random.chance(0.2) ? dim - x.shape.length : dim))
}

async function reduce(builder: Builder): Promise<Entry | null> {
  const x = await operand(builder, (entry) => entry.dtype !== 'bool' && entry.shape.length > 0)
  if (x === null) return null
  const names = x.size === 0 ? ['sum'] : isReal(x.dtype) ? ['sum', 'sum', 'mean', 'amax', 'amin'] : ['sum', 'amax', 'amin']
  const name = builder.random.pick(names)
  const keepdim = builder.random.chance(0.5)
  const result = await builder.call(name, x, someDims(builder, x), { keepdim })
  // What was reduced with its dimensions kept is usually wanted beside what it came from, as in a normalisation.
  if (keepdim && x.size > 0 && builder.random.chance(0.6)) {
    return builder.call(builder.random.pick(['sub', 'mul', 'add']), x, await builder.tame(result))
  }
  return result
}

async function product(builder: Builder): Promise<Entry | null> {
  const x = await operand(builder, (entry) => real(entry) && entry.shape.length > 0 && entry.size < 40)
  if (x === null) return null
  return builder.call('prod', await builder.call('tanh', x), [builder.random.whole(0, x.shape.length - 1)])
}

async function anyOrAll(builder: Builder): Promise<Entry | null> {
  const x = builder.find((entry) => entry.dtype === 'bool' && entry.shape.length > 0)
  if (x === null) return null
  return builder.call(builder.random.pick(['any', 'all']), x, someDims(builder, x), { keepdim: builder.random.chance(0.5) })
}

async function argReduce(builder: Builder): Promise<Entry | null> {
  const x = builder.find((entry) => entry.exact && entry.dtype !== 'bool' && entry.shape.length > 0 && entry.size > 0)
  if (x === null) return null
  return builder.call(builder.random.pick(['argmax', 'argmin']), x, builder.random.whole(0, x.shape.length - 1), {
    keepdim: builder.random.chance(0.5),
  })
}

async function running(builder: Builder): Promise<Entry | null> {
  const x = await operand(builder, (entry) => entry.dtype !== 'bool' && entry.shape.length > 0)
  return x === null ? null : builder.call('cumsum', x, builder.random.whole(0, x.shape.length - 1))
}

// Views

function randomReshape(builder: Builder, shape: Shape): number[] {
  let sizes = [...shape]
  for (let i = builder.random.whole(1, 3); i > 0; i--) {
    const at = builder.random.whole(0, Math.max(0, sizes.length - 1))
    const size = sizes[at]
    if (builder.random.chance(0.5) && sizes.length >= 2 && at + 1 < sizes.length) {
      sizes = [...sizes.slice(0, at), size! * sizes[at + 1]!, ...sizes.slice(at + 2)]
    } else if (size !== undefined && size > 1 && sizes.length < 6) {
      const divisors = Array.from({ length: size }, (_, i) => i + 1).filter((divisor) => size % divisor === 0)
      const divisor = builder.random.pick(divisors)
      sizes = [...sizes.slice(0, at), divisor, size / divisor, ...sizes.slice(at + 1)]
    }
  }
  return sizes
}

const views: Readonly<Record<string, (builder: Builder, x: Entry) => Promise<Entry | null>>> = {
  reshape: (builder, x) => builder.call('reshape', x, randomReshape(builder, x.shape)),
  permute: (builder, x) => builder.call('permute', x, builder.random.shuffled(x.shape.map((_, dim) => dim))),
  async expand(builder, x) {
    const shape = x.shape.map((size) => (size === 1 && builder.random.chance(0.6) ? builder.random.whole(1, 4) : size))
    if (builder.random.chance(0.4) && shape.length < 5) shape.unshift(builder.random.whole(1, 3))
    return sizeOf(shape) > mostElements ? null : builder.call('expand', x, shape)
  },
  async slice(builder, x) {
    const dim = builder.random.whole(0, x.shape.length - 1)
    const size = x.shape[dim]!
    if (size < 2) return null
    const step = builder.random.pick([1, 1, 2, 3, -1, -2])
    const from = builder.random.whole(0, size - 1)
    const to = builder.random.whole(0, size - 1)
    const [low, high] = [Math.min(from, to), Math.max(from, to)]
    if (step > 0) return builder.call('slice', x, dim, low, high + 1, step)
    return builder.call('slice', x, dim, high, low === 0 ? -size - 1 : low - 1, step)
  },
  flip: (builder, x) => builder.call('flip', x, someDims(builder, x)),
  async unfold(builder, x) {
    const dim = builder.random.whole(0, x.shape.length - 1)
    const size = x.shape[dim]!
    if (size < 2 || x.shape.length > 4 || x.size > 400) return null
    const window = builder.random.whole(1, Math.min(3, size))
    const dilation = (window - 1) * 2 + 1 <= size && builder.random.chance(0.3) ? 2 : 1
    return builder.call('unfold', x, dim, window, builder.random.whole(1, 3), dilation)
  },
  async diagonal(builder, x) {
    if (x.shape.length < 2) return null
    const [dim1, dim2] = builder.random.shuffled(x.shape.map((_, dim) => dim))
    return builder.call('diagonal', x, builder.random.whole(-1, 1), dim1, dim2)
  },
}

async function view(builder: Builder): Promise<Entry | null> {
  const x = builder.find((entry) => entry.shape.length > 0)
  return x === null ? null : views[builder.random.pick(Object.keys(views))]!(builder, x)
}

// Joins

async function join(builder: Builder): Promise<Entry | null> {
  const x = await operand(builder, (entry) => entry.shape.length > 0 && entry.size < 800)
  if (x === null) return null
  const dim = builder.random.whole(0, x.shape.length - 1)
  const fits = (entry: Entry): boolean =>
    entry.shape.length === x.shape.length && entry.shape.every((size, i) => i === dim || size === x.shape[i])
  const others: Entry[] = []
  for (let i = builder.random.whole(1, 2); i > 0; i--) {
    const other = await operand(builder, fits)
    if (other !== null) others.push(other)
  }
  const all = builder.random.shuffled([x, ...others])
  if (builder.random.chance(0.3) && x.shape.length < 5 && all.every((entry) => entry.shape[dim] === x.shape[dim])) {
    return builder.call('stack', all, builder.random.whole(0, x.shape.length))
  }
  return builder.call('cat', all, dim)
}

async function pad(builder: Builder): Promise<Entry | null> {
  const x = await operand(builder, (entry) => entry.shape.length > 0 && entry.size < 500)
  if (x === null) return null
  const padding: number[] = []
  for (let i = builder.random.whole(1, Math.min(2, x.shape.length)); i > 0; i--) {
    padding.push(builder.random.whole(0, 2), builder.random.whole(0, 2))
  }
  return builder.call('pad', x, padding, { value: builder.random.pick([0, 0, 1]) })
}

async function spliced(builder: Builder): Promise<Entry | null> {
  const x = await operand(builder, (entry) => real(entry) && entry.shape.length > 0 && entry.size > 0)
  if (x === null) return null
  // Parts of one value padded to full size and added: what the gradient of slices looks like.
  const last = x.shape[x.shape.length - 1]!
  const cut = builder.random.whole(0, last)
  const overlap = builder.random.chance(0.3) && cut > 0 ? 1 : 0
  const left = await builder.call('slice', x, -1, 0, cut)
  const right = await builder.call('slice', x, -1, cut - overlap, last)
  return builder.call('add', await builder.call('pad', left, [0, last - cut]), await builder.call('pad', right, [cut - overlap, 0]))
}

async function triangle(builder: Builder): Promise<Entry | null> {
  const x = builder.find((entry) => entry.shape.length >= 2)
  return x === null ? null : builder.call(builder.random.pick(['tril', 'triu']), x, builder.random.whole(-1, 1))
}

// Products and composites

async function matmul(builder: Builder): Promise<Entry | null> {
  const a = await operand(builder, (entry) => real(entry) && entry.shape.length >= 2 && entry.shape.length <= 4)
  if (a === null) return null
  const inner = a.shape[a.shape.length - 1]!
  const found = await operand(
    builder,
    (entry) => entry.dtype === a.dtype && entry.shape.length === 2 && entry.shape.includes(inner) && entry.size < 500,
  )
  const b = found ?? builder.leaf([inner, builder.random.whole(1, 6)], a.dtype, { kind: 'real', scale: 1 })
  const rows = sizeOf(a.shape.slice(0, -1))
  if (rows * Math.max(...b.shape) > mostElements) return null
  return builder.call('matmul', a, b.shape[0] === inner ? b : await builder.call('transpose', b))
}

const composites: readonly (readonly [name: string, ...options: unknown[]])[] = [
  ['softmax'],
  ['logSoftmax'],
  ['logsumexp'],
  ['cumulativeMean'],
]

async function composite(builder: Builder): Promise<Entry | null> {
  const x = await operand(builder, (entry) => real(entry) && entry.shape.length > 0 && entry.size > 0)
  if (x === null) return null
  const [name] = builder.random.pick(composites)
  const dim = builder.random.whole(0, x.shape.length - 1)
  if (name === 'cumulativeMean') return normalised(builder, x, dim)
  return builder.call(name, x, dim)
}

// A normalisation written out, its variance kept away from 0 so that rounding errors stay small.
async function normalised(builder: Builder, x: Entry, dim: number): Promise<Entry> {
  const mean = await builder.call('mean', x, dim, { keepdim: true })
  const centred = await builder.call('sub', x, mean)
  const variance = await builder.call('mean', await builder.call('square', centred), dim, { keepdim: true })
  const scale = await builder.call('rsqrt', await builder.call('add', variance, 0.5))
  return builder.call('mul', centred, scale)
}

// Indexing

async function gather(builder: Builder): Promise<Entry | null> {
  const x = await operand(builder, (entry) => entry.shape.length > 0 && entry.size > 0)
  if (x === null) return null
  const dim = builder.random.whole(0, x.shape.length - 1)
  const limit = x.shape[dim]!
  const range = { kind: 'whole', low: 0, high: limit - 1 } as const
  if (builder.random.chance(0.5)) {
    const index = builder.leaf([builder.random.whole(1, 4)], 'int32', range)
    return builder.call('indexSelect', x, dim, index)
  }
  const shape = x.shape.map((size, i) => (i === dim ? builder.random.whole(1, 4) : size))
  return builder.call('gather', x, dim, builder.leaf(shape, 'int32', range))
}

async function chosen(builder: Builder): Promise<Entry | null> {
  // Indices that were computed: positions of largest elements, as a greedy decoder takes them.
  const x = builder.find((entry) => entry.exact && real(entry) && entry.shape.length > 0 && entry.size > 0)
  if (x === null) return null
  const dim = builder.random.whole(0, x.shape.length - 1)
  const index = await builder.call('argmax', x, dim, { keepdim: true })
  return builder.call('gather', x, dim, index)
}

/** All operations. */
export const operations: readonly Operation[] = [
  { name: 'unary', weight: 10, apply: unary },
  { name: 'binary', weight: 14, apply: binary },
  { name: 'quotient', weight: 2, apply: quotient },
  { name: 'withNumber', weight: 5, apply: withNumber },
  { name: 'compare', weight: 3, apply: compare },
  { name: 'where', weight: 4, apply: where },
  { name: 'convert', weight: 3, apply: convert },
  { name: 'constant', weight: 1, apply: constant },
  { name: 'reduce', weight: 12, apply: reduce },
  { name: 'product', weight: 1, apply: product },
  { name: 'anyOrAll', weight: 1, apply: anyOrAll },
  { name: 'argReduce', weight: 2, apply: argReduce },
  { name: 'running', weight: 1, apply: running },
  { name: 'view', weight: 12, apply: view },
  { name: 'join', weight: 3, apply: join },
  { name: 'pad', weight: 2, apply: pad },
  { name: 'spliced', weight: 1, apply: spliced },
  { name: 'triangle', weight: 1, apply: triangle },
  { name: 'matmul', weight: 4, apply: matmul },
  { name: 'composite', weight: 5, apply: composite },
  { name: 'gather', weight: 2, apply: gather },
  { name: 'chosen', weight: 1, apply: chosen },
]
