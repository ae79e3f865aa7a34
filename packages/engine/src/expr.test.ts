import { expect, test } from 'vitest'
import type { DType } from './dtype.ts'
import { call, cast, constant, operandsOf, type CallExpr, type Expr } from './expr.ts'
import { scalarFunctions, type ScalarFunction } from './scalar.ts'

const load = (arg: number, dtype: DType = 'float32'): Expr => ({ kind: 'load', arg, dtype })
const types: readonly DType[] = ['bool', 'int32', 'float32', 'float64']

test('operands are brought to the wider type before a call', () => {
  const expr = call('add', load(0, 'int32'), load(1, 'float64')) as CallExpr
  expect(expr.dtype).toBe('float64')
  expect(expr.args).toEqual([{ kind: 'cast', arg: load(0, 'int32'), dtype: 'float64' }, load(1, 'float64')])
})

test('every function states a type for all pairs of operand types, and its operands agree with one another', () => {
  for (const [name, facts] of Object.entries(scalarFunctions)) {
    for (const a of types) {
      for (const b of types) {
        const operands =
          facts.arity === 3 ? [load(0, 'bool'), load(1, a), load(2, b)] : [load(0, a), load(1, b)]
        const expr = call(name as ScalarFunction, ...operands.slice(0, facts.arity)) as CallExpr
        const values = name === 'where' ? expr.args.slice(1) : expr.args
        const common = values[0]!.dtype
        expect(
          values.every(({ dtype }) => dtype === common),
          name,
        ).toBe(true)
        expect(expr.dtype).toBe(facts.result === 'bool' ? 'bool' : common)
        if (facts.domain === 'floating') expect(['float32', 'float64']).toContain(common)
        if (facts.domain === 'number') expect(common).not.toBe('bool')
      }
    }
  }
})

test('plain numbers take the type of the other operands', () => {
  expect((call('mul', load(0, 'int32'), 2) as CallExpr).args[1]).toEqual(constant(2, 'int32'))
  expect((call('mul', 2, load(0, 'float64')) as CallExpr).args[0]).toEqual(constant(2, 'float64'))
  expect(call('exp', 1).dtype).toBe('float32')
})

test('where takes its condition as a bool and its type from the other two', () => {
  const expr = call('where', load(0, 'float64'), load(1, 'int32'), 5) as CallExpr
  expect(expr.dtype).toBe('int32')
  expect(expr.args.map(({ dtype }) => dtype)).toEqual(['bool', 'int32', 'int32'])
})

test('casts: none to the same type, constants convert themselves, but not to bool', () => {
  const x = load(0)
  expect(cast(x, 'float32')).toBe(x)
  expect(cast(constant(2, 'float32'), 'float64')).toEqual(constant(2, 'float64'))
  expect(cast(constant(2, 'float32'), 'bool')).toEqual({
    kind: 'cast',
    arg: constant(2, 'float32'),
    dtype: 'bool',
  })
  expect(cast(x, 'int32')).toEqual({ kind: 'cast', arg: x, dtype: 'int32' })
})

test('operandsOf lists direct operands', () => {
  const sum = call('add', load(0), load(1))
  expect(operandsOf(sum)).toEqual([load(0), load(1)])
  expect(operandsOf(cast(sum, 'int32'))).toEqual([sum])
  expect(operandsOf(load(0))).toEqual([])
})
