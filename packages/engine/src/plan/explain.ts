// A plan in words: one line per step with what was fused into it, what it reads and writes, how large, how long it took
// (R11). Written for people who wonder why something is slow. Read before: plan.ts.
import { bytesOf } from '../dtype.ts'
import { engine } from '../engine.ts'
import type { Node } from '../node.ts'
import type { Plan, PlanSlot } from './plan.ts'

/**
 * Computes values and tells how: a table of the plan's steps. The values are leaves afterwards.
 * @returns text for a terminal
 */
export function explainNodes(nodes: readonly Node[]): string {
  const pending = nodes.filter((node) => !node.isLeaf)
  if (pending.length === 0) return 'nothing to compute: every value is there already'
  const trace = engine.trace(pending)
  const plan = engine.planOf(trace)
  const times: number[] = []
  let before = performance.now()
  plan.run(engine.backend, trace, (step) => {
    const now = performance.now()
    if (step >= 0) times.push(now - before)
    before = now
  })
  return formatPlan(plan, times)
}

/** A plan as a table. @param times milliseconds of each step, if known */
export function formatPlan(plan: Plan, times: readonly number[] = []): string {
  const { steps, slots, arena, arenaBytes, arenaLowerBound } = plan.parts
  const header = ['step', 'kind', 'work', 'reads', 'writes', 'ms', 'ops']
  const rows = steps.map((step, i) => [
    String(i),
    step.kind,
    step.work,
    step.reads.map((slot) => slotName(slots[slot]!, slot)).join(' '),
    step.writes.map((slot) => slotName(slots[slot]!, slot)).join(' '),
    times[i] === undefined ? '' : times[i]!.toFixed(3),
    step.ops.join(' '),
  ])
  const widths = header.map((title, c) => Math.max(title.length, ...rows.map((row) => row[c]!.length)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, c) => cell.padEnd(widths[c]!))
      .join('  ')
      .trimEnd()
  const summary = `${steps.length} steps, ${arena.length} buffers in ${arenaBytes} bytes (${arenaLowerBound} alive at once)`
  return [line(header), ...rows.map(line), summary].join('\n')
}

function slotName(slot: PlanSlot, index: number): string {
  const kind = slot.role === 'host' ? 'in' : slot.role === 'variable' ? 'var' : slot.alias >= 0 ? 'upd' : 'v'
  return `${kind}${index}:${slot.dtype}[${slot.length}]=${slot.length * bytesOf(slot.dtype)}B`
}
