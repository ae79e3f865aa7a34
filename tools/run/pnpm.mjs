// Runs the pinned pnpm through npx, so that Node and npm are all that a machine needs. The pin is `packageManager` in package.json.
//   node tools/run/pnpm.mjs install
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** `pnpm@x.y.z`, as package.json pins it. */
export function pinnedPnpm() {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).packageManager
}

/** Runs pnpm with the arguments given, in the workspace, on this terminal. Returns its exit code. */
export function pnpm(args) {
  const { status, error } = spawnSync('npx', ['--yes', '--loglevel=error', pinnedPnpm(), ...args], {
    cwd: root,
    stdio: 'inherit',
    // npx is a script on Windows, which only a shell can start.
    shell: process.platform === 'win32',
  })
  if (error) throw error
  return status ?? 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = pnpm(process.argv.slice(2))
