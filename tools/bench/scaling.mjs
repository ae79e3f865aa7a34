// Case j as a table: by what a step's time grows when the model or its batch doubles, beside by what its arithmetic does.
import { cases } from './cases.mjs'

/** Cells: one line for each doubling and thread count, the growth of the products' operations and each peer's of time. */
export function scalingCells(rows) {
  const doubled = rows.filter((row) => row.case.startsWith('j/') && row.ms !== null)
  const peers = [...new Set(doubled.map(({ peer }) => peer))]
  const keys = [...new Set(doubled.map((row) => `${row.case} ${row.threads}`))]
  const operationsOf = (name) => cases.find((one) => one.name === name).operations
  const lines = keys.flatMap((key) => {
    const [name, threads] = key.split(' ')
    const base = baseOf(name)
    const timeOf = (peer, title) =>
      rows.find((row) => row.peer === peer && row.case === title && String(row.threads) === threads)?.ms
    const cells = peers.map((peer) => ratio(timeOf(peer, name), timeOf(peer, base)))
    if (cells.every((cell) => cell === '-')) return []
    return [[name.slice(2), threads, ratio(operationsOf(name), operationsOf(base)), ...cells]]
  })
  return [['doubled', 'threads', 'operations', ...peers], ...lines]
}

/** `j/gpt-width-x2` doubles `f/gpt`. */
function baseOf(name) {
  const title = name.slice(2).split('-')[0]
  return cases.find((one) => one.group !== 'j' && one.name.endsWith(`/${title}`)).name
}

function ratio(one, other) {
  return one === undefined || other === undefined || other === null ? '-' : `${(one / other).toFixed(2)}x`
}
