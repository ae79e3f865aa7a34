// Contractions by a native library: for each specification an executable with offset tables and a parameter block for each
// part. What the library would not do faster goes on to WebAssembly. Parts are the same with any number of threads, and
// each is computed by one call after the other on one thread, so the bits are the same too.
// Read next: plan.ts (which calls), code.ts (the loops around them).
import {
  bytesOf,
  inSequence,
  withMergedAxes,
  type ContractSpec,
  type Executable,
  type Launch,
  type RoutineFactory,
} from '@nabla/engine'
import { OffsetTables, type Extent, type TableUse } from '../contract/tables.ts'
import type { DeviceMemory } from '../memory.ts'
import type { SharedCode, SharedWork, Threads } from '../pool/threads.ts'
import { compileShared } from '../routines/compile.ts'
import { ParameterBlock } from '../routines/parameters.ts'
import { blasFunctions } from './code.ts'
import type { ProductLibrary } from './library.ts'
import { blasParameters, blasPartBytes, type BlasParameter } from './parameters.ts'
import { planBlas, type BlasPlan } from './plan.ts'

/** Bytes behind each slab: copies write whole vectors. */
const slabSlack = 64

/**
 * Makes the factory of contractions: the library does what it is faster at, `usual` does the rest.
 * @param kernel does maps of a product that the library has made
 */
export function createBlasContract(
  memory: DeviceMemory,
  threads: Threads,
  { place, smallest }: Pick<ProductLibrary, 'place' | 'smallest'>,
  usual: RoutineFactory<ContractSpec>,
  kernel: (launch: Launch) => Executable,
): RoutineFactory<ContractSpec> {
  const tables = new OffsetTables(memory)
  const compiled = new Map<string, SharedCode>()
  const codeOf = (dtype: 'float32' | 'float64'): SharedCode => {
    let code = compiled.get(dtype)
    if (code === undefined) compiled.set(dtype, (code = compileShared(memory, blasFunctions(dtype), place)))
    return code
  }
  return (spec) => {
    const plan = planBlas(spec, smallest)
    if (plan === null) return usual(spec)
    const code = codeOf(spec.dtype as 'float32' | 'float64')
    const product = new BlasContraction(memory, threads, tables, code, spec, plan)
    return spec.epilogue === undefined ? product : inSequence(product, kernel(withMergedAxes(spec.epilogue)))
  }
}

class BlasContraction implements Executable {
  readonly #memory: DeviceMemory
  readonly #threads: Threads
  readonly #tables: OffsetTables
  readonly #uses: TableUse[] = []
  readonly #plan: BlasPlan
  readonly #slots: { readonly a: number; readonly b: number; readonly c: number }
  readonly #parts: readonly ParameterBlock<BlasParameter>[]
  readonly #work: SharedWork

  constructor(
    memory: DeviceMemory,
    threads: Threads,
    tables: OffsetTables,
    code: SharedCode,
    spec: ContractSpec,
    plan: BlasPlan,
  ) {
    this.#memory = memory
    this.#threads = threads
    this.#tables = tables
    this.#plan = plan
    const [a, b, c] = spec.slots
    this.#slots = plan.swapped ? { a: b, b: a, c } : { a, b, c }
    const bytes = bytesOf(spec.dtype)
    const { words, scratchBytes } = operandWords(plan, bytes)
    for (const [name, extent] of Object.entries(plan.extents) as [keyof BlasPlan['extents'], Extent][]) {
      const use = tables.acquire(extent, bytes)
      this.#uses.push(use)
      words[name] = use.address
    }
    const { m, n, k } = plan.blocks
    Object.assign(words, { k: plan.sizes.k, mBlock: m, nBlock: n, kBlock: k })
    const first = memory.allocate(plan.parts.length * blasPartBytes)
    this.#parts = plan.parts.map((part, i) => {
      const block = new ParameterBlock(memory, blasParameters, first + i * blasPartBytes)
      block.setAll({ ...words, ...part })
      return block
    })
    const items = plan.parts.length
    this.#work = { code, param: first, items, chunks: items, scratchBytes }
  }

  run(places: readonly number[]): void {
    const { offsets, nanoseconds } = this.#plan
    for (const block of this.#parts) {
      block.set('a', places[this.#slots.a]! + offsets.a)
      block.set('b', places[this.#slots.b]! + offsets.b)
      block.set('c', places[this.#slots.c]! + offsets.c)
    }
    if (this.#parts.length > 1 && this.#threads.areWorth(nanoseconds)) this.#threads.runShared(this.#work)
    else this.#threads.runAlone(this.#work)
  }

  dispose(): void {
    for (const use of this.#uses) this.#tables.release(use)
    this.#memory.release(this.#work.param)
  }
}

/** The words that tell how operands lie, and how much scratch space their slabs take. */
function operandWords(
  { forms, blocks }: BlasPlan,
  bytes: number,
): { words: Partial<Record<BlasParameter, number>>; scratchBytes: number } {
  const words: Partial<Record<BlasParameter, number>> = {}
  let scratchBytes = 0
  for (const name of ['a', 'b', 'c'] as const) {
    const { isSlab, isTransposed, stride, step } = forms[name]
    const slab = blocks.slabs[name]
    words[`${name}IsSlab`] = Number(isSlab)
    words[`${name}Transposed`] = Number(isTransposed)
    words[`${name}Stride`] = isSlab ? slab.stride : stride
    words[`${name}Slab`] = scratchBytes
    words[`${name}Run`] = blocks.runs[name]
    words[`${name}Step`] = step * bytes
    if (isSlab) scratchBytes += Math.ceil((slab.elements * bytes + slabSlack) / 64) * 64
  }
  return { words, scratchBytes }
}
