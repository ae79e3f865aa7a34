// The arithmetic of the table: medians, rates and ratios. Pure functions; see bench.test.ts.

/** The middle of the values; of an even count, the mean of the two in the middle. */
export function median(values) {
  if (values.length === 0) throw new RangeError('median: no values')
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

/** Billions of floating-point operations a second, or null for work that is not counted in them. */
export function gflops(operations, ms) {
  return operations === null ? null : operations / ms / 1e6
}

/** How many steps fit into a round of `budget` ms when one takes `ms`: at least one, at most 50. */
export function runsPerRound(ms, budget) {
  return Math.max(1, Math.min(50, Math.floor(budget / ms)))
}

/**
 * Adds `ratio` to rows of one run: the peer's time divided by Nabla's for the same case and thread count, so above 1 means
 * that Nabla is faster. It is null where either of them did not run.
 */
export function withRatios(rows) {
  const ours = new Map(rows.filter((row) => row.peer === 'nabla').map((row) => [keyOf(row), row.ms]))
  return rows.map((row) => {
    const reference = ours.get(keyOf(row))
    const known = row.ms !== null && reference !== undefined && reference !== null
    return { ...row, ratio: known ? row.ms / reference : null }
  })
}

function keyOf({ case: name, threads }) {
  return `${name} ${threads}`
}
