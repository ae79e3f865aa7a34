// The roofline picture (Williams, Waterman and Patterson 2009): what each step of Nabla's plans reaches beside what one core
// could do at most, given how much arithmetic the step does for each byte. Left of the bend memory is the limit, right of
// it arithmetic. An SVG without scripts or fonts of its own that follows the reader's light or dark setting.
// Points come from profiles (peers/nablaProfile.mjs), roofs from peaks.mjs.

const size = { width: 960, height: 620 }
const area = { left: 70, right: 940, top: 60, bottom: 500 }

/** Colours by letter of the case, chosen to differ in brightness too; readable on both grounds. */
const colours = {
  a: '#d55e00',
  b: '#2f86d2',
  c: '#009e73',
  d: '#cc79a7',
  e: '#b8860b',
  f: '#7b5cd6',
  g: '#1d91c0',
  h: '#d04a4a',
}

/** Generous: readers have other fonts. */
const characterWidth = 6.8
const lineHeight = 13

/** Steps with less of their case's time than this are left out. */
const smallestShare = 0.04

/**
 * Draws it.
 * @param roofs { gflops, cacheBandwidth, memoryBandwidth } of one core
 * @param points [{ case, name, kind, flops, bytes, ms, share }], one for each kind of step, measured on one thread
 * @param about a line for below the title
 */
export function rooflineSvg(roofs, points, about) {
  const drawn = points.filter(({ flops, share }) => flops > 0 && share >= smallestShare).map(placeOf)
  const x = scale(
    Math.min(0.1, ...drawn.map(({ intensity }) => intensity)),
    Math.max(100, ...drawn.map(({ intensity }) => intensity)),
    area.left,
    area.right,
  )
  const y = scale(Math.min(5, ...drawn.map(({ rate }) => rate)), 1.6 * roofs.gflops, area.bottom, area.top)
  const placed = drawn.map((point) => ({ ...point, x: x.at(point.intensity), y: y.at(point.rate) }))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" font-family="system-ui, sans-serif" font-size="12">`,
    style,
    `<rect class="ground" width="${size.width}" height="${size.height}"/>`,
    text(area.left, 24, "Nabla's steps under the roofs of one core", 'font-size="16" font-weight="600"'),
    text(area.left, 43, about, 'class="faint"'),
    ...axes(x, y),
    ...roofLines(roofs, x, y),
    ...placed.map(mark),
    ...labels(placed, roofs, x, y),
    ...legend(placed),
    '</svg>\n',
  ].join('\n')
}

const style = `<style>
  .ground { fill: #ffffff } text { fill: #1f2328 } .faint { fill: #59636e } .grid { stroke: #d1d9e0; stroke-width: 1 }
  .roof { stroke: #1f2328; stroke-width: 2; fill: none } .under { stroke-dasharray: 6 4; stroke-width: 1.5 }
  .mark { stroke: #ffffff; stroke-width: 0.8 } .leader { stroke: #59636e; stroke-width: 0.7 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } text { fill: #e6edf3 } .faint { fill: #9198a1 } .grid { stroke: #30363d }
    .roof { stroke: #e6edf3 } .mark { stroke: #0d1117 } .leader { stroke: #9198a1 }
  }
</style>`

function placeOf(point) {
  const { flops, bytes, ms } = point
  return { ...point, intensity: flops / bytes, rate: flops / ms / 1e6 }
}

/** A logarithmic axis from a power of ten or half of one below `low` to above `high`. */
function scale(low, high, from, to) {
  const first = Math.log10(low) - 0.1
  const last = Math.log10(high) + 0.1
  const at = (value) => from + ((Math.log10(value) - first) / (last - first)) * (to - from)
  const ticks = []
  for (let power = Math.floor(first); power <= last; power++) {
    for (const digit of [1, 2, 5]) {
      const value = digit * 10 ** power
      if (Math.log10(value) >= first && Math.log10(value) <= last) ticks.push(Number(value.toPrecision(1)))
    }
  }
  return { at, ticks, low: 10 ** first, high: 10 ** last }
}

function axes(x, y) {
  const { left, right, top, bottom } = area
  const middle = (top + bottom) / 2
  return [
    ...x.ticks.map((value) => line('class="grid"', x.at(value), top, x.at(value), bottom)),
    ...y.ticks.map((value) => line('class="grid"', left, y.at(value), right, y.at(value))),
    ...x.ticks.map((value) =>
      text(x.at(value), bottom + 17, `${value}`, 'class="faint" text-anchor="middle"'),
    ),
    ...y.ticks.map((value) => text(left - 8, y.at(value) + 4, `${value}`, 'class="faint" text-anchor="end"')),
    text((left + right) / 2, bottom + 36, 'operations per byte read or written', 'text-anchor="middle"'),
    text(20, middle, 'GFLOP/s', `text-anchor="middle" transform="rotate(-90 20 ${middle})"`),
  ]
}

/** Both slopes up to the flat roof. */
function roofLines({ gflops, cacheBandwidth, memoryBandwidth }, x, y) {
  const slope = (bandwidth, more) => {
    const start = Math.max(x.low, y.low / bandwidth)
    const [startX, startY] = [x.at(start), y.at(start * bandwidth)]
    const bend = gflops / bandwidth
    return `<path class="roof ${more}" d="M${fixed(startX)} ${fixed(startY)} L${fixed(x.at(bend))} ${fixed(y.at(gflops))} H${area.right}"/>`
  }
  return [slope(memoryBandwidth, 'under'), slope(cacheBandwidth, '')]
}

function mark({ case: name, kind, x, y, share }) {
  const fill = colourOf(name)
  // Area as the share of its step's time.
  const r = 3.5 + 5 * Math.sqrt(share)
  const facts = `class="mark" fill="${fill}" fill-opacity="0.85"`
  if (kind === 'contract') return `<circle ${facts} cx="${fixed(x)}" cy="${fixed(y)}" r="${fixed(r)}"/>`
  const side = 1.8 * r
  return `<rect ${facts} x="${fixed(x - side / 2)}" y="${fixed(y - side / 2)}" width="${fixed(side)}" height="${fixed(side)}"/>`
}

function colourOf(name) {
  return colours[name[0]] ?? '#808080'
}

/** Names of the roofs, and of some points where there is room beside them. */
function labels(points, { gflops, cacheBandwidth, memoryBandwidth }, x, y) {
  const taken = points.map(({ x: px, y: py }) => box(px - 7, py - 7, 14, 14))
  const out = []
  const flat = `${gflops.toFixed(0)} GFLOP/s: multiply-adds in registers, vectors of 128 bits`
  taken.push(
    box(area.right - flat.length * characterWidth, y.at(gflops) - 20, flat.length * characterWidth, 16),
  )
  out.push(text(area.right - 4, y.at(gflops) - 7, flat, 'text-anchor="end"'))
  for (const [bandwidth, words] of [
    [cacheBandwidth, `${cacheBandwidth.toFixed(0)} GB/s from cache`],
    [memoryBandwidth, `${memoryBandwidth.toFixed(0)} GB/s from memory`],
  ]) {
    const start = Math.max(x.low * 1.25, (y.low * 1.3) / bandwidth)
    const [px, py] = [x.at(start), y.at(start * bandwidth)]
    const perDecade = (axis) => Math.abs(axis.at(10) - axis.at(1))
    const angle = (-Math.atan2(perDecade(y), perDecade(x)) * 180) / Math.PI
    out.push(text(px, py - 7, words, `transform="rotate(${fixed(angle)} ${fixed(px)} ${fixed(py)})"`))
    const length = words.length * characterWidth
    const bend = gflops / bandwidth
    for (let at = x.low; at < bend; at *= 1.03) taken.push(box(x.at(at) - 2, y.at(at * bandwidth) - 2, 4, 4))
    const [dx, dy] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)]
    for (let at = 0; at < length; at += 10) taken.push(box(px + at * dx - 12, py + at * dy - 14, 20, 18))
  }
  const written = []
  for (const point of worthNaming(points)) {
    const words = `${point.case.slice(2)}: ${shorten(point)}`
    const spot = freeSpot(point, words.length * characterWidth, y.at(gflops), taken, written)
    if (spot === null) continue
    taken.push(spot, ...spot.leader)
    written.push(spot)
    const end = spot.leader.at(-1)
    if (end !== undefined) out.push(line('class="leader"', point.x, point.y, end.left + 2, end.top + 2))
    out.push(text(spot.left, spot.top + lineHeight - 3, words, 'font-size="11"'))
  }
  return out
}

/** Of each letter the step that takes longest; of the small work in b, of each case. */
function worthNaming(points) {
  const longest = new Map()
  for (const point of points) {
    const key = point.case.startsWith('b') ? point.case : point.case[0]
    if (point.ms > (longest.get(key)?.ms ?? 0)) longest.set(key, point)
  }
  return [...longest.values()].sort((one, other) => one.x - other.x)
}

function shorten({ kind, work, name }) {
  const words = kind === 'contract' ? work.replace(/^1x/, '') : name
  return words.length > 26 ? `${words.slice(0, 24)}...` : words
}

/**
 * The nearest place for a line of text beside a point and under the flat roof that nothing else takes, and the boxes that
 * the line from the point to it passes through, which must not cross other text. Null where there is none.
 */
function freeSpot(point, width, roof, taken, written) {
  const { x, y } = point
  for (let far = 0; far <= 130; far += 7) {
    for (const dy of far === 0 ? [0] : [-far, far]) {
      for (const left of [x + 12 + far / 3, x - 12 - far / 3 - width, ...(far < 14 ? [] : [x - width / 2])]) {
        const spot = box(left, y + dy - lineHeight / 2, width, lineHeight)
        const inside =
          left > area.left + 2 &&
          left + width < area.right - 2 &&
          spot.top > roof &&
          spot.top + lineHeight < area.bottom - 2
        if (!inside || taken.some((other) => overlap(spot, other))) continue
        const leader = far < 14 ? [] : leaderTo(spot, point)
        if (!leader.some((part) => written.some((other) => overlap(part, other)))) return { ...spot, leader }
      }
    }
  }
  return null
}

function leaderTo({ left, top, width, height }, { x, y }) {
  const nearest = (from, length, value) => Math.min(from + length, Math.max(from, value))
  const [endX, endY] = [nearest(left, width, x), nearest(top, height, y)]
  const parts = Array.from({ length: 10 }, (_, i) => (i + 1) / 10)
  return parts.map((part) => box(x + part * (endX - x) - 2, y + part * (endY - y) - 2, 4, 4))
}

function box(left, top, width, height) {
  return { left, top, width, height }
}

function overlap(a, b) {
  return (
    a.left < b.left + b.width &&
    b.left < a.left + a.width &&
    a.top < b.top + b.height &&
    b.top < a.top + a.height
  )
}

const titles = {
  a: 'matrix products',
  b: 'elementwise, sums, norms',
  c: 'perceptron',
  d: 'convolutions',
  e: 'LSTM',
  f: 'GPT',
  g: 'GPT, token by token',
  h: 'ResNet-18',
}

function legend(points) {
  const letters = [...new Set(points.map((point) => point.case[0]))].sort()
  const [top, step] = [area.bottom + 62, 215]
  const entries = letters.map((letter, i) => {
    const [left, row] = [area.left + (i % 4) * step, top + Math.floor(i / 4) * 20]
    return `<circle fill="${colours[letter] ?? '#808080'}" cx="${left + 5}" cy="${row - 4}" r="5"/>${text(left + 16, row, `${letter}  ${titles[letter] ?? ''}`)}`
  })
  const note =
    'circles: contractions; squares: fused kernels, where each function of an element counts one; larger: more of its step’s time'
  return [...entries, text(area.left, top + 40, note, 'class="faint"')]
}

function line(attributes, x1, y1, x2, y2) {
  return `<line ${attributes} x1="${fixed(x1)}" y1="${fixed(y1)}" x2="${fixed(x2)}" y2="${fixed(y2)}"/>`
}

function text(x, y, words, attributes = '') {
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${fixed(x)}" y="${fixed(y)}" ${attributes}>${escaped}</text>`
}

function fixed(value) {
  return Number(value.toFixed(1))
}
