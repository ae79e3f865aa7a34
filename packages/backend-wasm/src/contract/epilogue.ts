// Maps fused into a contraction, as its code sees them: a kernel over rectangles of C, and for each of its arguments a
// place that is, like C's own, the sum of a batch, a row and a column term. A rectangle reaches as far as all arguments
// have constant strides. Where C cannot be seen so, the maps run after the product.
// Read next: finish.ts, the code that calls the kernel; store.ts for how the product got to C.
import {
  bytesOf,
  strideClass,
  type ContractSpec,
  type DType,
  type Kernel,
  type Launch,
  type Place,
  type StrideClass,
} from '@nabla/engine'
import type { ParameterLayout } from '../emit/layout.ts'
import { writeNumber } from '../launch.ts'
import type { DeviceMemory } from '../memory.ts'
import { epilogueWords } from './finish.ts'
import { extentOf, type Extent, type OffsetTables, type TableUse } from './tables.ts'

/** Shorter rows of rectangles are better walked another way, after the product ... */
const shortestRow = 16

/** ... unless the sums themselves take so many steps. */
const longSum = 256

type Group = 'batch' | 'm' | 'n'

/** A direction in which rectangles of C reach. */
interface Side {
  readonly group: 'm' | 'n'
  /** How far they reach at most. */
  readonly length: number
  /** Elements from one element to the next, for each argument. */
  readonly strides: readonly number[]
}

/** Everything about fused maps that follows from the specification. */
export interface EpiloguePlan {
  /** Its two axes are the sides of a rectangle. */
  readonly kernel: Kernel
  /** Downwards, and along the rows, where C's elements are neighbours. */
  readonly outer: Side
  readonly inner: Side
  /** Where the elements of each argument lie, by groups of axes. */
  readonly extents: readonly Readonly<Record<Group, Extent>>[]
}

/** How maps can be done block by block; null where they have to wait for the whole product. */
export function planEpilogue(spec: ContractSpec, launch: Launch): EpiloguePlan | null {
  const groups = groupsOf(spec, launch.sizes)
  if (groups === null) return null
  const innermost = groups.at(-1) ?? 'n'
  if (innermost === 'batch') return null
  const axesOf = (group: Group): number[] => launch.sizes.flatMap((_, i) => (groups[i] === group ? i : []))
  const inner = sideOf(launch, innermost, axesOf(innermost))
  const other = innermost === 'n' ? 'm' : 'n'
  const outer = sideOf(launch, other, axesOf(other))
  const steps = spec.k.reduce((product, size) => product * size, 1)
  if (inner.length < shortestRow && steps < longSum) return null
  const extents = launch.accesses.map(({ strides }) => {
    const along = (group: Group): Extent => {
      const axes = axesOf(group)
      const pick = (list: readonly number[]): number[] => axes.map((axis) => list[axis]!)
      return extentOf(pick(launch.sizes), pick(strides))
    }
    return { batch: along('batch'), m: along('m'), n: along('n') }
  })
  const classes = (arg: number): StrideClass[] =>
    [outer, inner].map(({ strides, length }) => strideClass(strides[arg]!, length))
  const args = launch.kernel.args.map((argument, arg) => ({ ...argument, classes: classes(arg) }))
  return { kernel: { ...launch.kernel, outerRank: 1, innerRank: 1, args }, outer, inner, extents }
}

/** Axes are taken into a side from the last one on, as long as every argument walks them as one. */
function sideOf({ sizes, accesses }: Launch, group: 'm' | 'n', axes: readonly number[]): Side {
  const last = axes.at(-1)
  if (last === undefined) return { group, length: 1, strides: accesses.map(() => 0) }
  const strides = accesses.map((access) => access.strides[last]!)
  let length = sizes[last]!
  for (const axis of axes.slice(0, -1).reverse()) {
    if (!accesses.every((access, arg) => access.strides[axis] === strides[arg]! * length)) break
    length *= sizes[axis]!
  }
  return { group, length, strides }
}

/**
 * The group of axes of C that each axis of the maps belongs to: they list C's elements in row-major order, perhaps on finer
 * axes. Null where C is not laid out so.
 */
function groupsOf(spec: ContractSpec, sizes: readonly number[]): readonly Group[] | null {
  const axes: { group: Group; size: number; stride: number }[] = []
  for (const group of ['batch', 'm', 'n'] as const) {
    const present = spec[group].flatMap((size, axis) =>
      size === 1 ? [] : { group, size, stride: spec.c[group][axis]! },
    )
    // A group's own order of axes must be C's: tables are made in the order of the maps' axes.
    if (present.some((axis, i) => i > 0 && axis.stride > present[i - 1]!.stride)) return null
    axes.push(...present)
  }
  axes.sort((a, b) => b.stride - a.stride)
  const groups: Group[] = []
  let next = 0
  for (const { group, size } of axes) {
    let covered = 1
    while (covered < size && next < sizes.length) {
      covered *= sizes[next++]!
      groups.push(group)
    }
    if (covered !== size) return null
  }
  // What is left is the one axis of a single element.
  while (next < sizes.length && sizes[next] === 1) {
    groups.push('n')
    next += 1
  }
  return next === sizes.length ? groups : null
}

/** The numbers of fused maps in wasm memory, as finish.ts reads them. */
export class EpilogueBlock {
  readonly address: number
  readonly #memory: DeviceMemory
  readonly #tables: OffsetTables
  readonly #uses: TableUse[] = []
  readonly #bases: readonly { readonly word: number; readonly slot: number; readonly offset: number }[]
  readonly #numbers: readonly { readonly address: number; readonly index: number; readonly dtype: DType }[]

  constructor(
    memory: DeviceMemory,
    tables: OffsetTables,
    launch: Launch,
    plan: EpiloguePlan,
    layout: ParameterLayout,
  ) {
    this.#memory = memory
    this.#tables = tables
    const { kernel } = plan
    const words = epilogueWords(kernel.args.length)
    this.address = memory.allocate(words.parameters + layout.bytes)
    const at = (offset: number): number => (this.address + offset) / 4
    memory.int32[at(words.outerLength)] = plan.outer.length
    memory.int32[at(words.innerLength)] = plan.inner.length
    const bases: { word: number; slot: number; offset: number }[] = []
    kernel.args.forEach(({ role, dtype }, arg) => {
      const unit = role === 'position' ? 1 : bytesOf(dtype)
      const { offset } = launch.accesses[arg]!
      const uses = (['batch', plan.outer.group, plan.inner.group] as const).map((group) =>
        tables.acquire(plan.extents[arg]![group], unit),
      )
      this.#uses.push(...uses)
      const { int32 } = memory
      uses.forEach(({ address }, level) => (int32[at(words.table(arg, level))] = address))
      int32[at(words.base(arg))] = offset
      ;[plan.outer, plan.inner].forEach(({ strides }, axis) => {
        int32[at(words.parameters + layout.stride(arg, axis))] = strides[arg]! * unit
      })
      if (role !== 'position') {
        bases.push({ word: at(words.base(arg)), slot: launch.slots[arg]!, offset: offset * unit })
      }
    })
    this.#bases = bases
    this.#numbers = kernel.numbers.map((dtype, i) => ({
      address: this.address + words.parameters + layout.number(i),
      index: launch.numbers[i]!,
      dtype,
    }))
  }

  /** Writes down where the arguments lie and what the numbers are. */
  bind(places: readonly Place[], values: ArrayLike<number>): void {
    const memory = this.#memory
    const { int32 } = memory
    for (const { word, slot, offset } of this.#bases) int32[word] = places[slot]! + offset
    for (const { address, index, dtype } of this.#numbers) writeNumber(memory, dtype, address, values[index]!)
  }

  dispose(): void {
    for (const use of this.#uses) this.#tables.release(use)
    this.#memory.release(this.address)
  }
}
