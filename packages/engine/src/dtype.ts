// Data types: what an element is, how many bytes it takes on a device, which typed array carries it on the host, and
// what two types become when they meet. Read next: expr.ts, where each scalar operation states its result type.
import { lookUp } from './errors.ts'

/** The element types of tensors. */
export type DType = 'float32' | 'float64' | 'int32' | 'bool'

/** Host arrays that elements are read into and written from. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array

interface DTypeFacts {
  /**
   * Bytes of one element on a device. A bool takes four there (0 or 1 as an int32): every lane of a kernel then has
   * one width, which is worth more than the memory that masks would save. On the host it is a Uint8Array.
   */
  readonly bytes: 4 | 8
  readonly host: new (data: number | ArrayLike<number>) => TypedArray
  readonly floating: boolean
  /** Order of promotion: the higher one wins. */
  readonly rank: number
}

const facts: Readonly<Record<DType, DTypeFacts>> = {
  bool: { bytes: 4, host: Uint8Array, floating: false, rank: 0 },
  int32: { bytes: 4, host: Int32Array, floating: false, rank: 1 },
  float32: { bytes: 4, host: Float32Array, floating: true, rank: 2 },
  float64: { bytes: 8, host: Float64Array, floating: true, rank: 3 },
}

/** Checks a data type that came from a user. @throws ValueError listing the known ones. */
export function checkDType(dtype: string): DType {
  lookUp('dtype', dtype, facts)
  return dtype as DType
}

/** Bytes of one element in device memory. */
export function bytesOf(dtype: DType): 4 | 8 {
  return facts[dtype].bytes
}

/** Whether the type holds real numbers (and so can carry a gradient). */
export function isFloating(dtype: DType): boolean {
  return facts[dtype].floating
}

/** A new host array of `length` zeros, or a copy of `data` converted to the type's own array. */
export function hostArray(dtype: DType, data: number | ArrayLike<number>): TypedArray {
  return new facts[dtype].host(data)
}

/** The type two operands are brought to: bool < int32 < float32 < float64, as in PyTorch. */
export function promote(a: DType, b: DType): DType {
  return facts[a].rank >= facts[b].rank ? a : b
}

/** The type a typed array stands for. Arrays with no counterpart here become the next wider type. */
export function dtypeOfArray(data: ArrayBufferView): DType {
  if (data instanceof Float64Array) return 'float64'
  if (data instanceof Float32Array) return 'float32'
  return 'int32'
}
