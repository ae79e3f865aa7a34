// Random maps of contractions, and a way to run them: within the product's step and after it. Part of no build.
import {
  call,
  strideClass,
  withMergedAxes,
  type Access,
  type ContractSpec,
  type DType,
  type Expr,
  type KernelArgument,
  type Launch,
} from '@nabla/engine'
import type { DeviceMemory } from '../memory.ts'
import type { Threads } from '../pool/threads.ts'
import {
  caseOf,
  contractOn,
  kernelOn,
  randomLayout,
  type MakeContract,
  type Random,
  type Sizes,
} from '../contract/testing.ts'

/** A contraction with maps, and the elements of every buffer it needs. */
export interface MappedCase {
  readonly spec: ContractSpec
  /** By slot: A, B, C, another factor, another result of 32 bits. */
  readonly lengths: readonly number[]
}

/** Random operands and maps; C is row-major over its axes in some order that keeps each group's own. */
export function mappedCase(sizes: Sizes, dtype: DType, random: Random): MappedCase {
  const { batch, m, n, k } = sizes
  const left = { batch: batch.map((_, i) => i), m: m.map((_, i) => i), n: n.map((_, i) => i) }
  const order: { group: 'batch' | 'm' | 'n'; axis: number }[] = []
  while (left.batch.length + left.m.length + left.n.length > 0) {
    const group = (['batch', 'm', 'n'] as const)[random(3)]!
    const axis = left[group].shift()
    if (axis !== undefined) order.push({ group, axis })
  }
  const strides = { batch: [...batch], m: [...m], n: [...n] }
  let stride = 1
  for (const { group, axis } of [...order].reverse()) {
    strides[group][axis] = stride
    stride *= sizes[group][axis]!
  }
  const a = randomLayout([...batch, ...m, ...k], random, true)
  const b = randomLayout([...batch, ...k, ...n], random, true)
  const c = { offset: 0, strides: [...strides.batch, ...strides.m, ...strides.n], length: stride }
  const { spec, lengths } = caseOf(sizes, dtype, a, b, c)
  // The maps' axes: C's in order, some of them cut in two.
  const walked = order.flatMap(({ group, axis }) => {
    const size = sizes[group][axis]!
    if (size === 1) return []
    return size % 2 === 0 && size > 2 && random(4) === 0 ? [2, size / 2] : [size]
  })
  if (walked.length === 0) walked.push(1)
  const factor = randomLayout(walked, random, true)
  const epilogue = mapsOf(dtype, walked, factor, random)
  return { spec: { ...spec, epilogue }, lengths: [...lengths, factor.length, stride] }
}

function mapsOf(dtype: DType, sizes: readonly number[], factor: Access, random: Random): Launch {
  const rowMajor: number[] = []
  for (let axis = sizes.length - 1, stride = 1; axis >= 0; axis--) {
    rowMajor[axis] = stride
    stride *= sizes[axis]!
  }
  const whole = { offset: 0, strides: rowMajor }
  const position = { offset: 3, strides: sizes.map(() => random(3)) }
  const args: (Omit<KernelArgument, 'classes'> & { access: Access; slot: number })[] = [
    { role: 'input', dtype, access: whole, slot: 2 },
    { role: 'input', dtype, access: { offset: factor.offset, strides: factor.strides }, slot: 3 },
    { role: 'position', dtype: 'int32', access: position, slot: -1 },
    { role: 'output', dtype, access: whole, slot: 2 },
    { role: 'output', dtype: 'bool', access: whole, slot: 4 },
  ]
  const load = (arg: number): Expr => ({ kind: 'load', arg, dtype: args[arg]!.dtype })
  const number: Expr = { kind: 'number', index: 0, dtype }
  const place: Expr = { kind: 'cast', arg: load(2), dtype }
  const scaled = call('add', call('mul', load(0), number), load(1))
  return {
    kernel: {
      outerRank: sizes.length - 1,
      innerRank: 1,
      args: args.map(({ role, dtype: own, access }) => ({
        role,
        dtype: own,
        classes: sizes.map((size, axis) => strideClass(access.strides[axis]!, size)),
      })),
      numbers: [dtype],
      stages: [],
      stores: [
        { level: 'element', arg: 3, value: call('max', scaled, place) },
        { level: 'element', arg: 4, value: call('gt', load(0), load(1)) },
      ],
    },
    sizes,
    accesses: args.map(({ access }) => access),
    slots: args.map(({ slot }) => slot),
    numbers: [1],
  }
}

/** What both results hold, bit by bit, when the maps are done in the product's step and when they follow it. */
export function runMapped(
  memory: DeviceMemory,
  threads: Threads,
  { spec, lengths }: MappedCase,
  random: Random,
  make: MakeContract = contractOn,
): readonly [Int32Array, Int32Array] {
  const bytes = spec.dtype === 'float64' ? 8 : 4
  const places = lengths.map((length) => memory.allocate(length * bytes))
  const { epilogue, ...plain } = spec
  const within = make(memory, threads)(spec)!
  const parts = [make(memory, threads)(plain)!, kernelOn(memory, threads)(withMergedAxes(epilogue!))]
  const operands = [0, 1, 3].map((slot) => ({
    place: places[slot]!,
    values: Array.from({ length: lengths[slot]! }, () => random(2001) / 100 - 10),
  }))
  const results = [[within], parts].map((executables) => {
    for (const { place, values } of operands) {
      if (spec.dtype === 'float64') memory.float64.set(values, place / 8)
      else if (spec.dtype === 'int32') memory.int32.set(values, place / 4)
      else memory.float32.set(values, place / 4)
    }
    for (const executable of executables) executable.run(places, [0, 1.5])
    const words = [2, 4].map((slot) => {
      const size = slot === 2 ? bytes : 4
      return memory.int32.slice(places[slot]! / 4, places[slot]! / 4 + (lengths[slot]! * size) / 4)
    })
    return Int32Array.from([...words[0]!, ...words[1]!])
  })
  for (const executable of [within, ...parts]) executable.dispose()
  for (const place of places) memory.release(place)
  return [results[0]!, results[1]!]
}
