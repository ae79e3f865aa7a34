import { readFileSync } from 'node:fs'
import { opMappings } from './ops.ts'
import { replayAll } from './replay.ts'
const f = JSON.parse(readFileSync('/work/shared/goldens/ops.json', 'utf8'))
const out = await replayAll(f, opMappings)
const n: Record<string, number> = {}
for (const o of out) { n[o.status] = (n[o.status] ?? 0) + 1; if (o.status !== 'pass') console.log(o.status, o.id, o.message) }
console.log(n)
