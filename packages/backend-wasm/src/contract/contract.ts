// Runs contractions: makes the code of a path when the path is first needed, and for each specification an executable
// with its offset tables and parameter blocks: one for the whole, and one for each part where parts are worth sharing with
// other threads. A run writes three addresses in a block and calls one function.
// Read next: plan.ts (which path), split.ts (which parts), packed.ts (the path that does nearly all the work).
import {
  inSequence,
  kernelKey,
  withMergedAxes,
  type ContractSpec,
  type DType,
  type Executable,
  type Launch,
  type RoutineFactory,
} from '@nabla/engine'
import type { ParameterLayout } from '../emit/layout.ts'
import type { DeviceMemory } from '../memory.ts'
import type { SharedCode, SharedWork, Threads } from '../pool/threads.ts'
import { compileShared } from '../routines/compile.ts'
import { ParameterBlock } from '../routines/parameters.ts'
import type { FunctionBuilder } from '../wat/builder.ts'
import { dotFunctions } from './dot.ts'
import { float32Element, float64Element, int32Element } from './element.ts'
import { EpilogueBlock, planEpilogue, type EpiloguePlan } from './epilogue.ts'
import { finishFunctions } from './finish.ts'
import { packedFunctions } from './packed.ts'
import { contractParameters, type ContractParameter } from './parameters.ts'
import { partBytes, partsFunction, scratchBytes } from './parts.ts'
import { planContract, type ContractPlan } from './plan.ts'
import { rowFunctions } from './row.ts'
import { nanosecondsOf, partsOf, wholeOf } from './split.ts'
import { offsetsOf, OffsetTables, type Extent, type TableUse } from './tables.ts'
import { directFunctions, stripFunctions } from './unpacked.ts'

/**
 * Makes the factory of contractions. Those of float32, float64 and int32 are done here; bool is left to others.
 * @param kernel does maps of a product that cannot be done while it is made
 */
export function createContract(
  memory: DeviceMemory,
  threads: Threads,
  kernel: (launch: Launch) => Executable,
): RoutineFactory<ContractSpec> {
  const shared: ContractShared = {
    memory,
    threads,
    tables: new OffsetTables(memory),
    code: new ContractCode(memory),
  }
  return (spec) => {
    if (spec.dtype === 'bool') return null
    const plan = planContract(spec)
    if (plan.path === 'nothing') return { run() {}, dispose() {} }
    const { epilogue } = spec
    if (plan.path !== 'zeros') {
      const maps = epilogue === undefined ? null : planEpilogue(spec, epilogue)
      if (epilogue === undefined || maps !== null) return new Contraction(shared, spec, plan, maps)
    }
    const product =
      plan.path === 'zeros' ? new ZeroFill(memory, spec, plan) : new Contraction(shared, spec, plan, null)
    return epilogue === undefined ? product : inSequence(product, kernel(withMergedAxes(epilogue)))
  }
}

interface ContractShared {
  readonly memory: DeviceMemory
  readonly threads: Threads
  readonly tables: OffsetTables
  readonly code: ContractCode
}

interface Compiled {
  readonly code: SharedCode
  /** How the kernel of fused maps takes its parameters. */
  readonly mapLayout: ParameterLayout | null
}

/** The code of all paths, and of each path with maps fused to it, a module each, compiled at first use. */
class ContractCode {
  readonly #memory: DeviceMemory
  readonly #compiled = new Map<string, Compiled>()

  constructor(memory: DeviceMemory) {
    this.#memory = memory
  }

  get({ path, swapped }: ContractPlan, dtype: DType, maps: EpiloguePlan | null): Compiled {
    const innerIsN = (maps?.inner.group === 'n') !== swapped
    const key = `${path}:${dtype}${maps === null ? '' : `:${innerIsN}:${kernelKey(maps.kernel)}`}`
    let compiled = this.#compiled.get(key)
    if (compiled === undefined) {
      const finish = maps === null ? null : finishFunctions(maps.kernel, innerIsN)
      const isPacked = path === 'packed'
      const code = compileShared(this.#memory, [
        ...(isPacked ? packedFunctions(finish !== null) : functionsOf(path, dtype)),
        partsFunction(finish !== null && !isPacked),
        ...(finish?.functions ?? []),
      ])
      compiled = { code, mapLayout: finish?.layout ?? null }
      this.#compiled.set(key, compiled)
    }
    return compiled
  }
}

function functionsOf(path: ContractPlan['path'], dtype: DType): FunctionBuilder[] {
  if (dtype === 'float64') return stripFunctions(float64Element)
  if (dtype === 'int32') return stripFunctions(int32Element)
  if (path === 'dot') return dotFunctions()
  if (path === 'row') return rowFunctions()
  return path === 'strip' ? stripFunctions(float32Element) : directFunctions()
}

type Block = ParameterBlock<ContractParameter>

class Contraction implements Executable {
  readonly #memory: DeviceMemory
  readonly #threads: Threads
  readonly #tables: OffsetTables
  readonly #uses: TableUse[] = []
  readonly #plan: ContractPlan
  readonly #slots: { readonly a: number; readonly b: number; readonly c: number }
  readonly #nanoseconds: number
  readonly #maps: EpilogueBlock | null
  readonly #whole: Block
  readonly #wholeWork: SharedWork
  /** None where there is but one part. */
  readonly #parts: readonly Block[]
  readonly #partWork: SharedWork | null

  constructor(
    { memory, threads, tables, code }: ContractShared,
    spec: ContractSpec,
    plan: ContractPlan,
    maps: EpiloguePlan | null,
  ) {
    const [a, b, c] = spec.slots
    this.#memory = memory
    this.#threads = threads
    this.#tables = tables
    this.#plan = plan
    this.#slots = plan.swapped ? { a: b, b: a, c } : { a, b, c }
    this.#nanoseconds = nanosecondsOf(plan)
    const elementBytes = spec.dtype === 'float64' ? 8 : 4
    const words: Partial<Record<ContractParameter, number>> = { k: plan.k, kBlock: plan.kBlock }
    for (const [name, extent] of Object.entries(plan.extents) as [keyof ContractPlan['extents'], Extent][]) {
      const use = tables.acquire(extent, elementBytes)
      this.#uses.push(use)
      words[name] = use.address
    }
    const { code: shared, mapLayout } = code.get(plan, spec.dtype, maps)
    this.#maps = maps === null ? null : new EpilogueBlock(memory, tables, spec.epilogue!, maps, mapLayout!)
    if (this.#maps !== null) words.epilogue = this.#maps.address
    this.#whole = new ParameterBlock(memory, contractParameters)
    this.#whole.setAll({ ...words, ...wholeOf(plan) })
    this.#wholeWork = { code: shared, param: this.#whole.address, items: 1, chunks: 1, scratchBytes }

    const parts = partsOf(plan)
    const first = parts.length > 1 ? memory.allocate(parts.length * partBytes) : null
    this.#parts =
      first === null
        ? []
        : parts.map((part, i) => {
            const block = new ParameterBlock(memory, contractParameters, first + i * partBytes)
            block.setAll({ ...words, ...part })
            return block
          })
    this.#partWork =
      first === null
        ? null
        : { code: shared, param: first, items: parts.length, chunks: parts.length, scratchBytes }
  }

  run(places: readonly number[], numbers: ArrayLike<number>): void {
    this.#maps?.bind(places, numbers)
    if (this.#partWork !== null && this.#threads.areWorth(this.#nanoseconds)) {
      for (const part of this.#parts) this.#bind(part, places)
      this.#threads.runShared(this.#partWork)
    } else {
      this.#bind(this.#whole, places)
      this.#threads.runAlone(this.#wholeWork)
    }
  }

  dispose(): void {
    for (const use of this.#uses) this.#tables.release(use)
    this.#maps?.dispose()
    this.#whole.release()
    if (this.#partWork !== null) this.#memory.release(this.#partWork.param)
  }

  #bind(block: Block, places: readonly number[]): void {
    const { offsets } = this.#plan
    block.set('a', places[this.#slots.a]! + offsets.a)
    block.set('b', places[this.#slots.b]! + offsets.b)
    block.set('c', places[this.#slots.c]! + offsets.c)
  }
}

/** Sums of no terms: zeros wherever C has elements. */
class ZeroFill implements Executable {
  readonly #memory: DeviceMemory
  readonly #slot: number
  readonly #words: number
  readonly #offset: number
  readonly #offsets: readonly Int32Array[]

  constructor(memory: DeviceMemory, spec: ContractSpec, { extents, offsets }: ContractPlan) {
    this.#memory = memory
    this.#slot = spec.slots[2]
    this.#words = spec.dtype === 'float64' ? 2 : 1
    this.#offset = offsets.c
    this.#offsets = [extents.cBatch, extents.cM, extents.cN].map((extent) =>
      offsetsOf(extent, 4 * this.#words),
    )
  }

  run(places: readonly number[]): void {
    const words = this.#memory.int32
    const start = places[this.#slot]! + this.#offset
    const [batches, rows, columns] = this.#offsets as [Int32Array, Int32Array, Int32Array]
    for (const batch of batches) {
      for (const row of rows) {
        for (const column of columns) {
          const word = (start + batch + row + column) / 4
          for (let i = 0; i < this.#words; i++) words[word + i] = 0
        }
      }
    }
  }

  dispose(): void {
    // Its offsets are ordinary arrays.
  }
}
