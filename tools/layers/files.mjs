// Walks folders for the checks: which files are written by hand, and which are tests.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const skippedFolders = new Set(['node_modules', 'dist', 'goldens', 'fixtures'])

/** Hand-written TypeScript and JavaScript files below `folder`, sorted, relative to `workspace`. */
export function sourceFiles(workspace, folder) {
  const found = []
  const visit = (relative) => {
    for (const entry of readdirSync(join(workspace, relative), { withFileTypes: true })) {
      const path = `${relative}/${entry.name}`
      if (entry.isDirectory()) {
        const skipped = entry.name.startsWith('.') || skippedFolders.has(entry.name)
        if (!skipped) visit(path)
      } else if (/\.(ts|mts|js|mjs)$/.test(entry.name) && !entry.name.endsWith('.inlined.ts')) {
        found.push(path)
      }
    }
  }
  visit(folder)
  return found.sort()
}

/** Tests lie beside their sources and are told by name; `testing.ts` and `testing/` hold what tests share. */
export function isTest(file) {
  return file.endsWith('.test.ts') || /(^|\/)testing(\.ts$|\/)/.test(file)
}

/** Tests that only Node runs; the only files of a browser-shared package that may import `node:` modules. */
export function isNodeTest(file) {
  return file.endsWith('.node.test.ts')
}
