// What `npm test` checks, in order: quick ones first. To add a check, add a row. How rows are run and counted: runner.mjs.
import { blasProblem } from './blas.mjs'
import { chromiumPath } from './chromium.mjs'

/**
 * One row of the test run.
 * @typedef {object} Check
 * @property {string} name
 * @property {string[]} command program from node_modules/.bin, or `node`, and its arguments
 * @property {string} [report] where a test runner writes its JSON report; without one the check counts as one
 * @property {string} [missing] why the check cannot run on this machine
 * @property {boolean} [optional] whether a missing one is no failure even where every change is judged
 */

/** @returns {Check[]} */
export function listChecks() {
  return [
    { name: 'format', command: ['oxfmt', '--check'] },
    { name: 'lint', command: ['oxlint', '--deny-warnings'] },
    { name: 'floors', command: ['node', 'tools/layers/check.mjs'] },
    { name: 'inlined workers', command: ['node', 'tools/build/inline-workers.mjs', '--check'] },
    { name: 'dependency versions (sherif)', command: ['sherif'] },
    { name: 'unused code (knip)', command: ['knip', '--no-progress'] },
    { name: 'types', command: ['node', 'tools/run/typecheck.mjs'] },
    { name: 'build', command: ['node', 'tools/build/build.mjs'] },
    { name: 'package contents (publint)', command: ['node', 'tools/build/check-packages.mjs'] },
    tests('tests in Node', 'node'),
    { ...tests('conformance with native products', 'blas'), ...blasMissing() },
    tests('samples in the documentation', 'samples'),
    { ...tests('tests in Chromium', 'browser'), ...browserMissing() },
  ]
}

function tests(name, project) {
  const report = `.cache/reports/${project}.json`
  const options = [
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]
  const command = [
    'vitest',
    'run',
    '--config',
    'tools/build/vitest.config.ts',
    '--silent=passed-only',
    ...options,
  ]
  return { name, command, report }
}

function blasMissing() {
  const problem = blasProblem()
  return problem === null ? {} : { missing: problem, optional: true }
}

function browserMissing() {
  if (chromiumPath() !== null) return {}
  const wanted = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
  return { missing: `no browser at ${wanted}: install Chromium or set CHROMIUM_PATH` }
}
