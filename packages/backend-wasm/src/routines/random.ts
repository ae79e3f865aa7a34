// Random numbers: Philox over four counters at a time, sixteen elements a turn, in the order the engine's reference
// defines (element e is word e mod 4 of counter e div 4). Float64 normals take logarithm, sine and cosine from JavaScript
// and equal the reference exactly; float32 normals use the vector forms. Read next: ../math/philox.ts.
import { bytesOf, type Executable, type RandomSpec, type RoutineFactory } from '@nabla/engine'
import { highToFloat64, lowToFloat64 } from '../math/convert.ts'
import { lanewise } from '../math/lanewise.ts'
import {
  fourBlocks,
  normals,
  philoxWords,
  roundKeys,
  transpose,
  uniforms,
  type FourVectors,
} from '../math/philox.ts'
import type { DeviceMemory } from '../memory.ts'
import type { SharedCode, SharedWork, Threads } from '../pool/threads.ts'
import { FunctionBuilder } from '../wat/builder.ts'
import { f64x2, i32, i32x4, shuffle64, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { compileShared } from './compile.ts'
import { ParameterBlock, parameterLayout } from './parameters.ts'

/** Elements that one turn of the loop makes. */
const turn = 16

/** Turns of an item. Every counter can be computed by itself, so items do not depend on each other. */
const turnsPerItem = 128

/** `turns` times sixteen elements are written from `out` on; the first block of four is number `block`. */
const layout = parameterLayout(['out', 'turns', 'block', 'key0', 'key1', 'counter2', 'counter3'])

type Word = keyof typeof layout.words

/** Rough time for an element on one thread. */
const nanoseconds = { uniform: { float32: 1.6, float64: 2 }, normal: { float32: 3, float64: 40 } } as const

/** Makes the factory of random numbers in float32 and float64. */
export function createRandom(memory: DeviceMemory, threads: Threads): RoutineFactory<RandomSpec> {
  const compiled = new Map<string, SharedCode>()
  // Where the last turn goes when only part of it is wanted.
  let scratch: number | undefined
  return (spec) => {
    const { distribution, dtype } = spec
    if (dtype !== 'float32' && dtype !== 'float64') return null
    const key = `${distribution}:${dtype}`
    let code = compiled.get(key)
    if (code === undefined) {
      code = compileShared(memory, [randomFunction(distribution, dtype)])
      compiled.set(key, code)
    }
    scratch ??= memory.allocate(8 * turn)
    const perElement = nanoseconds[distribution][dtype]
    return executable(memory, threads, code, scratch, spec, perElement)
  }
}

function executable(
  memory: DeviceMemory,
  threads: Threads,
  code: SharedCode,
  scratch: number,
  spec: RandomSpec,
  perElement: number,
): Executable {
  const bytes = bytesOf(spec.dtype)
  const turns = Math.floor(spec.length / turn)
  const made = turns * turn
  const rest = spec.length - made
  const block = new ParameterBlock<Word>(memory, layout)
  const items = Math.ceil(turns / turnsPerItem)
  const estimate = made * perElement
  const chunks = threads.chunksFor(items, estimate)
  const work: SharedWork = { code, param: block.address, items, chunks, scratchBytes: 0 }
  const [key0, key1, c0, c1] = spec.numbers
  return {
    run(places, numbers) {
      const out = places[spec.slots[0]]!
      // The numbers are unsigned; memory takes them modulo 2^32.
      block.setAll({ out, turns, block: 0, key0: numbers[key0]!, key1: numbers[key1]! })
      block.setAll({ counter2: numbers[c0]!, counter3: numbers[c1]! })
      if (items > 0) threads.run(work, estimate)
      if (rest === 0) return
      block.setAll({ out: scratch, turns: 1, block: made / 4 })
      code.run(block.address, 0, 1, 0)
      memory.uint8.copyWithin(out + made * bytes, scratch, scratch + rest * bytes)
    },
    dispose: () => block.release(),
  }
}

function randomFunction(
  distribution: RandomSpec['distribution'],
  dtype: 'float32' | 'float64',
): FunctionBuilder {
  const f = new FunctionBuilder('random', 'k')
  const param = f.param('param', 'i32')
  const from = f.param('from', 'i32')
  const to = f.param('to', 'i32')
  const word = (name: Word): Wat => i32.load(param, 4 * layout.words[name])
  const turnNumber = f.let(i32.mul(from, turnsPerItem), 'turn')
  const turns = f.let(word('turns'), 'turns')
  const wanted = f.let(i32.mul(to, turnsPerItem), 'wanted')
  f.if(i32.lt_u(wanted, turns), () => f.set(turns, wanted))
  const out = f.let(i32.add(word('out'), i32.mul(turnNumber, turn * bytesOf(dtype))), 'out')
  const block = f.let(i32.add(word('block'), i32.mul(turnNumber, 4)), 'block')
  const [firstKey, secondKey] = [word('key0'), word('key1')]
  const [thirdWord, fourthWord] = [word('counter2'), word('counter3')]
  const keys = roundKeys(f, i32x4.splat(firstKey), i32x4.splat(secondKey))
  const third = f.let(i32x4.splat(thirdWord), 'third')
  const fourth = f.let(i32x4.splat(fourthWord), 'fourth')
  f.for(turnNumber, turns, 1, () => {
    const words = philoxWords(f, [fourBlocks(f, block), f.i32x4(0), third, fourth], keys)
    const values = distribution === 'normal' && dtype === 'float32' ? normals(f, words) : uniforms(f, words)
    const vectors = dtype === 'float32' ? transpose(f, values) : doubles(f, distribution, values)
    vectors.forEach((vector, i) => f.emit(v128.store(out, vector, 16 * i)))
    f.set(out, i32.add(out, 16 * vectors.length))
    f.set(block, i32.add(block, 4))
  })
  return f
}

/** Sixteen float64 elements in eight vectors, from uniform numbers by word. */
function doubles(
  f: FunctionBuilder,
  distribution: RandomSpec['distribution'],
  units: FourVectors,
): readonly Wat[] {
  const halves = [lowToFloat64, highToFloat64]
  return halves.flatMap((half) => {
    let values = units.map((unit) => f.let(half(unit)))
    if (distribution === 'normal') {
      values = [...normalPair(f, values[0]!, values[1]!), ...normalPair(f, values[2]!, values[3]!)]
    }
    const [word0, word1, word2, word3] = values as [Local, Local, Local, Local]
    // Lanes are counters: of each in turn, words 0 and 1, then words 2 and 3.
    return [0, 1].flatMap((lane) => [
      shuffle64(word0, word1, [lane, 2 + lane]),
      shuffle64(word2, word3, [lane, 2 + lane]),
    ])
  })
}

/** Box and Muller's two normal numbers, by the very operations of the reference. */
function normalPair(f: FunctionBuilder, first: Local, second: Local): readonly [Local, Local] {
  const logarithm = lanewise(f, 'f64x2', 'log', f.let(f64x2.add(first, f.f64x2(2 ** -24))))
  const radius = f.let(f64x2.sqrt(f64x2.mul(f.f64x2(-2), logarithm)), 'radius')
  const angle = f.let(f64x2.mul(f.f64x2(2 * Math.PI), second), 'angle')
  return [
    f.let(f64x2.mul(radius, lanewise(f, 'f64x2', 'cos', angle))),
    f.let(f64x2.mul(radius, lanewise(f, 'f64x2', 'sin', angle))),
  ]
}
