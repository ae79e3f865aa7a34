// What the tests of contractions share: random specifications, the meaning of a specification in plain float64 loops, and
// a place to run it on. Part of no build. Read next: contract.test.ts.
import type { ContractSpec, DType, Executable, Launch, RoutineFactory, TypedArray } from '@nabla/engine'
import { expect } from 'vitest'
import { createKernelCache } from '../compile.ts'
import { prepareLaunch } from '../launch.ts'
import { createMemory, type DeviceMemory } from '../memory.ts'
import { Threads } from '../pool/threads.ts'
import { createContract } from './contract.ts'

export type Random = (below: number) => number

/** Numerical Recipes' generator: enough for shapes, and the same on every run. */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

export interface Layout {
  readonly offset: number
  readonly strides: number[]
  /** Elements of a buffer that holds it. */
  readonly length: number
}

/** Plain row-major order half of the time; else axes in any order, with gaps, backwards, broadcast or overlapping. */
export function randomLayout(sizes: readonly number[], random: Random, mayOverlap: boolean): Layout {
  const regular = random(2) === 0
  const order = sizes.map((_, i) => i)
  const strides = sizes.map(() => 0)
  let stride = !regular && random(4) === 0 ? 2 : 1
  let last = 0
  let offset = random(3)
  while (order.length > 0) {
    const [axis] = order.splice(regular ? order.length - 1 : random(order.length), 1) as [number]
    const kind = regular || !mayOverlap ? 'apart' : ['broadcast', 'overlapping'][random(10)]
    const own = kind === 'broadcast' ? 0 : kind === 'overlapping' ? 1 + random(2) : stride
    last += own * (sizes[axis]! - 1)
    if (own === stride) stride = stride * sizes[axis]! + (!regular && random(4) === 0 ? random(4) : 0)
    strides[axis] = own
  }
  const length = offset + last + 1
  for (let axis = 0; axis < sizes.length; axis++) {
    if (regular || random(6) > 0) continue
    offset += strides[axis]! * (sizes[axis]! - 1)
    strides[axis] = -strides[axis]!
  }
  return { offset, strides, length }
}

/** A specification and the lengths of the buffers it needs. */
export interface Case {
  readonly spec: ContractSpec
  readonly lengths: readonly [number, number, number]
}

export interface Sizes {
  readonly batch: number[]
  readonly m: number[]
  readonly n: number[]
  readonly k: number[]
}

export function caseOf(sizes: Sizes, dtype: DType, a: Layout, b: Layout, c: Layout): Case {
  const batches = sizes.batch.length
  const cut = (strides: number[], first: number): [number[], number[], number[]] => [
    strides.slice(0, batches),
    strides.slice(batches, batches + first),
    strides.slice(batches + first),
  ]
  const [aBatch, aM, aK] = cut(a.strides, sizes.m.length)
  const [bBatch, bK, bN] = cut(b.strides, sizes.k.length)
  const [cBatch, cM, cN] = cut(c.strides, sizes.m.length)
  const spec: ContractSpec = {
    name: 'contract',
    dtype,
    ...sizes,
    a: { offset: a.offset, batch: aBatch, m: aM, k: aK },
    b: { offset: b.offset, batch: bBatch, k: bK, n: bN },
    c: { offset: c.offset, batch: cBatch, m: cM, n: cN },
    slots: [0, 1, 2],
  }
  return { spec, lengths: [a.length, b.length, c.length] }
}

export function randomCase(sizes: Sizes, dtype: DType, random: Random): Case {
  const { batch, m, n, k } = sizes
  const a = randomLayout([...batch, ...m, ...k], random, true)
  const b = randomLayout([...batch, ...k, ...n], random, true)
  return caseOf(sizes, dtype, a, b, randomLayout([...batch, ...m, ...n], random, false))
}

export const product: (sizes: readonly number[]) => number = (sizes) =>
  sizes.reduce((left, right) => left * right, 1)

/** Positions of all elements of some axes, in order of the flat index, by division. */
function positions(sizes: readonly number[], strides: readonly number[]): number[] {
  return Array.from({ length: product(sizes) }, (_, flat) => {
    let position = 0
    let rest = flat
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      position += (rest % sizes[axis]!) * strides[axis]!
      rest = Math.floor(rest / sizes[axis]!)
    }
    return position
  })
}

interface Expected {
  readonly value: number
  /** Sum of the absolute products, which rounding errors are measured by. */
  readonly scale: number
}

/** Every element of C by its position. */
function reference(spec: ContractSpec, a: TypedArray, b: TypedArray): Map<number, Expected> {
  const expected = new Map<number, Expected>()
  const at = (sizes: readonly number[], ...strides: (readonly number[])[]): number[][] =>
    strides.map((own) => positions(sizes, own))
  const [aBatch, bBatch, cBatch] = at(spec.batch, spec.a.batch, spec.b.batch, spec.c.batch)
  const [aM, cM] = at(spec.m, spec.a.m, spec.c.m)
  const [bN, cN] = at(spec.n, spec.b.n, spec.c.n)
  const [aK, bK] = at(spec.k, spec.a.k, spec.b.k)
  const integers = spec.dtype === 'int32'
  cBatch!.forEach((batchPosition, batch) => {
    cM!.forEach((rowPosition, row) => {
      cN!.forEach((columnPosition, column) => {
        const aStart = spec.a.offset + aBatch![batch]! + aM![row]!
        const bStart = spec.b.offset + bBatch![batch]! + bN![column]!
        let value = 0
        let scale = 0
        for (let i = 0; i < aK!.length; i++) {
          const x = a[aStart + aK![i]!]!
          const y = b[bStart + bK![i]!]!
          value = integers ? (value + Math.imul(x, y)) | 0 : value + x * y
          scale += Math.abs(x * y)
        }
        expected.set(spec.c.offset + batchPosition + rowPosition + columnPosition, { value, scale })
      })
    })
  })
  return expected
}

const elementBytes = (dtype: DType): number => (dtype === 'float64' ? 8 : 4)

function viewOf(memory: DeviceMemory, dtype: DType): Float32Array | Float64Array | Int32Array {
  if (dtype === 'float64') return memory.float64
  return dtype === 'int32' ? memory.int32 : memory.float32
}

/** Makes a factory of contractions that works in a memory. */
export type MakeContract = (memory: DeviceMemory, threads: Threads) => RoutineFactory<ContractSpec>

/** Contractions as the backend makes them, without a library. */
export const contractOn: MakeContract = (memory, threads) =>
  createContract(memory, threads, kernelOn(memory, threads))

/** Kernels as the backend makes them. */
export function kernelOn(memory: DeviceMemory, threads: Threads): (launch: Launch) => Executable {
  const cache = createKernelCache(memory)
  return (launch) => prepareLaunch(memory, cache, threads, launch)
}

/** Runs specifications in one memory. */
export class Bench {
  readonly memory: DeviceMemory = createMemory({ maximumBytes: 2 ** 28 })
  readonly contract: RoutineFactory<ContractSpec>

  /** `make` gives the factory that is tested. */
  constructor(make: MakeContract = contractOn) {
    this.contract = make(this.memory, new Threads(this.memory, { count: 1 }))
  }

  /** C after a run on the given operands; what is no part of C keeps the value 12345. */
  run(spec: ContractSpec, a: TypedArray, b: TypedArray, length: number): TypedArray {
    const { memory } = this
    const bytes = elementBytes(spec.dtype)
    const places = [a.length, b.length, length].map((count) => memory.allocate(count * bytes))
    const executable = this.contract(spec)!
    const view = viewOf(memory, spec.dtype)
    view.set(a, places[0]! / bytes)
    view.set(b, places[1]! / bytes)
    view.fill(12345, places[2]! / bytes, places[2]! / bytes + length)
    executable.run(places, [])
    const result = view.slice(places[2]! / bytes, places[2]! / bytes + length)
    executable.dispose()
    for (const place of places) memory.release(place)
    return result
  }
}

export function randomValues(length: number, dtype: DType, random: Random): TypedArray {
  if (dtype === 'int32') return Int32Array.from({ length }, () => random(2000) - 1000)
  const values = Array.from({ length }, () => random(2 ** 20) / 2 ** 19 - 1)
  return dtype === 'float64' ? Float64Array.from(values) : Float32Array.from(values)
}

/** Compares a case with the reference; nothing outside of C may have changed. */
export function check(bench: Bench, { spec, lengths }: Case, random: Random): void {
  const a = randomValues(lengths[0], spec.dtype, random)
  const b = randomValues(lengths[1], spec.dtype, random)
  const got = bench.run(spec, a, b, lengths[2])
  const expected = reference(spec, a, b)
  const relative = { float32: 2e-6, float64: 1e-14, int32: 0, bool: 0 }[spec.dtype]
  for (let i = 0; i < got.length; i++) {
    const { value, scale } = expected.get(i) ?? { value: 12345, scale: 0 }
    if (Math.abs(got[i]! - value) <= relative * scale) continue
    expect.unreachable(`element ${i}: ${got[i]} instead of ${value} in ${JSON.stringify(spec)}`)
  }
}
