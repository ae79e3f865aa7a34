// The parameter block of an attention or its gradient: what its WebAssembly code finds at the one address it is given.
// Strides are in bytes. All threads read the same block. Read next: attention.ts for the values.
import { i32 } from '../wat/instructions.ts'
import type { Wat } from '../wat/wat.ts'
import { parameterLayout, type ParameterLayout } from '../routines/parameters.ts'

const names = [
  'heads',
  'keyHeads',
  // query heads that share one head of keys
  'sharing',
  'queries',
  'keys',
  'features',
  'values',
  // queries of one item of work, and how many items there are for each head
  'itemQueries',
  'headItems',
  // addresses of the operands, and how far apart batches, heads and rows lie
  'q',
  'qBatch',
  'qHead',
  'qRow',
  'k',
  'kBatch',
  'kHead',
  'kRow',
  'v',
  'vBatch',
  'vHead',
  'vRow',
  'mask',
  'maskBatch',
  'maskHead',
  'maskRow',
  'maskKey',
  'upstream',
  'upstreamBatch',
  'upstreamHead',
  'upstreamRow',
  // what the attention writes: the result, the largest score of each query, one divided by its sum
  'result',
  'largest',
  'inverse',
  // what the gradient writes
  'qGradient',
  'qGradientBatch',
  'qGradientHead',
  'qGradientRow',
  'kGradient',
  'kGradientBatch',
  'kGradientHead',
  'kGradientRow',
  'vGradient',
  'vGradientBatch',
  'vGradientHead',
  'vGradientRow',
  // numbers: the factor of the scores (a float), and how many keys beyond its own place a query sees
  'scale',
  'offset',
  // where pieces of a thread's scratch space begin
  'panelPlace',
  'otherPanelPlace',
  'statisticsPlace',
  'tilePlace',
  'scoresPlace',
  'otherScoresPlace',
] as const

/** A word of the parameter block. */
export type AttentionParameter = (typeof names)[number]

/** The layout of the parameter block. */
export const attentionParameters: ParameterLayout<AttentionParameter> = parameterLayout(names)

/** A word of the parameter block at `block`. */
export function parameter(block: Wat, name: AttentionParameter): Wat {
  return i32.load(block, 4 * attentionParameters.words[name])
}
