import { BackendError } from '@nabla/engine'
import { compile } from 'watr'
import { expect, test } from 'vitest'
import { assemble } from './assembler.ts'
import { FunctionBuilder } from './builder.ts'
import { f32x4, f64, i32, i32x4, i64, select, shuffle32, shuffle64, v128 } from './instructions.ts'
import { buildModule } from './module.ts'
import { printWat } from './print.ts'

const limits = { minimum: 1, maximum: 1, shared: false }

function instantiate(
  functions: FunctionBuilder[],
  host: WebAssembly.ModuleImports = {},
): { run: (...operands: number[]) => number; memory: WebAssembly.Memory } {
  const module = buildModule(limits, functions)
  const bytes = assemble(module)
  expect(Array.from(bytes)).toEqual(Array.from(compile(printWat(module))))
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 })
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { host: { memory, ...host } })
  return { run: instance.exports['run'] as (...operands: number[]) => number, memory }
}

test('constants asked for inside nested loops are set once, where the function begins', () => {
  const f = new FunctionBuilder('run', 'run')
  const address = f.param('address', 'i32')
  const end = f.param('end', 'i32')
  f.for(address, end, 16, () => {
    f.if(i32.ne(address, 16), () => {
      f.emit(v128.store(address, f32x4.mul(v128.load(address), f.f32x4(0.1))))
      f.emit(v128.store(address, f32x4.add(v128.load(address), f.f32x4(0.1))))
    })
  })
  const text = printWat(f.build())
  expect(text.match(/v128\.const/g)).toHaveLength(1)
  expect(text.indexOf('v128.const')).toBeLessThan(text.indexOf('(loop'))
  const { run, memory } = instantiate([f])
  const values = new Float32Array(memory.buffer)
  values.fill(3, 0, 12)
  run(0, 48)
  const expected = Math.fround(Math.fround(3 * Math.fround(0.1)) + Math.fround(0.1))
  expect(Array.from(values.subarray(0, 12))).toEqual(
    [0, 1, 2].flatMap((i) => Array(4).fill(i === 1 ? 3 : expected)),
  )
})

test('constants are told apart by bits and shape', () => {
  const f = new FunctionBuilder('f')
  expect(f.f32x4(0)).not.toEqual(f.f32x4(-0))
  expect(f.i32x4(0)).not.toEqual(f.f32x4(0))
  expect(f.f32x4(0.1)).toBe(f.f32x4(Math.fround(0.1)))
  expect(f.i32x4(-1)).toBe(f.i32x4(0xffffffff))
  expect(f.i64x2('0x10')).toBe(f.i64x2('0x10'))
})

test('loops: for leaves the counter at the first value past the end, and runs nothing when there is nothing', () => {
  const f = new FunctionBuilder('run', 'run')
  f.result('i32')
  const end = f.param('end', 'i32')
  const step = f.param('step', 'i32')
  const counter = f.local('i32', 'counter')
  const turns = f.local('i32', 'turns')
  f.for(counter, end, step, () => f.set(turns, i32.add(turns, 1)))
  f.return(i32.add(i32.mul(counter, 1000), turns))
  const { run } = instantiate([f])
  expect(run(0, 3)).toBe(0)
  expect(run(7, 3)).toBe(9003)
  expect(run(9, 3)).toBe(9003)
})

test('doWhile, while, block and if with otherwise', () => {
  const f = new FunctionBuilder('run', 'run')
  f.result('i32')
  const n = f.param('n', 'i32')
  const steps = f.local('i32', 'steps')
  // Collatz: n -> n / 2 or 3 n + 1, until 1 or 50 steps.
  f.block((leave) => {
    f.while(
      () => i32.ne(n, 1),
      () => {
        f.if(
          i32.and(n, 1),
          () => f.set(n, i32.add(i32.mul(n, 3), 1)),
          () => f.set(n, i32.shr_u(n, 1)),
        )
        f.set(steps, i32.add(steps, 1))
        leave(i32.eq(steps, 50))
      },
    )
  })
  const powers = f.let(i32.const(1))
  f.doWhile(() => {
    f.set(powers, i32.shl(powers, 1))
    return i32.lt_u(powers, steps)
  })
  f.return(i32.add(i32.mul(steps, 1000), powers))
  const { run } = instantiate([f])
  expect(run(1)).toBe(2)
  expect(run(6)).toBe(8008)
  expect(run(27)).toBe(50064)
})

test('host functions are recorded, imported once, and must agree in their number of operands', () => {
  const f = new FunctionBuilder('helper')
  f.result('f64')
  const x = f.param('x', 'f64')
  f.return(f.callHost('pow', f.callHost('sin', x), f64.const(2)))
  const g = new FunctionBuilder('run', 'run')
  g.result('f64')
  const y = g.param('y', 'f64')
  const helped = g.let(g.call(f.name, g.let(g.callHost('sin', y))), 'helped', 'f64')
  g.return(f64.add(helped, 1))
  const { run } = instantiate([f, g], { sin: Math.sin, pow: Math.pow })
  expect(run(2)).toBeCloseTo(Math.sin(Math.sin(2)) ** 2 + 1, 14)
  expect(() => f.callHost('sin', x, x)).toThrow(BackendError)
  expect(() => g.callHost('pow', y)).not.toThrow()
  expect(() => buildModule(limits, [f, g])).toThrow('host function pow is called with 2 and with 1 operands')
})

test('types are inferred where they can be and asked for where not', () => {
  const f = new FunctionBuilder('f')
  const i = f.param('i', 'i32')
  const vector = f.let(i32x4.splat(i))
  expect(f.typeOf(vector)).toBe('v128')
  expect(f.typeOf(f.let(i32x4.extract_lane(2, vector)))).toBe('i32')
  expect(f.typeOf(f.let(i64.extend_i32_u(i)))).toBe('i64')
  expect(f.typeOf(f.let(select(f64.const(1), f64.const(2), i)))).toBe('f64')
  expect(f.typeOf(f.tee(i, 5))).toBe('i32')
  expect(f.once(i)).toBe(i)
  expect(f.once(i32.add(i, 1))).not.toBe(i)
  expect(() => f.let(f.call('$other'))).toThrow('no type is known for (call $other): state it')
  expect(() => f.let(4)).toThrow('a value must be an instruction, got 4')
})

test('shuffles move whole lanes', () => {
  const f = new FunctionBuilder('run', 'run')
  const x = f.let(v128.load(i32.const(0)))
  const y = f.let(v128.load(i32.const(16)))
  f.emit(v128.store(i32.const(32), shuffle32(x, y, [3, 4, 0, 7])))
  f.emit(v128.store(i32.const(48), shuffle64(x, y, [1, 2])))
  f.emit(v128.store32_lane(2, i32.const(60), x, 4))
  const { run, memory } = instantiate([f])
  const words = new Int32Array(memory.buffer)
  words.set([10, 11, 12, 13, 14, 15, 16, 17])
  run()
  expect(Array.from(words.subarray(8, 17))).toEqual([13, 14, 10, 17, 12, 13, 14, 15, 12])
})

test('the printed text is broken into lines at statements', () => {
  const f = new FunctionBuilder('f')
  const i = f.param('i', 'i32')
  f.for(i, i32.const(8), 2, () => f.emit(['nop']))
  expect(printWat(f.build())).toBe(`(func $f
  (param $i i32)
  (if
    (i32.lt_u (local.get $i) (i32.const 8))
    (then
      (loop $label0
        (nop)
        (local.set $i (i32.add (local.get $i) (i32.const 2)))
        (br_if $label0 (i32.lt_u (local.get $i) (i32.const 8)))))))`)
})
