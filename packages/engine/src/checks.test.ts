import { expect, test } from 'vitest'
import { bytesOf, checkDType, dtypeOfArray, hostArray, isFloating, promote } from './dtype.ts'
import { DTypeError, enterModule, leaveModule, lookUp, NablaError, ShapeError, ValueError } from './errors.ts'
import { call, cast, constant, substitute, type Expr } from './expr.ts'
import { broadcastShapes, checkDim, checkDims, checkShape } from './shape.ts'
import { digamma, erf, erfInverse, i0, lgamma, roundHalfToEven } from './special.ts'

test('errors are typed, have codes, and name the module they come from', () => {
  const error = new ShapeError('matmul: no')
  expect(error).toBeInstanceOf(NablaError)
  expect([error.name, error.code]).toEqual(['ShapeError', 'ERR_SHAPE'])
  enterModule('gpt')
  enterModule('blocks.3')
  try {
    expect(new ValueError('bad').message).toBe('bad in gpt.blocks.3')
  } finally {
    leaveModule()
    leaveModule()
  }
  expect(new DTypeError('bad').message).toBe('bad')
})

test('unknown names list the known ones and suggest the closest', () => {
  const table = { relu: 1, gelu: 2, tanh: 3 }
  expect(lookUp('activation', 'gelu', table)).toBe(2)
  expect(() => lookUp('activation', 'Rellu', table)).toThrow(
    "unknown activation 'Rellu'. Did you mean 'relu'? Known: relu, gelu, tanh",
  )
  expect(() => lookUp('activation', 'toString', table)).toThrow(/unknown activation 'toString'/)
})

test('shapes broadcast, or say which sizes disagree', () => {
  expect(broadcastShapes('add', [4, 1, 3], [2, 1])).toEqual([4, 2, 3])
  expect(broadcastShapes('add', [], [2])).toEqual([2])
  expect(broadcastShapes('add', [0, 1], [1, 3])).toEqual([0, 3])
  expect(() => broadcastShapes('add', [2, 3], [4, 3])).toThrow(
    /add: shapes \[2, 3\] and \[4, 3\].*2 and 4 disagree in dimension -2/,
  )
})

test('sizes and dimensions are checked', () => {
  for (const shape of [[-1], [1.5], [NaN], ['2' as never]])
    expect(() => checkShape('zeros', shape)).toThrow(ValueError)
  expect(() => checkShape('zeros', 3 as never)).toThrow(/an array of sizes/)
  expect(() => checkShape('zeros', [2 ** 20, 2 ** 20])).toThrow(ShapeError)
  expect(checkDim('sum', -1, 3)).toBe(2)
  expect(() => checkDim('sum', 3, 3)).toThrow(
    /dimension 3 does not exist in a tensor of rank 3: it must lie in \[-3, 2\]/,
  )
  expect(() => checkDim('sum', 0, 0)).toThrow(/a scalar has none/)
  expect(checkDims('sum', [2, -3], 3)).toEqual([0, 2])
  expect(checkDims('sum', undefined, 2)).toEqual([0, 1])
  expect(() => checkDims('sum', [0, -2], 2)).toThrow(/appears twice/)
})

test('types promote, know their arrays and their bytes', () => {
  expect(promote('int32', 'float32')).toBe('float32')
  expect(promote('float64', 'float32')).toBe('float64')
  expect(promote('bool', 'int32')).toBe('int32')
  expect([bytesOf('bool'), bytesOf('float64')]).toEqual([4, 8])
  expect(isFloating('int32')).toBe(false)
  expect(hostArray('int32', [1, 2])).toEqual(Int32Array.from([1, 2]))
  expect(dtypeOfArray(new Uint8Array(1))).toBe('int32')
  expect(() => checkDType('float23')).toThrow(/unknown dtype 'float23'. Did you mean 'float32'\?/)
})

test('scalar calls bring operands to one type', () => {
  const load = (dtype: Expr['dtype']): Expr => ({ kind: 'load', arg: 0, dtype })
  expect(call('add', load('int32'), load('float32')).dtype).toBe('float32')
  expect(call('add', load('bool'), load('bool')).dtype).toBe('int32')
  expect(call('exp', load('int32')).dtype).toBe('float32')
  expect(call('lt', load('float64'), 1).dtype).toBe('bool')
  expect(call('where', load('int32'), load('float32'), 0).dtype).toBe('float32')
  expect(cast(constant(2.5, 'float32'), 'float64')).toEqual(constant(2.5, 'float64'))
  const x = load('float32')
  const shared = call('exp', x)
  const sum = substitute(call('add', shared, shared), () => constant(1, 'float32'))
  expect(sum.kind === 'call' && sum.args[0] === sum.args[1]).toBe(true)
})

test('special functions have published values', () => {
  // Abramowitz & Stegun, tables 7.1, 6.1, 9.8 and 6.3 (and their reflections).
  expect(erf(0.5)).toBeCloseTo(0.5204998778130465, 15)
  expect(erf(-2)).toBeCloseTo(-0.9953222650189527, 15)
  expect(erf(3)).toBeCloseTo(0.9999779095030014, 15)
  expect(erfInverse(0.5)).toBeCloseTo(0.4769362762044699, 14)
  expect(erfInverse(erf(2.75))).toBeCloseTo(2.75, 9)
  expect(erfInverse(1)).toBe(Infinity)
  expect(erfInverse(1.5)).toBeNaN()
  expect(lgamma(5)).toBeCloseTo(Math.log(24), 13)
  expect(lgamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 13)
  expect(lgamma(-1.5)).toBeCloseTo(Math.log((4 * Math.sqrt(Math.PI)) / 3), 12)
  expect(lgamma(-2)).toBe(Infinity)
  expect(digamma(1)).toBeCloseTo(-0.5772156649015329, 13)
  expect(digamma(0.5)).toBeCloseTo(-1.9635100260214235, 13)
  expect(digamma(-0.5)).toBeCloseTo(0.03648997397857652, 12)
  expect(i0(1)).toBeCloseTo(1.2660658777520084, 14)
  expect(i0(40) / 1.4894774793419899e16).toBeCloseTo(1, 9)
})

test('halves round to the even neighbour, and -0 stays', () => {
  expect([0.5, 1.5, 2.5, -0.5, -1.5, 2.4, -2.6].map(roundHalfToEven)).toEqual([0, 2, 2, -0, -2, 2, -3])
})
