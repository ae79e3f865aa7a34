// A rollup plugin that writes `.d.ts` files and their maps. With `isolatedDeclarations` each file's declarations follow from
// that file alone, so no type checker is needed here. Starting from the entries it follows the imports inside the declarations:
// a file of types alone never reaches rollup, yet its declarations are needed.
import { readFile, rm } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { isolatedDeclaration } from 'oxc-transform'
import { findImports } from '../layers/imports.mjs'

/**
 * @param {{ sources: string, entries: string[] }} options folder of the sources and the absolute entry files
 * @returns {import('rollup').Plugin}
 */
export function declarations({ sources, entries }) {
  return {
    name: 'declarations',
    async generateBundle({ dir }) {
      const files = new Set(entries)
      // The set grows while it is walked: that is the traversal.
      for (const file of files) {
        const { code, map, errors } = await isolatedDeclaration(file, await readFile(file, 'utf8'), {
          sourcemap: true,
        })
        if (errors.length > 0) this.error(errors.map((error) => error.codeframe ?? error.message).join('\n'))
        const name = relative(sources, file).replace(/\.ts$/, '.d.ts')
        for (const { specifier } of findImports(name, code)) {
          if (specifier.startsWith('.')) files.add(resolve(dirname(file), specifier))
        }
        const mapName = `${name}.map`
        const output = resolve(dir, name)
        const shown = { ...map, sources: [relative(dirname(output), file)], sourcesContent: undefined }
        const base = mapName.split('/').at(-1)
        this.emitFile({
          type: 'asset',
          fileName: name,
          source: `${withJsExtensions(code)}//# sourceMappingURL=${base}\n`,
        })
        this.emitFile({ type: 'asset', fileName: mapName, source: JSON.stringify(shown) })
      }
    },
    // Files of an earlier build whose source is gone must not be published.
    async renderStart({ dir }) {
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** `from './x.ts'` and `import('./x.ts')` name sources; consumers find `./x.js` and, beside it, `./x.d.ts`. */
function withJsExtensions(code) {
  return code.replace(/((?:from|import)\s*\(?\s*["']\.[^"']*)\.ts(["'])/g, '$1.js$2')
}
