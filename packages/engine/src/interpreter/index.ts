// The interpreter: the reference backend. It runs every kernel and every routine in plain float64 loops, so that other
// backends can be checked against it and lean on it for what they lack. It is written to be read, and slow.
// Read next: kernel.ts (launches), routines.ts, indexed.ts and tiles.ts (routines), memory.ts (what a place is).
import { inSequence, type Backend } from '../backend.ts'
import { prepareGather, prepareScatterAdd } from './indexed.ts'
import { prepareKernel } from './kernel.ts'
import { InterpreterMemory } from './memory.ts'
import { prepareArgsort, prepareContract, prepareRandom, prepareScan } from './routines.ts'
import { prepareTiles } from './tiles.ts'

/** Options of {@link createInterpreter}. */
export interface InterpreterOptions {
  /**
   * Whether float32 values are rounded to float32 wherever they are stored, converted to, or enter as numbers. Without
   * (the default) they keep the precision of float64 until they are read, which is what a reference should do.
   */
  readonly round?: boolean
}

/** A backend that computes in float64, with a memory of its own. */
export function createInterpreter(options: InterpreterOptions = {}): Backend {
  const round = options.round ?? false
  const memory = new InterpreterMemory()
  let compiled = 0

  return {
    name: 'interpreter',
    limits: {
      args: Infinity,
      outputs: Infinity,
      bytes: Infinity,
      dtypes: ['float32', 'float64', 'int32', 'bool'],
      sync: true,
    },
    info() {
      return {
        name: 'interpreter',
        threads: 1,
        notes: ['plain loops in float64: made to check other backends, not to be fast'],
        bytes: { inUse: memory.bytes, reserved: memory.bytes },
        compiled,
      }
    },
    allocate: (bytes) => memory.allocate(bytes),
    release: (place) => memory.release(place),
    reserve(slots, bytes) {
      const arena = memory.reserve(bytes)
      return slots.map((slot) => arena + slot.offset)
    },
    kernel(launch) {
      compiled += 1
      return prepareKernel(memory, launch, round)
    },
    epilogues: true,
    routines: {
      contract(spec) {
        const product = prepareContract(memory, spec, round)
        if (spec.epilogue === undefined) return product
        return inSequence(product, prepareKernel(memory, spec.epilogue, round))
      },
      gather: (spec) => prepareGather(memory, spec, round),
      scatterAdd: (spec) => prepareScatterAdd(memory, spec, round),
      argsort: (spec) => prepareArgsort(memory, spec),
      random: (spec) => prepareRandom(memory, spec, round),
      scan: (spec) => prepareScan(memory, spec, round),
      tiles: (spec) => prepareTiles(memory, spec, round),
    },
    write: (place, dtype, data) => memory.write(place, dtype, data),
    read: (place, dtype, length) => memory.read(place, dtype, length),
    copy: (from, to, bytes) => memory.copy(from, to, bytes),
  }
}
