// The parameter block of a product that a native library computes: what its WebAssembly code finds at the one address it
// is given. Each part of the work has a block of its own. Read next: plan.ts for the values, code.ts for how code reads them.
import { parameterLayout, type ParameterLayout } from '../routines/parameters.ts'

const names = [
  // the range of work: batches, rows, columns
  'batchFrom',
  'batchTo',
  'mFrom',
  'mTo',
  'nFrom',
  'nTo',
  'k',
  // what one call does at most
  'mBlock',
  'nBlock',
  'kBlock',
  // addresses of the operands
  'a',
  'b',
  'c',
  // addresses of offset tables, named by operand and group
  'aBatch',
  'aM',
  'aK',
  'bBatch',
  'bK',
  'bN',
  'cBatch',
  'cM',
  'cN',
  // for each operand: whether it is copied to or from a slab, whether the matrix that the library sees is transposed,
  // elements from one of its rows to the next; of a slab: where it lies (in the thread's scratch space), how many
  // elements follow one another at equal distances, and that distance in bytes
  'aIsSlab',
  'aTransposed',
  'aStride',
  'aSlab',
  'aRun',
  'aStep',
  'bIsSlab',
  'bTransposed',
  'bStride',
  'bSlab',
  'bRun',
  'bStep',
  'cIsSlab',
  'cTransposed',
  'cStride',
  'cSlab',
  'cRun',
  'cStep',
] as const

/** A word of the parameter block. */
export type BlasParameter = (typeof names)[number]

/** The layout of the parameter block. */
export const blasParameters: ParameterLayout<BlasParameter> = parameterLayout(names)

/** Bytes from one part's block to the next: whole cache lines. */
export const blasPartBytes: number = Math.ceil((4 * blasParameters.length) / 64) * 64
