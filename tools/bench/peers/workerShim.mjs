// A global `Worker` for libraries that know browsers only: the few members that jax-js uses, on Node's worker threads. The
// script comes as a blob's address and finds `self` and `postMessage` there.
import { resolveObjectURL } from 'node:buffer'
import { Worker as NodeWorker } from 'node:worker_threads'

const prelude = `
  const { parentPort } = require('node:worker_threads')
  globalThis.self = globalThis
  globalThis.postMessage = (message) => parentPort.postMessage(message)
  parentPort.on('message', (data) => globalThis.onmessage({ data }))
`

class Worker {
  onmessage = null
  onerror = null
  #started

  constructor(url) {
    this.#started = resolveObjectURL(url)
      .text()
      .then((script) => this.#start(script))
  }

  postMessage(message) {
    void this.#started.then((worker) => worker.postMessage(message))
  }

  #start(script) {
    const worker = new NodeWorker(`${prelude}\n${script}`, { eval: true, execArgv: [] })
    worker.on('message', (data) => this.onmessage?.({ data }))
    worker.on('error', (error) => this.onerror?.(error))
    worker.unref()
    return worker
  }
}

/** Installs it, and says how many processors there are, which is how many workers such a library starts. */
export function installWorker(threads) {
  globalThis.Worker = Worker
  Object.defineProperty(globalThis, 'navigator', {
    value: { hardwareConcurrency: threads },
    configurable: true,
  })
}
