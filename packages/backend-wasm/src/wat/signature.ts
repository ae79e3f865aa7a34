// What the head of a function says: ['func', '$name', ['export', '"run"'], ['param', '$x', 'v128'], ['result', 'v128'],
// ['local', '$t', 'i32'], ...body]. Read by both the module's and the function body's writer.
import { BackendError } from '@nabla/engine'
import type { ValueType } from './opcodes.ts'
import { printWat } from './print.ts'
import type { Wat } from './wat.ts'

/** The types a function takes and returns; no function here returns more than one value. */
export interface Signature {
  readonly params: readonly ValueType[]
  readonly result: ValueType | undefined
}

/** What function bodies need to know of the module around them. */
export interface ModuleScope {
  /** Signature and index of each function, imported ones first, by name. */
  readonly functions: ReadonlyMap<string, { readonly index: number; readonly signature: Signature }>
}

/** The byte that stands for each type. */
export const valueTypeCodes: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
}

/** Whether a part of a function's array belongs to its head rather than to its body. */
export function isSignaturePart(part: Wat): boolean {
  if (typeof part === 'string') return part.startsWith('$')
  if (typeof part === 'number') return false
  return part[0] === 'param' || part[0] === 'result' || part[0] === 'local' || part[0] === 'export'
}

/** A type from its name. @throws BackendError when there is no such type. */
export function readValueType(part: Wat | undefined, within: Wat): ValueType {
  if (typeof part === 'string' && Object.hasOwn(valueTypeCodes, part)) return part as ValueType
  throw new BackendError(
    `assemble: expected a type (${Object.keys(valueTypeCodes).join(', ')}) in ${printWat(within)}`,
  )
}

/** Parameters and result of a function or of an import. */
export function readSignature(field: readonly Wat[]): Signature {
  const params: ValueType[] = []
  let result: ValueType | undefined
  for (const part of field) {
    if (!Array.isArray(part)) continue
    if (part[0] === 'param') for (const { type } of readDeclaration(part)) params.push(type)
    else if (part[0] === 'result') result = readResult(part)
    else if (!isSignaturePart(part)) break
  }
  return { params, result }
}

/** The type of ['result', type]. */
export function readResult(part: readonly Wat[]): ValueType {
  if (part.length > 2) throw new BackendError(`assemble: one result at most, not ${printWat(part)}`)
  return readValueType(part[1], part)
}

/** What ['param', '$x', 'i32'], ['local', 'i32', 'i32'] and the like declare. */
export function readDeclaration(part: readonly Wat[]): { name: string | undefined; type: ValueType }[] {
  const first = part[1]
  if (typeof first === 'string' && first.startsWith('$'))
    return [{ name: first, type: readValueType(part[2], part) }]
  return part.slice(1).map((type) => ({ name: undefined, type: readValueType(type, part) }))
}
