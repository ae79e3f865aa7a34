// The code that transforms squares of float32: `k(param, from, to, scratch)` does planes `from` to `to` of the work that the
// block at `param` describes. A vector holds the same element of four neighbouring tiles. Planes that are images are
// copied row by row to or from a scratch image, which has room for all that tiles reach, so that no tile needs to
// know where an image ends. Read before: tiles.ts.
import { FunctionBuilder } from '../wat/builder.ts'
import { f32x4, i32, select, shuffle32, v128 } from '../wat/instructions.ts'
import type { Local, Wat } from '../wat/wat.ts'
import { parameterLayout, type ParameterLayout } from './parameters.ts'

/** How the tiles of a side lie: every other element of an image, side by side, or any distance apart. */
export type TileForm = 'image' | 'together' | 'apart'

const sideNames = ['Base', 'Plane0', 'Plane1', 'TileRow', 'Tile', 'SquareRow', 'Square'] as const
type Side = 'source' | 'out'
type SideParameter = `${Side}${(typeof sideNames)[number]}`

/** A word of the parameter block. Distances are in bytes. */
export type TileParameter =
  | SideParameter
  | 'planes1'
  | 'rows'
  | 'columns'
  | 'imageRow'
  | 'imageRows'
  | 'imageColumns'
  | 'scratchRow'
  | 'scratchStart'
  | 'scratchBytes'

const sideWords = (side: Side): SideParameter[] => sideNames.map((name): SideParameter => `${side}${name}`)

/** The layout of every parameter block. */
export const tileParameters: ParameterLayout<TileParameter> = parameterLayout<TileParameter>([
  ...sideWords('source'),
  ...sideWords('out'),
  // Planes along the second axis; rows of tiles, and tiles of a row.
  'planes1',
  'rows',
  'columns',
  // The image: from row to row, its rows and the elements of a row that are copied.
  'imageRow',
  'imageRows',
  'imageColumns',
  // The scratch image: from row to row, where the image lies in it, and how long it is.
  'scratchRow',
  'scratchStart',
  'scratchBytes',
])

/** What a square's elements are while they are worked on: rows of vectors. */
type Square = readonly (readonly Local[])[]

/** The function `k`. */
export function tilesFunction(
  matrix: readonly (readonly number[])[],
  source: TileForm,
  out: TileForm,
): FunctionBuilder {
  const f = new FunctionBuilder('tiles', 'k')
  const param = f.param('param', 'i32')
  const item = f.param('from', 'i32')
  const to = f.param('to', 'i32')
  const scratch = f.param('scratch', 'i32')
  const word = (name: TileParameter): Local => f.let(i32.load(param, 4 * tileParameters.words[name]), name)
  const stridesOf = (side: Side): Strides => ({
    tileRow: word(`${side}TileRow`),
    tile: word(`${side}Tile`),
    squareRow: word(`${side}SquareRow`),
    square: word(`${side}Square`),
  })
  const planes1 = word('planes1')
  const rows = word('rows')
  const columns = word('columns')
  const ofSource = stridesOf('source')
  const ofOut = stridesOf('out')
  const image: Image = {
    row: word('imageRow'),
    rows: word('imageRows'),
    columns: word('imageColumns'),
    scratchRow: word('scratchRow'),
    inScratch: f.let(i32.add(scratch, word('scratchStart')), 'inScratch'),
  }
  if (source === 'image') clear(f, scratch, word('scratchBytes'))
  const base = (side: Side): Wat => {
    const first = i32.mul(i32.div_u(item, planes1), word(`${side}Plane0`))
    const second = i32.mul(i32.rem_u(item, planes1), word(`${side}Plane1`))
    return i32.add(word(`${side}Base`), i32.add(first, second))
  }
  f.for(item, to, 1, () => {
    const sourcePlane = f.let(base('source'), 'sourcePlane')
    const outPlane = f.let(base('out'), 'outPlane')
    if (source === 'image') copyRows(f, image, sourcePlane, image.row, image.inScratch, image.scratchRow)
    const read = f.let(source === 'image' ? scratch : sourcePlane, 'read')
    const write = f.let(out === 'image' ? scratch : outPlane, 'write')
    const row = f.let(i32.const(0), 'row')
    f.for(row, rows, 1, () => {
      writeTileRow(
        f,
        matrix,
        { form: source, strides: ofSource, base: read },
        { form: out, strides: ofOut, base: write },
        columns,
      )
      f.set(read, i32.add(read, ofSource.tileRow))
      f.set(write, i32.add(write, ofOut.tileRow))
    })
    if (out === 'image') copyRows(f, image, image.inScratch, image.scratchRow, outPlane, image.row)
  })
  return f
}

interface Strides {
  readonly tileRow: Local
  readonly tile: Local
  readonly squareRow: Local
  readonly square: Local
}

interface Image {
  readonly row: Local
  readonly rows: Local
  readonly columns: Local
  readonly scratchRow: Local
  readonly inScratch: Local
}

interface Place {
  readonly form: TileForm
  readonly strides: Strides
  readonly base: Local
}

function clear(f: FunctionBuilder, start: Local, bytes: Local): void {
  const place = f.let(start, 'place')
  const end = f.let(i32.add(start, bytes), 'end')
  f.for(place, end, 16, () => f.emit(v128.store(place, f.f32x4(0))))
}

/** Copies the rows of an image, each exactly. */
function copyRows(
  f: FunctionBuilder,
  image: Image,
  from: Local,
  fromRow: Local,
  to: Local,
  toRow: Local,
): void {
  const source = f.let(from, 'fromRow')
  const target = f.let(to, 'toRow')
  const bytes = f.let(i32.shl(image.columns, 2), 'bytes')
  const whole = f.let(i32.and(bytes, -16), 'whole')
  const offset = f.local('i32', 'offset')
  const row = f.let(i32.const(0), 'imageRow')
  f.for(row, image.rows, 1, () => {
    f.set(offset, i32.const(0))
    f.for(offset, whole, 16, () => {
      f.emit(v128.store(i32.add(target, offset), v128.load(i32.add(source, offset))))
    })
    f.for(offset, bytes, 4, () =>
      f.emit(i32.store(i32.add(target, offset), i32.load(i32.add(source, offset)))),
    )
    f.set(source, i32.add(source, fromRow))
    f.set(target, i32.add(target, toRow))
  })
}

/** A row of tiles, four at a time. */
function writeTileRow(
  f: FunctionBuilder,
  matrix: readonly (readonly number[])[],
  source: Place,
  out: Place,
  columns: Local,
): void {
  const before = matrix[0]!.length
  const after = matrix.length
  const from = pointersOf(f, source, before)
  const to = pointersOf(f, out, after)
  const column = f.let(i32.const(0), 'column')
  f.for(column, columns, 4, () => {
    const left = f.let(i32.sub(columns, column), 'left')
    const square = loadSquare(f, source, from, before, column, left)
    const result = transform(f, matrix, square)
    storeSquare(f, out, to, result, column, left)
  })
}

/** Where each element of the square of a row's first tile lies; of images, where each of its rows begins. */
function pointersOf(
  f: FunctionBuilder,
  { form, strides, base }: Place,
  size: number,
): readonly (readonly Local[])[] {
  const pointers: Local[][] = []
  for (let r = 0; r < size; r++) {
    const previous = pointers[r - 1]
    const first = previous === undefined ? base : f.let(i32.add(previous[0]!, strides.squareRow), 'pointer')
    const line = [first]
    while (form !== 'image' && line.length < size)
      line.push(f.let(i32.add(line.at(-1)!, strides.square), 'pointer'))
    pointers.push(line)
  }
  return pointers
}

function loadSquare(
  f: FunctionBuilder,
  { form, strides }: Place,
  pointers: readonly (readonly Local[])[],
  size: number,
  column: Local,
  left: Local,
): Square {
  if (form === 'image') {
    const offset = f.let(i32.shl(column, 3), 'offset')
    return pointers.map(([pointer]) => {
      const place = f.let(i32.add(pointer!, offset), 'place')
      const [a, b] = [f.let(v128.load(place)), f.let(v128.load(place, 16))]
      const line = [f.let(shuffle32(a, b, [0, 2, 4, 6])), f.let(shuffle32(a, b, [1, 3, 5, 7]))]
      if (size === 2) return line
      const c = f.let(v128.load64_zero(place, 32))
      return [
        ...line,
        f.let(shuffle32(line[0]!, c, [1, 2, 3, 4])),
        f.let(shuffle32(line[1]!, c, [1, 2, 3, 5])),
      ]
    })
  }
  if (form === 'together') {
    const offset = f.let(i32.shl(column, 2), 'offset')
    return pointers.map((line) => line.map((pointer) => f.let(v128.load(i32.add(pointer, offset)))))
  }
  const lanes = lanesOf(f, strides, column, left)
  return pointers.map((line) =>
    line.map((pointer) => {
      const vector = f.let(v128.load32_zero(i32.add(pointer, lanes[0]!)))
      for (let lane = 1; lane < 4; lane++)
        f.set(vector, v128.load32_lane(lane, i32.add(pointer, lanes[lane]!), vector))
      return vector
    }),
  )
}

/** How far four tiles are from the first of their row; the last one stands for those that do not exist. */
function lanesOf(f: FunctionBuilder, { tile }: Strides, column: Local, left: Local): readonly Local[] {
  const lanes = [f.let(i32.mul(column, tile), 'lane')]
  for (let lane = 1; lane < 4; lane++) {
    const before = lanes[lane - 1]!
    lanes.push(f.let(select(i32.add(before, tile), before, i32.gt_u(left, lane)), 'lane'))
  }
  return lanes
}

function storeSquare(
  f: FunctionBuilder,
  { form, strides }: Place,
  pointers: readonly (readonly Local[])[],
  result: Square,
  column: Local,
  left: Local,
): void {
  if (form === 'image') {
    const offset = f.let(i32.shl(column, 3), 'offset')
    result.forEach(([even, odd], r) => {
      const place = f.let(i32.add(pointers[r]![0]!, offset), 'place')
      f.emit(v128.store(place, shuffle32(even!, odd!, [0, 4, 1, 5])))
      f.emit(v128.store(place, shuffle32(even!, odd!, [2, 6, 3, 7]), 16))
    })
    return
  }
  const forAll = (store: (place: Local, value: Local) => void): void => {
    result.forEach((line, r) => line.forEach((value, s) => store(pointers[r]![s]!, value)))
  }
  if (form === 'apart') {
    const lanes = lanesOf(f, strides, column, left)
    for (let lane = 0; lane < 4; lane++) {
      f.if(i32.gt_u(left, lane), () => {
        forAll((pointer, value) => f.emit(v128.store32_lane(lane, i32.add(pointer, lanes[lane]!), value)))
      })
    }
    return
  }
  const offset = f.let(i32.shl(column, 2), 'offset')
  const storeSome = (): void => {
    f.if(
      i32.eq(left, 1),
      () => forAll((pointer, value) => f.emit(v128.store32_lane(0, i32.add(pointer, offset), value))),
      () => forAll((pointer, value) => f.emit(v128.store64_lane(0, i32.add(pointer, offset), value))),
    )
    f.if(i32.eq(left, 3), () => {
      forAll((pointer, value) => f.emit(v128.store32_lane(2, i32.add(pointer, offset), value, 8)))
    })
  }
  f.if(
    i32.ge_u(left, 4),
    () => forAll((pointer, value) => f.emit(v128.store(i32.add(pointer, offset), value))),
    storeSome,
  )
}

/** T S T^T. */
function transform(f: FunctionBuilder, matrix: readonly (readonly number[])[], square: Square): Square {
  const turned = square[0]!.map((_, s) =>
    matrix.map((row) =>
      combination(
        f,
        row,
        square.map((line) => line[s]!),
      ),
    ),
  )
  return matrix.map((_, r) =>
    matrix.map((row) =>
      combination(
        f,
        row,
        turned.map((line) => line[r]!),
      ),
    ),
  )
}

/** The sum of values times the coefficients of a row, some of which are usually 0 and the others equal but for their sign. */
function combination(f: FunctionBuilder, row: readonly number[], values: readonly Local[]): Local {
  const terms = row.flatMap((coefficient, i) =>
    coefficient === 0 ? [] : [{ coefficient, value: values[i]! }],
  )
  const size = Math.abs(terms[0]?.coefficient ?? 1)
  const equal = terms.every(({ coefficient }) => Math.abs(coefficient) === size)
  // What is added comes first, so that nothing has to be negated.
  const ordered = [...terms].sort((one, other) => Math.sign(other.coefficient) - Math.sign(one.coefficient))
  let sum: Wat | null = null
  for (const { coefficient, value } of ordered) {
    const factor = equal ? Math.sign(coefficient) : coefficient
    if (sum === null) sum = factor === 1 ? value : f32x4.mul(value, f.f32x4(factor))
    else if (factor === 1) sum = f32x4.add(sum, value)
    else if (factor === -1) sum = f32x4.sub(sum, value)
    else sum = f32x4.add(sum, f32x4.mul(value, f.f32x4(factor)))
  }
  if (sum === null) return f.f32x4(0)
  return f.once(equal && size !== 1 ? f32x4.mul(sum, f.f32x4(size)) : sum)
}
