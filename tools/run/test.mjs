// `npm test`: installs what is needed, then runs every check of checks.mjs, one line each, and prints what failed in full.
// The last line is `N passed, N failed`; the exit code is 1 if anything failed.
import { fileURLToPath } from 'node:url'
import { listChecks } from './checks.mjs'
import { ensureInstalled } from './install.mjs'
import { runCheck } from './runner.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const isTerminal = process.stdout.isTTY === true

ensureInstalled()

let passed = 0
let failed = 0
const skippedChecks = []

for (const check of listChecks()) {
  if (check.missing) {
    // Where every change is judged nothing may go untested; on one's own machine it is enough to be told.
    const isFailure = process.env.CI && !check.optional
    if (isFailure) failed += 1
    skippedChecks.push(check)
    console.log(`${isFailure ? 'FAILED ' : 'skipped'}  ${check.name}: ${check.missing}`)
    continue
  }
  if (isTerminal) process.stdout.write(`         ${check.name} ...`)
  const result = await runCheck(check, root)
  passed += result.passed
  failed += result.failed
  if (isTerminal) process.stdout.write('\r\u001b[K')
  console.log(`${result.failed > 0 ? 'FAILED ' : 'ok     '}  ${describe(check, result)}`)
  if (result.failed > 0) console.log(`\n${result.output.trim()}\n`)
}

for (const check of skippedChecks) {
  console.log(`\n!!! ${check.name.toUpperCase()} WERE SKIPPED: ${check.missing} !!!`)
}
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0

function describe(check, result) {
  const counts = [`${result.passed} passed`]
  if (result.failed > 0) counts.push(`${result.failed} failed`)
  if (result.skipped > 0) counts.push(`${result.skipped} skipped`)
  const counted = check.report ? `: ${counts.join(', ')}` : ''
  return `${check.name}${counted} (${result.seconds.toFixed(1)} s)`
}
