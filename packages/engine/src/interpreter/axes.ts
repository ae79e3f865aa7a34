// Walking several arrays together over a space of axes: the loop under every kernel and routine of the interpreter.
import type { Access } from '../kernel.ts'

/**
 * Calls `body` at every index of a space, last axis fastest. `positions[a]` then is where array `a` stands; it moves by
 * `strides[a][axis]`. Afterwards all positions are what they were.
 */
export function walkAxes(
  sizes: readonly number[],
  strides: readonly (readonly number[])[],
  positions: Float64Array,
  body: () => void,
): void {
  // Turned around once: the steps of all arrays along one axis.
  const steps = sizes.map((_, axis) => Float64Array.from(strides, (ofArray) => ofArray[axis]!))
  const visit = (axis: number): void => {
    if (axis === sizes.length) {
      body()
      return
    }
    const size = sizes[axis]!
    const step = steps[axis]!
    for (let i = 0; i < size; i++) {
      visit(axis + 1)
      for (let array = 0; array < positions.length; array++) positions[array]! += step[array]!
    }
    for (let array = 0; array < positions.length; array++) positions[array]! -= size * step[array]!
  }
  visit(0)
}

/** Where the elements of one group of axes lie, in row-major order of the group's indices. */
export function offsetsOf(sizes: readonly number[], strides: readonly number[]): Float64Array {
  const offsets: number[] = []
  const positions = new Float64Array(1)
  walkAxes(sizes, [strides], positions, () => {
    offsets.push(positions[0]!)
  })
  return Float64Array.from(offsets)
}

/** The lowest and the highest element an access reaches; nothing (highest below lowest) in an empty space. */
export function extentOf(
  sizes: readonly number[],
  { offset, strides }: Access,
): [lowest: number, highest: number] {
  if (sizes.includes(0)) return [0, -1]
  let lowest = offset
  let highest = offset
  sizes.forEach((size, axis) => {
    const reach = (size - 1) * strides[axis]!
    if (reach < 0) lowest += reach
    else highest += reach
  })
  return [lowest, highest]
}
