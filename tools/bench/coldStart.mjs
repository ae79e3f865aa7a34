// Case i: how long a process takes from nothing to a first result, beyond what `node -e 0` takes, and how many bytes an
// installation has. Measured from outside, since importing happens once per process.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { median } from './maths.mjs'
import { peers, sourceFlags } from './peers.mjs'

const runs = 5
const folder = fileURLToPath(new URL('.', import.meta.url))
const workspacePackages = join(folder, '../../packages')
const nablaEntry = new URL('./peers/nablaPackage.mjs', import.meta.url).href

/** By peer: flags of Node, a module that prints a first result, and the packages it needs. */
const programs = {
  nabla: {
    flags: sourceFlags(),
    source: `const { nabla } = await import('${nablaEntry}'); await nabla.tensor([1, 2]).add(1).data()`,
  },
  'tfjs-cpu': {
    source: `const tf = require('@tensorflow/tfjs'); tf.tensor([1, 2]).add(1).dataSync()`,
    packages: ['@tensorflow/tfjs'],
  },
  'tfjs-wasm': {
    source: `const tf = require('@tensorflow/tfjs'); const wasm = require('@tensorflow/tfjs-backend-wasm');
      tf.setBackend('wasm').then(() => tf.tensor([1, 2]).add(1).dataSync())`,
    packages: ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm'],
  },
  'jax-js': {
    source: `const { init, defaultDevice, numpy } = await import('@jax-js/jax'); await init('wasm');
      defaultDevice('wasm'); await numpy.array([1, 2]).add(1).data()`,
    packages: ['@jax-js/jax'],
  },
  'ort-web': { source: `require('onnxruntime-web')`, packages: ['onnxruntime-web'], partly: true },
  'ort-node': { source: `require('onnxruntime-node')`, packages: ['onnxruntime-node'], partly: true },
  pytorch: { python: 'import torch; (torch.tensor([1.0, 2.0]) + 1).numpy()' },
}

/** Rows of the case for the named peers. `ms` is what the program takes longer than an empty one. */
export function coldStart(names, threads) {
  const node = time([process.execPath, '-e', '0'])
  return names.map((peer) => {
    const row = { peer, case: 'i/cold-start', threads, ms: null, gflops: null, ratio: null }
    try {
      const program = programs[peer]
      const total = time(commandOf(peer, program))
      const info = { megabytes: installedBytes(peer, program) / 1e6, importOnly: program.partly === true }
      return { ...row, ms: Math.max(0.1, total - node), info }
    } catch (error) {
      return { ...row, reason: error.message }
    }
  })
}

function commandOf(peer, { flags = [], source, python }) {
  if (python !== undefined) return [peers[peer]()[0], '-c', python]
  const kind = source.includes('await ') ? ['--input-type=module'] : []
  return [process.execPath, ...flags, ...kind, '-e', source]
}

function time([program, ...args]) {
  const times = []
  for (let run = 0; run < runs; run++) {
    const before = performance.now()
    const { status, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' })
    if (status !== 0) throw new Error(`failed: ${stderr.trim().split('\n').at(-1)}`)
    times.push(performance.now() - before)
  }
  return median(times)
}

function installedBytes(peer, { packages }) {
  if (peer === 'nabla') return builtBytes()
  if (packages === undefined) return NaN
  const seen = new Set()
  const visit = (name) => {
    const place = join(folder, 'node_modules', name)
    if (seen.has(name) || !existsSync(place)) return
    seen.add(name)
    const manifest = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'))
    for (const needed of Object.keys(manifest.dependencies ?? {})) visit(needed)
  }
  packages.forEach(visit)
  return [...seen].reduce((sum, name) => sum + bytesOf(join(folder, 'node_modules', name)), 0)
}

/** What the packages behind `nabla` publish: builds and sources without tests. */
function builtBytes() {
  const needed = JSON.parse(readFileSync(join(workspacePackages, 'nabla/package.json'), 'utf8')).dependencies
  const folders = ['nabla', ...Object.keys(needed).map((name) => name.replace('@nabla/', ''))]
  if (!existsSync(join(workspacePackages, 'nabla/dist'))) return NaN
  return folders
    .flatMap((name) => ['dist', 'src'].map((part) => join(workspacePackages, name, part)))
    .reduce((sum, place) => sum + bytesOf(place), 0)
}

function bytesOf(place) {
  return readdirSync(place, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(place, entry.name)
    const unpublished = entry.name.endsWith('.test.ts') || /^testing(\.ts)?$/.test(entry.name)
    if (unpublished) return sum
    return sum + (entry.isDirectory() ? bytesOf(path) : statSync(path).size)
  }, 0)
}
