// Routines: work that is no walk over a row and so is written by hand in each backend: contraction, gather, scatter-add,
// argsort, random numbers, scans, attention, tiles. A specification says sizes and strides; the buffers come with each run. A backend may
// answer null, and the interpreter then does it (said once). Read next: backend.ts.
import type { DType } from './dtype.ts'
import type { Access, Launch, ReduceFunction } from './kernel.ts'

/**
 * C[b, m, n] = sum over k of A[b, m, k] * B[b, k, n]. Each of b, m, n, k may be several axes; each operand has one stride
 * per axis, so matmul in every transposition, einsum, and convolution over sliding windows are all this one routine.
 */
export interface ContractSpec {
  readonly name: 'contract'
  readonly dtype: DType
  readonly batch: readonly number[]
  readonly m: readonly number[]
  readonly n: readonly number[]
  readonly k: readonly number[]
  /** Strides in elements, one per axis of the group. */
  readonly a: {
    readonly offset: number
    readonly batch: readonly number[]
    readonly m: readonly number[]
    readonly k: readonly number[]
  }
  readonly b: {
    readonly offset: number
    readonly batch: readonly number[]
    readonly k: readonly number[]
    readonly n: readonly number[]
  }
  readonly c: {
    readonly offset: number
    readonly batch: readonly number[]
    readonly m: readonly number[]
    readonly n: readonly number[]
  }
  /** Plan slots: a, b, c. */
  readonly slots: readonly [number, number, number]
  /**
   * Maps of the product, done in the same step, perhaps while it is still in a cache: a launch without stages over C's
   * elements in row-major order (its axes may be finer than C's, never coarser), which reads the product from C's slot. It
   * may write there too. Same as running the launch afterwards; only for backends that say they take it ({@link Backend}).
   */
  readonly epilogue?: Launch
}

/**
 * out[i] = source[i with position along one axis replaced by index[i]]. `source` has stride 0 along that axis; `step` is the
 * stride its index moves by and `limit` its size there. Indices outside [0, limit) are a ValueError, before anything is written.
 */
export interface GatherSpec {
  readonly name: 'gather'
  readonly dtype: DType
  readonly op: string
  readonly sizes: readonly number[]
  readonly source: Access
  readonly index: Access
  readonly out: Access
  readonly step: number
  readonly limit: number
  /** Plan slots: source, index, out. */
  readonly slots: readonly [number, number, number]
}

/** The adjoint of gather: out starts as zeros over `length` elements; out[i with index[i] along one axis] += source[i]. */
export interface ScatterAddSpec {
  readonly name: 'scatterAdd'
  readonly dtype: DType
  readonly op: string
  readonly sizes: readonly number[]
  readonly source: Access
  readonly index: Access
  readonly out: Access
  readonly step: number
  readonly limit: number
  /** Elements of the whole output buffer, which is zeroed first. */
  readonly length: number
  /** Plan slots: source, index, out. */
  readonly slots: readonly [number, number, number]
}

/** Indices (int32) that would sort each row; stable; NaN is larger than every number. Rows are contiguous. */
export interface ArgsortSpec {
  readonly name: 'argsort'
  readonly dtype: DType
  readonly rows: number
  readonly length: number
  readonly descending: boolean
  /** Plan slots: source (row-major), out. */
  readonly slots: readonly [number, number]
}

/**
 * Counter-based random numbers (R8): element e takes word e mod 4 of the Philox 4x32-10 block at counter [e div 4, 0, c0, c1]
 * under key [k0, k1]. `uniform`: word / 2^32 cut to 24 bits, in [0, 1). `normal`: Box-Muller on the word pairs (0, 1), (2, 3).
 */
export interface RandomSpec {
  readonly name: 'random'
  readonly distribution: 'uniform' | 'normal'
  readonly dtype: DType
  readonly length: number
  /** Indices into the plan's numbers: k0, k1, c0, c1, each an unsigned 32-bit integer. */
  readonly numbers: readonly [number, number, number, number]
  /** Plan slot: out. */
  readonly slots: readonly [number]
}

/** Running reduction along each contiguous row: out[r, i] = fn over source[r, 0..i]. */
export interface ScanSpec {
  readonly name: 'scan'
  readonly fn: ReduceFunction
  readonly dtype: DType
  readonly rows: number
  readonly length: number
  /** Plan slots: source (row-major), out. */
  readonly slots: readonly [number, number]
}

/**
 * Attention (Vaswani et al. 2017, eq. 1) of one query head to the keys and values of its group's head, for each batch:
 * softmax(q k^T scale + mask) v. Made of a composite, so only backends that claim it ever see it. `out` holds the result
 * [batch, queries, heads, values]; then, for each [batch, heads, queries], the largest score; then one divided by the sum
 * of all exp(score - largest).
 */
export interface AttentionSpec {
  readonly name: 'attention'
  readonly dtype: DType
  readonly sizes: AttentionSizes
  /** [batch, heads, queries, features], the last contiguous. */
  readonly q: Access
  /** [batch, keyHeads, keys, features], the last contiguous. */
  readonly k: Access
  /** [batch, keyHeads, keys, values], the last contiguous. */
  readonly v: Access
  /** [batch, heads, queries, keys]: a bool says which scores count, a real is added to them. */
  readonly mask: (Access & { readonly kind: 'bool' | 'real' }) | null
  /** Whether query i sees keys up to i + offset alone. */
  readonly causal: boolean
  /** Indices into the plan's numbers: scale, offset. */
  readonly numbers: readonly [number, number]
  /** Plan slots: q, k, v, the mask if there is one, out. */
  readonly slots: readonly number[]
}

/** Sizes of an attention. `heads` is a multiple of `keyHeads`. */
export interface AttentionSizes {
  readonly batch: number
  readonly heads: number
  readonly keyHeads: number
  readonly queries: number
  readonly keys: number
  readonly features: number
  readonly values: number
}

/** The gradients of an {@link AttentionSpec} by q, k and v, all in one buffer. */
export interface AttentionGradientSpec extends Omit<AttentionSpec, 'name'> {
  readonly name: 'attentionGradient'
  /** The gradient of the result: [batch, heads, queries, values], the last contiguous. */
  readonly upstream: Access
  /** Where the gradients of q, k and v go, in the shapes of these, the last axis contiguous. */
  readonly gradients: { readonly q: Access; readonly k: Access; readonly v: Access }
  /** Plan slots: q, k, v, the mask if there is one, upstream, what the attention wrote (row-major), out. */
  readonly slots: readonly number[]
}

/** Where the squares of numbers lie that a {@link TilesSpec} transforms. Strides are in elements. */
export interface TileSide {
  readonly offset: number
  /** One stride per axis of planes. */
  readonly planes: readonly number[]
  /** From one tile to the next below it, and to the next beside it. */
  readonly tile: readonly [number, number]
  /** From one row of a square to the next, and from one column to the next. */
  readonly square: readonly [number, number]
  /**
   * Where planes are images: their sizes, and how far before their first element the first tile begins. What lies outside an
   * image is read as 0 and not written. `offset` is where the image begins. Null: all tiles lie inside.
   */
  readonly image: {
    readonly sizes: readonly [number, number]
    readonly before: readonly [number, number]
  } | null
}

/**
 * Squares S of numbers become T S T^T with a small matrix T: the transforms before and after the products of Winograd's
 * convolution. Squares of `source` may overlap, those of `out` must not.
 */
export interface TilesSpec {
  readonly name: 'tiles'
  readonly dtype: DType
  /** T, row by row: as many rows as squares of the result have, as many columns as those of the source. */
  readonly matrix: readonly (readonly number[])[]
  /** Axes that all squares of a plane share: images, channels. */
  readonly planes: readonly number[]
  /** Rows and columns of tiles in a plane. */
  readonly tiles: readonly [number, number]
  readonly source: TileSide
  readonly out: TileSide
  /** Plan slots: source, out. */
  readonly slots: readonly [number, number]
}

/**
 * A value of `shape` (row-major) with a part replaced: `sizes` elements of the source, from the position that a number
 * says on along `axis`. Where `out` and the target are one buffer, only the part is written. Made of a composite.
 */
export interface SliceScatterSpec {
  readonly name: 'sliceScatter'
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly axis: number
  readonly sizes: readonly number[]
  readonly source: Access
  /** Index into the plan's numbers: the position of the first element. */
  readonly numbers: readonly [number]
  /** Plan slots: target (row-major), source, out. */
  readonly slots: readonly [number, number, number]
}

/** Any routine with everything a plan knows about one run of it. */
export type RoutineSpec =
  | ContractSpec
  | GatherSpec
  | ScatterAddSpec
  | ArgsortSpec
  | RandomSpec
  | ScanSpec
  | AttentionSpec
  | AttentionGradientSpec
  | TilesSpec
  | SliceScatterSpec

/** Name of a routine. */
export type RoutineName = RoutineSpec['name']
