// What a profile is for those who read it: events in the Trace Event Format, which chrome://tracing and
// https://ui.perfetto.dev open. Read next: recorder.ts, which measures.
import type { PlanStep } from '../plan/plan.ts'

/** One event of a profile. `X` is something that took time, `M` names a row, `i` is a remark. Times in microseconds. */
export interface TraceEvent {
  readonly name: string
  /** `flush`; `plan` and `data` inside of it; `step` for kernels and routines; `chunk` for a thread's part of a step. */
  readonly cat: 'flush' | 'plan' | 'data' | 'step' | 'chunk' | 'row'
  readonly ph: 'X' | 'M' | 'i'
  readonly pid: number
  /** The row: 0 is the thread that calls, the others are workers. */
  readonly tid: number
  readonly ts: number
  readonly dur?: number
  readonly args?: Readonly<Record<string, string | number>>
}

/** A profile that is being taken. */
export interface Profile {
  /** Ends it. @returns its events, by time; `JSON.stringify` of them is a file that the viewers open */
  stop(): TraceEvent[]
}

/** What was measured, before it is put in words. Milliseconds of `performance.now()`. */
export interface Span {
  readonly name: string
  readonly cat: TraceEvent['cat']
  readonly thread: number
  readonly begin: number
  readonly end: number
  readonly args: TraceEvent['args'] | null
  /** What a step is. */
  readonly step: PlanStep | null
}

/** The name of a step: a kernel's ops with their counts, most frequent first; a routine with its sizes. */
export function nameOfStep({ kind, ops, work }: PlanStep): string {
  if (kind !== 'kernel') return `${kind} ${work}`
  const counts = new Map<string, number>()
  for (const op of ops) counts.set(op, (counts.get(op) ?? 0) + 1)
  const sorted = [...counts].sort((one, other) => other[1] - one[1])
  return sorted.map(([op, count]) => (count === 1 ? op : `${op} x${count}`)).join(' ')
}

/** Spans as events, outer ones before what they hold, with a named row for each thread. */
export function eventsOf(spans: readonly Span[], full: boolean): TraceEvent[] {
  const pid = globalThis.process?.pid ?? 1
  const events = spans.map(({ name, cat, thread, begin, end, args, step }): TraceEvent => {
    const all = { ...(step === null || cat !== 'step' ? {} : factsOf(step, end - begin)), ...args }
    // Whole nanoseconds, so that what ends with something else does so after the viewers' rounding, too.
    const [from, to] = [Math.round(begin * 1e6), Math.round(end * 1e6)]
    return { name, cat, ph: 'X', pid, tid: thread, ts: from / 1000, dur: (to - from) / 1000, args: all }
  })
  events.sort((one, other) => one.ts - other.ts || other.dur! - one.dur!)
  const threads = [...new Set(spans.map(({ thread }) => thread))].sort((one, other) => one - other)
  const rows = threads.map((tid): TraceEvent => {
    const name = tid === 0 ? 'the thread that calls' : `worker ${tid}`
    return { name: 'thread_name', cat: 'row', ph: 'M', pid, tid, ts: 0, args: { name } }
  })
  if (full) {
    const ts = events.at(-1)?.ts ?? 0
    events.push({ name: 'no more was recorded: the profile is full', cat: 'row', ph: 'i', pid, tid: 0, ts })
  }
  return [...rows, ...events]
}

function factsOf(step: PlanStep, ms: number): Record<string, string | number> {
  const { flops, bytes } = step.cost()
  // A clock that is too coarse says 0.
  const perSecond = (amount: number): number => (ms === 0 ? 0 : amount / ms / 1e6)
  return {
    kind: step.kind,
    work: step.work,
    ops: step.ops.join(' '),
    flops,
    bytes,
    'GFLOP/s': perSecond(flops),
    'GB/s': perSecond(bytes),
  }
}
