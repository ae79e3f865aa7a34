// What a run is turned into: tables, targets, pictures, pages. Nothing here needs a peer to be installed.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { publishedMegabytes } from './installedSize.mjs'
import { measurePeaks, peaksModule } from './peaks.mjs'
import { formatForTerminal, jsonLine, jsonLines, replaceBetweenMarkers, writePage } from './report.mjs'
import { rooflineSvg } from './roofline.mjs'
import { scalingCells } from './scaling.mjs'
import { targetsOf } from './targets.mjs'

const roofs = { gflops: 60, cacheBandwidth: 150, memoryBandwidth: 40 }

test('the table has a line per case, and reasons below', () => {
  const base = { case: 'c/mlp', threads: 1, gflops: null, ratio: null }
  const rows = [
    { ...base, peer: 'nabla', ms: 10, gflops: 30.81, ratio: 1 },
    { ...base, peer: 'pytorch', ms: 5, ratio: 0.5 },
    { ...base, peer: 'ort-web', ms: null, reason: 'only infers' },
  ]
  const text = formatForTerminal({ rows, roofs, machine: 'somewhere' })
  expect(text).toMatch(/c\/mlp\s+1\s+10\.0 \[30\.8\]\s+5\.00 \(0\.50x\)\s+-/)
  expect(text).toContain('ort-web: only infers (c/mlp)')
  expect(JSON.parse(jsonLine(rows[1]!))).toEqual({ ...base, peer: 'pytorch', ms: 5, ratio: 0.5 })
})

test('a page keeps everything outside of the markers, and needs both', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nabla-bench-'))
  const file = join(folder, 'page.md')
  writeFileSync(file, 'before\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nafter\n')
  replaceBetweenMarkers(file, 'new')
  replaceBetweenMarkers(file, 'newer')
  const page = readFileSync(file, 'utf8')
  expect(page).toBe('before\n<!-- bench:begin -->\n\nnewer\n\n<!-- bench:end -->\nafter\n')
  writeFileSync(file, 'no markers')
  expect(() => replaceBetweenMarkers(file, 'new')).toThrow(/needs the lines/)
  rmSync(folder, { recursive: true })
})

test('a page gets tables and, from profiled rows, a picture beside it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nabla-bench-'))
  const file = join(folder, 'page.md')
  writeFileSync(file, 'before\n<!-- bench:begin -->\n<!-- bench:end -->\nafter\n')
  const info = {
    steps: 1,
    overheadMs: 0.1,
    overheadShare: 0.01,
    compiledLater: 0,
    plansLater: 0,
    arenaBytes: 5,
    arenaLowerBound: 5,
    dearest: [step('contract', 2e6, 1e5, 0.1)],
  }
  const rows = [
    { peer: 'nabla', case: 'c/mlp', threads: 1, ms: 10, gflops: 30, ratio: 1, info },
    { peer: 'pytorch', case: 'c/mlp', threads: 1, ms: 20, gflops: 15, ratio: 2 },
    { peer: 'ort-web', case: 'c/mlp', threads: 1, ms: null, reason: 'only infers' },
  ]
  const result = { rows, roofs, machine: 'today, here\nNode; threads: 1' }
  writePage(file, result)
  const page = readFileSync(file, 'utf8')
  expect(page).toMatch(/^before\n<!-- bench:begin -->\n\n- today, here\n/)
  expect(page).toMatch(/\| c\/mlp +\| 1 +\| 10\.0 \[30\.0\] +\| 20\.0 \(2\.0x\) +\| - +\|/)
  expect(page).toMatch(/\| c\/mlp on 1 thread, part of PyTorch's time +\| at most 1 +\| 0\.50 +\| yes +\|/)
  expect(page).not.toContain('h/resnet-train on 1 thread')
  expect(page).toContain('](page-roofline.svg)')
  expect(page).toContain('### Not measured\n\n- ort-web: only infers (c/mlp)\n\n<!-- bench:end -->\nafter')
  expect(readFileSync(join(folder, 'page-roofline.svg'), 'utf8')).toContain('today, here; Node; one thread')
  const lines = jsonLines(result)
    .split('\n')
    .map((line: string) => JSON.parse(line))
  expect(lines[0]).toEqual({ peer: 'core', case: 'roof', threads: 1, ...roofs })
  expect(lines).toHaveLength(4)
  rmSync(folder, { recursive: true })
})

test('targets compare Nabla with the fastest of its kind, and say nothing where something is missing', () => {
  const row = (peer: string, name: string, threads: number, ms: number, more = {}) => ({
    peer,
    case: name,
    threads,
    ms,
    ...more,
  })
  const rows = [
    row('nabla', 'f/gpt', 2, 100, {
      info: { steps: 5, overheadShare: 0.03, compiledLater: 0, plansLater: 1 },
    }),
    row('jax-js', 'f/gpt', 1, 300),
    row('jax-js', 'f/gpt', 2, 150),
    row('tfjs-wasm', 'f/gpt', 1, 900),
    row('pytorch', 'f/gpt', 2, 80),
    row('nabla', 'g/generate', 2, 40, { tokens: 128 }),
    row('pytorch', 'g/generate', 1, 50, { tokens: 128 }),
    row('nabla', 'a/matmul-256', 1, 1, { gflops: 54 }),
    row('nabla', 'a/matmul-256', 2, 0.5, { gflops: 108 }),
  ]
  const found = new Map(
    targetsOf(rows, roofs).map(
      ({
        target,
        measured,
        reached,
      }: {
        target: string
        measured: number | null
        reached: boolean | null
      }) => [target, [measured, reached]],
    ),
  )
  expect(found.get('f/gpt on 2 threads, times the fastest JavaScript library')).toEqual([1.5, false])
  expect(found.get("f/gpt on 2 threads, part of PyTorch's time")).toEqual([1.25, true])
  expect(found.get("f/gpt with a native BLAS, part of PyTorch's time")).toEqual([null, null])
  expect(found.get('products on 1 thread, as a share of what a core can do')).toEqual([0.9, true])
  expect(found.get('products on 2 threads, times one')).toEqual([2, true])
  expect(found.get('planning, as a share of f/gpt')).toEqual([0.03, false])
  expect(found.get('kernels and plans made after the warm-up')).toEqual([1, false])
  const generated = 'g/generate, tokens a second, with a native BLAS or without'
  expect(found.get(generated)).toEqual([3200, false])
  expect(found.get('b/chain, times PyTorch')).toEqual([null, null])
})

test('scaling tells how time grows when something doubles', () => {
  const rows = [
    { peer: 'nabla', case: 'f/gpt', threads: 1, ms: 100 },
    { peer: 'nabla', case: 'j/gpt-batch-x2', threads: 1, ms: 190 },
    { peer: 'pytorch', case: 'j/gpt-batch-x2', threads: 1, ms: 190 },
  ]
  expect(scalingCells(rows)).toEqual([
    ['doubled', 'threads', 'operations', 'nabla', 'pytorch'],
    ['gpt-batch-x2', '1', '2.00x', '1.90x', '-'],
  ])
})

function step(kind: string, flops: number, bytes: number, ms: number) {
  return { kind, name: 'add <mul>', work: '1x10x10x10', flops, bytes, ms, share: 0.5, count: 1 }
}

test('the roofline picture marks every step, and text keeps clear of other text', () => {
  const points = [
    { ...step('kernel', 1e6, 8e6, 0.2), case: 'b/chain' },
    { ...step('contract', 2e9, 2e7, 40), case: 'f/gpt' },
    { ...step('contract', 2e9, 1.9e7, 41), case: 'h/resnet-train' },
    { ...step('gather', 0, 8e6, 0.2), case: 'f/gpt' },
    { ...step('kernel', 1e6, 8e6, 0.2), share: 0.01, case: 'f/gpt' },
  ]
  const svg = rooflineSvg(roofs, points, 'here')
  expect(svg.match(/<circle class="mark"/g)).toHaveLength(2)
  expect(svg.match(/<rect class="mark"/g)).toHaveLength(1)
  expect(svg).toContain('add &lt;mul>')
  expect(svg).not.toMatch(/NaN|Infinity|undefined/)
  const labels = [...svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)" font-size="11">([^<]+)</g)].map(
    (found) => ({
      left: Number(found[1]),
      y: Number(found[2]),
      width: 6 * found[3]!.length,
    }),
  )
  expect(labels).toHaveLength(3)
  for (const one of labels) {
    for (const other of labels) {
      if (one === other || Math.abs(one.y - other.y) >= 12) continue
      expect(one.left + one.width < other.left || other.left + other.width < one.left).toBe(true)
    }
  }
})

test('the loops that measure a core do what they say', () => {
  const memory = new WebAssembly.Memory({ initial: 1 })
  const bytes = peaksModule()
  const { multiplyAdd, triad } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    e: { m: memory },
  }).exports as Record<'multiplyAdd' | 'triad', (...args: number[]) => number>
  // Twelve sums that start at 0: x * 0.999 + 0.001, three times.
  expect(multiplyAdd(3)).toBeCloseTo(12 * 0.001 * (1 + 0.999 + 0.999 ** 2), 6)
  const floats = new Float32Array(memory.buffer)
  floats.forEach((_, i) => (floats[i] = i))
  triad(0, 512, 1024, 512)
  expect(floats[0]).toBe(128 + 3 * 256)
  expect(floats[127]).toBe(255 + 3 * 383)
  expect(floats[128]).toBe(128)
  const measured = measurePeaks()
  expect(Object.values(measured).every((rate) => Number.isFinite(rate) && rate > 0)).toBe(true)
})

test('a package weighs more on disk than packed; without a build nothing is known', () => {
  const size = publishedMegabytes('tensor')
  if (size === null) return
  expect(size.packedMegabytes).toBeGreaterThan(0.1)
  expect(size.megabytes).toBeGreaterThan(2 * size.packedMegabytes)
})
