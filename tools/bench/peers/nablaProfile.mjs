// What a step of Nabla's costs besides its kernels, and which kernels cost most. It looks at the engine from outside: every
// plan that the engine hands out is wrapped once, so that its runs are timed. With `profile` the engine takes one of a few
// steps of their own, after the timed ones.

import { median } from '../maths.mjs'

/** How many of a plan's kinds of steps are told. */
const told = 5

const profiledRuns = 5

/** How long steps without kernels are repeated at most, in number and milliseconds. */
const dryRuns = 2000
const dryLimitMs = 500

/** @param engineModule what `nabla` exports as `engine` */
export function observe({ engine, startProfile }, { profile = false } = {}) {
  const watch = watchPlans(engine)
  let before = snapshot(engine)
  let totals = []
  let overheads = []
  let latest = null
  let repeat = null
  return {
    /** Does a step; a promise where the step gives one. */
    step(run) {
      const start = performance.now()
      watch.running = 0
      watch.nodes = 0
      const settle = (result) => {
        const total = performance.now() - start
        totals.push(total)
        overheads.push(total - watch.running)
        latest = result
        repeat = run
      }
      const result = run()
      return result instanceof Promise ? result.then(settle) : settle(result)
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
        nodes: watch.nodes,
        compiledLater: after.compiled - before.compiled,
        plansLater: after.plans - before.plans,
        arenaBytes: watch.plan?.parts.arenaBytes ?? 0,
        arenaLowerBound: watch.plan?.parts.arenaLowerBound ?? 0,
      }
      const dearest = profile && repeat !== null ? await dearestSteps(startProfile, repeat) : undefined
      watch.stop()
      const loss = latest === null || latest === undefined ? null : await latest.item()
      const dryMs = repeat === null ? null : await withoutKernels(watch.plan, repeat)
      return { ...facts, loss, dearest, dryMs }
    },
  }
}

function snapshot(engine) {
  return { compiled: engine.backend.info().compiled, plans: engine.statistics.plansBuilt }
}

/** Times the runs of all plans and counts nodes; `plan` is the latest with the most steps, which is the case's own. */
function watchPlans(engine) {
  const watch = { running: 0, plan: null, nodes: 0, stop: () => delete engine.planOf }
  const planOf = Object.getPrototypeOf(engine).planOf
  const known = new WeakSet()
  engine.planOf = (trace) => {
    const plan = planOf.call(engine, trace)
    if (watch.plan === null || plan.parts.steps.length >= watch.plan.parts.steps.length) watch.plan = plan
    watch.nodes += trace.nodes.length
    if (!known.has(plan)) {
      known.add(plan)
      const run = Object.getPrototypeOf(plan).run
      plan.run = (...args) => {
        const start = performance.now()
        run.apply(plan, args)
        watch.running += performance.now() - start
      }
    }
    return plan
  }
  return watch
}

/**
 * What a step takes when its kernels do nothing: the cost of the engine alone, with its code warm and its data in the
 * caches, which the kernels of a real step push out. Results are wrong afterwards, so this comes last.
 */
async function withoutKernels({ parts: { steps } }, repeat) {
  const kept = steps.map(({ executable }) => executable.run)
  for (const { executable } of steps) executable.run = () => {}
  const times = []
  const until = performance.now() + dryLimitMs
  for (let i = 0; i < dryRuns && performance.now() < until; i++) {
    const start = performance.now()
    const result = repeat()
    // Only what needs waiting for is waited for: that takes time as well.
    if (result instanceof Promise) await result
    times.push(performance.now() - start)
  }
  for (const [i, { executable }] of steps.entries()) executable.run = kept[i]
  return median(times.slice(Math.floor(times.length / 2)))
}

/** The steps that take longest together, each as the least of a few runs, with what they do and how fast. */
async function dearestSteps(startProfile, repeat) {
  const runs = []
  while (runs.length < profiledRuns) {
    const profile = startProfile()
    await repeat()
    runs.push(profile.stop().filter(({ cat }) => cat === 'step'))
  }
  const groups = new Map()
  let whole = 0
  for (const [i, { name, args }] of runs[0].entries()) {
    const ms = Math.min(...runs.map((run) => run[i].dur / 1000))
    const { kind, work, flops, bytes } = args
    // Layers of one shape have the same steps: they are told as one line with their number.
    const key = `${kind} ${work} ${name}`
    const group = groups.get(key) ?? { count: 0, ms: 0, flops: 0, bytes: 0, kind, work, name }
    group.count += 1
    group.ms += ms
    group.flops += flops
    group.bytes += bytes
    groups.set(key, group)
    whole += ms
  }
  return [...groups.values()]
    .sort((one, other) => other.ms - one.ms)
    .slice(0, told)
    .map((group) => ({ ...group, share: group.ms / whole }))
}
