// Operations of the fuzzer that become routines or composites: products, normalisations, indexing. Read before:
// operands.ts.
import { sizeOf } from '@nabla/engine'
import { type Builder, type Entry } from './builder.ts'
import { broadcasts, mostElements, operand, real } from './operands.ts'

/** A product of matrices, the second one perhaps transposed. */
export async function matmul(builder: Builder): Promise<Entry | null> {
  const a = await operand(
    builder,
    (entry) => real(entry) && entry.shape.length >= 2 && entry.shape.length <= 4,
  )
  if (a === null) return null
  const inner = a.shape[a.shape.length - 1]!
  const found = await operand(
    builder,
    (entry) =>
      entry.dtype === a.dtype && entry.shape.length === 2 && entry.shape.includes(inner) && entry.size < 500,
  )
  const b = found ?? builder.leaf([inner, builder.random.whole(1, 6)], a.dtype, { kind: 'real', scale: 1 })
  const rows = sizeOf(a.shape.slice(0, -1))
  if (rows * Math.max(...b.shape) > mostElements) return null
  return builder.call('matmul', a, b.shape[0] === inner ? b : await builder.call('transpose', b))
}

/** A sum of products, as the gradient of a weight that is used more than once; some of its terms are of other kinds. */
export async function sumOfProducts(builder: Builder): Promise<Entry | null> {
  const { random } = builder
  const wanted = (entry: Entry): boolean =>
    real(entry) && entry.shape.length === 2 && entry.size > 0 && entry.size < 150
  const a = await operand(builder, wanted)
  if (a === null) return null
  const [inner, rows] = a.shape as [number, number]
  const columns = random.whole(1, 9)
  const factor = async (shape: readonly [number, number]): Promise<Entry> => {
    const fits = (entry: Entry): boolean => entry.dtype === a.dtype && entry.shape.join() === shape.join()
    const found = random.chance(0.5) ? await operand(builder, fits) : null
    if (found !== null) return found
    const range = { kind: 'real', scale: 1 } as const
    if (random.chance(0.3)) {
      const reversed = builder.leaf([shape[1], shape[0]], a.dtype, range)
      return builder.call('transpose', reversed)
    }
    const leaf = builder.leaf(shape, a.dtype, range)
    return random.chance(0.5) ? leaf : builder.call('tanh', leaf)
  }
  // Slices of one value now and then, forwards, backwards or in no order.
  const count = random.whole(2, 6)
  const whole = random.chance(0.4)
    ? builder.leaf([count, inner, columns], a.dtype, { kind: 'real', scale: 1 })
    : null
  const forwards = Array.from({ length: count }, (_, i) => i)
  const order = random.pick([forwards, [...forwards].reverse(), random.shuffled(forwards)])
  let sum: Entry | null = null
  for (const [i, at] of order.entries()) {
    const left = i === 0 ? a : await factor([inner, rows])
    const right = whole === null ? await factor([inner, columns]) : await builder.call('select', whole, 0, at)
    let term = await builder.call('matmul', await builder.call('transpose', left), right)
    if (random.chance(0.15)) term = await builder.call('tanh', term)
    sum = sum === null ? term : await builder.call('add', sum, term)
  }
  return sum
}

/** A sum of sums over parts of one value, as the gradient of a bias that is used more than once. */
export async function sumOfReductions(builder: Builder): Promise<Entry | null> {
  const { random } = builder
  const x = await operand(
    builder,
    (entry) => real(entry) && entry.shape.length === 3 && entry.size > 0 && entry.size < 500,
  )
  const dim = random.whole(0, 2)
  if (x === null || x.shape[dim]! < 2) return null
  let sum: Entry | null = null
  for (let i = 0; i < x.shape[dim]!; i++) {
    const term = await builder.call('sum', await builder.call('select', x, dim, i), 0)
    sum = sum === null ? term : await builder.call('add', sum, term)
    if (random.chance(0.1)) sum = await builder.call('mul', sum, 0.5)
  }
  return sum
}

/** A product with a bias, an activation and a residual, some of them left out: maps that its contraction takes along. */
export async function dense(builder: Builder): Promise<Entry | null> {
  const product = await matmul(builder)
  if (product === null) return null
  const { random } = builder
  let y = product
  if (random.chance(0.7)) {
    const bias = builder.leaf([y.shape.at(-1)!], y.dtype, { kind: 'real', scale: 1 })
    y = await builder.call('add', y, bias)
  }
  if (random.chance(0.7)) y = await builder.call(random.pick(['relu', 'tanh', 'sigmoid', 'silu']), y)
  const residual = random.chance(0.5) ? builder.find((other) => real(other) && broadcasts(y)(other)) : null
  return residual === null ? y : builder.call('add', y, residual)
}

const composites: readonly (readonly [name: string, ...options: unknown[]])[] = [
  ['softmax'],
  ['logSoftmax'],
  ['logsumexp'],
  ['cumulativeMean'],
]

/** A softmax or its kin, or a normalisation written out. */
export async function composite(builder: Builder): Promise<Entry | null> {
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

/** A convolution with a weight of its own, strided or padded now and then. */
export async function convolution(builder: Builder): Promise<Entry | null> {
  const x = await operand(
    builder,
    (entry) => real(entry) && entry.shape.length === 3 && entry.shape[2]! > 1 && entry.size < 400,
  )
  if (x === null || x.size === 0) return null
  const [, channels, length] = x.shape
  const width = builder.random.whole(1, Math.min(3, length!))
  const weight = builder.leaf([builder.random.whole(1, 4), channels!, width], x.dtype, {
    kind: 'real',
    scale: 0.5,
  })
  const options = { stride: builder.random.whole(1, 2), padding: builder.random.whole(0, width - 1) }
  return builder.call('conv1d', x, weight, null, options)
}

/** A value attending to itself. */
export async function attention(builder: Builder): Promise<Entry | null> {
  const x = await operand(
    builder,
    (entry) => real(entry) && entry.shape.length >= 2 && entry.shape.length <= 4 && entry.size > 0,
  )
  if (x === null || x.shape.at(-2)! * x.size > mostElements) return null
  const causal = builder.random.chance(0.5)
  const offset = causal ? builder.random.whole(0, x.shape.at(-2)!) : 0
  return builder.call('scaledDotProductAttention', x, x, x, { causal, offset })
}

// Indexing

/** Positions picked by random indices. */
export async function gather(builder: Builder): Promise<Entry | null> {
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

/** Positions picked by indices that were computed. */
export async function chosen(builder: Builder): Promise<Entry | null> {
  // Indices that were computed: positions of largest elements, as a greedy decoder takes them.
  const x = builder.find((entry) => entry.exact && real(entry) && entry.shape.length > 0 && entry.size > 0)
  if (x === null) return null
  const dim = builder.random.whole(0, x.shape.length - 1)
  const index = await builder.call('argmax', x, dim, { keepdim: true })
  return builder.call('gather', x, dim, index)
}

/** The rows of a value added to those of another, in some order and not once each. */
export async function scatterAdd(builder: Builder): Promise<Entry | null> {
  const x = await operand(builder, (entry) => real(entry) && entry.shape.length > 0 && entry.size > 0)
  if (x === null) return null
  const dim = builder.random.whole(0, x.shape.length - 1)
  const shape = x.shape.map((size, i) => (i === dim ? builder.random.whole(1, 4) : size))
  const index = builder.leaf(shape, 'int32', { kind: 'whole', low: 0, high: x.shape[dim]! - 1 })
  return builder.call('scatterAdd', x, dim, index, builder.leaf(shape, x.dtype, { kind: 'real', scale: 1 }))
}
