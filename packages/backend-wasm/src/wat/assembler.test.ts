import { BackendError } from '@nabla/engine'
import { compile } from 'watr'
import { expect, test } from 'vitest'
import { assemble } from './assembler.ts'
import { printWat } from './print.ts'
import type { Wat } from './wat.ts'

const sharedMemory: Wat = ['import', '"host"', '"memory"', ['memory', 1, 65536, 'shared']]
const x: Wat = ['local.get', '$x']
const y: Wat = ['local.get', '$y']

function expectSameBytes(module: Wat): void {
  const bytes = assemble(module)
  expect(Array.from(bytes)).toEqual(Array.from(compile(printWat(module))))
  expect(WebAssembly.validate(bytes)).toBe(true)
}

function run(module: Wat, imports: WebAssembly.ModuleImports = {}): (...operands: number[]) => number {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(assemble(module)), { host: imports })
  return instance.exports['run'] as (...operands: number[]) => number
}

test('an empty module', () => {
  expectSameBytes(['module'])
})

test('memories with and without a maximum, shared and not', () => {
  expectSameBytes(['module', sharedMemory])
  expectSameBytes(['module', ['import', '"a"', '"m"', ['memory', 0]]])
  expectSameBytes(['module', ['import', '"a"', '"m"', ['memory', 300, 40000]]])
})

test('imports, several functions, shared types, calls in both directions', () => {
  const module: Wat = [
    'module',
    ['import', '"host"', '"sin"', ['func', '$sin', ['param', 'f64'], ['result', 'f64']]],
    sharedMemory,
    ['import', '"host"', '"pow"', ['func', '$pow', ['param', 'f64', 'f64'], ['result', 'f64']]],
    [
      'func',
      '$first',
      ['export', '"first"'],
      ['param', '$x', 'f64'],
      ['result', 'f64'],
      ['call', '$second', ['call', '$sin', x], ['f64.const', 3]],
    ],
    [
      'func',
      '$second',
      ['param', '$x', 'f64'],
      ['param', '$y', 'f64'],
      ['result', 'f64'],
      ['call', '$pow', x, y],
    ],
    ['func', '$third', ['export', '"third"'], ['drop', ['call', '$first', ['f64.const', 1]]]],
  ]
  expectSameBytes(module)
})

test('runs of locals, also without names', () => {
  expectSameBytes([
    'module',
    [
      'func',
      '$f',
      ['param', 'i32', 'f32'],
      ['param', '$x', 'i32'],
      ['local', '$a', 'v128'],
      ['local', '$b', 'v128'],
      ['local', 'i32', 'i32', 'f64'],
      ['local', '$c', 'f64'],
      ['local.set', '$c', ['f64.convert_i32_s', ['local.tee', '$x', ['i32.const', 5]]]],
      ['local.set', '$b', ['v128.not', ['local.get', '$a']]],
    ],
  ])
})

test('blocks, loops, ifs and branches out of them', () => {
  const module: Wat = [
    'module',
    [
      'func',
      '$sumTo',
      ['export', '"run"'],
      ['param', '$x', 'i32'],
      ['result', 'i32'],
      ['local', '$sum', 'i32'],
      [
        'block',
        '$done',
        ['br_if', '$done', ['i32.eqz', x]],
        [
          'loop',
          '$next',
          ['local.set', '$sum', ['i32.add', ['local.get', '$sum'], x]],
          ['br_if', '$next', ['local.tee', '$x', ['i32.sub', x, ['i32.const', 1]]]],
          ['if', ['i32.gt_u', ['local.get', '$sum'], ['i32.const', 100]], ['then', ['br', '$done']]],
        ],
      ],
      [
        'if',
        ['result', 'i32'],
        ['i32.lt_s', ['local.get', '$sum'], ['i32.const', 0]],
        ['then', ['return', ['i32.const', -1]]],
        ['else', ['block', '$value', ['result', 'i32'], ['br', '$value', ['local.get', '$sum']]]],
      ],
    ],
  ]
  expectSameBytes(module)
  expect(run(module)(10)).toBe(55)
})

test('numbers of all types and widths', () => {
  const integers = [0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, 2147483647, -2147483648, 4294967295]
  const wide = ['0x7fffffffffffffff', '-0x8000000000000000', '9007199254740993', -5, 123456789012345]
  const floats = [
    0,
    -0,
    1.5,
    -0.1,
    1e-45,
    1e-7,
    3.4028234663852886e38,
    Infinity,
    -Infinity,
    NaN,
    'inf',
    '-0x10',
  ]
  const drop =
    (type: string) =>
    (value: Wat): Wat => ['drop', [`${type}.const`, value]]
  const vectors: Wat[] = [
    ['v128.const', 'i8x16', 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 254, -1],
    ['v128.const', 'i16x8', 1, -2, 3, -4, 5, -6, 7, 65535],
    ['v128.const', 'i32x4', '0x7fffffff', -2147483648, 0, 4294967295],
    ['v128.const', 'i64x2', '0x3fe6a09e00000000', -1],
    ['v128.const', 'f32x4', 0.1, -0, Infinity, NaN],
    ['v128.const', 'f64x2', 0.1, 1e300],
  ]
  expectSameBytes([
    'module',
    [
      'func',
      ...integers.map(drop('i32')),
      ...wide.map(drop('i64')),
      ...floats.map(drop('f32')),
      ...floats.map(drop('f64')),
      ...vectors.map((vector): Wat => ['drop', vector]),
    ],
  ])
})

test('select, return without a value, unreachable and nop', () => {
  expectSameBytes([
    'module',
    [
      'func',
      ['param', '$x', 'i32'],
      ['drop', ['select', ['f64.const', 1], ['f64.const', 2], x]],
      ['nop'],
      ['if', x, ['then', ['return']], ['else', ['unreachable']]],
    ],
  ])
})

test('a body longer than one byte of length can say', () => {
  const many = Array.from({ length: 5000 }, (_, i): Wat => ['drop', ['i32.const', i]])
  expectSameBytes(['module', ['func', '$long', ...many], ['func', '$short']])
})

test.each<[string, Wat, string]>([
  [
    'an unknown instruction',
    ['i32.plus', x, x],
    "in $f: unknown instruction 'i32.plus': (i32.plus (local.get $x)",
  ],
  ['an unknown local', ['drop', ['local.get', '$z']], 'unknown local $z'],
  ['an unknown label', ['br', '$nowhere'], 'unknown label $nowhere'],
  ['an unknown function', ['call', '$nothing'], 'unknown function $nothing'],
  ['a missing operand', ['drop', ['i32.add', x]], 'takes 2 operands, got 1: (i32.add (local.get $x))'],
  ['a number for an operand', ['drop', ['i32.add', x, 4]], 'expected an instruction, found 4: (i32.add'],
  [
    'an undefined operand',
    ['drop', ['i32.add', x, undefined as unknown as Wat]],
    'expected an instruction, found undefined',
  ],
  [
    'an operand of another type',
    ['drop', ['f32x4.sqrt', x]],
    'operand (local.get $x) should be v128, but is i32',
  ],
  ['a value nobody takes', ['i32.add', x, x], 'leaves a i32 that nothing uses'],
  [
    'a statement for an operand',
    ['drop', ['i32.eqz', ['nop']]],
    'operand (nop) should be i32, but is nothing',
  ],
  ['a variable of another type', ['local.set', '$x', ['f32.const', 1]], 'should be i32, but is f32'],
  ['a fraction', ['drop', ['i32.const', 0.5]], 'needs an integer, got 0.5'],
  [
    'a lane that is not there',
    ['drop', ['f32x4.extract_lane', 4, ['i32x4.splat', x]]],
    'needs a lane from 0 to 3, got 4',
  ],
  ['too few numbers', ['drop', ['v128.const', 'i32x4', 1, 2]], 'needs 4 numbers, got 2'],
  ['an if without then', ['if', x, ['nop']], "an if is ['if', condition, ['then', ...]"],
  [
    'a result without else',
    ['drop', ['if', ['result', 'i32'], x, ['then', x]]],
    'an if with a result needs an else',
  ],
  ['an immediate that does not exist', ['drop', ['i32.load', 'align=4', x]], 'unknown immediate align=4'],
])('refuses %s', (_, statement, message) => {
  const module: Wat = ['module', ['func', '$f', ['param', '$x', 'i32'], statement]]
  expect(() => assemble(module)).toThrow(BackendError)
  expect(() => assemble(module)).toThrow(message)
})

test('refuses a function without its result, names defined twice, and unknown fields', () => {
  expect(() => assemble(['module', ['func', '$f', ['result', 'f32']]])).toThrow(
    'in $f: should end with a value of type f32, but ends with nothing',
  )
  expect(() => assemble(['module', ['func', '$f'], ['func', '$f']])).toThrow('function $f is defined twice')
  const twice: Wat = ['module', ['func', '$f', ['param', '$x', 'i32'], ['local', '$x', 'i32']]]
  expect(() => assemble(twice)).toThrow('local $x is declared twice')
  expect(() => assemble(['module', ['table', 1]])).toThrow('unknown module field (table 1)')
  expect(() => assemble(['module', ['func', ['local', '$x', 'i33']]])).toThrow('expected a type')
})

test('goes on after an error', () => {
  expect(() => assemble(['module', ['func', '$f', ['br', '$x']]])).toThrow(BackendError)
  expectSameBytes(['module', sharedMemory])
})
