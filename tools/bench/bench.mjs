// Measures Nabla beside other libraries on the same work, and prints ratios: `pnpm bench --help`. For each case every peer
// gets ready and warms up in its own process; then rounds go from peer to peer, so that whatever else the machine does
// meets all of them alike, and medians are taken. Whoever's turn it is not stands still (client.mjs).
// Read next: cases.mjs (what), client.mjs (how peers are spoken to), peers/ (who), report.mjs (the table).
import { writeFileSync } from 'node:fs'
import { coldStart } from './coldStart.mjs'
import { PeerProcess, Skipped } from './client.mjs'
import { ensureInstalled } from './install.mjs'
import { gflops, median, runsPerRound, withRatios } from './maths.mjs'
import { parseOptions, usage } from './options.mjs'
import { environmentOf, needsInstall, peers } from './peers.mjs'
import { measurePeaks } from './peaks.mjs'
import { describeMachine, formatForTerminal, jsonLines, writePage } from './report.mjs'

/** Lengths of a measurement: rounds, and how long a peer runs in each. */
const thorough = { rounds: 5, roundMs: 200 }
const quick = { rounds: 3, roundMs: 80 }

/** How long a peer may take to answer at all. */
const limitMs = 12_000

/**
 * How a step is timed that takes `ms`: in how many rounds, after how many untimed steps in each. Long steps vary less, and
 * one of several seconds says enough.
 */
function rhythmOf(ms, { rounds, roundMs }) {
  if (ms > 1000) return { rounds: 1, settle: 0 }
  if (ms > roundMs) return { rounds: Math.min(3, rounds), settle: 1 }
  return { rounds, settle: 2 }
}

const options = readOptions()
if (options !== null) await main(options)

function readOptions() {
  try {
    const parsed = parseOptions(process.argv.slice(2))
    if (!parsed.help) return parsed
    console.log(usage)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    console.error(error.message)
    process.exitCode = 2
  }
  return null
}

async function main(options) {
  const { cases, peers: names, threads, quick: short, write, json } = options
  const profile = options.profile || write !== null
  if (names.some(needsInstall)) ensureInstalled()
  const roofs = measurePeaks()
  const rows = []
  const versions = {}
  for (const count of threads) {
    const team = new Map()
    for (const name of names) {
      const member = await join(name, count)
      team.set(name, member)
      if (member.version !== undefined) versions[name] = member.version
    }
    for (const one of cases) {
      // Starting takes as long with any number of threads.
      if (one.spec.kind === 'coldStart' && count !== threads[0]) continue
      process.stderr.write(`${one.name}, ${count} thread(s) ...\n`)
      const asked = names.filter((name) => one.peers === null || one.peers.includes(name))
      const found =
        one.spec.kind === 'coldStart'
          ? coldStart(asked, count)
          : await measure(one, count, new Map(asked.map((name) => [name, team.get(name)])), {
              short,
              // Profiles of the doubled models would only repeat those of the plain ones.
              profile: profile && one.group !== 'j',
            })
      rows.push(...found)
    }
    for (const { process: child } of team.values()) child?.close()
  }
  const order = cases.map(({ name }) => name)
  const place = ({ case: name, threads: count, peer }) =>
    (order.indexOf(name) * threads.length + threads.indexOf(count)) * names.length + names.indexOf(peer)
  rows.sort((one, other) => place(one) - place(other))
  const result = {
    rows: withRatios(rows),
    roofs,
    machine: describeMachine(versions, { short, threads }),
  }
  console.log(formatForTerminal(result))
  const lines = jsonLines(result)
  if (json === null) console.log(lines)
  else writeFileSync(json, `${lines}\n`)
  if (write !== null) writePage(write, result)
}

/** A peer's process, or why there is none. */
async function join(name, threads) {
  let child = null
  try {
    child = new PeerProcess(peers[name](), environmentOf(name, threads))
    const { version } = await child.request({ command: 'open', threads })
    return { process: child, version, tooSlow: new Set() }
  } catch (error) {
    // A peer that will not take part would otherwise wait for requests forever, and this process for it.
    child?.close()
    return { process: null, reason: error.message }
  }
}

async function measure({ name, spec, operations, tokens }, threads, team, { short, profile }) {
  const lengths = short ? quick : thorough
  const runners = []
  const rows = []
  const row = (peer, more) => ({
    peer,
    case: name,
    threads,
    ms: null,
    gflops: null,
    tokens,
    ratio: null,
    ...more,
  })
  for (const [peer, member] of team) {
    if (member.process !== null && !member.process.alive) {
      const { tooSlow } = member
      Object.assign(member, await join(peer, threads), { tooSlow })
    }
    if (member.process === null) {
      rows.push(row(peer, { reason: member.reason }))
      continue
    }
    if (member.tooSlow.has(spec.kind)) {
      rows.push(row(peer, { reason: 'too slow already without training' }))
      continue
    }
    try {
      const { ms } = await member.process.request({ command: 'prepare', spec, profile }, limitMs)
      runners.push({
        peer,
        child: member.process,
        runs: runsPerRound(ms, lengths.roundMs),
        ...rhythmOf(ms, lengths),
        times: [],
      })
    } catch (error) {
      if (error.slow) member.tooSlow.add(spec.kind)
      rows.push(row(peer, { reason: reasonOf(error) }))
    }
  }
  for (let round = 0; round < lengths.rounds; round++) {
    for (const runner of runners) {
      if (runner.reason !== undefined || round >= runner.rounds) continue
      try {
        const { runs, settle } = runner
        const { ms } = await runner.child.request({ command: 'run', runs, settle }, limitMs)
        runner.times.push(...ms)
      } catch (error) {
        runner.reason = reasonOf(error)
      }
    }
  }
  for (const { peer, child, times, reason } of runners) {
    if (reason !== undefined) {
      rows.push(row(peer, { reason }))
      continue
    }
    const ms = median(times)
    try {
      const { info } = await child.request({ command: 'finish' }, limitMs)
      rows.push(row(peer, { ms, gflops: gflops(operations, ms), info }))
    } catch (error) {
      rows.push(row(peer, { reason: reasonOf(error) }))
    }
  }
  return rows
}

function reasonOf(error) {
  return error instanceof Skipped ? error.message : `failed: ${error.message}`
}
