// Runs TypeScript programs on plain Node through the loader hook, one that is right and one that is no TypeScript at all.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const register = fileURLToPath(new URL('register.mjs', import.meta.url))

function run(file: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--import', register, file], { encoding: 'utf8' })
}

test('removes types while loading', () => {
  const { status, stdout, stderr } = run(fileURLToPath(new URL('fixtures/program.ts', import.meta.url)))
  expect(stderr).toBe('')
  expect([status, stdout]).toEqual([0, '6\n'])
})

test('names the file of a syntax error', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nabla-register-'))
  writeFileSync(join(folder, 'broken.ts'), 'const = 1\n')
  const { status, stderr } = run(join(folder, 'broken.ts'))
  rmSync(folder, { recursive: true })
  expect(status).toBe(1)
  expect(stderr).toContain('broken.ts')
})
