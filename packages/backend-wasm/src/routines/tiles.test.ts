// Transforms of squares against the interpreter: every way their planes lie, tiles that fill no vector, images that end
// inside a tile or begin after it; nothing is written where no element belongs; threads change no bit.
import { createInterpreter, type TileSide, type TilesSpec } from '@nabla/engine'
import { afterAll, expect, test } from 'vitest'
import { createMemory } from '../memory.ts'
import { Threads } from '../pool/threads.ts'
import { Random } from '../testing/random.ts'
import { startThreads } from '../testing/threads.ts'
import { createTiles } from './tiles.ts'

const memory = createMemory({ maximumBytes: 2 ** 28 })
const alone = new Threads(memory, { count: 1 })
const running: Threads[] = []
afterAll(() => running.forEach((threads) => threads.stop()))

const random = new Random(17)
const pick = (low: number, high: number): number => low + random.below(high - low + 1)

const matrices = {
  4: {
    4: [
      [1, 0, -1, 0],
      [0, 1, 1, 0],
      [0, -1, 1, 0],
      [0, 1, 0, -1],
    ],
    2: [
      [1, 0],
      [0.5, 0.5],
      [0.5, -0.5],
      [0, 1],
    ],
    3: [
      [1, 0, 0],
      [0.5, 0.5, 0.5],
      [0.5, -0.5, 0.5],
      [0, 0, 1],
    ],
  },
  2: {
    4: [
      [1, 1, 1, 0],
      [0, 1, -1, -1],
    ],
  },
  3: {
    4: [
      [1, 1, 1, 0],
      [0, 2, -1, 0.25],
      [0, 0, 0, 0],
    ],
  },
} as const

interface Case {
  readonly spec: TilesSpec
  readonly from: number
  readonly to: number
}

/** An image [N, C, H, W] as a side whose planes are [C, N]. */
function image(
  images: number,
  channels: number,
  sizes: [number, number],
  before: [number, number],
): TileSide {
  const plane = sizes[0] * sizes[1]
  const planes = [plane, channels * plane]
  return { offset: 0, planes, tile: [2 * sizes[1], 2], square: [sizes[1], 1], image: { sizes, before } }
}

/** Planes of squares [size, size, gap + C, N, rows, columns]. */
function planes(
  size: number,
  images: number,
  channels: number,
  tiles: [number, number],
  gap: number,
): TileSide {
  const plane = tiles[0] * tiles[1]
  const apart = channels * images * plane + gap
  return {
    offset: gap,
    planes: [images * plane, plane],
    tile: [tiles[1], 1],
    square: [size * apart, apart],
    image: null,
  }
}

function cut(size: 2 | 4): Case {
  const [images, channels] = [pick(1, 3), pick(1, 3)]
  const tiles: [number, number] = [pick(1, 4), pick(1, 9)]
  const before: [number, number] = [pick(0, 2), pick(0, 2)]
  const sizes: [number, number] = [
    Math.max(1, 2 * tiles[0] - pick(-3, 1)),
    Math.max(1, 2 * tiles[1] - pick(-3, 1)),
  ]
  const gap = pick(0, 5)
  const source = image(images, channels, sizes, before)
  const out = planes(4, images, channels, tiles, gap)
  return {
    spec: {
      name: 'tiles',
      dtype: 'float32',
      matrix: matrices[4][size],
      planes: [channels, images],
      tiles,
      source,
      out,
      slots: [0, 1],
    },
    from: images * channels * sizes[0] * sizes[1],
    to: 16 * out.square[1] + gap,
  }
}

function join(): Case {
  const [images, channels] = [pick(1, 3), pick(1, 3)]
  const tiles: [number, number] = [pick(1, 4), pick(1, 9)]
  const sizes: [number, number] = [2 * tiles[0] - pick(0, 1), 2 * tiles[1] - pick(0, 1)]
  const source = planes(4, images, channels, tiles, 0)
  const out = image(images, channels, sizes, [0, 0])
  return {
    spec: {
      name: 'tiles',
      dtype: 'float32',
      matrix: matrices[2][4],
      planes: [channels, images],
      tiles,
      source,
      out,
      slots: [0, 1],
    },
    from: 16 * source.square[1],
    to: images * channels * sizes[0] * sizes[1],
  }
}

function kernels(way: 'spread' | 'gather'): Case {
  const [outputs, inputs] = [pick(1, 5), pick(1, 9)]
  const size = way === 'spread' ? 3 : 4
  const turned = way === 'spread' && random.chance(0.5)
  const kernel: TileSide = {
    offset: turned ? 8 : 0,
    planes: [9 * inputs],
    tile: [0, 9],
    square: turned ? [-3, -1] : [3, 1],
    image: null,
  }
  const square: TileSide = {
    offset: 0,
    planes: [inputs],
    tile: [inputs, 1],
    square: [4 * outputs * inputs, outputs * inputs],
    image: null,
  }
  const [source, out] = way === 'spread' ? [kernel, square] : [square, kernel]
  const [from, to] = way === 'spread' ? [9, 16] : [16, 9]
  const matrix = size === 3 ? matrices[4][3] : matrices[3][4]
  return {
    spec: {
      name: 'tiles',
      dtype: 'float32',
      matrix,
      planes: [outputs],
      tiles: [1, inputs],
      source,
      out,
      slots: [0, 1],
    },
    from: from * outputs * inputs,
    to: to * outputs * inputs,
  }
}

const makers = {
  cut4: () => cut(4),
  cut2: () => cut(2),
  join,
  spread: () => kernels('spread'),
  gather: () => kernels('gather'),
}

/** Values around the result stay what they were. */
const margin = 8
const untouched = 1234

function run(threads: Threads, { spec, to }: Case, values: Float32Array): Float32Array {
  const source = memory.allocate(4 * values.length + 64)
  const out = memory.allocate(4 * (to + 2 * margin))
  memory.float32.set(values, source / 4)
  memory.float32.fill(untouched, out / 4, out / 4 + to + 2 * margin)
  const executable = createTiles(memory, threads)(spec)!
  executable.run([source, out + 4 * margin], [])
  executable.dispose()
  const result = memory.float32.slice(out / 4, out / 4 + to + 2 * margin)
  memory.release(source)
  memory.release(out)
  return result
}

async function reference({ spec, from, to }: Case, values: Float32Array): Promise<Float32Array> {
  const interpreter = createInterpreter()
  const source = interpreter.allocate(4 * from)
  const out = interpreter.allocate(4 * to)
  interpreter.write(source, 'float32', values)
  interpreter.write(out, 'float32', new Float32Array(to).fill(untouched))
  interpreter.routines.tiles!(spec)!.run([source, out], [])
  return (await interpreter.read(out, 'float32', to)) as Float32Array
}

for (const [name, make] of Object.entries(makers)) {
  test(`${name}: what the interpreter gives, and nothing beside it`, async () => {
    for (let round = 0; round < 40; round++) {
      const given = make()
      const values = Float32Array.from({ length: given.from }, () => random.next() - 0.5)
      const result = run(alone, given, values)
      const expected = await reference(given, values)
      expect([...result.subarray(0, margin), ...result.subarray(-margin)]).toEqual(
        Array.from({ length: 2 * margin }, () => untouched),
      )
      for (let i = 0; i < given.to; i++) {
        if (!(Math.abs(result[margin + i]! - expected[i]!) < 1e-5))
          expect.fail(
            `element ${i}: ${result[margin + i]} instead of ${expected[i]} ${JSON.stringify(given)}`,
          )
      }
    }
  })
}

test('threads change no bit', async () => {
  const threads = await startThreads(memory, 2)
  running.push(threads)
  for (const make of Object.values(makers)) {
    for (let round = 0; round < 5; round++) {
      const given = make()
      const values = Float32Array.from({ length: given.from }, () => random.next() - 0.5)
      expect(run(threads, given, values)).toEqual(run(alone, given, values))
    }
  }
  expect(threads.all).toBeGreaterThan(threads.own)
})

test('what it has no code for is left to others', () => {
  const { spec } = cut(4)
  const factory = createTiles(memory, alone)
  expect(factory({ ...spec, dtype: 'float64' })).toBe(null)
  expect(factory({ ...spec, source: { ...spec.source, tile: [3 * spec.source.square[0], 3] } })).toBe(null)
})
