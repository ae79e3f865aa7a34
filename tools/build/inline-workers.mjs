// `npm run workers` rewrites every `*.worker.inlined.ts`; with `--check` it only says which are out of date.
// What inlining means and why it is needed: inlineWorker.mjs.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sourceFiles } from '../layers/files.mjs'
import { root } from '../layers/workspace.mjs'
import { inlinedName, inlineWorker } from './inlineWorker.mjs'

const onlyCheck = process.argv.includes('--check')
const workers = sourceFiles(root, 'packages').filter((file) => file.endsWith('.worker.ts'))
let outdated = 0

for (const worker of workers) {
  const target = join(root, inlinedName(worker))
  const text = await inlineWorker(join(root, worker))
  if (existsSync(target) && readFileSync(target, 'utf8') === text) continue
  outdated += 1
  if (!onlyCheck) writeFileSync(target, text)
  console.log(`${onlyCheck ? 'out of date' : 'written'}: ${inlinedName(worker)}`)
}

console.log(`${workers.length} workers, ${outdated} ${onlyCheck ? 'out of date' : 'written'}`)
process.exitCode = onlyCheck && outdated > 0 ? 1 : 0
