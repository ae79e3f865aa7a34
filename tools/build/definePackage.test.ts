// Builds a small package for real and loads what came out.
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rollup } from 'rollup'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { definePackage } from './definePackage.mjs'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-build-'))
  cpSync(fileURLToPath(new URL('fixtures/package', import.meta.url)), folder, { recursive: true })
})

afterEach(() => rmSync(folder, { recursive: true }))

async function build(): Promise<void> {
  const options = definePackage({ folder })
  const bundle = await rollup(options)
  await bundle.write(options.output)
}

test('writes modules, and declarations (of files with types alone as well) with maps to the sources', async () => {
  await build()
  const written = readdirSync(join(folder, 'dist')).sort()
  const pieces = ['extra.d.ts', 'extra.d.ts.map', 'extra.js', 'index.d.ts', 'index.d.ts.map']
  expect(written).toEqual([...pieces, 'index.js', 'types.d.ts', 'types.d.ts.map'])
  const module = await import(/* @vite-ignore */ pathToFileURL(join(folder, 'dist/index.js')).href)
  expect([module.size([2, 3]), module.half(3)]).toEqual([6, 1.5])
  const declaration = readFileSync(join(folder, 'dist/index.d.ts'), 'utf8')
  expect(declaration).toContain(`from "./types.js"`)
  expect(declaration).toContain('Number of elements')
  expect(JSON.parse(readFileSync(join(folder, 'dist/index.d.ts.map'), 'utf8')).sources).toEqual([
    '../src/index.ts',
  ])
})

test('removes what an earlier build left behind', async () => {
  await build()
  writeFileSync(join(folder, 'dist/stale.js'), '')
  await build()
  expect(readdirSync(join(folder, 'dist'))).not.toContain('stale.js')
})

test.each([
  ['an undeclared import', `import chalk from 'chalk'\nexport const red: string = chalk.red('x')\n`, 'chalk'],
  ['an export without a type', `export const shape = [1, 2].map(String)\n`, 'isolatedDeclarations'],
  ['a syntax error', `export const = 1\n`, 'Unexpected token'],
])('fails on %s', async (_what, code, message) => {
  writeFileSync(
    join(folder, 'src/extra.ts'),
    `${code}export function half(value: number): number {\n  return value / 2\n}\n`,
  )
  await expect(build()).rejects.toThrow(message)
})
