// The list of packages, low to high, as every tool sees it. floors.json is the one place where a package gets its floor;
// the floor check, the type check, the tests and the generator all read it through this file.
// It is not the check itself: that is rules.mjs.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the whole workspace. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Where the floors are written down. */
export const floorsFile = 'tools/layers/floors.json'

/**
 * One row of floors.json.
 * @typedef {object} Row
 * @property {string} name package name, such as `@nabla/tensor`
 * @property {string} folder folder relative to the workspace
 * @property {number} floor packages import only from lower floors
 * @property {boolean} [node] true for a package that runs in Node alone and may import `node:` modules
 */

/** @param {string} [workspace] @returns {Row[]} */
export function readFloors(workspace = root) {
  return JSON.parse(readFileSync(join(workspace, floorsFile), 'utf8'))
}

/** @param {string} folder @param {string} [workspace] */
export function readManifest(folder, workspace = root) {
  return JSON.parse(readFileSync(join(workspace, folder, 'package.json'), 'utf8'))
}

/**
 * Source files by import name, for tools that resolve packages on their own: `[['@nabla/tensor', '/.../src/index.ts'], ...]`.
 * @returns {[string, string][]}
 */
export function sourceEntries(workspace = root) {
  /** @type {[string, string][]} */
  const entries = []
  for (const { name, folder } of readFloors(workspace)) {
    for (const [subpath, target] of Object.entries(readManifest(folder, workspace).exports ?? {})) {
      const source = target['@nabla/source']
      if (source === undefined) continue
      const file = join(workspace, folder, source)
      if (existsSync(file)) entries.push([name + subpath.slice(1), file])
    }
  }
  return entries
}
