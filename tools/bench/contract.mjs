// Contractions alone, through the real backend, beside what this processor can do at all with vectors of 128 bits: a loop
// of multiply-adds that never touches memory, measured in the same run. The table shows GFLOP/s and the share of that peak,
// on one thread and on several. Run it once for every version of Node that matters: engines compile the same loop well or
// badly, and here it shows (`--least 0.8` makes it fail where a large product falls below). Not a comparison with other
// libraries: bench.mjs. Shapes: contractCases.mjs.
//   pnpm bench:contract [--threads 1,2] [--cases square,conv] [--least 0.8]
import { casesNamed } from './contractCases.mjs'
import { median } from './maths.mjs'

// By address, not by name: what is measured are the parts that no package exports, and only when this program runs.
const source = (path) => import(new URL(`../../packages/backend-wasm/src/${path}`, import.meta.url).href)
const { createWasmBackend } = await source('backend.ts')
const { createMemory } = await source('memory.ts')
const { compileRoutine } = await source('routines/compile.ts')
const { FunctionBuilder } = await source('wat/builder.ts')
const { f32x4, i32 } = await source('wat/instructions.ts')

const warmUpMs = 80
const measuredMs = 120

/** Options of the command line. */
function parse(args) {
  const options = { threads: [1, 2], cases: [], least: 0 }
  for (let i = 0; i < args.length; i += 2) {
    const [name, value] = [args[i], args[i + 1]]
    if (name === '--threads') options.threads = value.split(',').map(Number)
    else if (name === '--cases') options.cases = value.split(',')
    else if (name === '--least') options.least = Number(value)
    else throw new RangeError(`unknown option ${name}. Known: --threads, --cases, --least`)
  }
  return options
}

/** Milliseconds of a call, many times, short ones several at a time; fastest first. */
function timesOf(call) {
  const until = performance.now() + warmUpMs
  let calls = 0
  while (performance.now() < until) {
    call()
    calls++
  }
  const together = Math.max(1, Math.floor((calls * 0.2) / warmUpMs))
  const times = []
  for (const end = performance.now() + measuredMs; performance.now() < end || times.length < 5;) {
    const before = performance.now()
    for (let i = 0; i < together; i++) call()
    times.push((performance.now() - before) / together)
  }
  return times.sort((a, b) => a - b)
}

/** GFLOP/s of multiply-adds between registers: so many running values that none waits for its last step. */
function peak() {
  const chains = 12
  const steps = 100_000
  const f = new FunctionBuilder('peak', 'peak')
  const left = f.param('left', 'i32')
  f.result('f32')
  const splat = (value) => f.let(f32x4.splat(['f32.const', value]))
  const [factor, term] = [splat(0.999), splat(0.001)]
  const values = Array.from({ length: chains }, () => splat(1))
  f.doWhile(() => {
    for (const value of values) f.set(value, f32x4.add(f32x4.mul(value, factor), term))
    return f.tee(left, i32.sub(left, 1))
  })
  const sum = values.reduce((all, value) => f32x4.add(all, value))
  f.return(f32x4.extract_lane(0, sum))
  const module = compileRoutine(createMemory({ maximumBytes: 2 ** 20 }), [f])
  return (chains * steps * 8) / timesOf(() => module.peak(steps))[0] / 1e6
}

/** Workers start with the first work worth sharing, and while the program waits; then they need some work to warm up. */
async function startThreads(backend, threads, work) {
  backend.threads(threads)
  for (let i = 0; i < 100 && (i < 3 || backend.info().threads < threads); i++) {
    work()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  if (backend.info().threads < threads) throw new Error(`only ${backend.info().notes.join('; ')}`)
}

function measure(backend, { spec, lengths, operations }) {
  const places = lengths.map((length) => backend.allocate(4 * length))
  lengths.forEach((length, i) => backend.write(places[i], 'float32', new Float32Array(length).fill(0.5)))
  const executable = backend.routines.contract(spec)
  const ms = median(timesOf(() => executable.run(places, [])))
  executable.dispose()
  for (const place of places) backend.release(place)
  return { ms, gflops: operations / ms / 1e6 }
}

const { threads, cases: names, least } = parse(process.argv.slice(2).filter((word) => word !== '--'))
const cases = casesNamed(names)
const backend = createWasmBackend({ threads: 1 })
const results = new Map(cases.map(({ name }) => [name, []]))
const [first] = casesNamed(['square'])
// The clock of a processor wanders: the peak is the best of what was seen between the products.
let best = peak()
for (const count of threads) {
  await startThreads(backend, count, () => measure(backend, first))
  cases.forEach((one, i) => {
    results.get(one.name).push(measure(backend, one))
    if (i % 8 === 0) best = Math.max(best, peak())
  })
}
console.log(`Node ${process.versions.node}: register-only peak of a thread ${best.toFixed(1)} GFLOP/s`)
console.log(
  ['case'.padEnd(44), ...threads.map((count) => `${count} thread(s): GFLOP/s  share   us`)].join(' '),
)
let tooSlow = 0
for (const { name, isLarge } of cases) {
  const cells = results.get(name).map(({ ms, gflops }, i) => {
    const share = gflops / best / threads[i]
    if (isLarge && threads[i] === 1 && share < least) tooSlow++
    return `${gflops.toFixed(1).padStart(18)} ${share.toFixed(2).padStart(6)} ${(1000 * ms).toFixed(1).padStart(8)}`
  })
  console.log([name.padEnd(44), ...cells].join(' '))
}
if (tooSlow > 0) console.error(`${tooSlow} large products below ${least} of the peak`)
process.exit(tooSlow > 0 ? 1 : 0)
