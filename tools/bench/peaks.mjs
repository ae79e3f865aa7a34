// What one core can do, measured by WebAssembly of a few dozen instructions: the roofs of the picture in roofline.mjs, and
// what targets are fractions of. Vectors have 128 bits, as WebAssembly's do. Read next: roofline.mjs.

/** Independent sums, so that no multiply-add waits for another one; with the two operands they fit 16 registers. */
const sums = 12
const turns = 1 << 18
const loopOperations = turns * sums * 2 * 4

const cacheBytes = 3 * (64 << 10)
const memoryBytes = 3 * (64 << 20)

/**
 * Takes about a second.
 * @returns multiply-adds in registers in GFLOP/s; `a[i] = b[i] + s * c[i]` over arrays that fit a cache (192 KiB in all),
 *   and over arrays that do not (192 MiB), in GB/s
 */
export function measurePeaks() {
  const memory = new WebAssembly.Memory({ initial: memoryBytes >> 16 })
  const { multiplyAdd, triad } = new WebAssembly.Instance(new WebAssembly.Module(peaksModule()), {
    e: { m: memory },
  }).exports
  const triadRate = (bytes, repeats) => {
    const run = () => {
      for (let i = 0; i < repeats; i++) triad(0, bytes / 3, (2 * bytes) / 3, bytes / 3)
    }
    return (bytes * repeats) / shortest(run) / 1e6
  }
  return {
    gflops: loopOperations / shortest(() => multiplyAdd(turns)) / 1e6,
    cacheBandwidth: triadRate(cacheBytes, 200),
    memoryBandwidth: triadRate(memoryBytes, 1),
  }
}

/** The least of many runs: whatever else the machine does only makes them longer, and the engine's first code is slower. */
function shortest(run) {
  let least = Infinity
  const end = performance.now() + measuringMs
  for (let i = 0; i < fewestRuns || performance.now() < end; i++) {
    const before = performance.now()
    run()
    least = Math.min(least, performance.now() - before)
  }
  return least
}

const measuringMs = 300
const fewestRuns = 10

const [i32, v128] = [0x7f, 0x7b]
const vector = (code, ...immediates) => [0xfd, ...leb(code), ...immediates]
const op = {
  get: (local) => [0x20, ...leb(local)],
  set: (local) => [0x21, ...leb(local)],
  tee: (local) => [0x22, ...leb(local)],
  integer: (value) => [0x41, ...leb(value)],
  add: [0x6a],
  sub: [0x6b],
  less: [0x49],
  load: (offset) => vector(0, 4, ...leb(offset)),
  store: (offset) => vector(11, 4, ...leb(offset)),
  spread: (value) => [0x43, ...new Uint8Array(Float32Array.of(value).buffer), ...vector(19)],
  mulLanes: vector(230),
  addLanes: vector(228),
  firstLane: vector(31, 0),
  /** Again while `condition` leaves something other than 0. */
  loop: (body, condition) => [0x03, 0x40, ...body.flat(), ...condition.flat(), 0x0d, 0, 0x0b],
}

/** A module with the two functions, on the memory `e.m`. Exported for its test. */
export function peaksModule() {
  const [x, y, first] = [1, 2, 3]
  const all = Array.from({ length: sums }, (_, i) => first + i)
  // The factor is just below 1, so that sums stay finite and normal however long the loop runs.
  const multiplyAdd = [
    op.spread(0.999),
    op.set(x),
    op.spread(0.001),
    op.set(y),
    op.loop(
      all.flatMap((sum) => [op.get(sum), op.get(x), op.mulLanes, op.get(y), op.addLanes, op.set(sum)]),
      [op.get(0), op.integer(1), op.sub, op.tee(0)],
    ),
    ...all.flatMap((sum, i) => (i === 0 ? [op.get(sum)] : [op.get(sum), op.addLanes])),
    // A lane of the sum as the result, or nothing of this would have to be computed.
    op.firstLane,
  ]
  const [a, b, c, bytes, at, scale] = [0, 1, 2, 3, 4, 5]
  const element = (array) => [op.get(array), op.get(at), op.add]
  const triad = [
    op.spread(3),
    op.set(scale),
    op.loop(
      [0, 16, 32, 48].flatMap((offset) => [
        ...element(a),
        ...element(b),
        op.load(offset),
        ...element(c),
        op.load(offset),
        op.get(scale),
        op.mulLanes,
        op.addLanes,
        op.store(offset),
      ]),
      [op.get(at), op.integer(64), op.add, op.tee(at), op.get(bytes), op.less],
    ),
  ]
  const types = [
    [0x60, 1, i32, 1, 0x7d],
    [0x60, 4, i32, i32, i32, i32, 0],
  ]
  const exported = [
    [...name('multiplyAdd'), 0, 0],
    [...name('triad'), 0, 1],
  ]
  const codes = [
    code([[2 + sums, v128]], multiplyAdd.flat()),
    code(
      [
        [1, i32],
        [1, v128],
      ],
      triad.flat(),
    ),
  ]
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
  const imported = [[...name('e'), ...name('m'), 2, 0, 1]]
  const sections = [
    section(1, list(types)),
    section(2, list(imported)),
    section(3, list([[0], [1]])),
    section(7, list(exported)),
    section(10, list(codes)),
  ]
  return Uint8Array.from([header, ...sections].flat())
}

function section(id, content) {
  return [id, ...leb(content.length), ...content]
}

function list(items) {
  return [...leb(items.length), ...items.flat()]
}

function name(text) {
  return list([...text].map((letter) => [letter.charCodeAt(0)]))
}

function code(locals, body) {
  const content = [...list(locals), ...body, 0x0b]
  return [...leb(content.length), ...content]
}

/** Whole numbers from 0 on, in groups of seven bits, the lowest first; the sign's bit is kept free. */
function leb(value) {
  const groups = []
  let rest = value
  while (rest >= 64) {
    groups.push((rest & 127) | 128)
    rest >>>= 7
  }
  return [...groups, rest]
}
