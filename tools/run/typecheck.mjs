// `npm run typecheck`: checks the types of every package, the tools and the examples, following the references between their tsconfigs.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { readFloors, root } from '../layers/workspace.mjs'

const projects = [...readFloors().map(({ folder }) => folder), 'tools', 'docs']
const present = projects.filter((folder) => existsSync(join(root, folder, 'tsconfig.json')))
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
const { status, error } = spawnSync(process.execPath, [compiler, '-b', ...present], {
  cwd: root,
  stdio: 'inherit',
})
if (error) throw error
process.exitCode = status ?? 1
