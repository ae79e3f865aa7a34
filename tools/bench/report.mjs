// What people read: the table, Nabla's own facts, JSON lines, and the piece of a Markdown page between two markers.
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'

/** Begin and end of the part of a page that `--write` replaces. */
export const markers = ['<!-- bench:begin -->', '<!-- bench:end -->']

/**
 * The stated fields of a row, as one line of JSON; `reason` where a peer did not run, `info` where it told something.
 * @param {Record<string, unknown>} row
 */
export function jsonLine({ peer, case: name, threads, ms, gflops, tokens, ratio, reason, info }) {
  const tokensPerSecond = rateOf(tokens, ms) ?? undefined
  return JSON.stringify({ peer, case: name, threads, ms, gflops, tokensPerSecond, ratio, reason, info })
}

/** When and where it ran. */
export function describeMachine(versions, { short, threads }) {
  const processors = cpus()
  const lines = [
    `${new Date().toISOString().slice(0, 10)}, ${processors[0]?.model ?? 'unknown processor'}, ${processors.length} cores`,
    `Node ${process.version}, ${process.platform} ${process.arch}; threads: ${threads.join(', ')}${short ? '; --quick' : ''}`,
    `load of the machine before and during the run (1, 5, 15 minutes): ${loadavg()
      .map((x) => x.toFixed(1))
      .join(', ')}`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  ]
  return lines.join('\n')
}

/** One line per case and thread count, one column per peer: time in ms and, for peers, the ratio to Nabla. */
export function tableCells(rows) {
  const peers = [...new Set(rows.map(({ peer }) => peer))]
  const keys = [...new Set(rows.map(keyOf))]
  const lines = keys.map((key) => {
    const [name, threads] = key.split(' ')
    const cells = peers.map((peer) => cellOf(rows.find((row) => keyOf(row) === key && row.peer === peer)))
    return [name, threads, ...cells]
  })
  return [['case', 'threads', ...peers], ...lines]
}

function keyOf({ case: name, threads }) {
  return `${name} ${threads}`
}

/** Tokens in a second, where a step makes tokens. */
function rateOf(tokens, ms) {
  return typeof tokens === 'number' && ms !== null ? Math.round((1000 * tokens) / ms) : null
}

function cellOf(row) {
  if (row === undefined || row.ms === null) return '-'
  const rate = rateOf(row.tokens, row.ms)
  const gflops = row.gflops === null || row.gflops === undefined ? '' : ` [${row.gflops.toPrecision(3)}]`
  const speed = rate === null ? gflops : ` [${rate} tokens/s]`
  const ratio =
    row.ratio === null || row.peer === 'nabla'
      ? ''
      : ` (${row.ratio >= 100 ? row.ratio.toFixed(0) : row.ratio.toPrecision(2)}x)`
  return `${milliseconds(row.ms)}${row.peer === 'nabla' ? speed : ratio}`
}

function milliseconds(ms) {
  return ms >= 100 ? ms.toFixed(0) : ms.toPrecision(3)
}

/** The table for a terminal, and below it why peers did not run. */
export function formatTable(rows) {
  const cells = tableCells(rows)
  const widths = cells[0].map((_, column) => Math.max(...cells.map((line) => line[column].length)))
  const lines = cells.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  )
  const legend =
    'Times in ms; [GFLOP/s of Nabla]; (time of the peer / time of Nabla: above 1, Nabla is faster).'
  return [...lines, legend, ...reasonsOf(rows)].join('\n')
}

/** Reasons, each once, with the cases that they are about. */
export function reasonsOf(rows) {
  const cases = new Map()
  for (const { peer, reason, case: name } of rows) {
    if (reason === undefined) continue
    const key = `${peer}: ${reason}`
    cases.set(key, [...new Set([...(cases.get(key) ?? []), name])])
  }
  return [...cases].map(([key, names]) => `${key} (${names.join(', ')})`)
}

const factHeader = [
  'case',
  'threads',
  'plan steps',
  'tracing + look-up',
  'share',
  'compiled later',
  'arena / bound',
]

/** Facts about Nabla's steps: `compiled later` counts kernels made after the warm-up and has to be 0. */
export function factCells(rows) {
  const ours = rows.filter(({ peer, info }) => peer === 'nabla' && info?.steps !== undefined)
  const lines = ours.map(({ case: name, threads, info }) => [
    name,
    String(threads),
    String(info.steps),
    `${info.overheadMs.toFixed(2)} ms`,
    `${(100 * info.overheadShare).toFixed(1)} %`,
    String(info.compiledLater + info.plansLater),
    `${(info.arenaBytes / 2 ** 20).toFixed(1)} / ${(info.arenaLowerBound / 2 ** 20).toFixed(1)} MiB`,
  ])
  return [factHeader, ...lines]
}

/** How large installations are, as one line, or nothing. */
function sizesOf(rows) {
  const sizes = rows.filter(({ info }) => Number.isFinite(info?.megabytes))
  const words = sizes.map(({ peer, info }) => `${peer} ${info.megabytes.toFixed(1)} MB`)
  return words.length === 0
    ? []
    : [`Installed, with all that they depend on: ${[...new Set(words)].join(', ')}.`]
}

/** Facts for a terminal, with the dearest steps where they were profiled. */
export function formatFacts(rows) {
  const cells = factCells(rows)
  const widths = cells[0].map((_, column) => Math.max(...cells.map((line) => line[column].length)))
  const lines = cells.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  )
  return [...lines, ...sizesOf(rows), ...dearestCells(rows).map((line) => line.join('  '))].join('\n')
}

const dearestHeader = ['case', 'steps', 'ms', 'share', 'kind', 'work', 'speed', 'ops']

function dearestCells(rows) {
  const lines = rows.flatMap(({ case: name, info }) =>
    (info?.dearest ?? []).map((step) => [
      name,
      String(step.count),
      step.ms.toFixed(2),
      `${(100 * step.share).toFixed(0)} %`,
      step.kind,
      step.work,
      step.kind === 'contract' || step.kind.startsWith('attention')
        ? `${(step.flops / step.ms / 1e6).toFixed(1)} GFLOP/s`
        : `${(step.bytes / step.ms / 1e6).toFixed(1)} GB/s`,
      step.name.length > 80 ? `${step.name.slice(0, 77)}...` : step.name,
    ]),
  )
  return lines.length === 0 ? [] : [dearestHeader, ...lines]
}

/** Everything for a page. */
export function markdown(machine, rows) {
  const about = machine.split('\n').map((line) => `- ${line}`)
  const parts = [about.join('\n'), pipeTable(tableCells(rows))]
  parts.push(
    'Times in ms; in brackets GFLOP/s of Nabla; in parentheses the time of the peer divided by that of Nabla.',
  )
  parts.push(...sizesOf(rows))
  const reasons = reasonsOf(rows)
  if (reasons.length > 0) parts.push(`Not measured:\n\n${reasons.map((reason) => `- ${reason}`).join('\n')}`)
  const facts = factCells(rows)
  if (facts.length > 1) parts.push(`Nabla's steps besides their kernels:\n\n${pipeTable(facts)}`)
  const dearest = dearestCells(rows)
  if (dearest.length > 0)
    parts.push(`The five dearest steps of each plan, equal ones together:\n\n${pipeTable(dearest)}`)
  return parts.join('\n\n')
}

/** A table with its columns padded, which is how the formatter wants it. */
function pipeTable(cells) {
  const lines = cells.map((line) => line.map((cell) => cell.replaceAll('|', '/')))
  const widths = lines[0].map((_, column) => Math.max(3, ...lines.map((line) => line[column].length)))
  const row = (line) => `| ${line.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`
  const [header, ...rest] = lines
  return [row(header), row(widths.map((width) => '-'.repeat(width))), ...rest.map(row)].join('\n')
}

/** Puts text between the two markers of a file. @throws Error when the file has not both, in this order */
export function replaceBetweenMarkers(file, text) {
  const page = readFileSync(file, 'utf8')
  const [begin, end] = markers.map((marker) => page.indexOf(marker))
  if (begin < 0 || end < begin) throw new Error(`${file}: needs the lines ${markers.join(' and ')}`)
  writeFileSync(file, `${page.slice(0, begin + markers[0].length)}\n\n${text}\n\n${page.slice(end)}`)
}
