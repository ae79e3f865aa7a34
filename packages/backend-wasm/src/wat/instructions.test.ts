import { expect, test } from 'vitest'
import { f32, f32x4, f64, f64x2, i32, i32x4, i64, i64x2, v128 } from './instructions.ts'
import { instructions } from './opcodes.ts'
import type { Wat } from './wat.ts'

const namespaces = { i32, i64, f32, f64, f32x4, f64x2, i32x4, i64x2, v128 }
const x: Wat = ['local.get', '$x']

test('every constructor writes the instruction it is named after', () => {
  for (const [type, namespace] of Object.entries(namespaces)) {
    for (const [name, construct] of Object.entries(namespace)) {
      const code = (construct as (...operands: Wat[]) => readonly Wat[])(x, x, x)
      expect(code[0]).toBe(`${type}.${name}`)
      expect(instructions.has(`${type}.${name}`), `${type}.${name}`).toBe(true)
    }
  }
})

test('numbers become constants of the right type', () => {
  expect(i32.add(x, 4)).toEqual(['i32.add', x, ['i32.const', 4]])
  expect(f64.mul(x, 0.5)).toEqual(['f64.mul', x, ['f64.const', 0.5]])
  expect(i32x4.shl(x, 23)).toEqual(['i32x4.shl', x, ['i32.const', 23]])
  expect(f32x4.splat(2)).toEqual(['f32x4.splat', ['f32.const', 2]])
  expect(f64x2.replace_lane(1, x, 3)).toEqual(['f64x2.replace_lane', 1, x, ['f64.const', 3]])
  expect(f32.store(8, 1, 4)).toEqual(['f32.store', 'offset=4', ['i32.const', 8], ['f32.const', 1]])
  expect(v128.load(x)).toEqual(['v128.load', x])
  expect(v128.store32_lane(2, x, x, 12)).toEqual(['v128.store32_lane', 'offset=12', 2, x, x])
})
