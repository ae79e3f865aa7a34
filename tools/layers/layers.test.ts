// Plants one mistake at a time in a small workspace and expects the floor check to name it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkLengths } from './lengths.mjs'
import { checkFloors } from './rules.mjs'

let workspace = ''

function write(file: string, content: unknown): void {
  const path = join(workspace, file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
}

beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), 'nabla-floors-'))
  write('tools/layers/floors.json', [
    { name: '@nabla/low', folder: 'packages/low', floor: 0 },
    { name: '@nabla/left', folder: 'packages/left', floor: 1 },
    { name: '@nabla/right', folder: 'packages/right', floor: 1 },
    { name: '@nabla/top', folder: 'packages/top', floor: 2, node: true },
  ])
  write('packages/low/package.json', { name: '@nabla/low' })
  write('packages/low/tsconfig.json', {})
  for (const name of ['left', 'right', 'top']) {
    write(`packages/${name}/package.json`, {
      name: `@nabla/${name}`,
      dependencies: { '@nabla/low': 'workspace:*', ndarray: 'catalog:' },
      devDependencies: { watr: 'catalog:' },
    })
    write(`packages/${name}/tsconfig.json`, { references: [{ path: '../low' }] })
  }
  write('packages/low/src/index.ts', 'export const one: number = 1\n')
  write(
    'packages/left/src/index.ts',
    `import { one } from '@nabla/low'\nimport ndarray from 'ndarray'\nexport { two } from './two.ts'\n`,
  )
  write('packages/left/src/two.test.ts', `import { test } from 'vitest'\nimport watr from 'watr'\n`)
  write('packages/left/src/file.node.test.ts', `import { readFileSync } from 'node:fs'\n`)
  write('packages/top/src/index.ts', `import { readFileSync } from 'node:fs'\n`)
})

afterEach(() => rmSync(workspace, { recursive: true }))

test('a tidy workspace has no problems', () => {
  expect(checkFloors(workspace)).toEqual([])
})

test.each([
  ['upwards', `import { top } from '@nabla/top'`, 'packages/low/src/bad.ts', 'reaches upwards to @nabla/top'],
  [
    'sideways',
    `export * from '@nabla/right'`,
    'packages/left/src/bad.ts',
    'reaches sideways to @nabla/right',
  ],
  ['upwards in a type', `type T = import('@nabla/top').T`, 'packages/left/src/bad.ts', 'reaches upwards'],
  ['upwards, dynamic', `await import('@nabla/top')`, 'packages/left/src/bad.ts', 'reaches upwards'],
  [
    'upwards in a test',
    `import { top } from '@nabla/top'`,
    'packages/left/src/bad.test.ts',
    'reaches upwards',
  ],
  ['undeclared', `import chalk from 'chalk'`, 'packages/left/src/bad.ts', 'imports chalk, which'],
  [
    'undeclared, but lower',
    `import '@nabla/right'`,
    'packages/top/src/bad.ts',
    'imports @nabla/right, which',
  ],
  ['a development dependency', `import watr from 'watr'`, 'packages/left/src/bad.ts', 'imports watr, which'],
  [
    'vitest in a source',
    `import { test } from 'vitest'`,
    'packages/left/src/bad.ts',
    'imports vitest, which',
  ],
  ['node: in a source', `import fs from 'node:fs'`, 'packages/left/src/bad.ts', 'exists in Node alone'],
  [
    'node: without prefix',
    `import fs from 'fs/promises'`,
    'packages/left/src/bad.ts',
    'exists in Node alone',
  ],
  [
    'node: in a shared test',
    `import fs from 'node:fs'`,
    'packages/left/src/bad.test.ts',
    'exists in Node alone',
  ],
  ['require', `const fs = require('fs')`, 'packages/left/src/bad.ts', 'exists in Node alone'],
  ['itself', `import { one } from '@nabla/low'`, 'packages/low/src/bad.ts', 'imports its own package'],
  [
    'out of the package',
    `import '../../low/src/index.ts'`,
    'packages/left/src/bad.ts',
    'leaves packages/left',
  ],
  ['no extension', `import './two'`, 'packages/left/src/bad.ts', 'Write the extension'],
])('an import %s is a problem', (_what, code, file, message) => {
  write(file, `// first line\n${code}\n`)
  const problems = checkFloors(workspace)
  expect(problems).toHaveLength(1)
  expect(problems[0]).toContain(`${file}:2: `)
  expect(problems[0]).toContain(message)
})

test('a dependency that is declared but not imported counts too', () => {
  write('packages/low/package.json', { name: '@nabla/low', devDependencies: { '@nabla/top': 'workspace:*' } })
  expect(checkFloors(workspace).join('\n')).toContain(
    'packages/low/package.json: @nabla/low (floor 0) reaches upwards',
  )
})

test('a missing and a superfluous tsconfig reference are problems', () => {
  write('packages/left/tsconfig.json', { references: [{ path: '../right' }] })
  const problems = checkFloors(workspace).join('\n')
  expect(problems).toContain('has no reference to @nabla/low')
  expect(problems).toContain('refers to packages/right')
})

test('a package without a row and rows out of order are problems', () => {
  write('packages/stray/package.json', { name: '@nabla/stray' })
  write('tools/layers/floors.json', [
    { name: '@nabla/left', folder: 'packages/left', floor: 1 },
    { name: '@nabla/low', folder: 'packages/low', floor: 0 },
  ])
  const problems = checkFloors(workspace).join('\n')
  expect(problems).toContain('packages/stray has no row')
  expect(problems).toContain('@nabla/low stands after a higher floor')
})

test('long files: a warning above 400 lines, an error above 600', () => {
  write('packages/left/src/long.ts', '// a line\n'.repeat(401))
  write('packages/left/src/longer.ts', '// a line\n'.repeat(601))
  const { warnings, problems } = checkLengths(workspace)
  expect(warnings).toEqual(['packages/left/src/long.ts: 401 lines, more than 400.'])
  expect(problems).toHaveLength(1)
  expect(problems[0]).toContain('packages/left/src/longer.ts: 601 lines')
})
