// The command line of the bench. Read next: bench.mjs.
import { selectCases } from './cases.mjs'
import { peers } from './peers.mjs'

export const usage = `pnpm bench [options]
  --cases a,c,f/gpt   letters or full names; default: all (j is for Nabla and PyTorch alone)
  --peers nabla,...   default: all (${Object.keys(peers).join(', ')})
  --threads 1,2       thread counts, measured one after the other; default: 1
  --quick             fewer and shorter rounds
  --profile           for Nabla also the dearest steps of each plan
  --write FILE        replaces what is between the two markers in FILE, and draws FILE-roofline.svg; implies --profile
  --json FILE         writes the JSON lines there instead of below the tables`

/** @returns settings of a run. @throws RangeError for anything that is not in {@link usage} */
export function parseOptions(args) {
  const options = {
    cases: selectCases([]),
    peers: Object.keys(peers),
    threads: [1],
    quick: false,
    profile: false,
    write: null,
    json: null,
    help: false,
  }
  const rest = args.flatMap((word) => (/^--\w+=/.test(word) ? splitOnce(word) : [word]))
  const flags = new Set(['--quick', '--profile', '--help'])
  while (rest.length > 0) {
    const word = rest.shift()
    // A package manager may hand its own separator through.
    if (word === '--') continue
    if (flags.has(word)) {
      options[word.slice(2)] = true
      continue
    }
    const read = readers[word]
    if (read === undefined) throw new RangeError(`unknown option ${word}\n${usage}`)
    const value = rest.shift()
    if (value === undefined || value.startsWith('--')) throw new RangeError(`${word} needs a value`)
    read(options, value)
  }
  return options
}

const readers = {
  '--cases': (options, value) => (options.cases = selectCases(listOf(value))),
  '--peers': (options, value) => (options.peers = checkPeers(listOf(value))),
  '--threads': (options, value) => (options.threads = listOf(value).map(threadCount)),
  '--write': (options, value) => (options.write = value),
  '--json': (options, value) => (options.json = value),
}

function splitOnce(word) {
  const at = word.indexOf('=')
  return [word.slice(0, at), word.slice(at + 1)]
}

function listOf(value) {
  return value.split(',').filter((word) => word !== '')
}

function threadCount(word) {
  const count = Number(word)
  if (!Number.isInteger(count) || count < 1 || count > 64) {
    throw new RangeError(`--threads: expected numbers from 1 to 64; got ${word}`)
  }
  return count
}

function checkPeers(names) {
  const unknown = names.filter((name) => peers[name] === undefined)
  if (unknown.length > 0) {
    throw new RangeError(`--peers: unknown ${unknown.join(', ')}. Known: ${Object.keys(peers).join(', ')}`)
  }
  return names
}
