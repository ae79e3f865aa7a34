// Runs a launch, as kernel.ts of the engine words it: for each outer item the stages walk the row one after the other,
// then the results are stored. Read before: program.ts, which makes steps of expressions.
import type { Executable, Place } from '../backend.ts'
import type { Launch } from '../kernel.ts'
import { extentOf, walkAxes } from './axes.ts'
import { assertInside, cellsOf, type InterpreterMemory } from './memory.ts'
import { compileProgram, type Frame, type Program } from './program.ts'
import { combinationOf, identityOf, leafValue, storingOf, type Conversion } from './values.ts'

/** Prepares a launch. @param round whether stored float32 values are rounded to float32 */
export function prepareKernel(memory: InterpreterMemory, launch: Launch, round: boolean): Executable {
  const { kernel, sizes, accesses } = launch
  const outerSizes = sizes.slice(0, kernel.outerRank)
  const innerSizes = sizes.slice(kernel.outerRank)
  // Strides in cells, split like the sizes. A position has no memory: its stride is what its value grows by.
  const units = kernel.args.map(({ role, dtype }) => (role === 'position' ? 1 : cellsOf(dtype)))
  const strides = accesses.map((access, arg) => access.strides.map((stride) => stride * units[arg]!))
  const outerStrides = strides.map((ofArgument) => ofArgument.slice(0, kernel.outerRank))
  const innerStrides = strides.map((ofArgument) => ofArgument.slice(kernel.outerRank))

  const frame: Frame = {
    cells: kernel.args.map(() => new Float64Array(0)),
    positions: new Float64Array(kernel.args.length),
    numbers: new Float64Array(kernel.numbers.length),
    accumulators: kernel.stages.map((stage) => new Float64Array(stage.accumulators.length)),
  }
  const eachInner = (body: () => void): void => walkAxes(innerSizes, innerStrides, frame.positions, body)
  const store = (arg: number, value: number): void => {
    frame.cells[arg]![frame.positions[arg]!] = stored[arg]!(value)
  }
  const stored: Conversion[] = kernel.args.map(({ dtype }) => storingOf(dtype, round))

  const stages = kernel.stages.map(({ accumulators }, stage) => {
    const program = compileProgram(
      accumulators.map(({ value }) => value),
      kernel,
      frame,
      round,
    )
    const identities = accumulators.map(({ fn, dtype }) => identityOf(fn, dtype))
    const combinations = accumulators.map(({ fn, dtype }) => combinationOf(fn, dtype))
    const results = frame.accumulators[stage]!
    return (): void => {
      results.set(identities)
      eachInner(() => {
        program.run()
        for (let i = 0; i < accumulators.length; i++) {
          const { stash } = accumulators[i]!
          const value = program.result(i)
          results[i] = combinations[i]!(results[i]!, value)
          if (stash !== undefined) store(stash, value)
        }
      })
    }
  })

  const rowStores = kernel.stores.filter(({ level }) => level === 'row')
  const elementStores = kernel.stores.filter(({ level }) => level === 'element')
  const rowProgram = compileProgram(
    rowStores.map(({ value }) => value),
    kernel,
    frame,
    round,
  )
  const elementProgram = compileProgram(
    elementStores.map(({ value }) => value),
    kernel,
    frame,
    round,
  )
  // All values of a place are computed before any is stored: outputs may lie over the inputs they are computed from.
  const storeAll = (stores: typeof kernel.stores, program: Program): void => {
    for (let i = 0; i < stores.length; i++) store(stores[i]!.arg, program.result(i))
  }

  const runItem = (): void => {
    for (const stage of stages) stage()
    rowProgram.run()
    if (elementStores.length > 0) {
      eachInner(() => {
        elementProgram.run()
        storeAll(elementStores, elementProgram)
      })
    }
    storeAll(rowStores, rowProgram)
  }

  const bind = (places: readonly Place[]): void => {
    kernel.args.forEach(({ role }, arg) => {
      const access = accesses[arg]!
      if (role === 'position') {
        frame.positions[arg] = access.offset
        return
      }
      const cells = memory.cells(places[launch.slots[arg]!]!)
      const unit = units[arg]!
      const [lowest, highest] = extentOf(sizes, access)
      assertInside(cells, lowest * unit, highest * unit)
      frame.cells[arg] = cells.values
      frame.positions[arg] = cells.start + access.offset * unit
    })
  }

  return {
    run(places, numbers) {
      bind(places)
      kernel.numbers.forEach((dtype, i) => {
        frame.numbers[i] = leafValue(numbers[launch.numbers[i]!]!, dtype, round)
      })
      walkAxes(outerSizes, outerStrides, frame.positions, runItem)
    },
    dispose() {},
  }
}
