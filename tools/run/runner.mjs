// Runs one check of `npm test` and counts what passed and failed. A check's output is kept and shown only if it failed.
import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const tooLong = 10 * 60 * 1000

/**
 * @param {import('./checks.mjs').Check} check
 * @param {string} root folder of the workspace
 * @returns {Promise<{ passed: number, failed: number, skipped: number, seconds: number, output: string }>}
 */
export async function runCheck(check, root) {
  const report = check.report && join(root, check.report)
  // A report of an earlier run must not speak for this one.
  if (report) rmSync(report, { force: true })
  const started = Date.now()
  const { code, output } = await runCommand(check.command, root)
  const seconds = (Date.now() - started) / 1000
  const counts = report
    ? readReport(report, code)
    : { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 }
  return { ...counts, seconds, output }
}

/** Runs a command and gives back its exit code and all it printed. */
function runCommand([program, ...args], root) {
  const path = [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter)
  const isNode = program === 'node'
  return new Promise((resolve) => {
    const child = spawn(isNode ? process.execPath : program, args, {
      cwd: root,
      env: { ...process.env, PATH: path },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: tooLong,
      // Programs in .bin are scripts on Windows, which only a shell can start.
      shell: process.platform === 'win32' && !isNode,
    })
    let output = ''
    const keep = (chunk) => (output += chunk)
    child.stdout.setEncoding('utf8').on('data', keep)
    child.stderr.setEncoding('utf8').on('data', keep)
    child.on('error', (error) => resolve({ code: 1, output: `${output}${error.message}\n` }))
    child.on('close', (code, signal) => {
      if (signal !== null)
        output += `\nended by ${signal}${signal === 'SIGTERM' ? `, after ${tooLong / 60_000} minutes` : ''}\n`
      resolve({ code: code ?? 1, output })
    })
  })
}

/** Counts of a vitest JSON report. A file that cannot be loaded, a crash and an empty run count as one failure each. */
export function readReport(file, code) {
  let report
  try {
    report = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  }
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  )
  const passed = report.numPassedTests
  const failed = report.numFailedTests + brokenFiles.length
  const nothingRan = passed + failed === 0
  const failedOtherwise = failed === 0 && (code !== 0 || nothingRan) ? 1 : 0
  return { passed, failed: failed + failedOtherwise, skipped: report.numPendingTests + report.numTodoTests }
}
