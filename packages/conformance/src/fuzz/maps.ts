// Operations of the fuzzer that work element by element, and constants. Read before: operands.ts.
import { type DType } from '@nabla/engine'
import { isReal, type Builder, type Entry } from './builder.ts'
import { anything, broadcasts, operand, real } from './operands.ts'

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

/** A function of one value, kept within its domain. */
export async function unary(builder: Builder): Promise<Entry | null> {
  const x = await operand(builder, real)
  if (x === null) return null
  if (builder.random.chance(0.7)) return builder.call(builder.random.pick(plainUnary), x)
  const name = builder.random.pick(Object.keys(guardedUnary))
  let safe = x
  for (const [guard, argument] of guardedUnary[name]!) {
    safe =
      argument === undefined ? await builder.call(guard, safe) : await builder.call(guard, safe, argument)
  }
  return builder.call(name, safe)
}

/** Arithmetic of two values that broadcast; logic of two bools. */
export async function binary(builder: Builder): Promise<Entry | null> {
  const a = await operand(builder, anything)
  if (a === null) return null
  const b = await operand(builder, broadcasts(a))
  if (b === null) return null
  const name = builder.random.pick(['add', 'sub', 'mul', 'maximum', 'minimum', 'add', 'mul'])
  // Differences and products of two bools are no arithmetic.
  if (a.dtype === 'bool' && b.dtype === 'bool')
    return builder.call(builder.random.pick(['logicalAnd', 'logicalOr', 'logicalXor']), a, b)
  return builder.call(name, a, b)
}

/** A quotient whose divisor stays away from 0. */
export async function quotient(builder: Builder): Promise<Entry | null> {
  const a = await operand(builder, real)
  const b = a === null ? null : await operand(builder, (other) => real(other) && broadcasts(a)(other))
  if (a === null || b === null) return null
  return builder.call('div', a, await builder.call('add', await builder.call('square', b), 0.5))
}

/** Arithmetic with a plain number, which is no part of the plan. */
export async function withNumber(builder: Builder): Promise<Entry | null> {
  const x = await operand(builder, anything)
  if (x === null) return null
  const whole = !isReal(x.dtype)
  const number = whole ? builder.random.whole(-3, 3) : Math.fround(builder.random.uniform() * 4 - 2)
  return builder.call(builder.random.pick(['add', 'mul', 'sub', 'maximum']), x, number)
}

/** A comparison of values without rounding errors. */
export async function compare(builder: Builder): Promise<Entry | null> {
  const a = builder.find((entry) => entry.exact)
  const b = a === null ? null : builder.find((entry) => entry.exact && broadcasts(a)(entry))
  if (a === null || b === null) return null
  return builder.call(builder.random.pick(['eq', 'ne', 'lt', 'le', 'gt', 'ge']), a, b)
}

/** A choice between values, or a value and a number. */
export async function where(builder: Builder): Promise<Entry | null> {
  const condition = builder.find((entry) => entry.dtype === 'bool')
  const a = condition === null ? null : await operand(builder, broadcasts(condition))
  if (condition === null || a === null) return null
  if (builder.random.chance(0.4)) return builder.call('where', condition, a, isReal(a.dtype) ? 0.5 : 2)
  const fits = (entry: Entry): boolean => broadcasts(condition)(entry) && broadcasts(a)(entry)
  const b = await operand(builder, fits)
  return b === null ? null : builder.call('where', condition, a, b)
}

/** A conversion; to integers and bools only where rounding cannot tip the result over. */
export async function convert(builder: Builder): Promise<Entry | null> {
  const x = await operand(builder, anything)
  if (x === null) return null
  const types: DType[] = x.exact ? ['float32', 'float64', 'int32', 'bool'] : ['float32', 'float64']
  return builder.call('to', x, builder.random.pick(types.filter((dtype) => dtype !== x.dtype)))
}

/** A value that takes no memory: every reader computes it again. */
export async function constant(builder: Builder): Promise<Entry | null> {
  const like = builder.find((entry) => entry.size > 0 && entry.size < 500)
  if (like === null) return null
  if (builder.random.chance(0.5))
    return builder.call('full', like.shape, builder.random.pick([0, 1, 0.5, -2]))
  const count = await builder.call('arange', like.size)
  const line = builder.random.chance(0.5) ? await builder.call('to', count, 'float32') : count
  return builder.call('reshape', await builder.tame(line), like.shape)
}
