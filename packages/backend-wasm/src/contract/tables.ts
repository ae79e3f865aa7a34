// Offset tables: where the elements of one group of axes lie, in bytes from the operand's start, one int32 for each value
// of the group's flat index. With a table for rows and one for columns an operand may have any strides at all (0,
// negative, overlapping windows), and the code that packs it never divides an index into coordinates.
// Tables are shared: by all groups of equal strides, and groups of one axis take the first part of a longer table.
// Read next: plan.ts, which decides what tables a contraction needs.
import type { DeviceMemory } from '../memory.ts'

/** The axes of one group as one operand lies along them, outermost first, adjacent axes merged where they can be. */
export interface Extent {
  readonly sizes: readonly number[]
  /** In elements. */
  readonly strides: readonly number[]
  /** Product of the sizes; 1 for no axes. */
  readonly length: number
}

/** Merges what needs no axis of its own: axes of size 1, and pairs in which the outer one continues the inner one. */
export function extentOf(sizes: readonly number[], strides: readonly number[]): Extent {
  const mergedSizes: number[] = []
  const mergedStrides: number[] = []
  let length = 1
  for (let axis = 0; axis < sizes.length; axis++) {
    const size = sizes[axis]!
    const stride = strides[axis]!
    length *= size
    if (size === 1) continue
    const last = mergedSizes.length - 1
    if (last >= 0 && mergedStrides[last] === stride * size) {
      mergedSizes[last]! *= size
      mergedStrides[last] = stride
    } else {
      mergedSizes.push(size)
      mergedStrides.push(stride)
    }
  }
  return { sizes: mergedSizes, strides: mergedStrides, length }
}

/** Whether the elements lie next to one another in order. */
export function isContiguous(extent: Extent): boolean {
  return extent.sizes.length === 0 || (extent.sizes.length === 1 && extent.strides[0] === 1)
}

/** Whether elements come in contiguous runs of at least four, so that most vectors of four are one store. */
export function hasRunsOfFour(extent: Extent): boolean {
  const last = extent.sizes.length - 1
  return last >= 0 && extent.strides[last] === 1 && extent.sizes[last]! >= 4
}

/** The offsets of an extent in bytes, in the order of the flat index. */
export function offsetsOf(extent: Extent, elementBytes: number): Int32Array {
  const offsets = new Int32Array(extent.length)
  // Axis by axis from the innermost: what stands in the first `filled` places is repeated with an offset.
  let filled = 1
  for (let axis = extent.sizes.length - 1; axis >= 0; axis--) {
    const step = extent.strides[axis]! * elementBytes
    for (let i = 1; i < extent.sizes[axis]!; i++) {
      const to = i * filled
      const shift = i * step
      for (let j = 0; j < filled; j++) offsets[to + j] = offsets[j]! + shift
    }
    filled *= extent.sizes[axis]!
  }
  return offsets
}

interface SharedTable {
  readonly address: number
  users: number
}

/** All tables in one memory, each kept as long as somebody uses it. */
export class OffsetTables {
  readonly #memory: DeviceMemory
  readonly #tables = new Map<string, SharedTable>()

  constructor(memory: DeviceMemory) {
    this.#memory = memory
  }

  /** Address of the table of an extent, made if there is none. Give back what is returned to {@link release}. */
  acquire(extent: Extent, elementBytes: number): TableUse {
    const shared = sharedForm(extent)
    const key = `${elementBytes}:${shared.sizes.join(',')}:${shared.strides.join(',')}`
    let table = this.#tables.get(key)
    if (table === undefined) {
      // Vectors of up to 32 offsets are read at once, also where fewer remain.
      const address = this.#memory.allocate(4 * (shared.length + 32))
      this.#memory.int32.set(offsetsOf(shared, elementBytes), address / 4)
      table = { address, users: 0 }
      this.#tables.set(key, table)
    }
    table.users++
    return { key, address: table.address }
  }

  release(use: TableUse): void {
    const table = this.#tables.get(use.key)!
    table.users--
    if (table.users > 0) return
    this.#tables.delete(use.key)
    this.#memory.release(table.address)
  }
}

/** A table in use. */
export interface TableUse {
  readonly key: string
  readonly address: number
}

/** One axis can share with longer ones of the same stride: its length is rounded up, to a power of two while it is short. */
function sharedForm(extent: Extent): Extent {
  if (extent.sizes.length > 1) return extent
  let length = 64
  while (length < extent.length && length < 8192) length *= 2
  length = Math.ceil(extent.length / length) * length
  return { sizes: [length], strides: [extent.strides[0] ?? 0], length }
}
