// The IDX format of the MNIST files: two zero bytes, a type, the number of dimensions, their sizes as big-endian 32-bit
// integers, then the elements, big-endian. Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database".
// Not here: what the numbers mean. Read next: dataset.ts.
import { checkShape, sizeOf, ValueError } from '@nabla/engine'
import { readBytes } from './files.ts'

/** Elements of an IDX file. */
export interface IdxArray {
  readonly shape: readonly number[]
  readonly data: Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array
}

interface ElementType {
  readonly bytes: number
  readonly make: (length: number) => IdxArray['data']
  readonly read: (view: DataView, offset: number) => number
}

const types: Readonly<Record<number, ElementType>> = {
  0x08: { bytes: 1, make: (n) => new Uint8Array(n), read: (view, offset) => view.getUint8(offset) },
  0x09: { bytes: 1, make: (n) => new Int8Array(n), read: (view, offset) => view.getInt8(offset) },
  0x0b: { bytes: 2, make: (n) => new Int16Array(n), read: (view, offset) => view.getInt16(offset) },
  0x0c: { bytes: 4, make: (n) => new Int32Array(n), read: (view, offset) => view.getInt32(offset) },
  0x0d: { bytes: 4, make: (n) => new Float32Array(n), read: (view, offset) => view.getFloat32(offset) },
  0x0e: { bytes: 8, make: (n) => new Float64Array(n), read: (view, offset) => view.getFloat64(offset) },
}

/**
 * Reads an IDX file, gzip or not.
 * @throws ValueError naming the file and the byte where it is not what the format says
 */
export async function readIdx(path: string | URL): Promise<IdxArray> {
  return parseIdx(await readBytes(path), String(path))
}

/**
 * Parses the bytes of an IDX file (decompressed).
 * @param name what errors call it
 * @throws ValueError
 */
export function parseIdx(bytes: Uint8Array, name: string = 'IDX data'): IdxArray {
  if (!(bytes instanceof Uint8Array))
    throw new ValueError(`${name}: a Uint8Array of the file's bytes is needed`)
  const fail = (offset: number, problem: string): never => {
    throw new ValueError(`${name}: ${problem} (at byte ${offset} of ${bytes.length})`)
  }
  if (bytes.length < 4) fail(bytes.length, 'truncated: an IDX header has at least 4 bytes')
  if (bytes[0] !== 0 || bytes[1] !== 0) fail(0, 'no IDX file: it must begin with two zero bytes')
  const type =
    types[bytes[2]!] ?? fail(2, `unknown element type 0x${bytes[2]!.toString(16).padStart(2, '0')}`)
  const rank = bytes[3]!
  const start = 4 + 4 * rank
  if (bytes.length < start)
    fail(bytes.length, `truncated: a header for ${rank} dimensions has ${start} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const shape = Array.from({ length: rank }, (_, d) => view.getUint32(4 + 4 * d))
  const size = shape.reduce((product, length) => product * length, 1)
  // Compared before anything is allocated: a damaged header may claim any size.
  const expected = start + size * type.bytes
  if (bytes.length < expected)
    fail(bytes.length, `truncated: shape [${shape.join(', ')}] needs ${expected} bytes`)
  if (bytes.length > expected)
    fail(expected, `${bytes.length - expected} bytes too many for shape [${shape.join(', ')}]`)
  const data = type.make(size)
  if (type.bytes === 1) {
    // Conversion to Int8Array wraps, which is what a signed byte means.
    data.set(bytes.subarray(start))
    return { shape, data }
  }
  for (let i = 0; i < size; i++) data[i] = type.read(view, start + i * type.bytes)
  return { shape, data }
}

/** The bytes of an IDX file of unsigned bytes; the counterpart of {@link parseIdx}. @throws ValueError */
export function encodeIdx(data: Uint8Array, shape: readonly number[]): Uint8Array {
  const size = sizeOf(checkShape('encodeIdx', shape))
  if (size !== data.length || shape.length > 255) {
    throw new ValueError(`encodeIdx: ${data.length} elements do not fill shape [${shape.join(', ')}]`)
  }
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length)
  const view = new DataView(bytes.buffer)
  bytes[2] = 0x08
  bytes[3] = shape.length
  shape.forEach((length, d) => view.setUint32(4 + 4 * d, length))
  bytes.set(data, 4 + 4 * shape.length)
  return bytes
}
