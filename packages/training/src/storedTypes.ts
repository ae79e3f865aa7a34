// The element types that a safetensors file may hold, and how one element of each is read. Our own types are four
// (float32, float64, int32, bool); what else a file holds becomes one of them, or an error where that would lose something.
import type { DType } from '@nabla/engine'

/** A type as the format names it. */
export type StoredType =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U64'
  | 'U32'
  | 'U16'
  | 'U8'
  | 'BOOL'

interface StoredFacts {
  readonly bytes: number
  /** What the elements become. */
  readonly dtype: DType
  readonly read: (view: DataView, at: number) => number
  /** Whether the bytes are those of our own array, so that they can be taken as they are. */
  readonly sameBytes?: true
  /** The largest magnitude that `dtype` can take, where a file may exceed it. */
  readonly limit?: number
}

const largestInt32 = 2 ** 31 - 1

/** Everything known about each stored type. Numbers are little-endian. */
export const storedTypes: Readonly<Record<StoredType, StoredFacts>> = {
  F64: { bytes: 8, dtype: 'float64', read: (view, at) => view.getFloat64(at, true), sameBytes: true },
  F32: { bytes: 4, dtype: 'float32', read: (view, at) => view.getFloat32(at, true), sameBytes: true },
  F16: { bytes: 2, dtype: 'float32', read: (view, at) => halfToNumber(view.getUint16(at, true)) },
  BF16: { bytes: 2, dtype: 'float32', read: (view, at) => brainToNumber(view.getUint16(at, true)) },
  I64: {
    bytes: 8,
    dtype: 'int32',
    read: (view, at) => Number(view.getBigInt64(at, true)),
    limit: largestInt32,
  },
  I32: { bytes: 4, dtype: 'int32', read: (view, at) => view.getInt32(at, true), sameBytes: true },
  I16: { bytes: 2, dtype: 'int32', read: (view, at) => view.getInt16(at, true) },
  I8: { bytes: 1, dtype: 'int32', read: (view, at) => view.getInt8(at) },
  U64: {
    bytes: 8,
    dtype: 'int32',
    read: (view, at) => Number(view.getBigUint64(at, true)),
    limit: largestInt32,
  },
  U32: { bytes: 4, dtype: 'int32', read: (view, at) => view.getUint32(at, true), limit: largestInt32 },
  U16: { bytes: 2, dtype: 'int32', read: (view, at) => view.getUint16(at, true) },
  U8: { bytes: 1, dtype: 'int32', read: (view, at) => view.getUint8(at) },
  BOOL: { bytes: 1, dtype: 'bool', read: (view, at) => view.getUint8(at), limit: 1 },
}

/** IEEE 754 binary16: 1 bit sign, 5 exponent, 10 fraction. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

const scratch = new DataView(new ArrayBuffer(4))

/** bfloat16 is the upper half of a float32. */
function brainToNumber(bits: number): number {
  scratch.setUint32(0, bits << 16)
  return scratch.getFloat32(0)
}
