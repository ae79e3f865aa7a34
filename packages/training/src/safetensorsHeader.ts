// Reads and checks the header of a safetensors file. Files come from anywhere, so nothing in them is believed: every
// check that the format's reference implementation makes is made here, and a header that names a tensor twice is refused
// as well. After these checks every tensor's bytes are inside the file and belong to it alone. Read next: storedTypes.ts.
import { ValueError, type Shape } from '@nabla/engine'
import { storedTypes, type StoredType } from './storedTypes.ts'

/** One tensor as the header describes it. Offsets count from the end of the header. */
export interface StoredEntry {
  readonly name: string
  readonly type: StoredType
  readonly shape: Shape
  readonly start: number
  readonly end: number
}

/** A header that has been checked. */
export interface Header {
  /** In the order of their bytes. */
  readonly entries: readonly StoredEntry[]
  readonly metadata: Record<string, string>
  /** Where in the file the elements begin. */
  readonly dataStart: number
}

/** The reference implementation refuses longer headers, and so do we: nobody has a hundred million bytes of names. */
const longestHeader = 100_000_000

/** @throws ValueError naming `file` and what is wrong with it */
export function readHeader(bytes: Uint8Array, file: string): Header {
  const fail = (problem: string): never => {
    throw new ValueError(`${file}: no valid safetensors file: ${problem}`)
  }
  if (bytes.length < 8) fail(`it has ${bytes.length} bytes, and the header's length alone takes 8`)
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true))
  if (length > longestHeader) fail(`it announces a header of ${length} bytes, more than ${longestHeader}`)
  const dataStart = 8 + length
  if (dataStart > bytes.length) {
    fail(`it announces a header of ${length} bytes, but only ${bytes.length - 8} bytes follow`)
  }

  const root = parseHeader(bytes.subarray(8, dataStart), fail)
  const { __metadata__: metadata = {}, ...described } = root
  const entries = Object.entries(described)
    .map(([name, value]) => readEntry(name, value, fail))
    .sort((a, b) => a.start - b.start || a.end - b.end)
  checkLayout(entries, bytes.length - dataStart, fail)
  return { entries, metadata: readMetadata(metadata, fail), dataStart }
}

type Fail = (problem: string) => never

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  const repeated = (name: string) => fail(`the header has the name ${JSON.stringify(name)} twice`)
  let root: unknown
  let text = ''
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    root = JSON.parse(text)
  } catch (error) {
    return fail(`the header is no JSON (${(error as Error).message})`)
  }
  if (!isRecord(root)) return fail('the header is no JSON object')
  forEachRepeatedKey(text, repeated)
  return root
}

/** JSON.parse keeps the last of two equal keys and says nothing. The text is known to be JSON, so tokens suffice. */
function forEachRepeatedKey(json: string, found: (key: string) => void): void {
  const open: Set<string>[] = []
  let text = ''
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}:]/g)) {
    if (token === '{') open.push(new Set())
    else if (token === '}') open.pop()
    else if (token !== ':') text = token
    else {
      const key = JSON.parse(text) as string
      const keys = open.at(-1)!
      if (keys.has(key)) found(key)
      keys.add(key)
    }
  }
}

function readEntry(name: string, value: unknown, fail: Fail): StoredEntry {
  const tensor = `tensor '${name}'`
  if (!isRecord(value)) return fail(`${tensor} is described by ${JSON.stringify(value)}, not by an object`)
  const { dtype, shape, data_offsets: offsets } = value
  if (typeof dtype !== 'string' || !Object.hasOwn(storedTypes, dtype)) {
    const known = Object.keys(storedTypes).join(', ')
    return fail(`${tensor} has the unknown type ${JSON.stringify(dtype)}. Known: ${known}`)
  }
  if (!isListOfSizes(shape)) return fail(`${tensor} has the shape ${JSON.stringify(shape)}`)
  if (!isListOfSizes(offsets) || offsets.length !== 2) {
    return fail(`${tensor} has the data_offsets ${JSON.stringify(offsets)}, not [begin, end]`)
  }
  const [start, end] = offsets as [number, number]
  const type = dtype as StoredType
  // A product beyond 2^53 is not exact, but it is then larger than any file and cannot equal the size of one.
  const needed = shape.reduce((size, length) => size * length, storedTypes[type].bytes)
  if (end - start !== needed) {
    const filled = `shape [${shape.join(', ')}] of ${type} takes ${needed}`
    return fail(`${tensor} has ${end - start} bytes (${start} to ${end}), but ${filled}`)
  }
  return { name, type, shape, start, end }
}

/** Each tensor has to begin where the one before it ends, and the last one where the file does. */
function checkLayout(entries: readonly StoredEntry[], available: number, fail: Fail): void {
  let position = 0
  for (const { name, start, end } of entries) {
    if (start < position)
      fail(`tensor '${name}' begins at byte ${start}, inside of the one before it (to ${position})`)
    if (start > position) fail(`bytes ${position} to ${start}, before tensor '${name}', belong to no tensor`)
    if (end > available)
      fail(`tensor '${name}' ends at byte ${end}, but the file has ${available} bytes of elements`)
    position = end
  }
  if (position < available) fail(`${available - position} bytes are left over after the last tensor`)
}

function readMetadata(value: unknown, fail: Fail): Record<string, string> {
  if (!isRecord(value)) return fail('__metadata__ is no object')
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string')
      fail(`__metadata__ has ${JSON.stringify(text)} for '${key}', and only text is allowed`)
  }
  return value as Record<string, string>
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isListOfSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0)
}
