// Operations of the fuzzer that reduce. Read before: operands.ts.
import { isReal, type Builder, type Entry } from './builder.ts'
import { operand, real, someDims } from './operands.ts'

/** A sum, mean or extreme over some dimensions, now and then beside what it was made of. */
export async function reduce(builder: Builder): Promise<Entry | null> {
  const x = await operand(builder, (entry) => entry.dtype !== 'bool' && entry.shape.length > 0)
  if (x === null) return null
  const names =
    x.size === 0
      ? ['sum']
      : isReal(x.dtype)
        ? ['sum', 'sum', 'mean', 'amax', 'amin']
        : ['sum', 'amax', 'amin']
  const name = builder.random.pick(names)
  const keepdim = builder.random.chance(0.5)
  const result = await builder.call(name, x, someDims(builder, x), { keepdim })
  // What was reduced with its dimensions kept is usually wanted beside what it came from, as in a normalisation.
  if (keepdim && x.size > 0 && builder.random.chance(0.6)) {
    return builder.call(builder.random.pick(['sub', 'mul', 'add']), x, await builder.tame(result))
  }
  return result
}

/** A product of few elements, which stay small. */
export async function product(builder: Builder): Promise<Entry | null> {
  const x = await operand(builder, (entry) => real(entry) && entry.shape.length > 0 && entry.size < 40)
  if (x === null) return null
  return builder.call('prod', await builder.call('tanh', x), [builder.random.whole(0, x.shape.length - 1)])
}

/** Whether any or all of some bools hold. */
export async function anyOrAll(builder: Builder): Promise<Entry | null> {
  const x = builder.find((entry) => entry.dtype === 'bool' && entry.shape.length > 0)
  if (x === null) return null
  return builder.call(builder.random.pick(['any', 'all']), x, someDims(builder, x), {
    keepdim: builder.random.chance(0.5),
  })
}

/** The position of an extreme among values without rounding errors. */
export async function argReduce(builder: Builder): Promise<Entry | null> {
  const x = builder.find(
    (entry) => entry.exact && entry.dtype !== 'bool' && entry.shape.length > 0 && entry.size > 0,
  )
  if (x === null) return null
  return builder.call(
    builder.random.pick(['argmax', 'argmin']),
    x,
    builder.random.whole(0, x.shape.length - 1),
    {
      keepdim: builder.random.chance(0.5),
    },
  )
}

/** A running sum. */
export async function running(builder: Builder): Promise<Entry | null> {
  const x = await operand(builder, (entry) => entry.dtype !== 'bool' && entry.shape.length > 0)
  return x === null ? null : builder.call('cumsum', x, builder.random.whole(0, x.shape.length - 1))
}
