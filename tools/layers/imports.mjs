// Finds every module that a file names: imports, re-exports, dynamic imports, type imports and require calls.
// It says nothing about whether they are allowed; that is rules.mjs.
import { parseSync } from 'oxc-parser'
import { lineAt, walk } from './syntax.mjs'

/** @returns {{ specifier: string, line: number }[]} */
export function findImports(filename, text) {
  const { program, errors } = parseSync(filename, text)
  if (errors.length > 0) throw new SyntaxError(`${filename}: ${errors[0].message}`)
  const found = []
  walk(program, (node) => {
    const source = moduleName(node)
    if (source?.type === 'Literal' && typeof source.value === 'string') {
      found.push({ specifier: source.value, line: lineAt(text, source.start) })
    }
  })
  return found
}

function moduleName(node) {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return node.source
    case 'CallExpression':
      return node.callee.type === 'Identifier' && node.callee.name === 'require' ? node.arguments[0] : null
    default:
      return null
  }
}
