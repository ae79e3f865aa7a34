// Runs the fuzzer by hand, as long as you like:
//   npm run example -- packages/conformance/src/fuzz/run.ts --seed 1 --count 5000 --backend wasm
// The tests run it with few programs: see ../fuzz.test.ts.
import { parseArgs } from 'node:util'
import { createWasmBackend } from '@nabla/backend-wasm'
import type { Candidate } from './check.ts'
import { fuzz } from './fuzz.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '1000' },
    backend: { type: 'string', default: 'wasm' },
    failures: { type: 'string', default: '3' },
  },
})

const candidates: Candidate[] = []
if (values.backend === 'wasm') {
  const backend = createWasmBackend()
  candidates.push({ name: 'wasm, fused', backend, fusion: true }, { name: 'wasm, unfused', backend, fusion: false })
}
const { programs, steps, failures } = await fuzz({
  seed: Number(values.seed),
  count: Number(values.count),
  candidates,
  mostFailures: Number(values.failures),
})
for (const failure of failures) console.log(`${failure}\n`)
console.log(`${programs} programs, ${steps} steps, ${failures.length} failures`)
process.exitCode = failures.length === 0 ? 0 : 1
