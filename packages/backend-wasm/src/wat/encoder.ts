// Writes the body of one function: declares locals, then each folded instruction as its operands followed by its opcode.
// Types are checked on the way, which costs almost nothing and turns "invalid module at offset 1234" into the name of the
// function and the text of the instruction. Code is folded throughout: every operand stands inside the instruction that
// takes it, and a value that nothing takes is an error.
import { BackendError } from '@nabla/engine'
import type { ByteWriter } from './bytes.ts'
import { writeImmediates } from './immediates.ts'
import { instructions, type Instruction, type ValueType } from './opcodes.ts'
import { printWat } from './print.ts'
import {
  isSignaturePart,
  readDeclaration,
  readResult,
  readSignature,
  valueTypeCodes,
  type ModuleScope,
} from './signature.ts'
import type { Wat } from './wat.ts'

/** What an instruction leaves: a value, nothing, or no continuation at all (after a branch, anything type-checks). */
type Outcome = ValueType | 'nothing' | 'never'

type Code = readonly Wat[]

const emptyBlockType = 0x40
const end = 0x0b

/** Writes locals and instructions of `['func', ...]`, without the size in front. */
export function encodeFunctionBody(writer: ByteWriter, field: Code, scope: ModuleScope): void {
  new FunctionEncoder(writer, field, scope).encode()
}

class FunctionEncoder {
  private readonly writer: ByteWriter
  private readonly field: Code
  private readonly scope: ModuleScope
  private readonly locals = new Map<string, { readonly index: number; readonly type: ValueType }>()
  private readonly labels: { readonly name: string; readonly type: ValueType | undefined }[] = []
  private readonly result: ValueType | undefined

  constructor(writer: ByteWriter, field: Code, scope: ModuleScope) {
    this.writer = writer
    this.field = field
    this.scope = scope
    this.result = readSignature(field).result
  }

  encode(): void {
    let bodyStart = 1
    while (bodyStart < this.field.length && isSignaturePart(this.field[bodyStart]!)) bodyStart++
    this.declareLocals(this.field.slice(1, bodyStart))
    this.sequence(this.field, bodyStart, this.result)
    this.writer.byte(end)
  }

  // Locals of one type that follow each other are one entry of the binary form.
  private declareLocals(head: Code): void {
    const runs: { readonly type: ValueType; count: number }[] = []
    let index = 0
    for (const kind of ['param', 'local']) {
      for (const part of head) {
        if (!Array.isArray(part) || part[0] !== kind) continue
        for (const { name, type } of readDeclaration(part)) {
          if (name !== undefined) {
            if (this.locals.has(name)) throw this.error(part, `local ${name} is declared twice`)
            this.locals.set(name, { index, type })
          }
          index++
          if (kind === 'param') continue
          const last = runs.at(-1)
          if (last?.type === type) last.count++
          else runs.push({ type, count: 1 })
        }
      }
    }
    this.writer.unsigned(runs.length)
    for (const { type, count } of runs) {
      this.writer.unsigned(count)
      this.writer.byte(valueTypeCodes[type])
    }
  }

  /** Instructions from `start` on; the last one leaves the value of the whole when there is a `type`. */
  private sequence(parts: Code, start: number, type: ValueType | undefined): Outcome {
    const last = parts.length - 1
    let outcome: Outcome = 'nothing'
    for (let i = start; i <= last; i++) {
      const part = parts[i]!
      outcome = this.instruction(part, parts)
      if (i === last && type !== undefined) break
      if (outcome !== 'nothing' && outcome !== 'never') {
        throw this.error(part, `leaves a ${outcome} that nothing uses`)
      }
    }
    if (type !== undefined && outcome !== type && outcome !== 'never') {
      throw this.error(parts, `should end with a value of type ${type}, but ends with ${outcome}`)
    }
    return type ?? outcome
  }

  private instruction(code: Wat, within: Code): Outcome {
    if (!Array.isArray(code)) {
      throw this.error(
        within,
        `expected an instruction, found ${code === undefined ? 'undefined' : printWat(code)}`,
      )
    }
    const parts = code as Code
    const plain = instructions.get(parts[0] as string)
    return plain === undefined ? this.control(parts) : this.plain(parts, plain)
  }

  private plain(code: Code, instruction: Instruction): Outcome {
    let start = 1
    while (start < code.length && !Array.isArray(code[start]) && code[start] !== undefined) start++
    const { operands } = instruction
    if (code.length - start !== operands.length) {
      throw this.error(code, `takes ${count(operands.length, 'operand')}, got ${code.length - start}`)
    }
    for (let i = 0; i < operands.length; i++) this.operand(code, start + i, operands[i]!)
    if (instruction.prefix === 0) {
      this.writer.byte(instruction.opcode)
    } else {
      this.writer.byte(instruction.prefix)
      this.writer.unsigned(instruction.opcode)
    }
    const problem = writeImmediates(this.writer, instruction, code, start)
    if (problem !== undefined) throw this.error(code, problem)
    if (instruction.opcode === 0 && instruction.prefix === 0) return 'never'
    return instruction.result ?? 'nothing'
  }

  private operand(code: Code, position: number, expected: ValueType): void {
    const outcome = this.instruction(code[position]!, code)
    if (outcome !== expected && outcome !== 'never') {
      throw this.error(code, `operand ${printWat(code[position]!)} should be ${expected}, but is ${outcome}`)
    }
  }

  private control(code: Code): Outcome {
    switch (code[0]) {
      case 'local.get':
        return this.variable(code, 0x20, 0)
      case 'local.set':
        return this.variable(code, 0x21, 1)
      case 'local.tee':
        return this.variable(code, 0x22, 1)
      case 'block':
        return this.block(code, 0x02)
      case 'loop':
        return this.block(code, 0x03)
      case 'if':
        return this.conditional(code)
      case 'br':
        return this.branch(code)
      case 'br_if':
        return this.branchIf(code)
      case 'return':
        this.optionalValue(code, 1, this.result)
        this.writer.byte(0x0f)
        return 'never'
      case 'call':
        return this.call(code)
      case 'drop':
        this.expectLength(code, 2)
        if (this.instruction(code[1]!, code) === 'nothing')
          throw this.error(code, 'there is no value to drop')
        this.writer.byte(0x1a)
        return 'nothing'
      case 'select':
        return this.select(code)
      default:
        throw this.error(code, `unknown instruction '${String(code[0])}'`)
    }
  }

  private variable(code: Code, opcode: number, operandCount: number): Outcome {
    const local = this.locals.get(code[1] as string)
    if (local === undefined) throw this.error(code, `unknown local ${String(code[1])}`)
    this.expectLength(code, 2 + operandCount)
    if (operandCount === 1) this.operand(code, 2, local.type)
    this.writer.byte(opcode)
    this.writer.unsigned(local.index)
    return opcode === 0x21 ? 'nothing' : local.type
  }

  private block(code: Code, opcode: number): Outcome {
    const { label, type, next } = this.readBlockHead(code)
    this.writer.byte(opcode)
    this.writer.byte(type === undefined ? emptyBlockType : valueTypeCodes[type])
    // A branch to a loop goes to its start, which takes no value.
    this.labels.push({ name: label, type: opcode === 0x03 ? undefined : type })
    this.sequence(code, next, type)
    this.labels.pop()
    this.writer.byte(end)
    return type ?? 'nothing'
  }

  private conditional(code: Code): Outcome {
    const { label, type, next } = this.readBlockHead(code)
    this.operand(code, next, 'i32')
    const whenTrue = code[next + 1]
    const whenFalse = code[next + 2]
    if (!isBranch(whenTrue, 'then') || (whenFalse !== undefined && !isBranch(whenFalse, 'else'))) {
      throw this.error(code, "an if is ['if', condition, ['then', ...], ['else', ...]?]")
    }
    if (type !== undefined && whenFalse === undefined)
      throw this.error(code, 'an if with a result needs an else')
    this.writer.byte(0x04)
    this.writer.byte(type === undefined ? emptyBlockType : valueTypeCodes[type])
    this.labels.push({ name: label, type })
    this.sequence(whenTrue, 1, type)
    if (whenFalse !== undefined) {
      this.writer.byte(0x05)
      this.sequence(whenFalse as Code, 1, type)
    }
    this.labels.pop()
    this.writer.byte(end)
    return type ?? 'nothing'
  }

  private readBlockHead(code: Code): { label: string; type: ValueType | undefined; next: number } {
    let next = 1
    let label = ''
    if (typeof code[next] === 'string') label = code[next++] as string
    const part = code[next]
    if (!Array.isArray(part) || part[0] !== 'result') return { label, type: undefined, next }
    return { label, type: readResult(part), next: next + 1 }
  }

  private branch(code: Code): Outcome {
    const { depth, type } = this.findLabel(code)
    this.optionalValue(code, 2, type)
    this.writer.byte(0x0c)
    this.writer.unsigned(depth)
    return 'never'
  }

  private branchIf(code: Code): Outcome {
    const { depth, type } = this.findLabel(code)
    if (type !== undefined)
      throw this.error(code, 'a conditional branch with a value is not supported: use if')
    this.expectLength(code, 3)
    this.operand(code, 2, 'i32')
    this.writer.byte(0x0d)
    this.writer.unsigned(depth)
    return 'nothing'
  }

  private findLabel(code: Code): { depth: number; type: ValueType | undefined } {
    for (let i = this.labels.length - 1; i >= 0; i--) {
      const label = this.labels[i]!
      if (label.name === code[1]) return { depth: this.labels.length - 1 - i, type: label.type }
    }
    throw this.error(code, `unknown label ${String(code[1])}`)
  }

  private optionalValue(code: Code, position: number, type: ValueType | undefined): void {
    this.expectLength(code, type === undefined ? position : position + 1)
    if (type !== undefined) this.operand(code, position, type)
  }

  private call(code: Code): Outcome {
    const callee = this.scope.functions.get(code[1] as string)
    if (callee === undefined) throw this.error(code, `unknown function ${String(code[1])}`)
    const { params, result } = callee.signature
    this.expectLength(code, 2 + params.length)
    params.forEach((type, i) => this.operand(code, 2 + i, type))
    this.writer.byte(0x10)
    this.writer.unsigned(callee.index)
    return result ?? 'nothing'
  }

  // select with a stated result is a different opcode, allowed for every type; kernels need only the plain one.
  private select(code: Code): Outcome {
    this.expectLength(code, 4)
    const type = this.instruction(code[1]!, code)
    if (type === 'nothing' || type === 'never')
      throw this.error(code, 'select needs two values and a condition')
    this.operand(code, 2, type)
    this.operand(code, 3, 'i32')
    this.writer.byte(0x1b)
    return type
  }

  private expectLength(code: Code, length: number): void {
    if (code.length !== length) {
      throw this.error(
        code,
        `${String(code[0])} should have ${count(length - 1, 'part')}, has ${code.length - 1}`,
      )
    }
  }

  private error(code: Code | Wat, problem: string): BackendError {
    const text = printSafely(code)
    const name = typeof this.field[1] === 'string' ? this.field[1] : 'a function without a name'
    return new BackendError(`assemble: in ${name}: ${problem}: ${text}`)
  }
}

const isBranch = (code: Wat | undefined, kind: 'then' | 'else'): code is Code =>
  Array.isArray(code) && code[0] === kind

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`

// Code in an error may be broken (an undefined operand), and long.
function printSafely(code: Code | Wat): string {
  const printable = (part: unknown): Wat => {
    if (Array.isArray(part)) return part.map(printable)
    return typeof part === 'number' ? part : String(part)
  }
  const text = printWat(printable(code)).replaceAll(/\s+/g, ' ')
  return text.length > 200 ? `${text.slice(0, 200)} ...` : text
}
