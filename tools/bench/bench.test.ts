// The bench's own arithmetic and manners. Nothing here needs a peer to be installed, and no time is asserted.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { cases, operations, selectCases } from './cases.mjs'
import { PeerProcess, Skipped } from './client.mjs'
import { casesNamed } from './contractCases.mjs'
import { gflops, median, runsPerRound, withRatios } from './maths.mjs'
import { parseOptions } from './options.mjs'
import { onnxModel } from './peers/onnx.mjs'
import { serve } from './worker.mjs'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const dummy = [process.execPath, here('./fixtures/dummy.mjs')]

test('options select cases by letter and by name, peers and threads', () => {
  const options = parseOptions([
    '--cases',
    'c,f/gpt',
    '--peers=nabla,pytorch',
    '--threads',
    '1,2',
    '--quick',
    '--',
  ])
  expect(options.cases.map(({ name }) => name)).toEqual(['c/mlp', 'f/gpt'])
  expect(options.peers).toEqual(['nabla', 'pytorch'])
  expect(options.threads).toEqual([1, 2])
  expect(options.quick).toBe(true)
  expect(parseOptions([]).cases).toHaveLength(cases.length)
})

test('options that mean nothing are refused', () => {
  expect(() => parseOptions(['--cases', 'z'])).toThrow(/unknown z\. Known: a, b/)
  expect(() => parseOptions(['--peers', 'numpy'])).toThrow(
    /unknown numpy\. Known: nabla, nabla-blas, tfjs-cpu/,
  )
  expect(() => parseOptions(['--threads', '0'])).toThrow(/expected numbers from 1/)
  expect(() => parseOptions(['--slow'])).toThrow(/unknown option --slow/)
  expect(() => parseOptions(['--write'])).toThrow(/--write needs a value/)
})

test('medians, rates and runs', () => {
  expect(median([5, 1, 3])).toBe(3)
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(() => median([])).toThrow(RangeError)
  expect(gflops(2e9, 100)).toBe(20)
  expect(gflops(null, 100)).toBeNull()
  expect([runsPerRound(1000, 150), runsPerRound(10, 150), runsPerRound(0.01, 150)]).toEqual([1, 15, 50])
})

test('ratios are to Nabla in the same case with the same threads, and null without it', () => {
  const row = (peer: string, name: string, threads: number, ms: number | null) => ({
    peer,
    case: name,
    threads,
    ms,
  })
  const rows = withRatios([
    row('nabla', 'c/mlp', 1, 10),
    row('pytorch', 'c/mlp', 1, 5),
    row('pytorch', 'c/mlp', 2, 4),
    row('tfjs-cpu', 'c/mlp', 1, null),
  ])
  expect(rows.map((one: { ratio: number | null }) => one.ratio)).toEqual([1, 0.5, null, null])
})

test('operations are counted as two for each multiply-add of the products', () => {
  expect(operations({ kind: 'matmul', size: 256 })).toBe(2 * 256 ** 3)
  const [mlp] = selectCases(['c'])
  expect(mlp!.operations).toBe(2 * 128 * (2 * 784 * 512 + 3 * (512 * 256 + 256 * 10)))
  expect(operations({ kind: 'sum' })).toBeNull()
})

test('the contractions that are measured alone stay inside their operands', () => {
  const group = (sizes: readonly number[], strides: readonly number[]): readonly number[] =>
    sizes.map((size, i) => (size - 1) * (strides[i] ?? 0))
  for (const { name, spec, lengths } of casesNamed([])) {
    const operands = [
      [spec.a, [...group(spec.batch, spec.a.batch), ...group(spec.m, spec.a.m), ...group(spec.k, spec.a.k)]],
      [spec.b, [...group(spec.batch, spec.b.batch), ...group(spec.k, spec.b.k), ...group(spec.n, spec.b.n)]],
      [spec.c, [...group(spec.batch, spec.c.batch), ...group(spec.m, spec.c.m), ...group(spec.n, spec.c.n)]],
    ] as const
    operands.forEach(([{ offset }, reaches], i) => {
      const sum = (sign: number): number =>
        reaches.reduce((total, reach) => total + (reach * sign > 0 ? reach : 0), offset)
      expect(sum(-1), name).toBeGreaterThanOrEqual(0)
      expect(sum(1), name).toBeLessThan(lengths[i]!)
    })
  }
  expect(() => casesNamed(['round'])).toThrow(/no case begins with 'round'/)
})

test('a peer in a process of its own answers, skips, fails and dies without harm', async () => {
  const peer = new PeerProcess(dummy)
  expect(await peer.request({ command: 'open', threads: 2 })).toMatchObject({ version: '1.2.3', threads: 2 })
  await peer.request({ command: 'prepare', spec: { kind: 'count' } })
  expect((await peer.request({ command: 'run', runs: 4 })).ms).toHaveLength(4)
  const { info } = await peer.request({ command: 'finish' })
  expect(info.steps).toBeGreaterThanOrEqual(7)
  await expect(peer.request({ command: 'prepare', spec: { kind: 'absent' } })).rejects.toThrow(Skipped)
  await expect(peer.request({ command: 'prepare', spec: { kind: 'refused' } })).rejects.toThrow(
    /^no such luck$/,
  )
  await expect(peer.request({ command: 'prepare', spec: { kind: 'broken' } })).rejects.toThrow(
    /^broken step$/,
  )
  expect(peer.alive).toBe(true)
  await expect(peer.request({ command: 'prepare', spec: { kind: 'deadly' } })).rejects.toThrow(
    /ended with 7: last words/,
  )
  expect(peer.alive).toBe(false)
  await expect(peer.request({ command: 'run', runs: 1 })).rejects.toThrow(/ended with 7/)
})

test.skipIf(process.platform === 'win32')('a peer stands still until it is asked something', async () => {
  const peer = new PeerProcess(dummy)
  await peer.request({ command: 'open', threads: 1 })
  await peer.request({ command: 'prepare', spec: { kind: 'busy' } })
  await peer.request({ command: 'run', runs: 1 })
  await new Promise((resolve) => setTimeout(resolve, 500))
  const { info } = await peer.request({ command: 'finish' })
  expect(info.ticks).toBeLessThan(20)
  peer.close()
})

test('a peer that never answers is ended', async () => {
  const peer = new PeerProcess(dummy)
  await peer.request({ command: 'open', threads: 1 })
  const waiting = peer.request({ command: 'prepare', spec: { kind: 'endless' } }, 300)
  await expect(waiting).rejects.toThrow(/took longer than 0.3 s/)
})

test('a program that does not exist is a reason, not a crash', async () => {
  await expect(new PeerProcess(['no-such-program']).request({ command: 'open' })).rejects.toThrow(
    /no-such-program/,
  )
})

test('what is skipped inside a worker is told apart from what failed', async () => {
  const answer = serve(async () => ({
    open: () => {
      throw Object.assign(new Error('not here'), { code: 'ERR_SKIPPED' })
    },
  }))
  expect(await answer({ command: 'open', threads: 1 })).toEqual({ skipped: 'not here' })
  expect(await answer({ command: 'run', runs: 1 })).toHaveProperty('error')
})

test('an ONNX model begins with its version and holds names, shapes and the opset', () => {
  const bytes = onnxModel({
    nodes: [{ op: 'Softmax', inputs: ['x'], outputs: ['y'], attributes: { axis: -1 } }],
    inputs: { x: { shape: [2, 300] } },
    outputs: { y: [2, 300] },
  })
  expect([...bytes.subarray(0, 3)]).toEqual([0x08, 8, 0x3a])
  const length = (bytes[3]! & 127) + 0 // one byte of length: the graph of this model is short
  expect(bytes[3]).toBeLessThan(128)
  expect([...bytes.subarray(4 + length)]).toEqual([0x42, 2, 0x10, 17])
  expect(new TextDecoder().decode(bytes)).toContain('Softmax')
  expect([...bytes].join(' ')).toContain('10 3 8 172 2')
})

test('constants of an ONNX model keep their type and bytes', () => {
  const bytes = onnxModel({
    nodes: [],
    inputs: { x: { shape: [1], type: Int32Array } },
    outputs: {},
    constants: { c: { shape: [2], data: BigInt64Array.of(-1n, 5n) } },
  })
  const text = [...bytes].join(' ')
  expect(text).toContain('8 2 16 7 66 1 99 74 16 255 255 255 255 255 255 255 255 5 0 0 0 0 0 0 0')
  expect(text).toContain('10 1 120 18 10 10 8 8 6 18 4 10 2 8 1')
})

test('the command line explains itself and refuses nonsense', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [here('./bench.mjs'), ...args], { encoding: 'utf8' })
  expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('--cases') })
  expect(run('--cases', 'z')).toMatchObject({ status: 2, stderr: expect.stringContaining('unknown z') })
})

test('a run in which a peer cannot take part ends by itself', () => {
  // Nabla runs on fewer threads than this, or, should it ever run on 64, the case is quick enough to be measured.
  const args = ['--cases', 'a/matmul-256', '--peers', 'nabla', '--threads', '64', '--quick']
  const { status, stdout } = spawnSync(process.execPath, [here('./bench.mjs'), ...args], {
    encoding: 'utf8',
    timeout: 40_000,
  })
  expect(status).toBe(0)
  expect(stdout).toContain('"case":"a/matmul-256","threads":64')
})
