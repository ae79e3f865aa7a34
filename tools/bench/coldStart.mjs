// Case i: how long a process takes from nothing to a first result, beyond what `node -e 0` takes, and how many bytes an
// installation has. Measured from outside, since importing happens once per process. Of Nabla it is @nabla/tensor that is
// measured, which holds what the other libraries' programs use; what all of Nabla takes is told beside it.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { installedMegabytes, publishedMegabytes } from './installedSize.mjs'
import { median } from './maths.mjs'
import { peers, sourceFlags } from './peers.mjs'

const runs = 5
const folder = fileURLToPath(new URL('.', import.meta.url))

/** An entry of a package of this workspace: its build where there is one, else its source. */
function ownEntry(name, entry = 'index') {
  const built = new URL(`../../packages/${name}/dist/${entry}.js`, import.meta.url)
  return (existsSync(built) ? built : new URL(`../../packages/${name}/src/${entry}.ts`, import.meta.url)).href
}

/** A program that adds with a package of this workspace. */
function ownProgram(name, prepare = '') {
  const source = `const { tensor } = await import('${ownEntry(name)}'); ${prepare}await tensor([1, 2]).add(1).data()`
  return { flags: sourceFlags(), source }
}

/** A program that runs a model of one addition, which is the least that ONNX Runtime computes. */
function onnxProgram(name, provider) {
  const writer = new URL('./peers/onnx.mjs', import.meta.url).href
  const source = `const { onnxModel } = await import('${writer}'); const { default: ort } = await import('${name}');
      const nodes = [{ op: 'Add', inputs: ['x', 'x'], outputs: ['y'] }];
      const model = onnxModel({ nodes, inputs: { x: { shape: [2] } }, outputs: { y: [2] } });
      const options = { executionProviders: ['${provider}'], intraOpNumThreads: 1 };
      if ('${provider}' === 'wasm') ort.env.wasm.numThreads = 1;
      const session = await ort.InferenceSession.create(model, options);
      await session.run({ x: new ort.Tensor('float32', [1, 2], [2]) })`
  return { source, packages: [name] }
}

/** By peer: flags of Node, a module that prints a first result, and the packages it needs. */
const programs = {
  nabla: ownProgram('tensor'),
  'nabla-blas': ownProgram('tensor', `(await import('${ownEntry('backend-wasm', 'blas')}')).useBlas(); `),
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
  'ort-web': onnxProgram('onnxruntime-web', 'wasm'),
  'ort-node': onnxProgram('onnxruntime-node', 'cpu'),
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
      const info = sizesOf(peer, program)
      if (peer === 'nabla')
        info.whole = { ms: time(commandOf(peer, ownProgram('nabla'))) - node, ...publishedMegabytes('nabla') }
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

function sizesOf(peer, { packages }) {
  if (peer.startsWith('nabla')) return publishedMegabytes('tensor') ?? {}
  return packages === undefined ? {} : { megabytes: installedMegabytes(packages) }
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
