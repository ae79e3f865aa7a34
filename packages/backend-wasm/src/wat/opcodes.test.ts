import { compile } from 'watr'
import { expect, test } from 'vitest'
import { assemble } from './assembler.ts'
import { instructions, type Instruction, type ValueType } from './opcodes.ts'
import { printWat } from './print.ts'
import type { Wat } from './wat.ts'

const operands: Readonly<Record<ValueType, Wat>> = {
  i32: ['i32.const', 64],
  i64: ['i64.const', -3],
  f32: ['f32.const', 1.5],
  f64: ['f64.const', -0.25],
  v128: ['v128.const', 'i32x4', 1, 2, 3, 4],
}

function immediatesOf({ name, immediate }: Instruction): Wat[] {
  switch (immediate) {
    case 'none':
    case 'zero':
    case 'twoZeros':
      return []
    case 'number':
      return [7]
    case 'vector':
      return ['f32x4', 1, 2, 3, 4]
    case 'memory':
      // Atomic accesses must be aligned, so the offset is a multiple of every width.
      return ['offset=144']
    case 'memoryLane':
      return ['offset=144', 1]
    case 'lane':
      return [name.startsWith('i64x2') || name.startsWith('f64x2') ? 1 : 3]
    case 'shuffle':
      return [0, 17, 2, 19, 4, 21, 6, 23, 8, 25, 10, 27, 12, 29, 14, 31]
  }
}

function moduleWith(instruction: Instruction): Wat {
  const code = [
    instruction.name,
    ...immediatesOf(instruction),
    ...instruction.operands.map((type) => operands[type]),
  ]
  const statement = instruction.result === undefined ? code : ['drop', code]
  return [
    'module',
    ['import', '"host"', '"memory"', ['memory', 1, 2, 'shared']],
    ['func', ['export', '"run"'], statement],
  ]
}

test('the table holds what kernels need, each instruction once', () => {
  expect(instructions.size).toBeGreaterThan(400)
  const codes = [...instructions.values()].map(({ prefix, opcode }) => `${prefix}/${opcode}`)
  expect(new Set(codes).size).toBe(codes.length)
})

test('every instruction has the bytes a text assembler writes', () => {
  for (const instruction of instructions.values()) {
    const module = moduleWith(instruction)
    expect(Array.from(assemble(module)), instruction.name).toEqual(Array.from(compile(printWat(module))))
  }
})

test('every instruction has the operands and the result the engine expects', () => {
  for (const instruction of instructions.values()) {
    // Engines without relaxed SIMD refuse these four whatever their operands are.
    if (instruction.name.includes('relaxed')) continue
    const bytes = assemble(moduleWith(instruction))
    expect(WebAssembly.validate(bytes), instruction.name).toBe(true)
  }
})
