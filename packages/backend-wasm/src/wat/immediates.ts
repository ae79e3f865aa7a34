// What follows an opcode besides operands: constants, offsets, lanes. Read together with opcodes.ts, whose `immediate`
// column says which of these forms an instruction has.
import type { ByteWriter } from './bytes.ts'
import type { Instruction } from './opcodes.ts'
import type { Wat } from './wat.ts'

/**
 * Writes the immediates of an instruction, which stand between its name and `operandsStart`.
 * Returns what is wrong with them, if anything is.
 */
export function writeImmediates(
  writer: ByteWriter,
  instruction: Instruction,
  code: readonly Wat[],
  operandsStart: number,
): string | undefined {
  const given = operandsStart - 1
  switch (instruction.immediate) {
    case 'none':
      return given === 0 ? undefined : 'takes no immediates; a plain number is no operand, write its const'
    case 'number':
      return given === 1 ? writeScalar(writer, instruction.name, code[1]!) : 'needs exactly one number'
    case 'vector':
      return writeVector(writer, code, operandsStart)
    case 'memory':
    case 'memoryLane':
      return writeMemoryAccess(writer, instruction, code, operandsStart)
    case 'lane':
      return given === 1 ? writeLane(writer, code[1]!, lanesOf(instruction.name)) : 'needs exactly one lane'
    case 'shuffle':
      return writeShuffle(writer, code, operandsStart)
    case 'zero':
      writer.byte(0)
      return undefined
    case 'twoZeros':
      writer.byte(0)
      writer.byte(0)
      return undefined
  }
}

function writeScalar(writer: ByteWriter, name: string, part: Wat): string | undefined {
  if (name === 'i64.const') {
    const value = toBigInt(part)
    if (value === undefined) return notANumber(part)
    writer.signed64(value)
    return undefined
  }
  const value = toNumber(part)
  if (value === undefined) return notANumber(part)
  if (name === 'f32.const') writer.float32(value)
  else if (name === 'f64.const') writer.float64(value)
  else if (!Number.isInteger(value)) return `needs an integer, got ${value}`
  else writer.signed(value)
  return undefined
}

const vectorLanes: Readonly<Record<string, number>> = {
  i8x16: 16,
  i16x8: 8,
  i32x4: 4,
  i64x2: 2,
  f32x4: 4,
  f64x2: 2,
}

const lanesOf = (name: string): number => vectorLanes[name.slice(0, name.indexOf('.'))]!

function writeVector(writer: ByteWriter, code: readonly Wat[], operandsStart: number): string | undefined {
  const shape = code[1] as string
  const lanes = vectorLanes[shape]
  if (lanes === undefined)
    return `needs a shape (${Object.keys(vectorLanes).join(', ')}), got ${String(shape)}`
  if (operandsStart - 2 !== lanes) return `needs ${lanes} numbers, got ${operandsStart - 2}`
  for (let lane = 0; lane < lanes; lane++) {
    const part = code[2 + lane]!
    if (shape === 'i64x2') {
      const value = toBigInt(part)
      if (value === undefined) return notANumber(part)
      writer.integer64(value)
      continue
    }
    const value = toNumber(part)
    if (value === undefined) return notANumber(part)
    if (shape === 'f32x4') writer.float32(value)
    else if (shape === 'f64x2') writer.float64(value)
    else if (!Number.isInteger(value)) return `needs integers, got ${value}`
    else writer.integer(value, (16 / lanes) as 1 | 2 | 4)
  }
  return undefined
}

function writeMemoryAccess(
  writer: ByteWriter,
  instruction: Instruction,
  code: readonly Wat[],
  operandsStart: number,
): string | undefined {
  let offset = 0
  let lane: Wat | undefined
  for (let i = 1; i < operandsStart; i++) {
    const part = code[i]!
    if (typeof part === 'string' && part.startsWith('offset=')) offset = Number(part.slice('offset='.length))
    else if (instruction.immediate === 'memoryLane' && lane === undefined) lane = part
    else return `unknown immediate ${String(part)}`
  }
  if (!Number.isInteger(offset) || offset < 0)
    return `needs an offset that is no negative number, got ${offset}`
  writer.unsigned(instruction.alignment)
  writer.unsigned(offset)
  if (instruction.immediate === 'memory') return undefined
  return lane === undefined ? 'needs a lane' : writeLane(writer, lane, 16 >> instruction.alignment)
}

function writeShuffle(writer: ByteWriter, code: readonly Wat[], operandsStart: number): string | undefined {
  if (operandsStart !== 17) return `needs 16 byte numbers, got ${operandsStart - 1}`
  for (let i = 1; i <= 16; i++) {
    const problem = writeLane(writer, code[i]!, 32)
    if (problem !== undefined) return problem
  }
  return undefined
}

function writeLane(writer: ByteWriter, part: Wat, lanes: number): string | undefined {
  const lane = toNumber(part)
  if (lane === undefined || !Number.isInteger(lane) || lane < 0 || lane >= lanes) {
    return `needs a lane from 0 to ${lanes - 1}, got ${String(part)}`
  }
  writer.byte(lane)
  return undefined
}

const notANumber = (part: Wat): string => `needs a number, got ${String(part)}`

// Numbers may also be given as text (hexadecimal, inf, nan), as people write them in bit patterns.
function toNumber(part: Wat): number | undefined {
  if (typeof part === 'number') return part
  if (typeof part !== 'string') return undefined
  if (part === 'nan') return NaN
  const negative = part.startsWith('-')
  const magnitude = negative ? part.slice(1) : part
  const value = magnitude === 'inf' ? Infinity : Number(magnitude)
  if (Number.isNaN(value) || magnitude === '') return undefined
  return negative ? -value : value
}

function toBigInt(part: Wat): bigint | undefined {
  if (typeof part === 'number') return Number.isSafeInteger(part) ? BigInt(part) : undefined
  if (typeof part !== 'string' || !/^-?(0x[0-9a-fA-F]+|\d+)$/.test(part)) return undefined
  return part.startsWith('-') ? -BigInt(part.slice(1)) : BigInt(part)
}
