// Makes sure that everything is installed, and does nothing when it is. Plain Node: it runs before any package is there.
import { existsSync, readFileSync } from 'node:fs'
import { pinnedPnpm, pnpm } from './pnpm.mjs'

const lockfile = new URL('../../pnpm-lock.yaml', import.meta.url)
/** pnpm's own note of what it has installed. */
const installed = new URL('../../node_modules/.pnpm/lock.yaml', import.meta.url)

/** Installs what the lockfile says, unless that is what was installed last. Ends the process when it cannot. */
export function ensureInstalled() {
  checkNode()
  if (existsSync(installed) && readFileSync(installed, 'utf8') === readFileSync(lockfile, 'utf8')) return
  console.log(`Installing packages with ${pinnedPnpm()} ...`)
  const started = Date.now()
  const reporter = process.stdout.isTTY ? 'default' : 'append-only'
  const code = pnpm(['install', '--frozen-lockfile', `--reporter=${reporter}`])
  if (code !== 0) {
    console.error(
      `Installing failed with exit code ${code}. If package.json files have changed, run: npx ${pinnedPnpm()} install`,
    )
    process.exit(code)
  }
  console.log(`Installed in ${((Date.now() - started) / 1000).toFixed(1)} s.\n`)
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  console.error(`Nabla needs Node 20.19 or later; this is Node ${process.versions.node}.`)
  process.exit(1)
}
