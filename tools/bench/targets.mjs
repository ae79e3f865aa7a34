// What Nabla wants to reach, and whether a run has reached it: every line is computed from the rows of that run. Targets are
// ratios and shares within one run, since times of different machines cannot be compared. Read next: report.mjs.

/** Libraries that compute in JavaScript or WebAssembly, as Nabla does without a native library. */
const javascriptPeers = ['tfjs-cpu', 'tfjs-wasm', 'jax-js', 'ort-web']

/** Most of PyTorch's time that a step may take. */
const besidePyTorch = {
  'c/mlp': 1,
  'd/cnn': 1.2,
  'e/lstm': 2.5,
  'f/gpt': 1.6,
  'h/resnet-train': 1.6,
  'h/resnet-infer': 1.6,
}

/** In arenas smaller than this, alignment is what one sees. */
const smallArena = 2 ** 20

const networks = Object.keys(besidePyTorch)

/**
 * @param rows of a run @param roofs what a core can do (peaks.mjs), or null where that was not measured
 * @returns lines of { target, measured, reached }; `reached` is null where the run did not measure what it takes
 */
export function targetsOf(rows, roofs) {
  const most = Math.max(...rows.map(({ threads }) => threads))
  const find = (peer, name, threads = most) => {
    const row = rows.find((one) => one.peer === peer && one.case === name && one.threads === threads)
    return row !== undefined && row.ms !== null ? row : null
  }
  const timeOf = (peer, name, threads) => find(peer, name, threads)?.ms ?? null
  /** The shortest time of several libraries with any number of threads. */
  const shortest = (peers, name) => {
    const times = rows.filter((row) => peers.includes(row.peer) && row.case === name && row.ms !== null)
    return times.length === 0 ? null : Math.min(...times.map(({ ms }) => ms))
  }
  const products = [...new Set(rows.map((row) => row.case))].filter((name) => name.startsWith('a/'))
  const steps = rows.filter(({ peer, info }) => peer === 'nabla' && info?.steps !== undefined)
  const threadWords = `${most} thread${most === 1 ? '' : 's'}`

  const rateOf = (peers) => {
    const tokens = rows.find((row) => row.case === 'g/generate')?.tokens ?? null
    return divide(tokens, divide(shortest(peers, 'g/generate'), 1000))
  }
  const generated = rateOf(['nabla', 'nabla-blas'])
  const started = rows.find(({ peer, case: name }) => peer === 'nabla' && name === 'i/cold-start')

  const lines = [
    least(
      'products on 1 thread, as a share of what a core can do',
      0.85,
      lowest(products, (name) => divide(find('nabla', name, 1)?.gflops ?? null, roofs?.gflops ?? null)),
    ),
    ...(most === 2
      ? [
          least(
            'products on 2 threads, times one',
            1.9,
            lowest(products, (name) => divide(timeOf('nabla', name, 1), timeOf('nabla', name, 2))),
          ),
        ]
      : []),
    ...networks.map((name) =>
      least(
        `${name} on ${threadWords}, times the fastest JavaScript library`,
        2,
        divide(shortest(javascriptPeers, name), timeOf('nabla', name)),
      ),
    ),
    ...networks.map((name) =>
      atMost(
        `${name} on ${threadWords}, part of PyTorch's time`,
        besidePyTorch[name],
        divide(timeOf('nabla', name), timeOf('pytorch', name)),
      ),
    ),
    ...networks.map((name) =>
      atMost(
        `${name} with a native BLAS, part of PyTorch's time`,
        1,
        divide(timeOf('nabla-blas', name), timeOf('pytorch', name)),
      ),
    ),
    {
      target: 'g/generate, tokens a second, with a native BLAS or without',
      limit: "at least 4000, or 1.3 times PyTorch's",
      measured: generated,
      reached:
        generated === null ? null : generated >= 4000 || generated >= 1.3 * (rateOf(['pytorch']) ?? Infinity),
    },
    least('b/chain, times PyTorch', 3, divide(timeOf('pytorch', 'b/chain'), timeOf('nabla', 'b/chain'))),
    atMost("b/sum, part of PyTorch's time", 1, divide(timeOf('nabla', 'b/sum'), timeOf('pytorch', 'b/sum'))),
    atMost(
      "b/softmax, part of PyTorch's time",
      2,
      divide(timeOf('nabla', 'b/softmax'), timeOf('pytorch', 'b/softmax')),
    ),
    atMost(
      "b/layernorm with gradient, part of PyTorch's time",
      2,
      divide(timeOf('nabla', 'b/layernorm'), timeOf('pytorch', 'b/layernorm')),
    ),
    ...['b/chain', 'b/sum', 'b/softmax', 'b/layernorm'].map((name) =>
      atMost(
        `${name} on 1 thread, part of tfjs-wasm's time`,
        1,
        divide(timeOf('nabla', name, 1), timeOf('tfjs-wasm', name, 1)),
      ),
    ),
    atMost('planning, as a share of f/gpt', 0.02, find('nabla', 'f/gpt')?.info?.overheadShare ?? null),
    atMost(
      'kernels and plans made after the warm-up',
      0,
      greatest(steps, ({ info }) => info.compiledLater + info.plansLater),
    ),
    atMost(
      'memory of a plan, times the least that could do',
      1.2,
      greatest(steps, ({ info }) => info.arenaBytes / Math.max(smallArena, info.arenaLowerBound)),
    ),
    atMost('cold start over an empty program, ms', 40, started?.ms ?? null),
    atMost('installed size, MB', 3, started?.info?.megabytes ?? null),
  ]
  return lines
}

/** A cell for each: the target, its limit, what was measured, whether it was reached. */
export function targetCells(rows, roofs) {
  const words = { true: 'yes', false: 'no', null: 'not measured' }
  const lines = targetsOf(rows, roofs).map(({ target, limit, measured, reached }) => [
    target,
    limit,
    measured === null ? '-' : number(measured),
    words[reached],
  ])
  return [['what', 'target', 'measured', 'reached'], ...lines]
}

function least(target, limit, measured) {
  return { target, limit: `at least ${limit}`, measured, reached: known(measured) ? measured >= limit : null }
}

function atMost(target, limit, measured) {
  return { target, limit: `at most ${limit}`, measured, reached: known(measured) ? measured <= limit : null }
}

function known(value) {
  return value !== null && Number.isFinite(value)
}

function divide(one, other) {
  return one === null || other === null ? null : one / other
}

function lowest(items, valueOf) {
  const values = items.map(valueOf)
  return values.length === 0 || values.includes(null) ? null : Math.min(...values)
}

function greatest(items, valueOf) {
  return items.length === 0 ? null : Math.max(...items.map(valueOf))
}

function number(value) {
  if (Number.isInteger(value) || value >= 100) return value.toFixed(0)
  return value < 0.1 ? value.toFixed(3) : value.toFixed(2)
}
