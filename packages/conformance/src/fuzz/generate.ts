// Makes a random program of a seed. Read before: builder.ts, operations.ts. Read next: check.ts.
import { configure, setBackend, type Backend, type DType, type Shape } from '@nabla/engine'
import { Builder, isReal, type Entry } from './builder.ts'
import { operations, type Operation } from './operations.ts'
import type { Finish, LeafRange, Program } from './program.ts'
import { Random } from './random.ts'

const totalWeight = operations.reduce((sum, operation) => sum + operation.weight, 0)

/** The program of a seed. Computed on `backend` while it is made. */
export async function generateProgram(seed: number, backend: Backend): Promise<Program> {
  setBackend(backend)
  configure({ fusion: false })
  try {
    return await generate(seed)
  } finally {
    configure({ fusion: true })
  }
}

async function generate(seed: number): Promise<Program> {
  const random = new Random(seed)
  const builder = new Builder(seed, random)
  const shape = baseShape(random)
  for (let i = random.whole(1, 4); i > 0; i--) addLeaf(builder, shape)
  const assigning = random.chance(0.35)
  if (assigning) {
    const variableShape = random.chance(0.5) ? shape : relatedShape(random, shape)
    for (let i = random.whole(1, 3); i > 0; i--) {
      builder.variable(random.chance(0.8) ? variableShape : shape, 'float32', { kind: 'real', scale: 2 })
    }
    builder.variables.forEach((_, i) => builder.read(i))
  }
  const assignments = assigning ? random.whole(1, builder.variables.length + 1) : 0
  const length = random.whole(4, 22)
  const assignAt = new Set(
    Array.from({ length: assignments }, () => random.whole(Math.floor(length / 2), length - 1)),
  )
  for (let i = 0; i < length; i++) {
    await pickOperation(random).extend(builder)
    if (assignAt.has(i)) await assign(builder)
  }
  if (assigning) await assign(builder)
  return builder.finish({
    outputs: chooseOutputs(random, builder),
    gradients: chooseGradients(random, builder),
    rounds: assigning ? random.whole(1, 3) : 1,
    finish: chooseFinish(random, assigning),
  })
}

function pickOperation(random: Random): Operation {
  let left = random.uniform() * totalWeight
  return operations.find((operation) => (left -= operation.weight) < 0) ?? operations[0]!
}

/** A shape that many values of a program share: mostly small, now and then long enough for whole vectors and their rest. */
function baseShape(random: Random): number[] {
  const rank = random.pick([0, 1, 1, 2, 2, 2, 3, 3, 4])
  const shape = Array.from({ length: rank }, () => random.pick([1, 2, 3, 3, 4, 5, 6, 7]))
  if (rank > 0 && random.chance(0.25)) shape[random.whole(0, rank - 1)] = random.pick([8, 9, 16, 19, 33])
  if (rank > 0 && random.chance(0.03)) shape[random.whole(0, rank - 1)] = 0
  return shape
}

/** A shape that broadcasts with another, or its transpose. */
function relatedShape(random: Random, shape: Shape): number[] {
  if (random.chance(0.3)) return [...shape].reverse()
  const kept = shape.map((size) => (random.chance(0.4) ? 1 : size))
  return random.chance(0.4) ? kept.slice(random.whole(0, kept.length)) : kept
}

function addLeaf(builder: Builder, shape: Shape): Entry {
  const { random } = builder
  const dtype = random.pick<DType>(['float32', 'float32', 'float32', 'float32', 'float64', 'int32', 'bool'])
  const range: LeafRange = isReal(dtype)
    ? random.chance(0.8)
      ? { kind: 'real', scale: 2 }
      : { kind: 'whole', low: -2, high: 2 }
    : { kind: 'whole', low: dtype === 'bool' ? 0 : -4, high: dtype === 'bool' ? 1 : 4 }
  return builder.leaf(random.chance(0.6) ? shape : relatedShape(random, shape), dtype, range)
}

/** Assigns a Variable something of its shape and type, made so if need be. */
async function assign(builder: Builder): Promise<void> {
  const { random } = builder
  const variable = random.whole(0, builder.variables.length - 1)
  const { shape, dtype } = builder.variables[variable]!
  const fits = (entry: Entry): boolean => entry.dtype === dtype && entry.shape.join() === shape.join()
  let value = builder.find(fits)
  if (value === null) return
  value = await builder.tame(value)
  // As an optimizer or an average does it: from the old value, or from the new value of another Variable.
  if (random.chance(0.5)) {
    const old = builder.read(random.chance(0.5) ? variable : random.whole(0, builder.variables.length - 1))
    if (fits(old)) {
      value = random.chance(0.3)
        ? await replacePart(builder, old, value)
        : await builder.call('lerp', old, value, 0.25)
    }
  } else if (random.chance(0.3) && shape.length > 0) {
    value = await builder.call('flip', value, [random.whole(0, shape.length - 1)])
  }
  builder.assign(variable, await builder.tame(value))
}

/** As a cache grows: part of an old value replaced by part of another. */
async function replacePart(builder: Builder, old: Entry, value: Entry): Promise<Entry> {
  if (old.size === 0 || old.shape.length === 0) return value
  const { random } = builder
  const dim = random.whole(0, old.shape.length - 1)
  const size = old.shape[dim]!
  const length = random.whole(1, size)
  const start = random.whole(0, size - length)
  const part = await builder.call('narrow', value, dim, start, length)
  return builder.call('sliceScatter', old, part, dim, size - length)
}

function chooseOutputs(random: Random, builder: Builder): number[] {
  const calls = builder.entries.filter((entry) => builder.steps[entry.index]!.kind === 'call')
  if (calls.length === 0) return []
  const chosen = new Set<number>([calls[calls.length - 1]!.index])
  for (let i = random.whole(0, 3); i > 0; i--) chosen.add(random.pickLate(calls).index)
  // Now and then a value nobody computes: a leaf or a Variable itself.
  if (random.chance(0.1)) chosen.add(random.pick(builder.entries).index)
  return [...chosen].sort((a, b) => a - b)
}

function chooseGradients(random: Random, builder: Builder): number[] {
  if (!random.chance(0.35)) return []
  const leaves = builder.entries.filter(
    (entry) => builder.steps[entry.index]!.kind === 'leaf' && isReal(entry.dtype),
  )
  return random.some(leaves, 0.7).map((entry) => entry.index)
}

function chooseFinish(random: Random, assigning: boolean): Finish {
  // One after the other would ask for old values after the first look had written the new ones.
  return random.pick<Finish>(
    assigning ? ['together', 'kept', 'kept'] : ['together', 'together', 'oneByOne', 'kept'],
  )
}
