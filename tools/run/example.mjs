// Runs a TypeScript program of this workspace on plain Node: types are removed while loading, packages come from source.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Runs `file` (relative to the workspace) with `args` on this terminal and returns its exit code. */
export function runTypeScript(file, args = []) {
  const flags = ['--conditions=@nabla/source', '--enable-source-maps', '--import', './tools/run/register.mjs']
  const { status, error } = spawnSync(process.execPath, [...flags, file, ...args], {
    cwd: root,
    stdio: 'inherit',
  })
  if (error) throw error
  return status ?? 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [file, ...args] = process.argv.slice(2)
  process.exitCode = runTypeScript(file, args)
}
