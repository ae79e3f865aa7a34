// Gather and scatter-add: everything about them that is no inner loop. All indices are checked before anything is
// written, so a bad one leaves memory as it was. The two innermost axes run in WebAssembly (indexed-code.ts), further
// ones are stepped through here.
import {
  bytesOf,
  ValueError,
  type Executable,
  type GatherSpec,
  type RoutineFactory,
  type ScatterAddSpec,
} from '@nabla/engine'
import type { DeviceMemory } from '../memory.ts'
import { AddressWalk, mergeAxes, type Axes } from './axes.ts'
import { compileRoutine } from './compile.ts'
import {
  gatherFunctions,
  guardFunctions,
  indexedParameters,
  scatterAddFunctions,
  type GuardExports,
  type IndexedExports,
  type IndexedParameter,
} from './indexed-code.ts'
import { ParameterBlock } from './parameters.ts'

type IndexedSpec = GatherSpec | ScatterAddSpec

/** Makes the factories of gather and scatter-add executables, for all data types. */
export function createIndexed(memory: DeviceMemory): {
  readonly gather: RoutineFactory<GatherSpec>
  readonly scatterAdd: RoutineFactory<ScatterAddSpec>
} {
  const code = new IndexedCode(memory)
  return {
    gather: (spec) => new IndexedExecutable(memory, code, spec),
    scatterAdd: (spec) => new IndexedExecutable(memory, code, spec),
  }
}

/** Modules, compiled at first use. */
class IndexedCode {
  readonly #memory: DeviceMemory
  readonly #compiled = new Map<string, IndexedExports>()
  #guard: GuardExports | undefined

  constructor(memory: DeviceMemory) {
    this.#memory = memory
  }

  get guard(): GuardExports {
    this.#guard ??= compileRoutine<GuardExports>(this.#memory, guardFunctions())
    return this.#guard
  }

  get(spec: IndexedSpec): IndexedExports {
    const bytes = bytesOf(spec.dtype)
    const key = spec.name === 'gather' ? `gather:${bytes}` : `scatterAdd:${spec.dtype}`
    let code = this.#compiled.get(key)
    if (code === undefined) {
      const functions = spec.name === 'gather' ? gatherFunctions(bytes) : scatterAddFunctions(spec.dtype)
      code = compileRoutine<IndexedExports>(this.#memory, functions)
      this.#compiled.set(key, code)
    }
    return code
  }
}

class IndexedExecutable implements Executable {
  readonly #memory: DeviceMemory
  readonly #spec: IndexedSpec
  readonly #guard: GuardExports
  readonly #code: IndexedExports
  readonly #block: ParameterBlock<IndexedParameter>
  readonly #bytes: number
  readonly #empty: boolean
  /** Outer axes of the work, and what remains inside. */
  readonly #walk: AddressWalk
  readonly #wholeRows: boolean
  /** Outer axes of the check: those along which the index varies, but for the last, which is checked in one call. */
  readonly #checkWalk: AddressWalk
  readonly #checkCount: number
  readonly #checkStride: number

  constructor(memory: DeviceMemory, code: IndexedCode, spec: IndexedSpec) {
    this.#memory = memory
    this.#spec = spec
    this.#guard = code.guard
    this.#code = code.get(spec)
    this.#bytes = bytesOf(spec.dtype)
    this.#empty = spec.sizes.includes(0)

    const inBytes = (strides: readonly number[], bytes: number): number[] =>
      strides.map((stride) => stride * bytes)
    const axes = mergeAxes(spec.sizes, [
      inBytes(spec.source.strides, this.#bytes),
      inBytes(spec.index.strides, 4),
      inBytes(spec.out.strides, this.#bytes),
    ])
    const [sourceStrides, indexStrides, outStrides] = axes.strides as [number[], number[], number[]]
    const row = axes.sizes.length - 2
    const column = axes.sizes.length - 1
    this.#block = new ParameterBlock(memory, indexedParameters)
    this.#block.setAll({
      rows: axes.sizes[row] ?? 1,
      columns: axes.sizes[column] ?? 1,
      sourceRow: sourceStrides[row] ?? 0,
      sourceColumn: sourceStrides[column] ?? 0,
      indexRow: indexStrides[row] ?? 0,
      indexColumn: indexStrides[column] ?? 0,
      outRow: outStrides[row] ?? 0,
      outColumn: outStrides[column] ?? 0,
      step: spec.step * this.#bytes,
    })
    this.#walk = new AddressWalk(withoutLast(axes, 2))
    this.#wholeRows =
      column >= 0 &&
      indexStrides[column] === 0 &&
      sourceStrides[column] === this.#bytes &&
      outStrides[column] === this.#bytes

    const varying = spec.sizes.map((_, axis) => axis).filter((axis) => spec.index.strides[axis] !== 0)
    const checkAxes = mergeAxes(
      varying.map((axis) => spec.sizes[axis]!),
      [varying.map((axis) => spec.index.strides[axis]! * 4)],
    )
    this.#checkCount = checkAxes.sizes.at(-1) ?? 1
    this.#checkStride = checkAxes.strides[0]!.at(-1) ?? 0
    this.#checkWalk = new AddressWalk(withoutLast(checkAxes, 1))
  }

  run(places: readonly number[]): void {
    const { source, index, out, slots } = this.#spec
    const indexPlace = places[slots[1]]! + index.offset * 4
    if (!this.#empty) this.#check(indexPlace)
    const outPlace = places[slots[2]]!
    if (this.#spec.name === 'scatterAdd') this.#guard.clear(outPlace, this.#spec.length * this.#bytes)
    if (this.#empty) return

    const { addresses } = this.#walk
    addresses[0] = places[slots[0]]! + source.offset * this.#bytes
    addresses[1] = indexPlace
    addresses[2] = outPlace + out.offset * this.#bytes
    do {
      if (this.#wholeRows) this.#code.rows(this.#block.address, addresses[0]!, addresses[1]!, addresses[2]!)
      else this.#code.elements(this.#block.address, addresses[0]!, addresses[1]!, addresses[2]!)
    } while (this.#walk.next())
  }

  dispose(): void {
    this.#block.release()
  }

  #check(indexPlace: number): void {
    const walk = this.#checkWalk
    walk.addresses[0] = indexPlace
    let bad = false
    // The whole round is made even after a bad index: the walk then stands at its start for the next run.
    do {
      const found = this.#guard.findBad(
        walk.addresses[0]!,
        this.#checkCount,
        this.#checkStride,
        this.#spec.limit,
      )
      bad ||= found !== this.#checkCount
    } while (walk.next())
    if (bad) throw this.#badIndex(indexPlace / 4)
  }

  /** Looks for the bad index once more, slowly, in terms of the axes that the operation knows. */
  #badIndex(start: number): ValueError {
    const { op, sizes, index, limit } = this.#spec
    const words = this.#memory.int32
    const axes = sizes.map((_, axis) => axis).filter((axis) => index.strides[axis] !== 0)
    const position = axes.map(() => 0)
    for (;;) {
      const word = axes.reduce((sum, axis, i) => sum + position[i]! * index.strides[axis]!, start)
      const value = words[word]!
      if (value < 0 || value >= limit) {
        return new ValueError(
          `${op}: index ${value} at position [${position.join(', ')}] is outside of [0, ${limit}). ` +
            `Indices count from 0 and must be smaller than the size they select from.`,
        )
      }
      let axis = axes.length - 1
      while (axis >= 0 && ++position[axis]! === sizes[axes[axis]!]) position[axis--] = 0
    }
  }
}

function withoutLast(axes: Axes, count: number): Axes {
  return {
    sizes: axes.sizes.slice(0, -count),
    strides: axes.strides.map((strides) => strides.slice(0, -count)),
  }
}
