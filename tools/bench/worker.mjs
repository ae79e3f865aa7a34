// The child's side of the protocol (client.mjs) for peers written in JavaScript: node worker.mjs PEER.
// A peer module exports `open({ threads })`, which gives { version, threads, notes, builders }; builders are by kind of case
// and give { step, finish? }: a function that does one step and, where needed, one that tells about it.
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Steps before anything is timed: kernels are compiled at first and optimised after a while, by every peer. */
const fewestWarmUps = 3
const usualWarmUpMs = 500
const longestWarmUpMs = 2000

/** A step that is this much quicker than the best before it is still getting quicker. */
const stillGettingQuicker = 0.9

/** Whether a step needs so long that more of them tell nothing new, and whether that is too long for a table. */
const slowMs = 2000
const tooSlowMs = 10_000

/** Serves requests with a peer; the returned function takes a message and gives the answer. */
export function serve(loadPeer) {
  let peer = null
  let current = null
  const commands = {
    async open({ threads }) {
      peer = await (await loadPeer()).open({ threads })
      return { version: peer.version, threads: peer.threads, notes: peer.notes ?? [] }
    },
    async prepare({ spec, profile, warmUpMs = usualWarmUpMs }) {
      const build = peer.builders[spec.kind]
      if (build === undefined) return { skipped: peer.cannot?.[spec.kind] ?? 'has no such case' }
      current = await build(spec, { profile })
      const latest = await warmUp(current, warmUpMs)
      if (latest > tooSlowMs) return { skipped: `one step takes ${(latest / 1000).toFixed(0)} s`, slow: true }
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

/** Steps for `warmUpMs` and until they take about as long as before, within limits. @returns milliseconds of the latest */
async function warmUp({ step }, warmUpMs) {
  const begin = performance.now()
  let best = Infinity
  for (let count = 1; ; count++) {
    const before = performance.now()
    await step()
    const now = performance.now()
    const latest = now - before
    const quicker = latest < stillGettingQuicker * best
    best = Math.min(best, latest)
    const enough = count >= fewestWarmUps && now - begin >= warmUpMs && !quicker
    if (latest > slowMs || now - begin > longestWarmUpMs || enough) return latest
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
