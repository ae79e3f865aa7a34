// Turns a worker's module into a source string, because a worker cannot be found by URL once a package has been bundled
// again by its consumer, nor when tests run from source. `x.worker.ts` becomes `x.worker.inlined.ts` beside it, which exports
// `workerSource`: give that to `new Worker(workerSource, { eval: true })` in Node, or to a Blob URL in a browser.
// The result is committed, so that no bundler, test runner or type checker needs to know about workers.
// The command is inline-workers.mjs.
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { rollup } from 'rollup'
import { sourceEntries } from '../layers/workspace.mjs'
import { oxcPlugin } from './oxcPlugin.mjs'

/** Name of the file that holds the source string of `worker`. */
export function inlinedName(worker) {
  return worker.replace(/\.worker\.ts$/, '.worker.inlined.ts')
}

/** Text of the TypeScript file that exports the bundled `worker` (an absolute path) as a string. */
export async function inlineWorker(worker) {
  const bundle = await rollup({
    input: worker,
    plugins: [workspaceSources(), oxcPlugin()],
    onLog(_level, log) {
      throw new Error(`${worker}: ${log.message}`)
    },
  })
  const { output } = await bundle.generate({ format: 'iife', inlineDynamicImports: true })
  const lines = output[0].code.trimEnd().split('\n')
  return [
    `// Made from ${basename(worker)} by \`npm run workers\`: change that file and run it again.`,
    'export const workerSource: string = [',
    ...lines.map((line) => `  ${JSON.stringify(line)},`),
    `].join('\\n')`,
    '',
  ].join('\n')
}

/** Bundles workspace packages from their sources; anything else that a worker imports is an error. */
function workspaceSources() {
  const entries = new Map(sourceEntries())
  return {
    name: 'workspace-sources',
    resolveId(id) {
      const file = entries.get(id)
      return file !== undefined && existsSync(file) ? file : null
    },
  }
}
