// The plan cache: from a trace to the plan built for an equal trace. The hash is only an index; a hit is compared integer
// by integer, so two different graphs can never share a plan. Plans unused for longest make room for new ones.
import type { Plan } from './plan.ts'
import type { Trace } from './walk.ts'

/** A training program has a handful of plans (training, evaluation, a short last batch); exploring ones have more. */
const mostPlans = 256

interface Entry {
  readonly hash: number
  readonly key: Int32Array
  readonly plan: Plan
}

/** Plans by structure. */
export class PlanCache {
  // Insertion order is order of use, oldest first: a used entry is put in again.
  #entries = new Map<number, Entry[]>()
  #count = 0

  /** The plan built for an equal trace. */
  find(trace: Trace): Plan | undefined {
    const bucket = this.#entries.get(trace.hash)
    const entry = bucket?.find((candidate) => sameKey(candidate.key, trace))
    if (bucket === undefined || entry === undefined) return undefined
    if (this.#count > mostPlans / 2) {
      this.#entries.delete(trace.hash)
      this.#entries.set(trace.hash, bucket)
    }
    return entry.plan
  }

  add(trace: Trace, plan: Plan): void {
    const entry: Entry = { hash: trace.hash, key: trace.key.slice(0, trace.length), plan }
    const bucket = this.#entries.get(trace.hash)
    if (bucket === undefined) this.#entries.set(trace.hash, [entry])
    else bucket.push(entry)
    this.#count += 1
    if (this.#count > mostPlans) this.#evictOldest()
  }

  clear(): void {
    for (const bucket of this.#entries.values()) for (const entry of bucket) entry.plan.dispose()
    this.#entries.clear()
    this.#count = 0
  }

  /** Every plan held, least recently used first. */
  plans(): Plan[] {
    return [...this.#entries.values()].flat().map((entry) => entry.plan)
  }

  #evictOldest(): void {
    const oldest = this.#entries.entries().next().value
    if (oldest === undefined) return
    const [hash, bucket] = oldest
    this.#entries.delete(hash)
    this.#count -= bucket.length
    for (const entry of bucket) entry.plan.dispose()
  }
}

function sameKey(key: Int32Array, trace: Trace): boolean {
  if (key.length !== trace.length) return false
  const other = trace.key
  for (let i = 0; i < key.length; i++) if (key[i] !== other[i]) return false
  return true
}
