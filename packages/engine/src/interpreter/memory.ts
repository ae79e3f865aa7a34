// Memory of the interpreter. Every element, whatever its type, is kept as a float64 in a cell of its own; a cell stands
// for four device bytes, so that slots which share bytes in a plan's arena share cells here in the same way, and a
// mistake of the memory plan shows as a wrong number. A float64 element uses the first of its two cells.
// Not here: what is computed with the cells (kernel.ts, routines.ts).
import type { Place } from '../backend.ts'
import { bytesOf, hostArray, type DType, type TypedArray } from '../dtype.ts'
import { BackendError, OutOfMemoryError } from '../errors.ts'

/** Device bytes for which one cell stands. */
const cellBytes = 4

/** A place is a block's number and an offset within the block: `block * blockSpan + bytes`. */
const blockSpan = 2 ** 32

/** A run of cells: what a place means. */
export interface Cells {
  readonly values: Float64Array
  /** The first cell. */
  readonly start: number
}

/** How many cells one element of a type takes. */
export function cellsOf(dtype: DType): number {
  return bytesOf(dtype) / cellBytes
}

/** Blocks of cells, by number. */
export class InterpreterMemory {
  #blocks = new Map<number, Float64Array>()
  #freeNumbers: number[] = []
  #nextNumber = 1
  #arena: Place | null = null
  #arenaBytes = 0
  #bytes = 0

  /** Device bytes in all blocks. */
  get bytes(): number {
    return this.#bytes
  }

  /** A new block. Its cells are NaN, so that reading what nobody wrote is seen in the result. */
  allocate(bytes: number): Place {
    if (!(bytes >= 0 && bytes < blockSpan)) {
      throw new BackendError(
        `interpreter: cannot allocate ${bytes} bytes; a block has at most ${blockSpan - 1}`,
      )
    }
    let cells: Float64Array
    try {
      cells = new Float64Array(Math.ceil(bytes / cellBytes)).fill(NaN)
    } catch (cause) {
      throw new OutOfMemoryError(`interpreter: no memory left for ${bytes} bytes`, { cause })
    }
    const number = this.#freeNumbers.pop() ?? this.#nextNumber++
    this.#blocks.set(number, cells)
    this.#bytes += cells.length * cellBytes
    return number * blockSpan
  }

  /** Gives a block back. @throws BackendError when no block begins there */
  release(place: Place): void {
    const number = Math.floor(place / blockSpan)
    const cells = this.#blocks.get(number)
    if (cells === undefined || place % blockSpan !== 0) {
      throw new BackendError(
        `interpreter: no block begins at place ${place}; it may have been released already`,
      )
    }
    this.#blocks.delete(number)
    this.#freeNumbers.push(number)
    this.#bytes -= cells.length * cellBytes
  }

  /** The arena: one block that is reused from plan to plan. What it held before is overwritten with NaN. */
  reserve(bytes: number): Place {
    if (this.#arena !== null && this.#arenaBytes >= bytes) {
      this.cells(this.#arena).values.fill(NaN)
      return this.#arena
    }
    if (this.#arena !== null) this.release(this.#arena)
    this.#arena = null
    this.#arena = this.allocate(bytes)
    this.#arenaBytes = bytes
    return this.#arena
  }

  /** The cells at a place. @throws BackendError when the place is in no block */
  cells(place: Place): Cells {
    const values = this.#blocks.get(Math.floor(place / blockSpan))
    const start = (place % blockSpan) / cellBytes
    if (values === undefined || !Number.isInteger(start)) {
      throw new BackendError(
        `interpreter: place ${place} lies in no block; it may have been released already`,
      )
    }
    return { values, start }
  }

  /** Copies host elements to a place. */
  write(place: Place, dtype: DType, data: TypedArray): void {
    const { values, start } = this.#cellsFor(place, dtype, data.length)
    const step = cellsOf(dtype)
    for (let i = 0; i < data.length; i++) {
      const value = data[i]!
      values[start + i * step] = dtype === 'bool' && value !== 0 ? 1 : value
    }
  }

  /** Copies elements out into a new host array. */
  read(place: Place, dtype: DType, length: number): TypedArray {
    const { values, start } = this.#cellsFor(place, dtype, length)
    const step = cellsOf(dtype)
    const result = hostArray(dtype, length)
    for (let i = 0; i < length; i++) result[i] = values[start + i * step]!
    return result
  }

  /** Copies bytes between places, which may overlap. */
  copy(from: Place, to: Place, bytes: number): void {
    const length = bytes / cellBytes
    const source = this.cells(from)
    const target = this.cells(to)
    assertInside(source, 0, length - 1)
    assertInside(target, 0, length - 1)
    target.values.set(source.values.subarray(source.start, source.start + length), target.start)
  }

  #cellsFor(place: Place, dtype: DType, length: number): Cells {
    const cells = this.cells(place)
    assertInside(cells, 0, length * cellsOf(dtype) - 1)
    return cells
  }
}

/** Checks that the cells from `first` to `last`, counted from the start, lie in the block. @throws BackendError */
export function assertInside({ values, start }: Cells, first: number, last: number): void {
  if (last < first) return
  if (start + first < 0 || start + last >= values.length) {
    throw new BackendError(
      `interpreter: cells ${start + first} to ${start + last} were asked for in a block of ${values.length}: ` +
        `a size, stride or offset does not fit its buffer`,
    )
  }
}
