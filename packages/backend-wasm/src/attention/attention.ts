// Runs attention and its gradient: compiles the code of each kind when it is first needed, and for each specification
// makes an executable with its parameter block. A run writes addresses and two numbers; work is cut by shape alone.
// Read next: forward.ts and gradient.ts for the two, products.ts for what most time is spent in.
import type {
  Access,
  AttentionGradientSpec,
  AttentionSpec,
  Executable,
  Place,
  RoutineFactory,
} from '@nabla/engine'
import type { DeviceMemory } from '../memory.ts'
import type { SharedCode, SharedWork, Threads } from '../pool/threads.ts'
import { compileShared } from '../routines/compile.ts'
import { ParameterBlock } from '../routines/parameters.ts'
import { fewFunctions, fewQueries } from './few.ts'
import { forwardFunctions, statisticsBytes, type AttentionKind, type Operand } from './forward.ts'
import { gradientFunctions, keyBlock, pitch } from './gradient.ts'
import { attentionParameters, type AttentionParameter } from './parameters.ts'
import { tileBytes, together } from './products.ts'

type AnySpec = AttentionSpec | AttentionGradientSpec

/** Makes the factories of attention and its gradient, for float32. */
export function createAttention(
  memory: DeviceMemory,
  threads: Threads,
): {
  readonly attention: RoutineFactory<AttentionSpec>
  readonly attentionGradient: RoutineFactory<AttentionGradientSpec>
} {
  const compiled = new Map<string, SharedCode>()
  const codeOf = (spec: AnySpec): SharedCode => {
    const kind: AttentionKind = { causal: spec.causal, mask: spec.mask?.kind ?? 'none' }
    const path = pathOf(spec)
    const key = `${path}:${kind.causal}:${kind.mask}`
    let code = compiled.get(key)
    if (code === undefined) {
      code = compileShared(memory, functionsOf[path](kind))
      compiled.set(key, code)
    }
    return code
  }
  const make = (spec: AnySpec): Executable | null =>
    spec.dtype === 'float32' ? new AttentionExecutable(memory, threads, codeOf(spec), spec) : null
  return { attention: make, attentionGradient: make }
}

const functionsOf = { few: fewFunctions, forward: forwardFunctions, gradient: gradientFunctions } as const

/** Which code does an attention: a matter of sizes alone. */
function pathOf({ name, sizes }: AnySpec): keyof typeof functionsOf {
  if (name === 'attentionGradient') return 'gradient'
  const isFew = sizes.queries <= fewQueries && sizes.features % 4 === 0 && sizes.values % 4 === 0
  return isFew ? 'few' : 'forward'
}

/** Queries of an item at least, so that it is worth a thread's while, and heads from which on whole heads are items. */
const fewestQueries = 32
const manyHeads = 32

/** Nanoseconds of a multiplication and addition in a tile, roughly. */
const perProduct = 0.05

class AttentionExecutable implements Executable {
  readonly #threads: Threads
  readonly #block: ParameterBlock<AttentionParameter>
  readonly #work: SharedWork
  readonly #nanoseconds: number
  readonly #spec: AnySpec
  /** Which word gets the address of which slot, and how far into it. */
  readonly #addresses: readonly {
    readonly name: AttentionParameter
    readonly slot: number
    readonly offset: number
  }[]
  readonly #float = new Float32Array(1)
  readonly #bits = new Int32Array(this.#float.buffer)

  constructor(memory: DeviceMemory, threads: Threads, code: SharedCode, spec: AnySpec) {
    this.#threads = threads
    this.#spec = spec
    const { batch, heads, keyHeads, queries, keys, features, values } = spec.sizes
    const isGradient = spec.name === 'attentionGradient'
    const itemQueries = isGradient ? queries : itemQueriesOf(batch * heads, queries)
    const headItems = Math.ceil(queries / itemQueries)
    const places = isGradient ? gradientScratch(features, values) : forwardScratch(features, keys)

    this.#block = new ParameterBlock(memory, attentionParameters)
    this.#block.setAll({ heads, keyHeads, sharing: heads / keyHeads, queries, keys, features, values })
    this.#block.setAll({ itemQueries, headItems, ...places.words })
    for (const [name, access] of operandsOf(spec)) {
      const [ofBatch, ofHead, row, column] = access.strides.map((stride) => 4 * stride)
      this.#block.setAll({ [`${name}Batch`]: ofBatch, [`${name}Head`]: ofHead, [`${name}Row`]: row })
      if (name === 'mask') this.#block.set('maskKey', column!)
    }
    this.#addresses = addressesOf(spec)

    const items = isGradient ? batch * keyHeads : batch * heads * headItems
    const products =
      batch * heads * queries * keys * (isGradient ? 3 * features + 2 * values : features + values)
    this.#nanoseconds = products * perProduct * (spec.causal && queries > 1 ? 0.5 : 1)
    const chunks = threads.chunksFor(items, this.#nanoseconds)
    this.#work = { code, param: this.#block.address, items, chunks, scratchBytes: places.bytes }
  }

  run(places: readonly Place[], numbers: ArrayLike<number>): void {
    for (const { name, slot, offset } of this.#addresses) this.#block.set(name, places[slot]! + offset)
    const [scale, offset] = this.#spec.numbers
    this.#float[0] = numbers[scale]!
    this.#block.set('scale', this.#bits[0]!)
    // No query sees beyond the last key, so a larger offset would change nothing but overflow.
    this.#block.set('offset', Math.min(numbers[offset]!, this.#spec.sizes.keys))
    const { chunks } = this.#work
    if (chunks > 1 && this.#threads.areWorth(this.#nanoseconds)) this.#threads.runShared(this.#work)
    else this.#threads.runAlone(this.#work)
  }

  dispose(): void {
    this.#block.release()
  }
}

/** Whole heads where there are many; else runs of queries, so that there is enough to share. */
function itemQueriesOf(heads: number, queries: number): number {
  const wanted = Math.max(1, Math.ceil(manyHeads / heads))
  const each = Math.max(fewestQueries, Math.ceil(queries / wanted))
  return Math.ceil(each / together) * together
}

/** What lies at strides of its own, with its slot. */
function operandsOf(spec: AnySpec): (readonly [Operand, Access, slot: number])[] {
  const { slots } = spec
  const operands: (readonly [Operand, Access, number])[] = [
    ['q', spec.q, slots[0]!],
    ['k', spec.k, slots[1]!],
    ['v', spec.v, slots[2]!],
  ]
  if (spec.mask !== null) operands.push(['mask', spec.mask, slots[3]!])
  if (spec.name === 'attention') return operands
  const out = slots.at(-1)!
  operands.push(
    ['upstream', spec.upstream, slots.at(-3)!],
    ['qGradient', spec.gradients.q, out],
    ['kGradient', spec.gradients.k, out],
    ['vGradient', spec.gradients.v, out],
  )
  return operands
}

function addressesOf(spec: AnySpec): { name: AttentionParameter; slot: number; offset: number }[] {
  const { batch, heads, queries, values } = spec.sizes
  const written = spec.slots.at(spec.name === 'attention' ? -1 : -2)!
  const rows = batch * heads * queries
  return [
    ...operandsOf(spec).map(([name, { offset }, slot]) => ({ name, slot, offset: 4 * offset })),
    { name: 'result', slot: written, offset: 0 },
    { name: 'largest', slot: written, offset: 4 * rows * values },
    { name: 'inverse', slot: written, offset: 4 * rows * (values + 1) },
  ]
}

interface Scratch {
  readonly words: Partial<Record<AttentionParameter, number>>
  readonly bytes: number
}

function forwardScratch(features: number, keys: number): Scratch {
  return scratchOf({
    statisticsPlace: statisticsBytes,
    tilePlace: tileBytes,
    panelPlace: 4 * together * features,
    scoresPlace: 4 * together * (keys + 3),
  })
}

function gradientScratch(features: number, values: number): Scratch {
  const scores = keyBlock * pitch
  return scratchOf({
    statisticsPlace: statisticsBytes,
    tilePlace: tileBytes,
    panelPlace: 4 * together * Math.max(features, values),
    otherPanelPlace: 4 * together * values,
    scoresPlace: scores,
    otherScoresPlace: scores,
  })
}

/** Pieces of scratch space one after the other, in whole cache lines. */
function scratchOf(sizes: Partial<Record<AttentionParameter, number>>): Scratch {
  const words: Partial<Record<AttentionParameter, number>> = {}
  let bytes = 0
  for (const [name, size] of Object.entries(sizes) as [AttentionParameter, number][]) {
    words[name] = bytes
    bytes += Math.ceil(size / 64) * 64
  }
  return { words, bytes }
}
