// Axes that several accesses walk together: merging those that need not be apart, and stepping through the outer ones
// while WebAssembly code does the inner ones. Read next: indexed.ts.

/** Axes of a walk: sizes, and for each access the stride along each axis. */
export interface Axes {
  readonly sizes: readonly number[]
  readonly strides: readonly (readonly number[])[]
}

/** Drops axes of size 1 and merges neighbours wherever every access runs on from one into the other. */
export function mergeAxes(sizes: readonly number[], strides: readonly (readonly number[])[]): Axes {
  const mergedSizes: number[] = []
  const mergedStrides: number[][] = strides.map(() => [])
  for (let axis = 0; axis < sizes.length; axis++) {
    const size = sizes[axis]!
    if (size === 1) continue
    const last = mergedSizes.length - 1
    const runsOn = last >= 0 && strides.every((own, i) => mergedStrides[i]![last] === own[axis]! * size)
    if (runsOn) mergedSizes[last]! *= size
    else mergedSizes.push(size)
    strides.forEach((own, i) => {
      mergedStrides[i]![runsOn ? last : last + 1] = own[axis]!
    })
  }
  return { sizes: mergedSizes, strides: mergedStrides }
}

/** Steps through some axes, keeping the address of each access. After a full round it stands at the start again. */
export class AddressWalk {
  /** Where each access stands. Set before the first step, in the unit of the strides. */
  readonly addresses: number[]
  readonly #axes: Axes
  readonly #counters: number[]

  constructor(axes: Axes) {
    this.#axes = axes
    this.addresses = axes.strides.map(() => 0)
    this.#counters = axes.sizes.map(() => 0)
  }

  /** Moves on by one, the last axis first. False when all places have been visited. */
  next(): boolean {
    const { sizes } = this.#axes
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      this.#counters[axis]!++
      if (this.#counters[axis]! < sizes[axis]!) {
        this.#move(axis, 1)
        return true
      }
      this.#counters[axis] = 0
      this.#move(axis, 1 - sizes[axis]!)
    }
    return false
  }

  #move(axis: number, steps: number): void {
    const { strides } = this.#axes
    for (let access = 0; access < strides.length; access++) {
      this.addresses[access]! += steps * strides[access]![axis]!
    }
  }
}
