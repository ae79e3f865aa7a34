// Running sums, products, maxima and minima along contiguous rows. Each result needs the one before it, so the loop is
// scalar. Floating-point rows run in float64 whatever they are stored as: that costs nothing here, and keeps the rounding
// errors of a long float32 row from adding up.
import type { Executable, ReduceFunction, RoutineFactory, ScanSpec } from '@nabla/engine'
import type { DeviceMemory } from '../memory.ts'
import type { SharedCode, SharedWork, Threads } from '../pool/threads.ts'
import { FunctionBuilder } from '../wat/builder.ts'
import { f32, f64, i32, select } from '../wat/instructions.ts'
import type { Wat } from '../wat/wat.ts'
import { compileShared } from './compile.ts'
import { ParameterBlock, parameterLayout } from './parameters.ts'

const layout = parameterLayout(['source', 'out', 'length'])

type Word = keyof typeof layout.words

/** Rough time for an element on one thread: that of an addition whose result the next one waits for. */
const nanosecondsPerElement = 0.7

/** Makes the factory of scans over float32, float64 and int32. Rows are items of their own. */
export function createScan(memory: DeviceMemory, threads: Threads): RoutineFactory<ScanSpec> {
  const compiled = new Map<string, SharedCode>()
  return (spec) => {
    const { dtype, fn, rows, length, slots } = spec
    if (dtype === 'bool') return null
    const key = `${fn}:${dtype}`
    let code = compiled.get(key)
    if (code === undefined) {
      code = compileShared(memory, [scanFunction(fn, dtype)])
      compiled.set(key, code)
    }
    if (rows * length === 0) return { run() {}, dispose() {} }
    const block = new ParameterBlock<Word>(memory, layout)
    block.set('length', length)
    const estimate = rows * length * nanosecondsPerElement
    const chunks = threads.chunksFor(rows, estimate)
    const work: SharedWork = { code, param: block.address, items: rows, chunks, scratchBytes: 0 }
    return executable(threads, block, work, estimate, slots)
  }
}

function executable(
  threads: Threads,
  block: ParameterBlock<Word>,
  work: SharedWork,
  estimate: number,
  slots: ScanSpec['slots'],
): Executable {
  return {
    run(places) {
      block.set('source', places[slots[0]]!)
      block.set('out', places[slots[1]]!)
      threads.run(work, estimate)
    },
    dispose: () => block.release(),
  }
}

/** `k(param, from, to)`: rows `from` to `to`, at least one, which have at least one element. */
function scanFunction(fn: ReduceFunction, dtype: 'float32' | 'float64' | 'int32'): FunctionBuilder {
  const f = new FunctionBuilder('scan', 'k')
  const param = f.param('param', 'i32')
  const from = f.param('from', 'i32')
  const to = f.param('to', 'i32')
  const word = (name: Word): Wat => i32.load(param, 4 * layout.words[name])
  const bytes = dtype === 'float64' ? 8 : 4
  const rowBytes = f.let(i32.mul(word('length'), bytes), 'rowBytes')
  const before = f.let(i32.mul(from, rowBytes), 'before')
  const source = f.let(i32.add(word('source'), before), 'source')
  const out = f.let(i32.add(word('out'), before), 'out')
  const rows = f.let(i32.sub(to, from), 'rows')
  const end = f.local('i32', 'end')
  const result = f.local(dtype === 'int32' ? 'i32' : 'f64', 'result')
  f.doWhile(() => {
    f.set(result, identityOf(fn, dtype))
    f.set(end, i32.add(source, rowBytes))
    f.doWhile(() => {
      if (dtype === 'int32') {
        const value = f.let(i32.load(source))
        f.set(result, combineIntegers(fn, result, value))
        f.emit(i32.store(out, result))
      } else if (dtype === 'float32') {
        f.set(result, combineFloats(fn, result, f64.promote_f32(f32.load(source))))
        f.emit(f32.store(out, f32.demote_f64(result)))
      } else {
        f.set(result, combineFloats(fn, result, f64.load(source)))
        f.emit(f64.store(out, result))
      }
      f.set(out, i32.add(out, bytes))
      return i32.lt_u(f.tee(source, i32.add(source, bytes)), end)
    })
    return f.tee(rows, i32.sub(rows, 1))
  })
  return f
}

function identityOf(fn: ReduceFunction, dtype: string): number {
  if (fn === 'sum') return 0
  if (fn === 'prod') return 1
  const least = dtype === 'int32' ? -(2 ** 31) : -Infinity
  const greatest = dtype === 'int32' ? 2 ** 31 - 1 : Infinity
  return fn === 'max' ? least : greatest
}

/** WebAssembly's max and min keep a NaN on either side, as those of the engine do. */
function combineFloats(fn: ReduceFunction, x: Wat, y: Wat): Wat {
  return { sum: f64.add, prod: f64.mul, max: f64.max, min: f64.min }[fn](x, y)
}

function combineIntegers(fn: ReduceFunction, x: Wat, y: Wat): Wat {
  if (fn === 'sum') return i32.add(x, y)
  if (fn === 'prod') return i32.mul(x, y)
  return select(x, y, fn === 'max' ? i32.gt_s(x, y) : i32.lt_s(x, y))
}
