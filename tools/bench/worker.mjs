// The child's side of the protocol (client.mjs) for peers written in JavaScript: node worker.mjs PEER.
// A peer module exports `open({ threads })`, which gives { version, threads, notes, builders }; builders are by kind of case
// and give { step, finish? }: a function that does one step and, where needed, one that tells about it.
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Steps before anything is timed: kernels are compiled at first and optimised after a while, by every peer. */
const fewestWarmUps = 3
const warmUpMs = 500

/** Serves requests with a peer; the returned function takes a message and gives the answer. */
export function serve(loadPeer) {
  let peer = null
  let current = null
  const commands = {
    async open({ threads }) {
      peer = await (await loadPeer()).open({ threads })
      return { version: peer.version, threads: peer.threads, notes: peer.notes ?? [] }
    },
    async prepare({ spec, profile }) {
      const build = peer.builders[spec.kind]
      if (build === undefined) return { skipped: peer.cannot?.[spec.kind] ?? 'has no such case' }
      current = await build(spec, { profile })
      const until = performance.now() + warmUpMs
      let latest = 0
      for (let i = 0; i < fewestWarmUps || performance.now() < until; i++) {
        const before = performance.now()
        await current.step()
        latest = performance.now() - before
        // Whoever needs longer than this for one step is warm enough.
        if (latest > 4 * warmUpMs) break
      }
      current.warm?.()
      return { ms: latest }
    },
    async run({ runs, settle = 0 }) {
      // Threads that have slept or stood still come up again, and what others left in the caches goes.
      for (let i = 0; i < settle; i++) await current.step()
      const ms = []
      for (let i = 0; i < runs; i++) {
        const before = performance.now()
        await current.step()
        ms.push(performance.now() - before)
      }
      return { ms }
    },
    async finish() {
      const info = (await current?.finish?.()) ?? {}
      current = null
      globalThis.gc?.()
      return { info }
    },
  }
  return async (message) => {
    try {
      return await commands[message.command](message)
    } catch (error) {
      const text = String(error?.message ?? error).split('\n')[0]
      return error?.code === 'ERR_SKIPPED' ? { skipped: text } : { error: text }
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { modules } = await import('./peers.mjs')
  const answer = serve(modules[process.argv[2]])
  for await (const line of createInterface({ input: process.stdin })) {
    writeSync(3, `${JSON.stringify(await answer(JSON.parse(line)))}\n`)
  }
  // Libraries may keep threads and timers.
  process.exit(0)
}
