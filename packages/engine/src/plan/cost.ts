// What a step costs in arithmetic and memory, counted from its specification: for profiles and for people who compare a
// step with what the machine could do. No planning depends on it; estimates that do are in policy.ts.
import { bytesOf } from '../dtype.ts'
import { operandsOf, type Expr } from '../expr.ts'
import type { Access, Launch } from '../kernel.ts'
import type { AttentionGradientSpec, AttentionSpec, RoutineSpec, TileSide, TilesSpec } from '../routine.ts'
import { sizeOf } from '../shape.ts'

/** What one run of a step takes at least. */
export interface Cost {
  /** Arithmetic operations: two for each multiply-add of a contraction, one for each scalar function of a kernel. */
  readonly flops: number
  /** Bytes of the elements that are read and written, each counted once. */
  readonly bytes: number
}

/** The cost of a kernel: each scalar function counts one wherever it is evaluated, each accumulation one more. */
export function costOfLaunch(launch: Launch): Cost {
  const { kernel, sizes, accesses } = launch
  const rows = sizeOf(sizes.slice(0, kernel.outerRank))
  const positions = sizeOf(sizes)
  // Expressions are shared: each is computed once a pass, and known by whether it differs within a row.
  const known = new Map<Expr, boolean>()
  let flops = 0
  // What depends on no element of its row is computed once a row.
  const visit = (expr: Expr, everywhere: number): boolean => {
    let perElement = known.get(expr)
    if (perElement !== undefined) return perElement
    const operands = operandsOf(expr).map((operand) => visit(operand, everywhere))
    perElement = expr.kind === 'load' || operands.includes(true)
    if (expr.kind === 'call') flops += perElement ? everywhere : rows
    known.set(expr, perElement)
    return perElement
  }
  for (const { accumulators } of kernel.stages) {
    // A later pass computes again what an earlier one has not stored.
    known.clear()
    for (const { value } of accumulators) visit(value, positions)
    flops += accumulators.length * positions
  }
  known.clear()
  for (const { level, value } of kernel.stores) visit(value, level === 'row' ? rows : positions)
  const bytes = kernel.args.reduce(
    (sum, { role, dtype }, arg) =>
      role === 'position' ? sum : sum + elementsOf(accesses[arg]!.strides, sizes) * bytesOf(dtype),
    0,
  )
  return { flops, bytes }
}

/** The cost of a routine. Only contractions, attention and scans do arithmetic that is worth counting. */
export function costOfRoutine(spec: RoutineSpec): Cost {
  const element = bytesOf(spec.dtype)
  switch (spec.name) {
    case 'contract': {
      const { a, b, c, batch, m, n, k } = spec
      const elements =
        elementsOf([...a.batch, ...a.m, ...a.k], [...batch, ...m, ...k]) +
        elementsOf([...b.batch, ...b.k, ...b.n], [...batch, ...k, ...n]) +
        elementsOf([...c.batch, ...c.m, ...c.n], [...batch, ...m, ...n])
      const maps = spec.epilogue === undefined ? { flops: 0, bytes: 0 } : costOfLaunch(spec.epilogue)
      return {
        flops: 2 * [batch, m, n, k].reduce((product, sizes) => product * sizeOf(sizes), 1) + maps.flops,
        bytes: elements * element + maps.bytes,
      }
    }
    case 'gather':
      return { flops: 0, bytes: indexedBytes(spec.sizes, spec.index, element) }
    case 'scatterAdd':
      return {
        flops: sizeOf(spec.sizes),
        bytes: indexedBytes(spec.sizes, spec.index, element) + spec.length * element,
      }
    case 'argsort':
      return { flops: 0, bytes: spec.rows * spec.length * (element + 4) }
    case 'scan':
      return { flops: spec.rows * spec.length, bytes: 2 * spec.rows * spec.length * element }
    case 'random':
      return { flops: 0, bytes: spec.length * element }
    case 'attention':
    case 'attentionGradient':
      return costOfAttention(spec, element)
    case 'tiles':
      return costOfTiles(spec, element)
    case 'sliceScatter':
      return { flops: 0, bytes: 2 * sizeOf(spec.sizes) * element }
    default:
      return spec satisfies never
  }
}

/** Products of an attention or of its gradient. Where causal, offsets are known at run time only: counted as without. */
function costOfAttention(spec: AttentionSpec | AttentionGradientSpec, element: number): Cost {
  const { batch, heads, keyHeads, queries, keys, features, values } = spec.sizes
  const seen = spec.causal ? Math.min(queries, keys) : 0
  const pairs = batch * heads * (queries * keys - (spec.causal ? seen * keys - (seen * (seen + 1)) / 2 : 0))
  const ofQueries = batch * heads * queries
  const ofKeys = batch * keyHeads * keys
  const masked = spec.mask === null ? 0 : elementsOf(spec.mask.strides, [batch, heads, queries, keys])
  const inputs = ofQueries * features + ofKeys * (features + values) + masked
  const result = ofQueries * (values + 2)
  if (spec.name === 'attention')
    return { flops: 2 * pairs * (features + values), bytes: (inputs + result) * element }
  const outputs = ofQueries * features + ofKeys * (features + values)
  return {
    flops: 2 * pairs * (3 * features + 2 * values),
    bytes: (inputs + result + ofQueries * values + outputs) * element,
  }
}

/** Two transforms a square, of columns and of rows; factors of 0 cost nothing, and each element of an image is moved once. */
function costOfTiles({ matrix, planes, tiles, source, out }: TilesSpec, element: number): Cost {
  const squares = sizeOf(planes) * sizeOf(tiles)
  const [before, after] = [matrix[0]!.length, matrix.length]
  const factors = matrix.flat().filter((factor) => factor !== 0).length
  const elementsOn = ({ image }: TileSide, size: number): number =>
    image === null ? squares * size * size : sizeOf(planes) * sizeOf(image.sizes)
  return {
    flops: squares * factors * (before + after),
    bytes: (elementsOn(source, before) + elementsOn(out, after)) * element,
  }
}

/** Elements read, elements written, and the indices, which are int32. */
function indexedBytes(sizes: readonly number[], index: Access, element: number): number {
  return 2 * sizeOf(sizes) * element + 4 * elementsOf(index.strides, sizes)
}

/**
 * Different elements that a walk with these strides meets. Windows that overlap meet some again: then it is no more than
 * the distance from the first to the last.
 */
function elementsOf(strides: readonly number[], sizes: readonly number[]): number {
  let met = 1
  let distance = 1
  strides.forEach((stride, axis) => {
    if (stride === 0) return
    met *= sizes[axis]!
    distance += Math.abs(stride) * (sizes[axis]! - 1)
  })
  return sizes.includes(0) ? 0 : Math.min(met, distance)
}
