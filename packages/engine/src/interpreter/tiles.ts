// Squares of numbers transformed, as routine.ts words it: each square is read, multiplied by the matrix from the left and by
// its transpose from the right, and written.
import type { Executable } from '../backend.ts'
import type { TileSide, TilesSpec } from '../routine.ts'
import { offsetsOf } from './axes.ts'
import { cellsOf, type InterpreterMemory } from './memory.ts'
import { storingOf } from './values.ts'

/** T S T^T of every square S. */
export function prepareTiles(memory: InterpreterMemory, spec: TilesSpec, round: boolean): Executable {
  const { dtype, matrix, planes, tiles, source, out } = spec
  const unit = cellsOf(dtype)
  const store = storingOf(dtype, round)
  const [ofSource, ofOut] = [offsetsOf(planes, source.planes), offsetsOf(planes, out.planes)]
  const [before, after] = [matrix[0]!.length, matrix.length]
  return {
    run(places) {
      const from = memory.cells(places[spec.slots[0]]!)
      const to = memory.cells(places[spec.slots[1]]!)
      for (let plane = 0; plane < ofSource.length; plane++) {
        for (let i = 0; i < tiles[0]; i++) {
          for (let j = 0; j < tiles[1]; j++) {
            const square = range(before).map((r) =>
              range(before).map((s) => {
                const position = elementOf(source, i, j, r, s)
                return position === null ? 0 : from.values[from.start + (ofSource[plane]! + position) * unit]!
              }),
            )
            const left = matrix.map((row) =>
              range(before).map((s) => sum(before, (k) => row[k]! * square[k]![s]!)),
            )
            for (let r = 0; r < after; r++) {
              for (let s = 0; s < after; s++) {
                const position = elementOf(out, i, j, r, s)
                if (position === null) continue
                const value = sum(before, (k) => left[r]![k]! * matrix[s]![k]!)
                to.values[to.start + (ofOut[plane]! + position) * unit] = store(value)
              }
            }
          }
        }
      }
    },
    dispose() {},
  }
}

/** Where an element of a tile's square lies in its plane; null outside the image. */
function elementOf(side: TileSide, i: number, j: number, r: number, s: number): number | null {
  const { offset, tile, square, image } = side
  const position = offset + i * tile[0] + j * tile[1] + r * square[0] + s * square[1]
  if (image === null) return position
  const row = (i * tile[0]) / square[0] + r - image.before[0]
  const column = (j * tile[1]) / square[1] + s - image.before[1]
  if (row < 0 || row >= image.sizes[0] || column < 0 || column >= image.sizes[1]) return null
  return position - image.before[0] * square[0] - image.before[1] * square[1]
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}

function sum(count: number, value: (index: number) => number): number {
  let total = 0
  for (let k = 0; k < count; k++) total += value(k)
  return total
}
