// The parent's side of the protocol. A peer is a child process that reads one JSON object a line from its standard input
// and answers one a line on file descriptor 3, so that whatever a library prints disturbs nothing:
//   { command: 'open', threads }   -> { version, threads, notes }      once, first
//   { command: 'prepare', spec }   -> { ms }                           builds and warms up one case; its latest step
//   { command: 'run', runs, settle } -> { ms: [...] }                  times of that many steps, after `settle` untimed ones
//   { command: 'finish' }          -> { info }                         forgets the case; what there is to tell about it
// Each answer may be { skipped: 'why' } instead (the peer cannot do this) or { error: 'what happened' }. The child ends when
// its input does. Between an answer and the next request the child is stopped (SIGSTOP), so that the one that is measured
// has the machine to itself: waiting threads spin, and two libraries' threads on two cores slow each other down tenfold.
// The other sides: worker.mjs, peers/pytorch.py.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** Systems without these signals leave waiting peers alone. */
const canStop = process.platform !== 'win32'

/** Children to end when this process does: a stopped one would not see its input close. */
const living = new Set()
process.on('exit', () => living.forEach((child) => child.kill('SIGKILL')))
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, () => process.exit(code))
}

/** The peer said that it cannot do this, or not in reasonable time. Its message is the reason. */
export class Skipped extends Error {
  /** Whether time was the reason. */
  slow = false
}

/** A running peer. */
export class PeerProcess {
  #child
  #answer = null
  #stderr = ''
  #ended = null

  /** @param command program and arguments @param environment variables to add */
  constructor(command, environment = {}) {
    const [program, ...args] = command
    const options = { stdio: ['pipe', 'ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } }
    this.#child = spawn(program, args, options)
    living.add(this.#child)
    // A child that is gone closes its input under our hands; the reason arrives with 'exit'.
    this.#child.stdin.on('error', () => {})
    this.#child.stderr.on('data', (text) => (this.#stderr = (this.#stderr + text).slice(-2000)))
    this.#child.on('error', (error) => this.#end(error.message))
    this.#child.on('exit', (code, signal) => this.#end(`ended with ${signal ?? code}: ${this.#lastWords()}`))
    createInterface({ input: this.#child.stdio[3] }).on('line', (line) => this.#settle(JSON.parse(line)))
  }

  get alive() {
    return this.#ended === null
  }

  /** Sends a request and waits for its answer. @throws Skipped, or Error when the peer failed, died or took too long */
  async request(message, timeoutMs = 120_000) {
    if (this.#ended !== null) throw new Error(this.#ended)
    this.#signal('SIGCONT')
    const answer = await new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#child.kill('SIGKILL')
        this.#settle({ skipped: `took longer than ${timeoutMs / 1000} s`, slow: true })
      }, timeoutMs)
      this.#answer = (value) => {
        clearTimeout(timer)
        resolve(value)
      }
      this.#child.stdin.write(`${JSON.stringify(message)}\n`)
    })
    this.#signal('SIGSTOP')
    if (answer.skipped !== undefined)
      throw Object.assign(new Skipped(answer.skipped), { slow: answer.slow === true })
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer
  }

  /** Lets the child go. */
  close() {
    this.#signal('SIGCONT')
    this.#child.stdin.end()
    if (this.alive) setTimeout(() => this.#child.kill('SIGKILL'), 2000).unref()
  }

  #signal(name) {
    if (canStop && this.alive) this.#child.kill(name)
  }

  #settle(answer) {
    const waiting = this.#answer
    this.#answer = null
    waiting?.(answer)
  }

  #end(reason) {
    this.#ended ??= reason
    living.delete(this.#child)
    this.#settle({ error: this.#ended })
  }

  #lastWords() {
    return this.#stderr.trim().split('\n').at(-1) ?? ''
  }
}
