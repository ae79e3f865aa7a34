// The assembler: a module as nested arrays (wat.ts) to WebAssembly bytes. It knows the sections kernels need (imports of
// a memory and of functions, functions, exports) and nothing else: no tables, globals, data, or text to parse. Bodies of
// functions are encoder.ts; how instructions are encoded is opcodes.ts. Tests compare its bytes with a general
// text assembler's. About a tenth of a millisecond a kernel, so modules are assembled at run time, when first needed.
import { BackendError } from '@nabla/engine'
import { ByteWriter } from './bytes.ts'
import { encodeFunctionBody } from './encoder.ts'
import type { ValueType } from './opcodes.ts'
import { printWat } from './print.ts'
import { readSignature, valueTypeCodes, type ModuleScope, type Signature } from './signature.ts'
import type { Wat } from './wat.ts'

interface FunctionImport {
  readonly kind: 'function'
  readonly from: string
  readonly field: string
  readonly typeIndex: number
}

interface MemoryImport {
  readonly kind: 'memory'
  readonly from: string
  readonly field: string
  readonly minimum: number
  readonly maximum: number | undefined
  readonly shared: boolean
}

// Shared by all calls: assembling is synchronous, and a buffer that has grown once stays large enough.
const writer = new ByteWriter()

/**
 * Assembles `['module', ...fields]`. Fields are imports of functions or of one memory, and functions.
 * @throws BackendError naming the function and the instruction when a name is unknown or types do not fit.
 */
export function assemble(module: Wat): Uint8Array<ArrayBuffer> {
  if (!Array.isArray(module) || module[0] !== 'module')
    throw new BackendError("assemble: expected ['module', ...]")
  const fields = (module as readonly Wat[]).slice(1)
  const imports = fieldsOf(fields, 'import')
  const functions = fieldsOf(fields, 'func')
  const unknown = fields.find((field) => !asField(field, 'import') && !asField(field, 'func'))
  if (unknown !== undefined) throw new BackendError(`assemble: unknown module field ${printWat(unknown)}`)

  const types: Signature[] = []
  const scope: ModuleScope & { functions: Map<string, { index: number; signature: Signature }> } = {
    functions: new Map(),
  }
  let functionCount = 0
  const declare = (name: Wat | undefined, signature: Signature): void => {
    const index = functionCount++
    if (typeof name !== 'string' || !name.startsWith('$')) return
    if (scope.functions.has(name)) throw new BackendError(`assemble: function ${name} is defined twice`)
    scope.functions.set(name, { index, signature })
  }
  const importEntries = imports.map((field) => readImport(field, types, declare))
  const importedCount = functionCount
  const typeIndices = functions.map((field) => {
    const signature = readSignature(field)
    declare(field[1], signature)
    return typeIndex(types, signature)
  })

  writer.position = 0
  for (const byte of [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]) writer.byte(byte)
  section(1, types, writeType)
  section(2, importEntries, writeImport)
  section(3, typeIndices, (index) => writer.unsigned(index))
  section(7, readExports(functions, importedCount), ({ name, index }) => {
    writer.name(name)
    writer.byte(0x00)
    writer.unsigned(index)
  })
  section(10, functions, (field) => writer.sized(() => encodeFunctionBody(writer, field, scope)))
  return writer.finish()
}

/** The field if it is of that kind: its array begins with the kind's name. */
const asField = (field: Wat | undefined, kind: string): readonly Wat[] | undefined =>
  Array.isArray(field) && field[0] === kind ? field : undefined

const fieldsOf = (fields: readonly Wat[], kind: string): (readonly Wat[])[] =>
  fields.map((field) => asField(field, kind)).filter((field) => field !== undefined)

// A section without entries is left out, as text assemblers do.
function section<Entry>(id: number, entries: readonly Entry[], write: (entry: Entry) => void): void {
  if (entries.length === 0) return
  writer.byte(id)
  writer.sized(() => {
    writer.unsigned(entries.length)
    for (const entry of entries) write(entry)
  })
}

function writeType(signature: Signature): void {
  writer.byte(0x60)
  writeValueTypes(signature.params)
  writeValueTypes(signature.result === undefined ? [] : [signature.result])
}

function writeValueTypes(types: readonly ValueType[]): void {
  writer.unsigned(types.length)
  for (const type of types) writer.byte(valueTypeCodes[type])
}

function writeImport(entry: FunctionImport | MemoryImport): void {
  writer.name(entry.from)
  writer.name(entry.field)
  if (entry.kind === 'function') {
    writer.byte(0x00)
    writer.unsigned(entry.typeIndex)
    return
  }
  writer.byte(0x02)
  writer.byte((entry.maximum === undefined ? 0 : 1) | (entry.shared ? 2 : 0))
  writer.unsigned(entry.minimum)
  if (entry.maximum !== undefined) writer.unsigned(entry.maximum)
}

function readImport(
  field: readonly Wat[],
  types: Signature[],
  declare: (name: Wat | undefined, signature: Signature) => void,
): FunctionImport | MemoryImport {
  const from = unquote(field[1], field)
  const name = unquote(field[2], field)
  const imported = asField(field[3], 'func')
  if (imported !== undefined) {
    const signature = readSignature(imported)
    declare(imported[1], signature)
    return { kind: 'function', from, field: name, typeIndex: typeIndex(types, signature) }
  }
  const memory = asField(field[3], 'memory')
  if (memory !== undefined) {
    const [minimum, maximum] = memory.slice(1).filter((part) => typeof part === 'number')
    if (minimum === undefined) throw new BackendError(`assemble: a memory needs a size: ${printWat(memory)}`)
    return { kind: 'memory', from, field: name, minimum, maximum, shared: memory.includes('shared') }
  }
  throw new BackendError(`assemble: only functions and memories are imported, not ${printWat(field)}`)
}

function readExports(
  functions: readonly (readonly Wat[])[],
  importedCount: number,
): { name: string; index: number }[] {
  return functions.flatMap((field, i) =>
    fieldsOf(field, 'export').map((part) => ({ name: unquote(part[1], part), index: importedCount + i })),
  )
}

function typeIndex(types: Signature[], signature: Signature): number {
  const found = types.findIndex(
    (type) => type.result === signature.result && type.params.join() === signature.params.join(),
  )
  return found >= 0 ? found : types.push(signature) - 1
}

function unquote(part: Wat | undefined, within: Wat): string {
  if (typeof part === 'string' && part.length >= 2 && part.startsWith('"') && part.endsWith('"')) {
    return part.slice(1, -1)
  }
  throw new BackendError(`assemble: expected a quoted name in ${printWat(within)}`)
}
