// Operations of the fuzzer that move elements: views, joins, padding. Read before: operands.ts.
import { sizeOf, type Shape } from '@nabla/engine'
import { type Builder, type Entry } from './builder.ts'
import { mostElements, operand, real, someDims } from './operands.ts'

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
    const shape = x.shape.map((size) =>
      size === 1 && builder.random.chance(0.6) ? builder.random.whole(1, 4) : size,
    )
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

/** One of the views. */
export async function view(builder: Builder): Promise<Entry | null> {
  const x = builder.find((entry) => entry.shape.length > 0)
  return x === null ? null : views[builder.random.pick(Object.keys(views))]!(builder, x)
}

// Joins

/** A concatenation of values that fit, or a stack of equal shapes. */
export async function join(builder: Builder): Promise<Entry | null> {
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
  if (
    builder.random.chance(0.3) &&
    x.shape.length < 5 &&
    all.every((entry) => entry.shape[dim] === x.shape[dim])
  ) {
    return builder.call('stack', all, builder.random.whole(0, x.shape.length))
  }
  return builder.call('cat', all, dim)
}

/** A join of what was computed from one value, joined with something else: as gradients of gates are. */
export async function nestedJoin(builder: Builder): Promise<Entry | null> {
  const x = await operand(
    builder,
    (entry) => real(entry) && entry.shape.length > 0 && entry.size > 0 && entry.size < 300,
  )
  if (x === null) return null
  const { random } = builder
  const dim = random.whole(0, x.shape.length - 1)
  const first = await builder.call('tanh', x)
  // The second part may need the first one finished, so that they cannot be computed together.
  const waiting = random.chance(0.4)
  const second = await builder.call(
    'mul',
    x,
    waiting ? await builder.call('cumsum', first, dim) : random.uniform(),
  )
  const third = await builder.call('square', x)
  const inner = await builder.call('cat', random.shuffled([first, second, third]), dim)
  return builder.call('cat', random.shuffled(random.chance(0.5) ? [inner, x] : [x, inner, inner]), dim)
}

/** A value with something around it. */
export async function pad(builder: Builder): Promise<Entry | null> {
  const x = await operand(builder, (entry) => entry.shape.length > 0 && entry.size < 500)
  if (x === null) return null
  const padding: number[] = []
  for (let i = builder.random.whole(1, Math.min(2, x.shape.length)); i > 0; i--) {
    padding.push(builder.random.whole(0, 2), builder.random.whole(0, 2))
  }
  return builder.call('pad', x, padding, { value: builder.random.pick([0, 0, 1]) })
}

/** A value cut in two, each part padded to full size, and added again. */
export async function spliced(builder: Builder): Promise<Entry | null> {
  const x = await operand(builder, (entry) => real(entry) && entry.shape.length > 0 && entry.size > 0)
  if (x === null) return null
  // Parts of one value padded to full size and added: what the gradient of slices looks like.
  const last = x.shape[x.shape.length - 1]!
  const cut = builder.random.whole(0, last)
  const overlap = builder.random.chance(0.3) && cut > 0 ? 1 : 0
  const left = await builder.call('slice', x, -1, 0, cut)
  const right = await builder.call('slice', x, -1, cut - overlap, last)
  const filling = { value: builder.random.pick([0, 0, 0, 1]) }
  return builder.call(
    'add',
    await builder.call('pad', left, [0, last - cut], filling),
    await builder.call('pad', right, [cut - overlap, 0], filling),
  )
}

/** A triangle of matrices. */
export async function triangle(builder: Builder): Promise<Entry | null> {
  const x = builder.find((entry) => entry.shape.length >= 2)
  return x === null
    ? null
    : builder.call(builder.random.pick(['tril', 'triu']), x, builder.random.whole(-1, 1))
}
