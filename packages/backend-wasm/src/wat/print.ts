// Prints code as WebAssembly text, for people (NABLA_DEBUG=kernels) and for the text assembler that tests compare with.
// Nothing that runs depends on this.
import type { Wat } from './wat.ts'

const lineWidth = 110

// What holds statements is always broken into lines: a loop on one line is hard to read however short it is.
const holdsStatements: readonly Wat[] = ['module', 'func', 'loop', 'block', 'if', 'then', 'else']

/** The text of a piece of code: one line where that is short, otherwise a line for each part, indented. */
export function printWat(code: Wat): string {
  return printIndented(code, '')
}

function printIndented(code: Wat, indent: string): string {
  if (!Array.isArray(code)) return indent + printFlat(code)
  const parts = code as readonly Wat[]
  const line = indent + printFlat(parts)
  const firstChild = parts.findIndex((part) => Array.isArray(part))
  const breaks = holdsStatements.includes(parts[0]!) || line.length > lineWidth
  if (firstChild < 0 || !breaks) return line
  // Names, labels and immediates stay on the first line.
  const head = parts.slice(0, firstChild).map(printFlat).join(' ')
  const children = parts.slice(firstChild).map((child) => printIndented(child, indent + '  '))
  return `${indent}(${[head, ...children].join('\n')})`
}

function printFlat(code: Wat): string {
  if (typeof code === 'number') return printNumber(code)
  if (typeof code === 'string') return code
  return `(${code.map(printFlat).join(' ')})`
}

/** A number as WebAssembly text. */
export function printNumber(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (value === Infinity) return 'inf'
  if (value === -Infinity) return '-inf'
  return Object.is(value, -0) ? '-0' : String(value)
}
