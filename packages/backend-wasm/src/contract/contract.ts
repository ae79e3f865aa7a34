// Runs contractions: makes the code of a path when the path is first needed, and for each specification an executable
// with its offset tables and parameter block. A run writes three addresses and calls one function.
// Read next: plan.ts (which path), packed.ts (the one that does nearly all the work).
import type { ContractSpec, DType, Executable, RoutineFactory } from '@nabla/engine'
import type { DeviceMemory } from '../memory.ts'
import { compileRoutine } from '../routines/compile.ts'
import { ParameterBlock } from '../routines/parameters.ts'
import type { FunctionBuilder } from '../wat/builder.ts'
import { dotFunctions } from './dot.ts'
import { float64Element, int32Element } from './element.ts'
import { packedFunctions } from './packed.ts'
import { contractParameters, type ContractParameter } from './parameters.ts'
import { columnBlock, longestKBlock, planContract, rowBlock, tileColumns, type ContractPlan } from './plan.ts'
import { rowFunctions } from './row.ts'
import { offsetsOf, OffsetTables, type Extent, type TableUse } from './tables.ts'
import { directFunctions, stripFunctions } from './unpacked.ts'

type Code = (block: number) => void

/** Makes the factory of contractions. Those of float32, float64 and int32 are done here; bool is left to others. */
export function createContract(memory: DeviceMemory): RoutineFactory<ContractSpec> {
  const shared: ContractShared = { memory, tables: new OffsetTables(memory), code: new ContractCode(memory) }
  return (spec) => {
    if (spec.dtype === 'bool') return null
    const plan = planContract(spec)
    if (plan.path === 'nothing') return { run() {}, dispose() {} }
    return plan.path === 'zeros' ? new ZeroFill(memory, spec, plan) : new Contraction(shared, spec, plan)
  }
}

interface ContractShared {
  readonly memory: DeviceMemory
  readonly tables: OffsetTables
  readonly code: ContractCode
}

/** The code of all paths, each a module compiled at first use, and the scratch space they share. */
class ContractCode {
  readonly #memory: DeviceMemory
  readonly #compiled = new Map<string, Code>()
  #scratch: { readonly packedA: number; readonly packedB: number; readonly tile: number } | undefined

  constructor(memory: DeviceMemory) {
    this.#memory = memory
  }

  get(path: ContractPlan['path'], dtype: DType): Code {
    const key = `${path}:${dtype}`
    let code = this.#compiled.get(key)
    if (code === undefined) {
      code = compileRoutine<{ run: Code }>(this.#memory, functionsOf(path, dtype)).run
      this.#compiled.set(key, code)
    }
    return code
  }

  /** Room for packed blocks and for one tile. Packed panels of eight columns may reach past a block's last column. */
  get scratch(): { readonly packedA: number; readonly packedB: number; readonly tile: number } {
    this.#scratch ??= {
      packedA: this.#memory.allocate(4 * longestKBlock * (rowBlock + tileColumns)),
      packedB: this.#memory.allocate(4 * longestKBlock * (columnBlock + tileColumns)),
      tile: this.#memory.allocate(256),
    }
    return this.#scratch
  }
}

function functionsOf(path: ContractPlan['path'], dtype: DType): FunctionBuilder[] {
  if (dtype === 'float64') return stripFunctions(float64Element)
  if (dtype === 'int32') return stripFunctions(int32Element)
  if (path === 'dot') return dotFunctions()
  if (path === 'row') return rowFunctions()
  return path === 'direct' ? directFunctions() : packedFunctions()
}

class Contraction implements Executable {
  readonly #tables: OffsetTables
  readonly #uses: TableUse[] = []
  readonly #block: ParameterBlock<ContractParameter>
  readonly #code: Code
  readonly #plan: ContractPlan
  readonly #slots: { readonly a: number; readonly b: number; readonly c: number }

  constructor({ memory, tables, code }: ContractShared, spec: ContractSpec, plan: ContractPlan) {
    const [a, b, c] = spec.slots
    this.#tables = tables
    this.#plan = plan
    this.#slots = plan.swapped ? { a: b, b: a, c } : { a, b, c }
    this.#code = code.get(plan.path, spec.dtype)
    const elementBytes = spec.dtype === 'float64' ? 8 : 4
    const addresses: Partial<Record<ContractParameter, number>> = {}
    for (const [name, extent] of Object.entries(plan.extents) as [keyof ContractPlan['extents'], Extent][]) {
      const use = tables.acquire(extent, elementBytes)
      this.#uses.push(use)
      addresses[name] = use.address
    }
    this.#block = new ParameterBlock(memory, contractParameters)
    this.#block.setAll({
      ...addresses,
      ...code.scratch,
      batchFrom: 0,
      batchTo: plan.batch,
      mFrom: 0,
      mTo: plan.m,
      nFrom: 0,
      nTo: plan.n,
      k: plan.k,
      kBlock: plan.kBlock,
    })
  }

  run(places: readonly number[]): void {
    const { offsets } = this.#plan
    const block = this.#block
    block.set('a', places[this.#slots.a]! + offsets.a)
    block.set('b', places[this.#slots.b]! + offsets.b)
    block.set('c', places[this.#slots.c]! + offsets.c)
    this.#code(block.address)
  }

  dispose(): void {
    for (const use of this.#uses) this.#tables.release(use)
    this.#block.release()
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
