// Measures flushes while somebody takes a profile: what the engine tells it, and what the backend's threads do. There is
// none at other times, so that profiles cost nothing then. Read before: events.ts. Read next: ../engine.ts, which tells it.
import type { ThreadReport } from '../backend.ts'
import type { Plan } from '../plan/plan.ts'
import type { Trace } from '../plan/walk.ts'
import { eventsOf, nameOfStep, type Span, type TraceEvent } from './events.ts'

/** Spans that are kept: some hundred megabytes of JSON. */
const mostSpans = 400_000

/** Records flushes, for one or several profiles at a time. */
export class Recorder {
  /** Profiles that are being taken. */
  users: number = 0
  readonly #spans: Span[] = []
  #full = false
  /** Begin of the flush, and of what is measured at the moment. */
  #flushed = 0
  #latest = 0
  /** What threads did since the latest step ended. */
  #chunks: { readonly thread: number; readonly begin: number; readonly end: number }[] = []

  /** How much there is now: where a profile begins. */
  get length(): number {
    return this.#spans.length
  }

  /** Called by the backend. */
  readonly report: ThreadReport = (thread, begin, end) => {
    this.#chunks.push({ thread, begin, end })
  }

  /** A flush begins. */
  flush(): void {
    this.#flushed = this.#latest = performance.now()
    this.#chunks = []
  }

  /** The graph has been walked. */
  traced(trace: Trace): void {
    this.#until('trace', 'plan', { nodes: trace.nodes.length })
  }

  /** The plan has been found, or built. */
  planned(plan: Plan, found: boolean): void {
    this.#until(found ? 'look up' : 'build', 'plan', { steps: plan.parts.steps.length })
  }

  /** What {@link Plan.run} calls after each step. */
  clockOf(plan: Plan): (step: number) => void {
    return (index) => {
      if (index < 0) return this.#until('bind inputs', 'data', { hosts: plan.parts.hostCount })
      const step = plan.parts.steps[index]!
      const begin = this.#latest
      const end = (this.#latest = performance.now())
      const name = nameOfStep(step)
      this.#add({ name, cat: 'step', thread: 0, begin, end, args: { step: index }, step })
      for (const chunk of this.#chunks)
        this.#add({ name, cat: 'chunk', ...chunk, args: { step: index }, step })
      this.#chunks = []
    }
  }

  /** What happened since the latest event was none of the plan's: the rest of the program had its turn. */
  resumed(): void {
    this.#latest = performance.now()
  }

  /** The plan has run and everything is in place. */
  finished(plan: Plan): void {
    this.#until('read out', 'data', { outputs: plan.parts.outputs.length })
    const args = { steps: plan.parts.steps.length }
    this.#add({
      name: 'flush',
      cat: 'flush',
      thread: 0,
      begin: this.#flushed,
      end: this.#latest,
      args,
      step: null,
    })
  }

  /** Events from a place on. */
  eventsFrom(first: number): TraceEvent[] {
    return eventsOf(this.#spans.slice(first), this.#full)
  }

  #until(name: string, cat: Span['cat'], args: Span['args']): void {
    const begin = this.#latest
    const end = (this.#latest = performance.now())
    this.#add({ name, cat, thread: 0, begin, end, args, step: null })
  }

  #add(span: Span): void {
    if (this.#spans.length < mostSpans) this.#spans.push(span)
    else this.#full = true
  }
}
