// A part of a value replaced, at a position that comes with each run: the whole is copied unless it is overwritten, then
// the part, run by run where its elements lie side by side. Bytes are moved by the platform, so there is no code to compile.
import {
  bytesOf,
  rowMajorStrides,
  sizeOf,
  type Executable,
  type RoutineFactory,
  type SliceScatterSpec,
} from '@nabla/engine'
import type { DeviceMemory } from '../memory.ts'
import { AddressWalk, mergeAxes } from './axes.ts'

/** Makes the factory, for all types. */
export function createSliceScatter(memory: DeviceMemory): RoutineFactory<SliceScatterSpec> {
  return (spec) => new SliceScatter(memory, spec)
}

class SliceScatter implements Executable {
  readonly #memory: DeviceMemory
  readonly #spec: SliceScatterSpec
  readonly #walk: AddressWalk
  /** Bytes of a run, and of one position along the axis. */
  readonly #run: number
  readonly #step: number
  readonly #whole: number
  readonly #bytes: number

  constructor(memory: DeviceMemory, spec: SliceScatterSpec) {
    this.#memory = memory
    this.#spec = spec
    const bytes = bytesOf(spec.dtype)
    const inBytes = (strides: readonly number[]): number[] => strides.map((stride) => stride * bytes)
    const strides = rowMajorStrides(spec.shape)
    const { sizes, strides: merged } = mergeAxes(spec.sizes, [inBytes(spec.source.strides), inBytes(strides)])
    const last = sizes.length - 1
    const isRun = last >= 0 && merged.every((own) => own[last] === bytes)
    const outer = isRun ? last : last + 1
    this.#walk = new AddressWalk({
      sizes: sizes.slice(0, outer),
      strides: merged.map((own) => own.slice(0, outer)),
    })
    this.#run = isRun ? sizes[last]! * bytes : bytes
    this.#step = strides[spec.axis]! * bytes
    this.#whole = sizeOf(spec.shape) * bytes
    this.#bytes = bytes
  }

  run(places: readonly number[], numbers: ArrayLike<number>): void {
    const { source, slots, numbers: own } = this.#spec
    const [target, from, out] = slots.map((slot) => places[slot]!) as [number, number, number]
    const { uint8 } = this.#memory
    if (target !== out) uint8.copyWithin(out, target, target + this.#whole)
    const { addresses } = this.#walk
    addresses[0] = from + source.offset * this.#bytes
    addresses[1] = out + numbers[own[0]]! * this.#step
    do uint8.copyWithin(addresses[1]!, addresses[0]!, addresses[0]! + this.#run)
    while (this.#walk.next())
  }

  dispose(): void {
    // It holds no memory.
  }
}
