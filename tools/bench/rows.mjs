// Measures single row kernels beside other libraries: softmax, normalisations, reductions, maps, random numbers, and every
// vector function in nanoseconds per number. `node tools/bench/rows.mjs [--threads 1,2] [--peers nabla,pytorch,tfjs-wasm]
// [--short] [word ...]`; words select cases whose names contain them. Like bench.mjs, rounds go from peer to peer.
// For Nabla the time of its kernels alone follows, then the rate at which what must be read and written went by.
// Read next: rows/cases.mjs (what), rows/nabla.mjs.
import { fileURLToPath } from 'node:url'
import { PeerProcess } from './client.mjs'
import { ensureInstalled } from './install.mjs'
import { median, runsPerRound } from './maths.mjs'
import { environmentOf, pythonWithTorch, sourceFlags } from './peers.mjs'
import { selectRows } from './rows/cases.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

const commands = {
  nabla: () => [process.execPath, ...sourceFlags(), here('./rows/nabla.mjs')],
  pytorch: () => [pythonWithTorch(), here('./rows/pytorch.py')],
  'tfjs-wasm': () => [process.execPath, '--expose-gc', here('./rows/tfjs.mjs')],
}

const { threads, peers, words, short } = readArguments(process.argv.slice(2))
const { rounds, roundMs } = short ? { rounds: 3, roundMs: 40 } : { rounds: 5, roundMs: 100 }
if (peers.includes('tfjs-wasm')) ensureInstalled()
for (const count of threads) await measureAll(count)

function readArguments(rest) {
  const found = { threads: [1], peers: Object.keys(commands), words: [], short: false }
  while (rest.length > 0) {
    const word = rest.shift()
    if (word === '--threads') found.threads = rest.shift().split(',').map(Number)
    else if (word === '--peers') found.peers = rest.shift().split(',')
    else if (word === '--short') found.short = true
    else found.words.push(word)
  }
  return found
}

async function measureAll(count) {
  const children = new Map()
  for (const peer of peers) {
    const child = new PeerProcess(commands[peer](), environmentOf(peer, count))
    try {
      await child.request({ command: 'open', threads: count })
      children.set(peer, child)
    } catch (error) {
      child.close()
      console.log(`${peer}, ${count} thread(s): ${error.message}`)
    }
  }
  const names = [...children.keys()]
  const head = [
    'case',
    ...names.flatMap((name) => (name === 'nabla' ? ['nabla', 'kernels', 'GB/s'] : [name, 'x'])),
  ]
  console.log(`\n${count} thread(s), ms (functions: ns per number); x: time of the peer / time of Nabla`)
  console.log(line(head))
  for (const one of selectRows(words)) console.log(line(await measure(one, children)))
  for (const child of children.values()) child.close()
}

async function measure(one, children) {
  const times = new Map()
  const reasons = new Map()
  const runs = new Map()
  for (const [name, child] of children) {
    try {
      const { ms } = await child.request({ command: 'prepare', spec: one, warmUpMs: short ? 60 : 150 })
      runs.set(name, runsPerRound(ms, roundMs))
      times.set(name, [])
    } catch (error) {
      reasons.set(name, error.message)
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const [name, list] of times) {
      const { ms } = await children.get(name).request({ command: 'run', runs: runs.get(name), settle: 3 })
      list.push(...ms)
    }
  }
  const scale = one.kind.startsWith('f:') ? 1e6 / one.elements : 1
  const ours = times.has('nabla') ? median(times.get('nabla')) : null
  const cells = []
  for (const [name, child] of children) {
    const { info } = times.has(name) ? await child.request({ command: 'finish' }) : { info: {} }
    const ms = times.has(name) ? median(times.get(name)) : null
    if (reasons.has(name) && name === 'nabla') console.log(`${one.name}: ${reasons.get(name)}`)
    if (name !== 'nabla') {
      cells.push(
        ms === null ? '-' : number(ms * scale),
        ms === null || ours === null ? '-' : (ms / ours).toFixed(2),
      )
      continue
    }
    const kernels = ms === null || info.overheadMs === undefined ? ms : ms - info.overheadMs
    cells.push(
      ...(ms === null ? ['-', '-', '-'] : [number(ms * scale), number(kernels * scale), rate(one, kernels)]),
    )
    for (const step of info.dearest?.length > 1 ? info.dearest : []) {
      console.log(`    ${number(step.ms)} ms  ${step.kind} ${step.work}  ${step.name}`)
    }
  }
  return [one.name, ...cells]
}

function rate({ bytes }, ms) {
  return (bytes / ms / 1e6).toFixed(1)
}

function number(value) {
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : value.toPrecision(3)
}

function line([first, ...rest]) {
  return first.padEnd(30) + rest.map((cell) => cell.padStart(11)).join('')
}
