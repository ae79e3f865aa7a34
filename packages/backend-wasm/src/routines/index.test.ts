// All routines by the names the engine asks for, beside the interpreter, which defines what each means.
import { createInterpreter, type Backend, type DType, type RoutineSpec, type TypedArray } from '@nabla/engine'
import { expect, test } from 'vitest'
import { createWasmBackend } from '../backend.ts'

const backends = [createWasmBackend(), createInterpreter()]

interface Buffer {
  readonly dtype: DType
  readonly data: TypedArray
}

/** Runs a routine on one backend; the last slot is its output. */
function run(
  backend: Backend,
  spec: RoutineSpec,
  inputs: readonly Buffer[],
  output: { readonly dtype: DType; readonly length: number },
  numbers: readonly number[] = [],
): TypedArray {
  const places = inputs.map(({ data }) => backend.allocate(8 * data.length))
  inputs.forEach(({ dtype, data }, i) => backend.write(places[i]!, dtype, data))
  places.push(backend.allocate(8 * output.length))
  const factory = backend.routines[spec.name] as (spec: RoutineSpec) => ReturnType<Backend['kernel']>
  const executable = factory(spec)
  executable.run(places, numbers)
  const result = backend.read(places.at(-1)!, output.dtype, output.length) as TypedArray
  executable.dispose()
  for (const place of places) backend.release(place)
  return result
}

function expectAgreement(
  tolerance: number,
  spec: RoutineSpec,
  inputs: readonly Buffer[],
  output: { readonly dtype: DType; readonly length: number },
  numbers?: readonly number[],
): void {
  const [got, wanted] = backends.map((backend) => run(backend, spec, inputs, output, numbers)) as [
    TypedArray,
    TypedArray,
  ]
  expect(got.length).toBe(wanted.length)
  wanted.forEach((value, i) =>
    expect(Math.abs(got[i]! - value), `${spec.name} at ${i}`).toBeLessThanOrEqual(tolerance),
  )
}

const waves = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(i * 1.7))

test('contract', () => {
  const spec: RoutineSpec = {
    name: 'contract',
    dtype: 'float32',
    batch: [2],
    m: [3, 4],
    n: [33],
    k: [10],
    a: { offset: 0, batch: [120], m: [40, 1], k: [4] },
    b: { offset: 0, batch: [330], k: [33], n: [1] },
    c: { offset: 0, batch: [396], m: [132, 33], n: [1] },
    slots: [0, 1, 2],
  }
  const inputs = [240, 660].map((length): Buffer => ({ dtype: 'float32', data: waves(length) }))
  expectAgreement(1e-5, spec, inputs, { dtype: 'float32', length: 792 })
})

test('gather and scatterAdd', () => {
  const index: Buffer = { dtype: 'int32', data: Int32Array.of(2, 0, 2, 1) }
  const common = {
    op: 'rows',
    sizes: [4, 5],
    index: { offset: 0, strides: [1, 0] },
    step: 5,
    limit: 3,
    slots: [0, 1, 2],
  } as const
  const rows = { offset: 0, strides: [5, 1] }
  const still = { offset: 0, strides: [0, 1] }
  for (const dtype of ['float32', 'float64', 'int32', 'bool'] as const) {
    const source = (length: number): Buffer => {
      const values = Array.from({ length }, (_, i) => (dtype === 'bool' ? i % 2 : (i * 7) % 11))
      const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array, bool: Uint8Array }
      return { dtype, data: arrays[dtype].from(values) }
    }
    const gather: RoutineSpec = { name: 'gather', dtype, ...common, source: still, out: rows }
    expectAgreement(0, gather, [source(15), index], { dtype, length: 20 })
    const scatter: RoutineSpec = {
      name: 'scatterAdd',
      dtype,
      ...common,
      source: rows,
      out: still,
      length: 15,
    }
    expectAgreement(0, scatter, [source(20), index], { dtype, length: 15 })
  }
})

test('argsort', () => {
  const data = Float32Array.of(3, NaN, -1, 3, Infinity, -0, 0, -Infinity, NaN, 3)
  for (const descending of [false, true]) {
    const spec: RoutineSpec = {
      name: 'argsort',
      dtype: 'float32',
      rows: 2,
      length: 5,
      descending,
      slots: [0, 1],
    }
    expectAgreement(0, spec, [{ dtype: 'float32', data }], { dtype: 'int32', length: 10 })
  }
})

test('random', () => {
  const numbers = [0xfedcba98, 0x80000000, 5, 0xffffffff]
  for (const distribution of ['uniform', 'normal'] as const) {
    for (const dtype of ['float32', 'float64'] as const) {
      const spec: RoutineSpec = {
        name: 'random',
        distribution,
        dtype,
        length: 101,
        numbers: [0, 1, 2, 3],
        slots: [0],
      }
      const tolerance = distribution === 'normal' && dtype === 'float32' ? 1e-6 : 0
      expectAgreement(tolerance, spec, [], { dtype, length: 101 }, numbers)
    }
  }
})

test('scan', () => {
  for (const fn of ['sum', 'prod', 'max', 'min'] as const) {
    const spec: RoutineSpec = { name: 'scan', fn, dtype: 'float32', rows: 2, length: 30, slots: [0, 1] }
    expectAgreement(0, spec, [{ dtype: 'float32', data: waves(60) }], { dtype: 'float32', length: 60 })
  }
})
