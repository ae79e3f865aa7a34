// The plan cache: from a trace to the plan built for an equal trace. Programs repeat themselves, so the plan that came after
// the last one the time before is tried first; else a hash is the index. Either way a hit is compared integer by integer,
// so two different graphs can never share a plan. Plans unused for longest make room for new ones.
import type { Plan } from './plan.ts'
import type { Trace } from './walk.ts'

/** A training program has a handful of plans (training, evaluation, a short last batch); exploring ones have more. */
const mostPlans = 256

interface Entry {
  readonly hash: number
  readonly key: Int32Array
  readonly plan: Plan
  /** What was found or added after it the last time; null when that has been evicted. */
  next: Entry | null
}

/** Plans by structure. */
export class PlanCache {
  // Insertion order is order of use, oldest first: a used entry is put in again.
  #entries = new Map<number, Entry[]>()
  #count = 0
  #last: Entry | null = null

  /** The plan built for an equal trace. */
  find(trace: Trace): Plan | undefined {
    const expected = this.#last?.next
    if (expected !== undefined && expected !== null && sameKey(expected.key, trace))
      return this.#use(expected)
    const bucket = this.#entries.get(hashOf(trace))
    const entry = bucket?.find((candidate) => sameKey(candidate.key, trace))
    return entry === undefined ? undefined : this.#use(entry)
  }

  add(trace: Trace, plan: Plan): void {
    const hash = hashOf(trace)
    const entry: Entry = { hash, key: trace.key.slice(0, trace.length), plan, next: null }
    const bucket = this.#entries.get(hash)
    if (bucket === undefined) this.#entries.set(hash, [entry])
    else bucket.push(entry)
    this.#count += 1
    this.#use(entry)
    if (this.#count > mostPlans) this.#evictOldest()
  }

  clear(): void {
    for (const bucket of this.#entries.values()) for (const entry of bucket) entry.plan.dispose()
    this.#entries.clear()
    this.#count = 0
    this.#last = null
  }

  /** Every plan held, least recently used first. */
  plans(): Plan[] {
    return [...this.#entries.values()].flat().map((entry) => entry.plan)
  }

  #use(entry: Entry): Plan {
    if (this.#count > mostPlans / 2) {
      const bucket = this.#entries.get(entry.hash)!
      this.#entries.delete(entry.hash)
      this.#entries.set(entry.hash, bucket)
    }
    if (this.#last !== null) this.#last.next = entry
    this.#last = entry
    return entry.plan
  }

  #evictOldest(): void {
    const oldest = this.#entries.entries().next().value
    if (oldest === undefined) return
    const [hash, bucket] = oldest
    this.#entries.delete(hash)
    this.#count -= bucket.length
    for (const entry of bucket) entry.plan.dispose()
    for (const entries of this.#entries.values()) {
      for (const entry of entries) if (entry.next !== null && bucket.includes(entry.next)) entry.next = null
    }
  }
}

function hashOf({ key, length }: Trace): number {
  let hash = 17
  for (let i = 0; i < length; i++) {
    hash = Math.imul(hash ^ key[i]!, 0x9e3779b1)
    hash ^= hash >>> 15
  }
  return hash
}

function sameKey(key: Int32Array, trace: Trace): boolean {
  if (key.length !== trace.length) return false
  const other = trace.key
  for (let i = 0; i < key.length; i++) if (key[i] !== other[i]) return false
  return true
}
