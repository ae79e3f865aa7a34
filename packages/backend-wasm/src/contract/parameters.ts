// The parameter block of a contraction: what its WebAssembly code finds at the one address it is given. A block describes
// a range of the work (batches, rows and columns from..to) and names the scratch space to use, so several threads can
// each be handed a block of their own. Read next: plan.ts for the values, code.ts for how code reads them.
import { parameterLayout, type ParameterLayout } from '../routines/parameters.ts'

const names = [
  // the range of work: batches, rows, columns
  'batchFrom',
  'batchTo',
  'mFrom',
  'mTo',
  'nFrom',
  'nTo',
  // length of the sum, and of the parts in which it is taken
  'k',
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
  // address of the block that describes fused maps
  'epilogue',
  // scratch space: packed rows of A, packed columns of B, one tile, parameters of fused maps
  'packedA',
  'packedB',
  'tile',
  'finish',
] as const

/** A word of a contraction's parameter block. */
export type ContractParameter = (typeof names)[number]

/** The layout of every contraction's parameter block. */
export const contractParameters: ParameterLayout<ContractParameter> = parameterLayout(names)
