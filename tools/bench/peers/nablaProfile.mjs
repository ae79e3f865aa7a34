// What a step of Nabla's costs besides its kernels, and which kernels cost most. It looks at the engine from outside: every
// plan that the engine hands out is wrapped once, so that its runs are timed. With `profile` every step of a plan is timed
// as well, which is why profiles are taken in rounds of their own and never in timed ones.

import { median } from '../maths.mjs'

/** How many of a plan's kinds of steps are told. */
const told = 5

/** @param engineModule what `nabla` exports as `engine` */
export function observe({ engine }, { profile = false } = {}) {
  const watch = watchPlans(engine)
  let before = snapshot(engine)
  let totals = []
  let overheads = []
  let latest = null
  let repeat = null
  return {
    step(run) {
      const start = performance.now()
      watch.running = 0
      latest = run()
      const total = performance.now() - start
      totals.push(total)
      overheads.push(total - watch.running)
      repeat = run
    },
    /** Called after warm-up: from here on nothing may be compiled. */
    start() {
      before = snapshot(engine)
      watch.plan = null
      totals = []
      overheads = []
    },
    async finish() {
      const after = snapshot(engine)
      const overheadMs = median(overheads)
      const facts = {
        overheadMs,
        overheadShare: overheadMs / median(totals),
        steps: watch.plan?.parts.steps.length ?? 0,
        compiledLater: after.compiled - before.compiled,
        plansLater: after.plans - before.plans,
        arenaBytes: watch.plan?.parts.arenaBytes ?? 0,
        arenaLowerBound: watch.plan?.parts.arenaLowerBound ?? 0,
      }
      const dearest = profile && repeat !== null ? dearestSteps(watch, repeat) : undefined
      watch.stop()
      return { ...facts, loss: latest === null || latest === undefined ? null : await latest.item(), dearest }
    },
  }
}

function snapshot(engine) {
  return { compiled: engine.backend.info().compiled, plans: engine.statistics.plansBuilt }
}

/** Times the runs of all plans; `plan` is the latest with the most steps, which is the case's own. */
function watchPlans(engine) {
  const watch = { running: 0, plan: null, clock: undefined, stop: () => delete engine.planOf }
  const planOf = Object.getPrototypeOf(engine).planOf
  const known = new WeakSet()
  engine.planOf = (trace) => {
    const plan = planOf.call(engine, trace)
    if (watch.plan === null || plan.parts.steps.length >= watch.plan.parts.steps.length) watch.plan = plan
    if (!known.has(plan)) {
      known.add(plan)
      const run = Object.getPrototypeOf(plan).run
      plan.run = (backend, of) => {
        const start = performance.now()
        run.call(plan, backend, of, watch.clock)
        watch.running += performance.now() - start
      }
    }
    return plan
  }
  return watch
}

/** The steps of the plan that take longest together, as the least of a few runs, with what they do and how fast. */
function dearestSteps(watch, repeat) {
  const { plan } = watch
  const { steps, slots } = plan.parts
  const least = steps.map(() => Infinity)
  for (let round = 0; round < 5; round++) {
    let before = performance.now()
    const run = plan.run
    plan.run = (backend, trace) => {
      before = performance.now()
      run(backend, trace)
    }
    watch.clock = (i) => {
      const now = performance.now()
      least[i] = Math.min(least[i], now - before)
      before = performance.now()
    }
    repeat()
    plan.run = run
  }
  watch.clock = undefined
  const whole = least.reduce((sum, ms) => sum + ms, 0)
  const groups = new Map()
  for (const [i, step] of steps.entries()) {
    // Layers of one shape have the same steps: they are told as one line with their number.
    const ops = summarize(step.ops)
    const key = `${step.kind} ${step.work} ${ops}`
    const group = groups.get(key) ?? { count: 0, ms: 0, bytes: 0, kind: step.kind, work: step.work, ops }
    group.count += 1
    group.ms += least[i]
    group.bytes += bytesOf(step, slots)
    groups.set(key, group)
  }
  return [...groups.values()]
    .sort((one, other) => other.ms - one.ms)
    .slice(0, told)
    .map(({ bytes, ...group }) => ({
      ...group,
      share: group.ms / whole,
      gflops:
        group.kind === 'contract' ? (2 * group.count * multiplyAdds(group.work)) / group.ms / 1e6 : null,
      gigabytesPerSecond: bytes / group.ms / 1e6,
    }))
}

/** What a step reads and writes, each buffer once. */
function bytesOf({ reads, writes }, slots) {
  return [...new Set([...reads, ...writes])].reduce(
    (sum, slot) => sum + slots[slot].length * (slots[slot].dtype === 'float64' ? 8 : 4),
    0,
  )
}

/** Of a contraction, whose work is told as sizes with crosses between them. */
function multiplyAdds(work) {
  return work.split('x').reduce((product, size) => product * Number(size), 1)
}

/** Names with their counts, the most frequent first. */
function summarize(ops) {
  const counts = new Map()
  for (const op of ops) counts.set(op, (counts.get(op) ?? 0) + 1)
  const sorted = [...counts].sort((one, other) => other[1] - one[1])
  return sorted.map(([name, count]) => (count === 1 ? name : `${name} x${count}`)).join(' ')
}
