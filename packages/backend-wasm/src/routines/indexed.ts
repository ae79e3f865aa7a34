// Gather and scatter-add: everything about them that is no inner loop. All indices are checked before anything is
// written, so a bad one leaves memory as it was. The two innermost axes run in WebAssembly (indexed-code.ts), further
// ones are stepped through here. Rows of a gather may be shared among threads; those of scatter-add may meet, and are not.
import {
  bytesOf,
  ValueError,
  type Executable,
  type GatherSpec,
  type RoutineFactory,
  type ScatterAddSpec,
} from '@nabla/engine'
import type { DeviceMemory } from '../memory.ts'
import type { SharedCode, SharedWork, Threads } from '../pool/threads.ts'
import { AddressWalk, mergeAxes, type Axes } from './axes.ts'
import { compileRoutine, compileShared } from './compile.ts'
import {
  gatherFunction,
  guardFunctions,
  indexedParameters,
  scatterAddFunction,
  type GuardExports,
  type IndexedForm,
  type IndexedParameter,
} from './indexed-code.ts'
import { ParameterBlock } from './parameters.ts'

type IndexedSpec = GatherSpec | ScatterAddSpec

/** Rough time for an element on one thread: of a row that is copied, and of one that is looked up by itself. */
const nanosecondsPerElement = { rows: 0.1, elements: 1 }

/** Makes the factories of gather and scatter-add executables, for all data types. */
export function createIndexed(
  memory: DeviceMemory,
  threads: Threads,
): {
  readonly gather: RoutineFactory<GatherSpec>
  readonly scatterAdd: RoutineFactory<ScatterAddSpec>
} {
  const code = new IndexedCode(memory)
  return {
    gather: (spec) => new IndexedExecutable(memory, threads, code, spec),
    scatterAdd: (spec) => new IndexedExecutable(memory, threads, code, spec),
  }
}

/** Modules, compiled at first use. */
class IndexedCode {
  readonly #memory: DeviceMemory
  readonly #compiled = new Map<string, SharedCode>()
  #guard: GuardExports | undefined

  constructor(memory: DeviceMemory) {
    this.#memory = memory
  }

  get guard(): GuardExports {
    this.#guard ??= compileRoutine<GuardExports>(this.#memory, guardFunctions())
    return this.#guard
  }

  get(spec: IndexedSpec, form: IndexedForm): SharedCode {
    const bytes = bytesOf(spec.dtype)
    const key = spec.name === 'gather' ? `gather:${bytes}:${form}` : `scatterAdd:${spec.dtype}:${form}`
    let code = this.#compiled.get(key)
    if (code === undefined) {
      const write =
        spec.name === 'gather' ? gatherFunction(bytes, form) : scatterAddFunction(spec.dtype, form)
      code = compileShared(this.#memory, [write])
      this.#compiled.set(key, code)
    }
    return code
  }
}

class IndexedExecutable implements Executable {
  readonly #memory: DeviceMemory
  readonly #spec: IndexedSpec
  readonly #guard: GuardExports
  readonly #threads: Threads
  readonly #work: SharedWork
  readonly #nanoseconds: number
  readonly #block: ParameterBlock<IndexedParameter>
  readonly #bytes: number
  readonly #empty: boolean
  /** Outer axes of the work, and what remains inside. */
  readonly #walk: AddressWalk
  /** Outer axes of the check: those along which the index varies, but for the last, which is checked in one call. */
  readonly #checkWalk: AddressWalk
  readonly #checkCount: number
  readonly #checkStride: number

  constructor(memory: DeviceMemory, threads: Threads, code: IndexedCode, spec: IndexedSpec) {
    this.#memory = memory
    this.#spec = spec
    this.#guard = code.guard
    this.#threads = threads
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
    const wholeRows =
      column >= 0 &&
      indexStrides[column] === 0 &&
      sourceStrides[column] === this.#bytes &&
      outStrides[column] === this.#bytes
    const form = wholeRows ? 'rows' : 'elements'
    const items = axes.sizes[row] ?? 1
    this.#nanoseconds = items * (axes.sizes[column] ?? 1) * nanosecondsPerElement[form]
    const chunks = spec.name === 'gather' ? threads.chunksFor(items, this.#nanoseconds) : 1
    this.#work = { code: code.get(spec, form), param: this.#block.address, items, chunks, scratchBytes: 0 }

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
      this.#block.setAll({ source: addresses[0]!, index: addresses[1]!, out: addresses[2]! })
      this.#threads.run(this.#work, this.#nanoseconds)
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
