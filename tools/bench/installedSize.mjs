// How many bytes an installation has. Of the peers: what lies in node_modules for a package and all it depends on. Of Nabla,
// which is not installed from a registry here: what npm would pack of each of its packages, and what they depend on.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))
const workspacePackages = join(folder, '../../packages')

/** Megabytes of packages in this folder's node_modules, with all that they depend on. */
export function installedMegabytes(names) {
  const seen = new Set()
  const visit = (name) => {
    const place = join(folder, 'node_modules', name)
    if (seen.has(name) || !existsSync(place)) return
    seen.add(name)
    for (const needed of Object.keys(manifestOf(place).dependencies ?? {})) visit(needed)
  }
  names.forEach(visit)
  return [...seen].reduce((sum, name) => sum + bytesOf(join(folder, 'node_modules', name)), 0) / 1e6
}

/**
 * Of a package of this workspace: megabytes on disk after its installation, and as downloaded. Null without a build.
 * @param name the name of its folder
 */
export function publishedMegabytes(name) {
  if (!existsSync(join(workspacePackages, name, 'dist'))) return null
  const own = new Set()
  const others = new Set()
  const visit = (place) => {
    const set = place.startsWith(workspacePackages) ? own : others
    if (set.has(place)) return
    set.add(place)
    const { resolve } = createRequire(join(place, 'package.json'))
    for (const needed of Object.keys(manifestOf(place).dependencies ?? {})) {
      const nabla = needed.match(/^@nabla\/(.*)$/)
      visit(nabla === null ? dirname(resolve(`${needed}/package.json`)) : join(workspacePackages, nabla[1]))
    }
  }
  visit(join(workspacePackages, name))
  const { status, stdout, stderr } = spawnSync('npm', ['pack', '--dry-run', '--json', ...own], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`npm pack failed: ${stderr.trim().split('\n').at(-1)}`)
  const packed = JSON.parse(stdout)
  const foreign = [...others].reduce((sum, place) => sum + bytesOf(place), 0)
  const total = (field) => packed.reduce((sum, one) => sum + one[field], 0)
  return { megabytes: (total('unpackedSize') + foreign) / 1e6, packedMegabytes: total('size') / 1e6 }
}

function manifestOf(place) {
  return JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'))
}

function bytesOf(place) {
  return readdirSync(place, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(place, entry.name)
    // In a linked installation a package's own dependencies lie inside of it as links; they are counted by themselves.
    if (entry.isSymbolicLink() || entry.name === 'node_modules') return sum
    return sum + (entry.isDirectory() ? bytesOf(path) : statSync(path).size)
  }, 0)
}
