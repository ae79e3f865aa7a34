// The package `nabla` of this workspace: its build where there is one, else its sources (which then need the flags that
// peers.mjs gives the process).
import { existsSync, readFileSync } from 'node:fs'

const folder = new URL('../../../packages/nabla/', import.meta.url)
const built = new URL('dist/index.js', folder)

/** Where Nabla is loaded from. */
export const entry = existsSync(built) ? built : new URL('src/index.ts', folder)

/** Everything that `nabla` exports. */
export const nabla = await import(entry.href)

/** Its version, and what was measured. */
export const version = `${JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')).version} (${
  entry === built ? 'built' : 'from source'
})`

/** The entry that hands products to a native library. */
export function loadBlas() {
  const name = entry === built ? 'dist/blas.js' : 'src/blas.ts'
  return import(new URL(`../../../packages/backend-wasm/${name}`, import.meta.url).href)
}
