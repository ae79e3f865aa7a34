// What people and programs read: the table of times, targets, scaling, the roofline picture, Nabla's own facts, JSON lines,
// and the piece of a Markdown page between two markers. A result is { rows, roofs, machine }.
// Read next: targets.mjs, scaling.mjs, roofline.mjs, tables.mjs.
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { basename } from 'node:path'
import { rooflineSvg } from './roofline.mjs'
import { scalingCells } from './scaling.mjs'
import { pipeTable, plainTable } from './tables.mjs'
import { targetCells } from './targets.mjs'

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

/** All lines: what a core can do at most, then the rows. */
export function jsonLines({ rows, roofs }) {
  return [JSON.stringify({ peer: 'core', case: 'roof', threads: 1, ...roofs }), ...rows.map(jsonLine)].join(
    '\n',
  )
}

/** When and where it ran. */
export function describeMachine(versions, { short, threads }) {
  const processors = cpus()
  const { OPENBLAS_CORETYPE: openBlas } = process.env
  const lines = [
    `${new Date().toISOString().slice(0, 10)}, ${processors[0]?.model ?? 'unknown processor'}, ${processors.length} cores`,
    `Node ${process.version}, ${process.platform} ${process.arch}; threads: ${threads.join(', ')}${short ? '; --quick' : ''}`,
    `load of the machine before and during the run (1, 5, 15 minutes): ${loadavg()
      .map((x) => x.toFixed(1))
      .join(', ')}`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
    ...(openBlas === undefined ? [] : [`OPENBLAS_CORETYPE=${openBlas}`]),
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

const legend =
  'Times in ms; in brackets GFLOP/s of Nabla; in parentheses the time of the peer divided by that of Nabla: above 1, Nabla is faster.'

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
  'nodes',
  'plan steps',
  'tracing + look-up',
  'a node',
  'without kernels',
  'share',
  'compiled later',
  'arena / bound',
]

/**
 * Facts about Nabla's steps. `without kernels` is a node's share of a step whose kernels do nothing, repeated until warm:
 * tracing, look-up and dispatch, undisturbed by the caches and the few repetitions of a step that works. `compiled later` counts kernels made after the warm-up and has to be 0. */
export function factCells(rows) {
  const ours = rows.filter(({ peer, info }) => peer === 'nabla' && info?.steps !== undefined)
  const lines = ours.map(({ case: name, threads, info }) => [
    name,
    String(threads),
    String(info.nodes),
    String(info.steps),
    `${info.overheadMs.toFixed(2)} ms`,
    `${((1000 * info.overheadMs) / info.nodes).toFixed(2)} us`,
    `${((1000 * info.dryMs) / info.nodes).toFixed(2)} us`,
    `${(100 * info.overheadShare).toFixed(1)} %`,
    String(info.compiledLater + info.plansLater),
    `${(info.arenaBytes / 2 ** 20).toFixed(1)} / ${(info.arenaLowerBound / 2 ** 20).toFixed(1)} MiB`,
  ])
  return [factHeader, ...lines]
}

/** How large installations are, and what all of Nabla takes, in two lines at most. */
function sizesOf(rows) {
  const starts = rows.filter((row) => row.case === 'i/cold-start' && row.info !== undefined)
  const sizes = starts.flatMap(({ peer, info: { megabytes, packedMegabytes } }) => {
    if (megabytes === undefined) return []
    const packed = packedMegabytes === undefined ? '' : ` (${packedMegabytes.toFixed(2)} packed)`
    return [`${peer} ${megabytes.toFixed(1)} MB${packed}`]
  })
  const whole = starts.find(({ info }) => info.whole !== undefined)?.info.whole
  const lines = []
  if (sizes.length > 0)
    lines.push(`Installed, with all that they depend on: ${[...new Set(sizes)].join(', ')}.`)
  if (whole?.megabytes !== undefined) {
    lines.push(
      `i/cold-start of Nabla is \`@nabla/tensor\`; \`nabla\`, which is everything, takes ${whole.ms.toFixed(0)} ms and ${whole.megabytes.toFixed(1)} MB.`,
    )
  }
  return lines
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
      nameOf(step),
    ]),
  )
  return lines.length === 0 ? [] : [dearestHeader, ...lines]
}

/** The ops of a kernel; of a routine the other columns have said everything. */
function nameOf({ kind, name }) {
  if (kind !== 'kernel') return ''
  return name.length > 80 ? `${name.slice(0, 77)}...` : name
}

/** The tables below the first one, each with its title; those without lines are left out. */
function furtherTables(rows, roofs) {
  const counts = rows.map(({ threads }) => threads)
  const [fewest, most] = [Math.min(...counts), Math.max(...counts)]
  const ours = (count) => rows.filter(({ peer, threads }) => peer === 'nabla' && threads === count)
  const tables = [
    ['Targets', targetCells(rows, roofs).filter((line) => line.at(-1) !== 'not measured')],
    ['What doubling costs: the time of a step, times that of the plain model', scalingCells(rows)],
    [`Nabla's steps besides their kernels, threads: ${most}`, factCells(ours(most))],
    [`The dearest kinds of steps of each plan, threads: ${fewest}`, dearestCells(ours(fewest))],
  ]
  return tables.filter(([, cells]) => cells.length > 1)
}

/** Everything for a terminal. */
export function formatForTerminal({ rows, roofs, machine }) {
  const tables = furtherTables(rows, roofs).map(([title, cells]) => `${title}:\n\n${plainTable(cells)}`)
  const times = plainTable(tableCells(rows))
  return [
    machine,
    roofWords(roofs),
    times,
    [legend, ...reasonsOf(rows)].join('\n'),
    ...sizesOf(rows),
    ...tables,
  ].join('\n\n')
}

/** Everything for a page. @param picture address of the roofline picture, or null where there is none */
export function markdown({ rows, roofs, machine }, picture = null) {
  const about = [...machine.split('\n'), roofWords(roofs)].map((line) => `- ${line}`)
  const [targets, ...tables] = furtherTables(rows, roofs).map(
    ([title, cells]) => `### ${title}\n\n${pipeTable(cells)}`,
  )
  const seen =
    picture === null
      ? []
      : [
          '### Under the roofs of one core',
          `![Each step of Nabla's plans, by its arithmetic for each byte, beside what one core can do at most](${picture})`,
        ]
  const reasons = reasonsOf(rows).map((reason) => `- ${reason}`)
  const missing = reasons.length === 0 ? [] : ['### Not measured', reasons.join('\n')]
  return [
    about.join('\n'),
    pipeTable(tableCells(rows)),
    legend,
    ...sizesOf(rows),
    targets,
    ...seen,
    ...tables,
    ...missing,
  ].join('\n\n')
}

function roofWords({ gflops, cacheBandwidth, memoryBandwidth }) {
  return `a core at most, in WebAssembly: ${gflops.toFixed(0)} GFLOP/s, ${cacheBandwidth.toFixed(0)} GB/s from cache, ${memoryBandwidth.toFixed(0)} GB/s from memory`
}

/** Puts a result between the markers of a page, and the picture beside the page. */
export function writePage(file, result) {
  const { rows, roofs, machine } = result
  const points = rows
    .filter(({ peer, threads }) => peer === 'nabla' && threads === 1)
    .flatMap(({ case: name, info }) => (info?.dearest ?? []).map((step) => ({ ...step, case: name })))
  const picture = file.replace(/(\.\w+)?$/, '-roofline.svg')
  const [when, where] = machine.split('\n')
  if (points.length > 0)
    writeFileSync(picture, rooflineSvg(roofs, points, `${when}; ${where.split(';')[0]}; one thread`))
  replaceBetweenMarkers(file, markdown(result, points.length > 0 ? basename(picture) : null))
}

/** Puts text between the two markers of a file. @throws Error when the file has not both, in this order */
export function replaceBetweenMarkers(file, text) {
  const page = readFileSync(file, 'utf8')
  const [begin, end] = markers.map((marker) => page.indexOf(marker))
  if (begin < 0 || end < begin) throw new Error(`${file}: needs the lines ${markers.join(' and ')}`)
  writeFileSync(file, `${page.slice(0, begin + markers[0].length)}\n\n${text}\n\n${page.slice(end)}`)
}
