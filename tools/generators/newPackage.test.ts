// Generates a package into a small workspace and holds it to the floor check and to its own sample.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkFloors } from '../layers/rules.mjs'
import { root } from '../layers/workspace.mjs'
import { newPackage, withTableRow } from './newPackage.mjs'

const readme = [
  '# Title',
  '',
  '| floor | package | holds |',
  '| --- | --- | --- |',
  '| 0 | low | x |',
  '| 5 | high | y |',
  '',
]

let workspace = ''

beforeEach(() => {
  workspace = mkdtempSync(join(tmpdir(), 'nabla-new-'))
  mkdirSync(join(workspace, 'tools/layers'), { recursive: true })
  mkdirSync(join(workspace, 'packages'))
  writeFileSync(join(workspace, 'tools/layers/floors.json'), '[]\n')
  writeFileSync(join(workspace, 'README.md'), readme.join('\n'))
  cpSync(join(root, 'tsconfig.base.json'), join(workspace, 'tsconfig.base.json'))
})

afterEach(() => rmSync(workspace, { recursive: true }))

test('a new package keeps every floor rule and has its rows', () => {
  newPackage(workspace, { name: 'high', floor: 5 })
  newPackage(workspace, { name: 'text-tools', floor: 3, description: 'Words.' })
  expect(checkFloors(workspace)).toEqual([])
  const rows = JSON.parse(readFileSync(join(workspace, 'tools/layers/floors.json'), 'utf8'))
  expect(rows.map((row: { name: string }) => row.name)).toEqual(['@nabla/text-tools', '@nabla/high'])
  const table = readFileSync(join(workspace, 'README.md'), 'utf8').split('\n').slice(4)
  expect(table[1]).toBe('| 3 | [`@nabla/text-tools`](packages/text-tools) | Words. |')
  expect(readdirSync(join(workspace, 'packages/text-tools/src')).sort()).toEqual([
    'describe.test.ts',
    'describe.ts',
    'index.ts',
  ])
})

test.each([
  [{ name: 'Bad Name', floor: 1 }, 'is no package name'],
  [{ name: '../outside', floor: 1 }, 'is no package name'],
  [{ name: 'text', floor: 1.5 }, 'is no floor'],
  [{ name: 'text', floor: -1 }, 'is no floor'],
])('refuses %o and writes nothing', (request, message) => {
  expect(() => newPackage(workspace, request)).toThrow(message)
  expect(readdirSync(join(workspace, 'packages'))).toEqual([])
})

test('refuses a name that is taken', () => {
  newPackage(workspace, { name: 'text', floor: 3 })
  expect(() => newPackage(workspace, { name: 'text', floor: 4 })).toThrow('packages/text exists already')
})

test('a private row without a number stays last', () => {
  const table = [
    '| floor | package | holds |',
    '| --- | --- | --- |',
    '| 6 | nabla | all |',
    '| - | tests | all |',
  ]
  const row = { name: '@nabla/x', folder: 'packages/x', floor: 8, description: 'X.' }
  expect(withTableRow(table.join('\n'), row).split('\n')[3]).toBe('| 8 | [`@nabla/x`](packages/x) | X. |')
})

test('a README without a table is an error, and nothing is written', () => {
  writeFileSync(join(workspace, 'README.md'), '# Title\n')
  expect(() => newPackage(workspace, { name: 'text', floor: 3 })).toThrow('has no package table')
  expect(readdirSync(join(workspace, 'packages'))).toEqual([])
})
