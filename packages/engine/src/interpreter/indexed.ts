// Gather and scatter-add: routines that go where indices say. All indices are checked before anything is written, so a
// bad one changes nothing.
import type { Executable, Place } from '../backend.ts'
import { ValueError } from '../errors.ts'
import type { GatherSpec, ScatterAddSpec } from '../routine.ts'
import { extentOf, walkAxes } from './axes.ts'
import { assertInside, cellsOf, type InterpreterMemory } from './memory.ts'
import { wholeBuffer } from './routines.ts'
import { combinationOf, storingOf } from './values.ts'

/** Copies the elements that indices choose. */
export function prepareGather(memory: InterpreterMemory, spec: GatherSpec, round: boolean): Executable {
  const store = storingOf(spec.dtype, round)
  return {
    run(places) {
      const indexed = bind(memory, spec, places)
      const step = spec.step * cellsOf(spec.dtype)
      const { source, index, out, positions } = indexed
      walkAxes(spec.sizes, indexed.strides, positions, () => {
        const from = positions[0]! + index[positions[1]!]! * step
        out[positions[2]!] = store(source[from]!)
      })
    },
    dispose() {},
  }
}

/** Adds elements where indices say, into a buffer of zeros. */
export function prepareScatterAdd(
  memory: InterpreterMemory,
  spec: ScatterAddSpec,
  round: boolean,
): Executable {
  const store = storingOf(spec.dtype, round)
  const add = combinationOf('sum', spec.dtype)
  return {
    run(places) {
      const indexed = bind(memory, spec, places)
      const unit = cellsOf(spec.dtype)
      const whole = wholeBuffer(memory, places[spec.slots[2]]!, spec.dtype, spec.length)
      whole.values.fill(0, whole.start, whole.start + spec.length * unit)
      const { source, index, out, positions } = indexed
      walkAxes(spec.sizes, indexed.strides, positions, () => {
        const target = positions[2]! + index[positions[1]!]! * spec.step * unit
        out[target] = store(add(out[target]!, source[positions[0]!]!))
      })
    },
    dispose() {},
  }
}

interface Indexed {
  readonly source: Float64Array
  readonly index: Float64Array
  readonly out: Float64Array
  /** Strides in cells, and where the walk begins: source, index, out. */
  readonly strides: readonly (readonly number[])[]
  readonly positions: Float64Array
}

/** Finds the buffers and checks every index. @throws ValueError for the first one out of range */
function bind(
  memory: InterpreterMemory,
  spec: GatherSpec | ScatterAddSpec,
  places: readonly Place[],
): Indexed {
  const accesses = [spec.source, spec.index, spec.out]
  const units = [cellsOf(spec.dtype), cellsOf('int32'), cellsOf(spec.dtype)]
  const buffers = spec.slots.map((slot) => memory.cells(places[slot]!))
  const strides = accesses.map((access, i) => access.strides.map((stride) => stride * units[i]!))
  const positions = Float64Array.from(accesses, (access, i) => buffers[i]!.start + access.offset * units[i]!)
  const [, indexUnit] = units
  const [lowest, highest] = extentOf(spec.sizes, spec.index)
  assertInside(buffers[1]!, lowest * indexUnit!, highest * indexUnit!)
  const index = buffers[1]!.values
  if (!spec.sizes.includes(0)) checkIndices(spec, index, positions[1]!)
  return { source: buffers[0]!.values, index, out: buffers[2]!.values, strides, positions }
}

function checkIndices(
  { op, sizes, index, limit }: GatherSpec | ScatterAddSpec,
  cells: Float64Array,
  start: number,
): void {
  // Axes along which the index is repeated are not walked, and are no part of the position that the message names.
  const axes = sizes.map((_, axis) => axis).filter((axis) => index.strides[axis] !== 0)
  const ownSizes = axes.map((axis) => sizes[axis]!)
  const positions = Float64Array.of(start)
  let count = 0
  walkAxes(ownSizes, [axes.map((axis) => index.strides[axis]!)], positions, () => {
    const value = cells[positions[0]!]!
    if (!(value >= 0 && value < limit)) {
      throw new ValueError(
        `${op}: index ${value} at position [${indexOf(count, ownSizes).join(', ')}] is outside of [0, ${limit}). ` +
          `Indices count from 0 and must be smaller than the size they select from.`,
      )
    }
    count += 1
  })
}

/** The index of the element that row-major order puts at `count`. */
function indexOf(count: number, sizes: readonly number[]): number[] {
  let rest = count
  return sizes.map((size, axis) => {
    const after = sizes.slice(axis + 1).reduce((product, next) => product * next, 1)
    return Math.floor(rest / after) % size
  })
}
