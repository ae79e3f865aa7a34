// What device memory is used for, in words: for the error of a program that runs out of it. Variables hold theirs one by one;
// all plans share one arena, as large as the largest of them needs. Not here: who hands out memory (the backends).
import { bytesOf } from './dtype.ts'
import type { Plan } from './plan/plan.ts'

/** How many plans and how many values of each are named. */
const plansTold = 3
const valuesTold = 3

/** Memory that Variables hold. */
export interface VariableUse {
  readonly count: number
  readonly bytes: number
}

/** The largest of `plans` with their largest values, and what Variables hold. */
export function describeMemoryUse(plans: readonly Plan[], variables: VariableUse): string {
  const lines = [`Variables hold ${megabytes(variables.bytes)} (${variables.count} of them).`]
  const largest = [...plans]
    .filter(({ parts }) => parts.arenaBytes > 0)
    .sort((one, other) => other.parts.arenaBytes - one.parts.arenaBytes)
    .slice(0, plansTold)
  if (largest.length > 0) lines.push('Plans share one arena; the largest need:', ...largest.map(describePlan))
  return lines.join('\n')
}

function describePlan({ parts: { steps, slots, arenaBytes, arenaLowerBound } }: Plan): string {
  const values = steps.flatMap(({ writes, ops, work }) =>
    writes
      .filter((slot) => slots[slot]!.arena >= 0)
      .map((slot) => ({ bytes: slots[slot]!.length * bytesOf(slots[slot]!.dtype), ops, work })),
  )
  const told = values
    .sort((one, other) => other.bytes - one.bytes)
    .slice(0, valuesTold)
    .map(({ bytes, ops, work }) => `${megabytes(bytes)} by ${summary(ops)} (${work})`)
  return `- ${megabytes(arenaBytes)} for ${steps.length} steps (${megabytes(arenaLowerBound)} at once); largest values: ${told.join(', ')}`
}

/** A few names stand for all. */
function summary(ops: readonly string[]): string {
  const names = [...new Set(ops)]
  return names.length > 4 ? `${names.slice(0, 4).join(' ')} ...` : names.join(' ')
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
