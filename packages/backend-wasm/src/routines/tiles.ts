// Transforms of small squares, for convolutions by Winograd's way: which form of the code a specification needs, and its
// parameter block. Planes do not depend on each other, so threads share them. Read next: tiles-code.ts.
import type { Executable, RoutineFactory, TileSide, TilesSpec } from '@nabla/engine'
import type { DeviceMemory } from '../memory.ts'
import type { SharedCode, SharedWork, Threads } from '../pool/threads.ts'
import { compileShared } from './compile.ts'
import { ParameterBlock } from './parameters.ts'
import { tileParameters, tilesFunction, type TileForm, type TileParameter } from './tiles-code.ts'

/** Elements from one tile of an image to the next. */
const imageStep = 2

/** Rough time to move and transform an element of a square, in nanoseconds. */
const perElement = 0.12

/** Makes the factory of tiles of float32. Those of images are every two elements, and there are at most two axes of planes. */
export function createTiles(memory: DeviceMemory, threads: Threads): RoutineFactory<TilesSpec> {
  const compiled = new Map<string, SharedCode>()
  return (spec) => {
    const source = formOf(spec.source, spec.matrix[0]!.length)
    const out = formOf(spec.out, spec.matrix.length)
    if (spec.dtype !== 'float32' || spec.planes.length > 2 || source === null || out === null) return null
    if (source === 'image' && out === 'image') return null
    const key = JSON.stringify([spec.matrix, source, out])
    let code = compiled.get(key)
    if (code === undefined) {
      code = compileShared(memory, [tilesFunction(spec.matrix, source, out)])
      compiled.set(key, code)
    }
    return executable(memory, threads, code, spec)
  }
}

/** How a side lies; null where there is no code for it. */
function formOf({ tile, square, image }: TileSide, size: number): TileForm | null {
  if (image === null) return tile[1] === 1 ? 'together' : 'apart'
  const every = tile[0] === imageStep * square[0] && tile[1] === imageStep
  return every && square[1] === 1 && (size === 2 || size === 4) ? 'image' : null
}

function executable(memory: DeviceMemory, threads: Threads, code: SharedCode, spec: TilesSpec): Executable {
  const { planes, tiles, source, out, slots, matrix } = spec
  const items = planes.reduce((product, size) => product * size, 1)
  const [rows, columns] = tiles
  if (items * rows * columns === 0) return { run() {}, dispose() {} }
  const block = new ParameterBlock<TileParameter>(memory, tileParameters)
  block.setAll({
    planes1: planes.at(-1) ?? 1,
    rows,
    columns,
    ...sideWords('source', source),
    ...sideWords('out', out),
  })
  const scratchBytes = setImage(block, spec)
  const nanoseconds = perElement * items * rows * columns * (matrix.length ** 2 + matrix[0]!.length ** 2)
  const work: SharedWork = {
    code,
    param: block.address,
    items,
    chunks: threads.chunksFor(items, nanoseconds),
    scratchBytes,
  }
  return {
    run(places) {
      block.set('sourceBase', places[slots[0]]! + 4 * source.offset)
      block.set('outBase', places[slots[1]]! + 4 * out.offset)
      if (work.chunks > 1 && threads.areWorth(nanoseconds)) threads.runShared(work)
      else threads.runAlone(work)
    },
    dispose: () => block.release(),
  }
}

function sideWords(
  side: 'source' | 'out',
  { planes, tile, square }: TileSide,
): Partial<Record<TileParameter, number>> {
  const [first, second] = planes.length === 2 ? planes : [0, planes[0] ?? 0]
  return {
    [`${side}Plane0`]: 4 * first!,
    [`${side}Plane1`]: 4 * second!,
    [`${side}TileRow`]: 4 * tile[0],
    [`${side}Tile`]: 4 * tile[1],
    [`${side}SquareRow`]: 4 * square[0],
    [`${side}Square`]: 4 * square[1],
  }
}

/** Describes the scratch image, if a side is one, and gives its length: all that tiles reach, and what vectors read beyond. */
function setImage(block: ParameterBlock<TileParameter>, { matrix, tiles, source, out }: TilesSpec): number {
  const side = source.image === null ? out : source
  if (side.image === null) return 0
  const size = side === source ? matrix[0]!.length : matrix.length
  const name = side === source ? 'source' : 'out'
  const { sizes, before } = side.image
  const reach = tiles.map((count) => (count - 1) * imageStep + size) as [number, number]
  // A vector takes four tiles, whether they exist or not.
  const row = 4 * (Math.ceil(tiles[1] / 4) * 4 * imageStep + 4)
  const bytes = row * (reach[0] + 1)
  block.setAll({
    imageRow: 4 * side.square[0],
    imageRows: Math.min(sizes[0], reach[0] - before[0]),
    imageColumns: Math.min(sizes[1], reach[1] - before[1]),
    scratchRow: row,
    scratchStart: before[0] * row + 4 * before[1],
    scratchBytes: bytes,
    // Tiles are those of the scratch image.
    [`${name}TileRow`]: imageStep * row,
    [`${name}SquareRow`]: row,
  })
  return bytes
}
