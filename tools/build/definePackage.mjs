// The rollup preset of every package: ES modules for Node 20.19 and current browsers, one output file per entry, with
// declarations that lead to the published sources. Entries come from the package's own `exports`, so there is nothing to
// configure. Any warning fails the build. Read next: oxcPlugin.mjs (types off), compactPlugin.mjs (comments off),
// declarations.mjs (types out).
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compactPlugin } from './compactPlugin.mjs'
import { declarations } from './declarations.mjs'
import { oxcPlugin } from './oxcPlugin.mjs'

/**
 * Rollup options for the package in `folder`.
 * @param {{ folder?: string }} [options]
 * @returns {import('rollup').RollupOptions & { output: import('rollup').OutputOptions }}
 */
export function definePackage({ folder = process.cwd() } = {}) {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const entries = sourceEntries(manifest)
  const sources = join(folder, 'src')
  return {
    input: Object.fromEntries(entries.map(({ name, source }) => [name, join(folder, source)])),
    external: isDeclaredBy(manifest),
    plugins: [
      oxcPlugin(),
      compactPlugin(),
      declarations({ sources, entries: entries.map(({ source }) => join(folder, source)) }),
    ],
    output: {
      dir: join(folder, 'dist'),
      format: 'es',
      // One file per entry: a file costs Node about a millisecond to find, read and link, and there are hundreds.
      entryFileNames: '[name].js',
      chunkFileNames: 'shared-[name].js',
    },
    onLog(level, log, handler) {
      if (level === 'warn') throw new Error(`${manifest.name}: ${log.message}`)
      handler(level, log)
    },
  }
}

/** `{ name: 'index', source: './src/index.ts' }` for each entry in `exports`, whose output must be where rollup puts it. */
function sourceEntries(manifest) {
  const entries = []
  for (const [subpath, target] of Object.entries(manifest.exports ?? {})) {
    const source = target['@nabla/source']
    if (source === undefined) continue
    const name = source.replace(/^\.\/src\//, '').replace(/\.ts$/, '')
    const expected = { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` }
    for (const [condition, file] of Object.entries(expected)) {
      if (target[condition] !== file) {
        throw new Error(
          `${manifest.name}: exports['${subpath}'].${condition} is ${target[condition]}, not ${file}`,
        )
      }
    }
    entries.push({ name, source })
  }
  if (entries.length === 0)
    throw new Error(`${manifest.name}: no entry of exports has an '@nabla/source' condition`)
  return entries
}

/** Only what a consumer's install brings along may stay an import; anything else is a warning, hence an error. */
function isDeclaredBy(manifest) {
  const names = Object.keys({
    ...manifest.dependencies,
    ...manifest.peerDependencies,
    ...manifest.optionalDependencies,
  })
  return (id) => names.some((name) => id === name || id.startsWith(`${name}/`))
}
