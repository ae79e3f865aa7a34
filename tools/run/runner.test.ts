// The result of `npm test` must not look better than what happened: planted failures of every kind have to be counted.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readReport, runCheck } from './runner.mjs'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nabla-runner-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

function count(report: object, code: number): [number, number, number] {
  const file = join(folder, 'report.json')
  writeFileSync(file, JSON.stringify(report))
  const { passed, failed, skipped } = readReport(file, code)
  return [passed, failed, skipped]
}

const allPassed = {
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 1,
  numTodoTests: 0,
  testResults: [],
}

test('counts what a report says', () => {
  expect(count(allPassed, 0)).toEqual([3, 0, 1])
  const file = { status: 'failed', assertionResults: [{ status: 'passed' }, { status: 'failed' }] }
  expect(count({ ...allPassed, numFailedTests: 1, testResults: [file] }, 1)).toEqual([3, 1, 1])
})

test('a file that could not be loaded is a failure', () => {
  const broken = { status: 'failed', assertionResults: [] }
  expect(count({ ...allPassed, testResults: [broken, broken] }, 1)).toEqual([3, 2, 1])
})

test('a crash after the last test, an empty run and a missing report are failures', () => {
  expect(count(allPassed, 1)).toEqual([3, 1, 1])
  expect(count({ ...allPassed, numPassedTests: 0 }, 0)).toEqual([0, 1, 1])
  expect(readReport(join(folder, 'absent.json'), 0)).toMatchObject({ passed: 0, failed: 1 })
})

test('a command counts by its exit code, and its output is kept', async () => {
  const script = `console.log('said'); console.error('complained'); process.exit(Number(process.argv[1]))`
  const run = (code: string) => runCheck({ name: 'x', command: ['node', '-e', script, code] }, folder)
  expect(await run('0')).toMatchObject({ passed: 1, failed: 0 })
  const failed = await run('3')
  expect(failed).toMatchObject({ passed: 0, failed: 1 })
  expect(failed.output).toContain('said')
  expect(failed.output).toContain('complained')
})

test('a program that does not exist is a failure', async () => {
  const result = await runCheck({ name: 'x', command: ['no-such-program'] }, folder)
  expect(result).toMatchObject({ passed: 0, failed: 1 })
  expect(result.output).toContain('no-such-program')
})
