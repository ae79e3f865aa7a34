// Installs the peers into this folder on first use, exactly as package-lock.json says. Nothing else of the project needs them.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))
const lockfile = join(folder, 'package-lock.json')
const stamp = join(folder, 'node_modules/.installed-lock.json')

/** Runs `npm ci` unless what is installed is what the lockfile says. @throws Error when npm fails */
export function ensureInstalled() {
  const wanted = readFileSync(lockfile, 'utf8')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  process.stderr.write('installing the libraries to compare with (about 750 MB) ...\n')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0)
    throw new Error('npm ci failed in tools/bench; --peers nabla,pytorch needs no installation')
  writeFileSync(stamp, wanted)
}

const require = createRequire(import.meta.url)

/**
 * Imports a peer's package. By a computed address, since these packages are no dependencies of the workspace.
 * @param name a package, or a file of one
 */
export async function load(name) {
  return import(pathToFileURL(require.resolve(name)).href)
}

/** The version of an installed peer. */
export function versionOf(name) {
  return JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version
}
