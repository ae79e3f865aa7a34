import { expect, test } from 'vitest'
import {
  BackendError,
  DTypeError,
  enterModule,
  GradientError,
  leaveModule,
  lookUp,
  moduleDepth,
  NablaError,
  ShapeError,
  StaleValueError,
  ValueError,
} from './errors.ts'

test('every error has its name, its code and the common base', () => {
  const codes = [
    [ShapeError, 'ERR_SHAPE'],
    [DTypeError, 'ERR_DTYPE'],
    [ValueError, 'ERR_VALUE'],
    [BackendError, 'ERR_BACKEND'],
    [StaleValueError, 'ERR_STALE'],
    [GradientError, 'ERR_GRADIENT'],
  ] as const
  for (const [Kind, code] of codes) {
    const cause = new Error('below')
    const error = new Kind('matmul: no', { cause })
    expect(error).toBeInstanceOf(NablaError)
    expect(error).toBeInstanceOf(Error)
    expect([error.code, error.name, error.message, error.cause]).toEqual([
      code,
      Kind.name,
      'matmul: no',
      cause,
    ])
  }
})

test('an error inside of modules names the way to the layer', () => {
  expect(moduleDepth()).toBe(0)
  enterModule('gpt')
  enterModule('')
  enterModule('blocks.3')
  try {
    expect(moduleDepth()).toBe(3)
    expect(new ShapeError('add: no').message).toBe('add: no in gpt.blocks.3')
  } finally {
    leaveModule()
    leaveModule()
    leaveModule()
  }
  expect(moduleDepth()).toBe(0)
  expect(new ShapeError('add: no').message).toBe('add: no')
})

test('lookUp finds names, lists them all, and suggests the closest', () => {
  const table = { relu: 1, sigmoid: 2, softmax: 3 }
  expect(lookUp('activation', 'sigmoid', table)).toBe(2)
  expect(() => lookUp('activation', 'Sigmoyd', table)).toThrow(
    "unknown activation 'Sigmoyd'. Did you mean 'sigmoid'? Known: relu, sigmoid, softmax",
  )
  expect(() => lookUp('activation', 'swish-glu', table)).toThrow(
    /^unknown activation 'swish-glu'\. Known: relu, sigmoid, softmax$/,
  )
})

test('lookUp refuses what only looks like a name', () => {
  const table = { relu: 1 }
  for (const name of ['toString', '__proto__', 'constructor', undefined, null, 7, {}]) {
    expect(() => lookUp('activation', name as string, table)).toThrow(ValueError)
  }
})
