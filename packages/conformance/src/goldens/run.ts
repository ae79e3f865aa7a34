// The golden runner: replays the files of a folder that other libraries computed, and says which cases agree.
//   pnpm goldens <folder> [--backend wasm|interpreter] [--missing]
// Prints each failing case with the difference (with --missing also what has no counterpart here), and as its last line
// the counts per file as JSON. Cases without a counterpart count as missing, never as passed.
// Read next: ops.ts, losses.ts, layers.ts, optimizers.ts, metrics.ts (the mappings), replay.ts.
import { parseArgs } from 'node:util'
import { createInterpreter, setBackend } from '@nabla/engine'
import { countsOf, replayFolder } from './files.ts'
import '@nabla/tensor'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    backend: { type: 'string', default: 'wasm' },
    missing: { type: 'boolean', default: false },
  },
})

const [folder] = positionals
if (folder === undefined || !['wasm', 'interpreter'].includes(values.backend)) {
  console.error('usage: pnpm goldens <folder> [--backend wasm|interpreter] [--missing]')
  process.exit(2)
}
// WebAssembly is what @nabla/tensor installs by itself.
if (values.backend === 'interpreter') setBackend(createInterpreter())

const results = await replayFolder(folder)
for (const [name, outcomes] of Object.entries(results)) {
  for (const { id, status, message } of outcomes) {
    if (status === 'fail') console.log(`FAIL ${name}: ${id}: ${message}`)
    if (status === 'missing' && values.missing) console.log(`missing ${name}: ${id}: ${message}`)
  }
}
const counts = Object.fromEntries(Object.entries(results).map(([name, outcomes]) => [name, countsOf(outcomes)]))
if (Object.keys(counts).length === 0) {
  console.error(`${folder} holds none of the golden files`)
  process.exitCode = 2
} else {
  process.exitCode = Object.values(counts).some(({ fail }) => fail > 0) ? 1 : 0
}
console.log(JSON.stringify(counts))
