import { readdirSync, readFileSync } from 'node:fs'
import { ValueError } from '@nabla/engine'
import { describe, expect, test } from 'vitest'
import { decodeSafetensors, encodeSafetensors, type HostTensor } from './safetensors.ts'

// Files that the reference implementation wrote or refuses; see the note beside them.
const folder = new URL('../test-data/', import.meta.url)
const bytesOf = (name: string): Uint8Array => readFileSync(new URL(name, folder))

interface Expected {
  readonly dtype: string
  readonly shape: number[]
  readonly data: (number | string)[]
}
type ExpectedFiles = Record<string, Record<string, Expected>>
const expectedFiles = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as ExpectedFiles

/** A file with this header and this many bytes of elements. */
function fileWith(header: string, elements: number = 0): Uint8Array {
  const text = new TextEncoder().encode(header)
  const bytes = new Uint8Array(8 + text.length + elements)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
  bytes.set(text, 8)
  return bytes
}

const float32 = (data: number[], shape: number[]): HostTensor => ({
  data: Float32Array.from(data),
  shape,
  dtype: 'float32',
})

describe('files of the reference implementation', () => {
  test('a model of float32 is read and written back byte by byte', () => {
    const bytes = bytesOf('mlp.safetensors')
    const { tensors } = decodeSafetensors(bytes)
    for (const [name, expected] of Object.entries(expectedFiles['mlp.safetensors']!)) {
      expect(tensors[name]!.shape).toEqual(expected.shape)
      expect(Array.from(tensors[name]!.data)).toEqual(
        expected.data.map((value) => Math.fround(Number(value))),
      )
    }
    expect(Object.keys(tensors).length).toBe(4)
    expect(encodeSafetensors(tensors)).toEqual(new Uint8Array(bytes))
  })

  test('every type but one: its int64 does not fit, and the message says which', () => {
    const bytes = bytesOf('dtypes.safetensors')
    expect(() => decodeSafetensors(bytes, 'dtypes.safetensors')).toThrow(
      "dtypes.safetensors: tensor 'i64': element 0 (I64) is 1152921504606847000, which does not fit int32",
    )
    // The large integer, made small where it lies: 2 ** 60 has its only bit in the highest byte.
    const mended = new Uint8Array(bytes)
    const large = new Uint8Array(new BigInt64Array([2n ** 60n]).buffer)
    const at = mended.findIndex((_, i) => large.every((byte, j) => mended[i + j] === byte))
    mended[at + 7] = 0
    const { tensors } = decodeSafetensors(mended)
    for (const [name, expected] of Object.entries(expectedFiles['dtypes.safetensors']!)) {
      const values = expected.data.map(Number)
      if (name === 'i64') values[0] = 0
      const tensor = tensors[name]!
      expect(tensor.shape, name).toEqual(expected.shape)
      expect(Array.from(tensor.data), name).toEqual(
        tensor.dtype === 'float32' ? values.map((value) => expect.closeTo(value, 6) as number) : values,
      )
    }
    expect(tensors['f16']!.dtype).toBe('float32')
    expect(tensors['i64']!.dtype).toBe('int32')
    expect(tensors['u8']!.dtype).toBe('int32')
    expect(tensors['bool']!.dtype).toBe('bool')
  })

  test.each(readdirSync(folder).filter((name) => name.startsWith('bad-')))('%s is refused', (name) => {
    expect(() => decodeSafetensors(bytesOf(name), name)).toThrow(ValueError)
    expect(() => decodeSafetensors(bytesOf(name), name)).toThrow(`${name}: no valid safetensors file: `)
  })

  test('a file cut off anywhere is refused', () => {
    const bytes = bytesOf('mlp.safetensors')
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeSafetensors(bytes.subarray(0, length))).toThrow(ValueError)
    }
  })
})

describe('what a header may not say', () => {
  const entry = (offsets: string, rest: string = '"dtype":"F32","shape":[1]') =>
    `{${rest},"data_offsets":${offsets}}`
  test.each([
    ['[]', 0, 'the header is no JSON object'],
    ['', 0, 'the header is no JSON ('],
    [`{"a":${entry('[0,4]')},"a":${entry('[4,8]')}}`, 8, 'the header has the name "a" twice'],
    [`{"a":${entry('[0,4]')},"\\u0061":${entry('[4,8]')}}`, 8, 'the header has the name "a" twice'],
    [
      `{"a":{"dtype":"F32","dtype":"I32","shape":[1],"data_offsets":[0,4]}}`,
      4,
      'the header has the name "dtype" twice',
    ],
    ['{"a":7}', 0, "tensor 'a' is described by 7"],
    [
      `{"a":${entry('[0,4]', '"dtype":"F7","shape":[1]')}}`,
      4,
      `tensor 'a' has the unknown type "F7". Known: F64, F32,`,
    ],
    [
      `{"a":${entry('[0,4]', '"dtype":"toString","shape":[1]')}}`,
      4,
      `tensor 'a' has the unknown type "toString"`,
    ],
    [`{"a":${entry('[0,4]', '"dtype":"F32"')}}`, 4, "tensor 'a' has the shape undefined"],
    [`{"a":${entry('[0,4]', '"dtype":"F32","shape":[-1]')}}`, 4, "tensor 'a' has the shape [-1]"],
    [`{"a":${entry('[0,4]', '"dtype":"F32","shape":[1.5]')}}`, 4, "tensor 'a' has the shape [1.5]"],
    [`{"a":${entry('[0]')}}`, 4, "tensor 'a' has the data_offsets [0], not [begin, end]"],
    [`{"a":${entry('[4,0]')}}`, 4, "tensor 'a' has -4 bytes (4 to 0), but shape [1] of F32 takes 4"],
    [
      `{"a":${entry('[0,4]')},"b":${entry('[0,4]')}}`,
      4,
      "tensor 'b' begins at byte 0, inside of the one before it",
    ],
    [
      `{"a":${entry('[0,4]')},"b":${entry('[8,12]')}}`,
      12,
      "bytes 4 to 8, before tensor 'b', belong to no tensor",
    ],
    [`{"a":${entry('[0,4]')}}`, 3, "tensor 'a' ends at byte 4, but the file has 3 bytes of elements"],
    [`{"a":${entry('[0,4]')}}`, 5, '1 bytes are left over after the last tensor'],
    ['{"__metadata__":[]}', 0, '__metadata__ is no object'],
    ['{"__metadata__":{"a":1}}', 0, "__metadata__ has 1 for 'a', and only text is allowed"],
  ])('%s', (header, elements, problem) => {
    expect(() => decodeSafetensors(fileWith(header, elements), 'x')).toThrow(
      `x: no valid safetensors file: ${problem}`,
    )
  })

  test('a bool that is neither 0 nor 1', () => {
    const bytes = fileWith(`{"a":${entry('[0,1]', '"dtype":"BOOL","shape":[1]')}}`, 1)
    bytes[bytes.length - 1] = 2
    expect(() => decodeSafetensors(bytes)).toThrow(
      "tensor 'a': element 0 (BOOL) is 2, which does not fit bool",
    )
  })

  test('text that is no UTF-8', () => {
    const bytes = fileWith('{"a":1}')
    bytes[10] = 0xff
    expect(() => decodeSafetensors(bytes)).toThrow('the header is no JSON')
  })
})

test('half-precision floats: zeros, the smallest, the largest, infinities and NaN', () => {
  const halves = [0x0000, 0x8000, 0x0001, 0x03ff, 0x0400, 0x3c01, 0x7bff, 0x7c00, 0xfc00, 0x7e00]
  const brains = [0x0000, 0x8000, 0x0001, 0x0080, 0x3f81, 0x7f7f, 0x7f80, 0xff80, 0x7fc0]
  const read = (type: string, bits: number[]): number[] => {
    const entry = `{"dtype":"${type}","shape":[${bits.length}],"data_offsets":[0,${2 * bits.length}]}`
    const bytes = fileWith(`{"a":${entry}}`, 2 * bits.length)
    bytes.set(new Uint8Array(Uint16Array.from(bits).buffer), bytes.length - 2 * bits.length)
    return Array.from(decodeSafetensors(bytes).tensors['a']!.data)
  }
  const [smallest, tiny] = [2 ** -24, 2 ** -14]
  expect(read('F16', halves)).toEqual([
    0,
    -0,
    smallest,
    1023 * smallest,
    tiny,
    1 + 2 ** -10,
    65504,
    Infinity,
    -Infinity,
    NaN,
  ])
  const largest = (2 - 2 ** -7) * 2 ** 127
  expect(read('BF16', brains)).toEqual([
    0,
    -0,
    2 ** -133,
    2 ** -126,
    1 + 2 ** -7,
    largest,
    Infinity,
    -Infinity,
    NaN,
  ])
})

describe('writing', () => {
  test('all types, odd names, scalars and empty tensors come back as they were', () => {
    const tensors: Record<string, HostTensor> = {
      'a.weight': float32([1, -2.5, Math.fround(0.1), NaN, Infinity, -0], [2, 3]),
      wide: { data: Float64Array.of(Math.PI), shape: [], dtype: 'float64' },
      counts: { data: Int32Array.of(-(2 ** 31), 2 ** 31 - 1), shape: [2], dtype: 'int32' },
      mask: { data: Uint8Array.of(1, 0, 1), shape: [3], dtype: 'bool' },
      none: float32([], [0, 4]),
      'odd "name"/é': float32([1], [1]),
      ['__proto__']: float32([2], [1]),
    }
    const decoded = decodeSafetensors(encodeSafetensors(tensors, { made: 'here' }))
    expect(decoded.metadata).toEqual({ made: 'here' })
    expect(Object.keys(decoded.tensors).sort()).toEqual(Object.keys(tensors).sort())
    for (const [name, tensor] of Object.entries(tensors)) {
      expect(Object.getOwnPropertyDescriptor(decoded.tensors, name)!.value).toEqual(tensor)
    }
  })

  test('every tensor starts at a multiple of its element size', () => {
    const bytes = encodeSafetensors({
      a: { data: Uint8Array.of(1), shape: [1], dtype: 'bool' },
      b: float32([1], [1]),
      c: { data: Float64Array.of(1), shape: [1], dtype: 'float64' },
    })
    const header = Number(new DataView(bytes.buffer).getBigUint64(0, true))
    expect(header % 8).toBe(0)
    expect(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + header)))).toEqual({
      c: { dtype: 'F64', shape: [1], data_offsets: [0, 8] },
      b: { dtype: 'F32', shape: [1], data_offsets: [8, 12] },
      a: { dtype: 'BOOL', shape: [1], data_offsets: [12, 13] },
    })
  })

  test('refuses elements that do not fill their shape, and the reserved name', () => {
    expect(() => encodeSafetensors({ a: float32([1, 2], [3]) })).toThrow(
      "encodeSafetensors: tensor 'a' has 2 elements, which do not fill shape [3]",
    )
    expect(() => encodeSafetensors({ __metadata__: float32([1], [1]) })).toThrow(ValueError)
  })
})
