// From a kernel to the code of a WebAssembly module: `k(param, from, to, scratch)` does the items `from` to `to` of the launch
// whose parameter block (layout.ts) lies at address `param`. Items are independent of each other, so any split of their range
// over any threads gives the same bits. Sizes, strides and numbers are read from the block; the code depends on the
// kernel's structure and its arrangement alone. Reading order of this folder: canonical, arrange, placement, lanes, access,
// evaluator, pass-writer, then rows, columns, sweep and tiles.
import type { Kernel } from '@nabla/engine'
import { FunctionBuilder } from '../wat/builder.ts'
import { buildModule, type MemoryLimits } from '../wat/module.ts'
import type { Wat } from '../wat/wat.ts'
import { VectorAccess } from './access.ts'
import { Addresses } from './addresses.ts'
import { arrangeKernel, flatBlock, tileRows, type Arrangement } from './arrange.ts'
import { canonicalKernel } from './canonical.ts'
import { columnsPerItem, writeColumns } from './columns.ts'
import { Evaluator } from './evaluator.ts'
import { laneCount } from './lanes.ts'
import type { ParameterLayout } from './layout.ts'
import type { KernelWriter } from './pass-writer.ts'
import { nanosecondsPerPosition, passesOf } from './passes.ts'
import { laneAxis, placeValues } from './placement.ts'
import { writeFlat, writeRows } from './rows.ts'
import { sweepColumns, sweepScratchBytes, writeSweep } from './sweep.ts'
import { writeTiles } from './tiles.ts'

/** The code of a kernel and what must be known to call it. */
export interface EmittedKernel extends KernelFacts {
  readonly module: Wat
  /** Names of the host functions that the module imports. */
  readonly hostFunctions: readonly string[]
}

/** What must be known to call a kernel. */
export interface KernelFacts {
  readonly layout: ParameterLayout
  /** Bytes of scratch space of its own that each thread needs. */
  readonly scratchBytes: number
  /** Rough time on one thread for each position of the kernel's space. */
  readonly nanosecondsPerPosition: number
  /** How many items there are for axes (in their arranged order) of these sizes. */
  itemCount(sizes: readonly number[]): number
}

/** Emits a kernel that is walked as `arrangement` says, as a module of its own. */
export function emitKernel(given: Kernel, arrangement: Arrangement, memory: MemoryLimits): EmittedKernel {
  const { code, ...facts } = kernelFunction(given, arrangement, 'k')
  return { module: buildModule(memory, [code]), hostFunctions: [...code.hostFunctions.keys()], ...facts }
}

/** A kernel as the function `$kernel(param, from, to)` of a module that may have others as well. */
export function kernelFunction(
  given: Kernel,
  arrangement: Arrangement,
  exportName?: string,
): KernelFacts & { readonly code: FunctionBuilder } {
  const kernel = canonicalKernel(arrangeKernel(given, arrangement))
  const { form } = arrangement
  const f = new FunctionBuilder('kernel', exportName)
  const parameters = f.param('param', 'i32')
  const from = f.param('from', 'i32')
  const to = f.param('to', 'i32')
  const scratch = f.param('scratch', 'i32')

  const lanes = laneCount(kernel)
  const addresses = new Addresses(f, kernel, parameters)
  const access = new VectorAccess(f, kernel, laneAxis(kernel, form), lanes, addresses)
  const placement = placeValues(kernel, form)
  const evaluator = new Evaluator(f, kernel, placement, access, addresses, lanes)
  const passes = passesOf(kernel)
  const writer: KernelWriter = { f, kernel, lanes, addresses, access, placement, evaluator, passes }

  const roots = [...passes.flatMap((pass) => pass.roots), ...kernel.stores.map((store) => store.value)]
  const bases = kernel.args.map((_, arg) => addresses.base(arg))
  const call = { pointers: bases, offset: ['i32.const', 0], groups: 1, remaining: null }
  const body = f.collect(() => {
    evaluator.within(0, call, roots, () => {
      if (form === 'flat') writeFlat(writer, from, to)
      else if (form === 'rows') writeRows(writer, from, to)
      else if (form === 'tiles') writeTiles(writer, from, to)
      else if (form === 'sweep') writeSweep(writer, from, to, scratch)
      else writeColumns(writer, from, to)
    })
  })
  // Which words of the parameter block are read is known only now.
  addresses.emitReads()
  for (const statement of body) f.emit(statement)

  return {
    code: f,
    layout: addresses.layout,
    scratchBytes: form === 'sweep' ? sweepScratchBytes(writer) : 0,
    nanosecondsPerPosition: nanosecondsPerPosition(kernel, passes, placement, lanes),
    itemCount(sizes) {
      const product = (upTo: number): number => sizes.slice(0, upTo).reduce((count, size) => count * size, 1)
      if (form === 'flat') return Math.ceil(sizes[0]! / flatBlock)
      if (form === 'rows') return product(kernel.outerRank)
      const last = kernel.outerRank - 1
      if (form === 'tiles') return product(last) * Math.ceil(sizes[last]! / tileRows)
      const columns = form === 'sweep' ? sweepColumns(sizes[last]!) : columnsPerItem(writer)
      return product(last) * Math.ceil(sizes[last]! / columns)
    },
  }
}
