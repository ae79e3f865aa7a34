// Weights as bytes: the writer and the reader of the safetensors format (huggingface.co/docs/safetensors). A file is the
// header's length (8 bytes), the header (JSON: name -> type, shape, byte offsets), then all elements, one tensor after
// another, little-endian like every machine this runs on. Not here: the checks of a header (safetensorsHeader.ts), files and models (weights.ts).
import {
  bytesOf,
  hostArray,
  sizeOf,
  ValueError,
  type DType,
  type Shape,
  type TypedArray,
} from '@nabla/engine'
import { readHeader, type StoredEntry } from './safetensorsHeader.ts'
import { storedTypes, type StoredType } from './storedTypes.ts'

/** The elements of a tensor on the host, in row-major order, with their shape and type. */
export interface HostTensor {
  readonly data: TypedArray
  readonly shape: Shape
  readonly dtype: DType
}

/** What a safetensors file holds. */
export interface SafetensorsContent {
  readonly tensors: Record<string, HostTensor>
  /** Free text that the writer added. */
  readonly metadata: Record<string, string>
}

/** How our types are written. Bools take one byte in a file and four on a device. */
const writtenAs: Readonly<Record<DType, StoredType>> = {
  float32: 'F32',
  float64: 'F64',
  int32: 'I32',
  bool: 'BOOL',
}

/**
 * Tensors as the bytes of a safetensors file. As in the format's reference implementation the widest types come first,
 * then names in order, so that every tensor starts at a multiple of its element's size.
 * @throws ValueError when a tensor's elements do not fill its shape, or its name is the reserved `__metadata__`
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, HostTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(tensors).sort(inFileOrder)
  const header = new Map<string, unknown>()
  if (Object.keys(metadata).length > 0) header.set('__metadata__', metadata)
  let end = 0
  for (const [name, tensor] of entries) {
    checkWritable(name, tensor)
    const start = end
    end += tensor.data.length * fileBytesOf(tensor.dtype)
    header.set(name, { dtype: writtenAs[tensor.dtype], shape: tensor.shape, data_offsets: [start, end] })
  }

  const text = JSON.stringify(Object.fromEntries(header))
  const json = new TextEncoder().encode(text)
  // Spaces up to the next multiple of eight keep the elements aligned.
  const headerBytes = Math.ceil(json.length / 8) * 8
  const bytes = new Uint8Array(8 + headerBytes + end)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true)
  bytes.fill(0x20, 8, 8 + headerBytes)
  bytes.set(json, 8)
  let position = 8 + headerBytes
  for (const [, { data }] of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), position)
    position += data.byteLength
  }
  return bytes
}

/**
 * Reads the bytes of a safetensors file. Half-precision floats arrive as float32, and integers of all widths as int32.
 * @param name what messages call the bytes: a file name
 * @throws ValueError for anything the format does not allow (a header that is cut off or no JSON, unknown types,
 * elements that overlap, leave holes or do not fill their shape, bytes left over) and for integers beyond int32, naming
 * the file, the tensor and what is wrong
 */
export function decodeSafetensors(bytes: Uint8Array, name: string = 'safetensors'): SafetensorsContent {
  const { entries, metadata, dataStart } = readHeader(bytes, name)
  const tensors = entries.map((entry) => [entry.name, readTensor(bytes, dataStart, entry, name)] as const)
  return { tensors: Object.fromEntries(tensors), metadata }
}

function readTensor(bytes: Uint8Array, dataStart: number, entry: StoredEntry, file: string): HostTensor {
  const { shape, type } = entry
  const { dtype, sameBytes } = storedTypes[type]
  const data = hostArray(dtype, sizeOf(shape))
  const from = bytes.subarray(dataStart + entry.start, dataStart + entry.end)
  if (sameBytes) new Uint8Array(data.buffer).set(from)
  else convert(from, data, entry, file)
  return { data, shape, dtype }
}

function convert(from: Uint8Array, to: TypedArray, { name, type }: StoredEntry, file: string): void {
  const { bytes, dtype, read, limit } = storedTypes[type]
  const view = new DataView(from.buffer, from.byteOffset, from.byteLength)
  for (let i = 0; i < to.length; i++) {
    const value = read(view, i * bytes)
    // An array of integers would wrap what does not fit: an embedding row 2^32 + 1 must not quietly become row 1.
    if (limit !== undefined && !(Math.abs(value) <= limit)) {
      const problem = `element ${i} (${type}) is ${value}, which does not fit ${dtype}`
      throw new ValueError(`${file}: tensor '${name}': ${problem}`)
    }
    to[i] = value
  }
}

function checkWritable(name: string, tensor: HostTensor): void {
  if (name === '__metadata__') {
    throw new ValueError(
      `encodeSafetensors: the name '__metadata__' is reserved by the format; rename the tensor`,
    )
  }
  if (tensor.data.length !== sizeOf(tensor.shape)) {
    throw new ValueError(
      `encodeSafetensors: tensor '${name}' has ${tensor.data.length} elements, ` +
        `which do not fill shape [${tensor.shape.join(', ')}]`,
    )
  }
}

function fileBytesOf(dtype: DType): number {
  return dtype === 'bool' ? 1 : bytesOf(dtype)
}

function inFileOrder([nameA, a]: [string, HostTensor], [nameB, b]: [string, HostTensor]): number {
  const widerFirst = fileBytesOf(b.dtype) - fileBytesOf(a.dtype)
  if (widerFirst !== 0) return widerFirst
  return nameA < nameB ? -1 : 1
}
