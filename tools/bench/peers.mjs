// Everyone who is measured, and how their process is started. All speak the protocol of client.mjs; JavaScript peers are
// modules that worker.mjs serves. Read next: client.mjs, then one of peers/.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/** Modules of JavaScript peers, as worker.mjs loads them. */
export const modules = {
  nabla: () => import('./peers/nabla.mjs'),
  'nabla-blas': async () => ({ open: (await import('./peers/nabla.mjs')).openWithBlas }),
  'tfjs-cpu': () => withKind(import('./peers/tfjs.mjs'), 'cpu'),
  'tfjs-wasm': () => withKind(import('./peers/tfjs.mjs'), 'wasm'),
  'jax-js': () => import('./peers/jax.mjs'),
  'ort-web': () => withKind(import('./peers/ort.mjs'), 'web'),
  'ort-node': () => withKind(import('./peers/ort.mjs'), 'node'),
}

/** By name: a function that gives the command of a peer's process, or throws an Error that says why there is none. */
export const peers = {
  ...Object.fromEntries(Object.keys(modules).map((name) => [name, () => javascript(name)])),
  pytorch: () => [pythonWithTorch(), here('./peers/pytorch.py')],
}

/**
 * What a peer's process needs in its environment to be at its best. The C library's allocator gives memory back to the
 * system after every step unless told otherwise, and large results then cost more page faults than arithmetic.
 * With OpenBLAS, PyTorch has two sets of threads that take turns: those of OpenMP must not spin while the others work.
 */
export function environmentOf(name, threads) {
  const count = { OMP_NUM_THREADS: String(threads), OPENBLAS_NUM_THREADS: String(threads) }
  if (name !== 'pytorch' && name !== 'ort-node') return count
  return {
    ...count,
    GOMP_SPINCOUNT: '100',
    MALLOC_MMAP_MAX_: '0',
    MALLOC_TRIM_THRESHOLD_: '4294967296',
    MALLOC_TOP_PAD_: '67108864',
  }
}

/** Whether a peer lives in this folder's node_modules. */
export function needsInstall(name) {
  return !isNabla(name) && name in modules
}

/** Whether a peer is Nabla in some form. */
function isNabla(name) {
  return name === 'nabla' || name === 'nabla-blas'
}

/** For modules that serve two peers: `open` with its first argument given. */
async function withKind(module, kind) {
  const { open } = await module
  return { open: (message) => open(kind, message) }
}

function javascript(name) {
  return [process.execPath, ...(isNabla(name) ? sourceFlags() : []), here('./worker.mjs'), name]
}

/** Without a build, Nabla's packages are read from source, whose types are removed while loading. */
export function sourceFlags() {
  if (existsSync(here('../../packages/nabla/dist/index.js'))) return ['--expose-gc']
  return ['--expose-gc', '--conditions=@nabla/source', '--import', here('../run/register.mjs')]
}

let python = null

export function pythonWithTorch() {
  python ??= ['python3', '/usr/bin/python3'].find(
    (command) => spawnSync(command, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0,
  )
  if (python === undefined)
    throw new Error('no python3 with torch found (Debian: apt-get install python3-torch)')
  return python
}
