// Holds every fast form to its row of tolerances.ts: bit patterns from all over the float32 range, and dense sweeps of
// the regions in which its method changes.
import { scalarFunctions, type ScalarFunction } from '@nabla/engine'
import { compile } from 'watr'
import { expect, test } from 'vitest'
import { assemble } from '../wat/assembler.ts'
import { printWat } from '../wat/print.ts'
import { expNeg } from './exp.ts'
import { float32Functions } from './float32.ts'
import { createHarness, type Harness, type VectorFunction } from './harness.ts'
import { tolerances, type Tolerance } from './tolerances.ts'

const batch = 1 << 16
const largestFloat32 = 3.4028234663852886e38

const unaryFunctions: Readonly<Record<string, VectorFunction>> = {
  expNeg: (f, [x]) => [expNeg(f, x!)],
  ...Object.fromEntries(
    Object.entries(float32Functions)
      .filter(([name]) => name !== 'pow')
      .map(([name, write]): [string, VectorFunction] => [name, (f, [x]) => [write(f, x!)]]),
  ),
}

const referenceOf = (name: string): ((x: number, y: number, z: number) => number) =>
  scalarFunctions[(name === 'expNeg' ? 'exp' : name) as ScalarFunction].reference

// Where methods change or results come close to 0, 1, overflow or underflow: [from, to].
const regions: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  exp: [
    [-88, -86],
    [-1, 1],
    [88, 89],
  ],
  expNeg: [
    [-88, -86],
    [-1, 0],
  ],
  exp2: [
    [-127, -125],
    [-1, 1],
    [127, 129],
  ],
  expm1: [
    [-19, -16],
    [-1e-3, 1e-3],
    [-1, 1],
    [88, 89],
  ],
  sigmoid: [
    [-89, -86],
    [-8, 8],
  ],
  log: [
    [0.5, 2],
    [0.999, 1.001],
    [0, 1e-37],
  ],
  log2: [
    [0.5, 2],
    [0.999, 1.001],
    [0, 1e-37],
  ],
  log10: [
    [0.5, 2],
    [0.999, 1.001],
    [0, 1e-37],
  ],
  log1p: [
    [-1, -0.99],
    [-1e-3, 1e-3],
    [-0.5, 1],
  ],
  sin: [
    [-4, 4],
    [3.1415, 3.1417],
    [1.59e6, 1.61e6],
  ],
  cos: [
    [-4, 4],
    [1.5707, 1.5709],
    [1.59e6, 1.61e6],
  ],
  tan: [
    [-4, 4],
    [1.5707, 1.5709],
    [3.1415, 3.1417],
    [1.59e6, 1.61e6],
  ],
  sinh: [
    [-1.1, 1.1],
    [0.9, 1.1],
    [88, 90],
  ],
  cosh: [
    [-1, 1],
    [88, 90],
  ],
  tanh: [
    [-10, 10],
    [-1e-3, 1e-3],
    [8.9, 9.1],
  ],
  erf: [
    [-4.5, 4.5],
    [-1e-3, 1e-3],
    [3.9, 4.1],
  ],
  sqrt: [[0, 4]],
  rsqrt: [[0, 4]],
}

function expectWithin(name: string, harness: Harness, tolerance: Tolerance): void {
  const reference = referenceOf(name)
  const [first, second] = harness.inputs.map(({ float32 }) => float32)
  const results = harness.outputs[0]!.float32
  for (let i = 0; i < results.length; i++) {
    const x = first![i]!
    const y = second === undefined ? 0 : second[i]!
    const exact = reference(x, y, 0)
    const problem = compare(results[i]!, exact, tolerance)
    // `expect` for each of millions of numbers would take minutes.
    if (problem)
      expect.fail(`${name}(${second === undefined ? x : `${x}, ${y}`}) = ${results[i]!}, exactly ${exact}`)
  }
}

function compare(result: number, exact: number, { relative, absolute }: Tolerance): boolean {
  if (Number.isNaN(exact)) return !Number.isNaN(result)
  // Within the bound of the end of the range, both the largest number and Inf are right.
  if (Math.abs(exact) > largestFloat32 * (1 - relative)) {
    return Math.sign(result) !== Math.sign(exact) || Math.abs(result) < largestFloat32 * (1 - 2 * relative)
  }
  return !(Math.abs(result - exact) <= relative * Math.abs(exact) + absolute)
}

// The absolute part of a tolerance is for tiny results alone: it must not hide an error of a normal one.
test('absolute tolerances are below the smallest normal number', () => {
  for (const { absolute } of Object.values(tolerances)) expect(absolute).toBeLessThanOrEqual(2 ** -126)
})

test('every fast form has a tolerance below 4e-7', () => {
  expect(Object.keys(tolerances).sort()).toEqual([...Object.keys(unaryFunctions), 'pow'].sort())
  for (const { relative } of Object.values(tolerances)) expect(relative).toBeLessThanOrEqual(4e-7)
})

test.each(Object.keys(unaryFunctions))('%s', (name) => {
  const harness = createHarness(1, 1, 4 * batch, unaryFunctions[name]!)
  expect(Array.from(assemble(harness.module))).toEqual(Array.from(compile(printWat(harness.module))))
  const x = harness.inputs[0]!
  const keepSign = (value: number): number => (name === 'expNeg' ? -Math.abs(value) : value)
  // Every 2^11-th bit pattern, a different offset each, so that low bits vary too: all signs, exponents, NaNs.
  for (let start = 0; start < 2 ** 21; start += batch) {
    for (let i = 0; i < batch; i++)
      x.int32[i] = ((start + i) << 11) | (Math.imul(start + i, 0x9e3779b1) >>> 21)
    for (let i = 0; i < batch; i++) x.float32[i] = keepSign(x.float32[i]!)
    harness.run()
    expectWithin(name, harness, tolerances[name]!)
  }
  for (const [from, to] of regions[name]!) {
    for (let i = 0; i < batch; i++) x.float32[i] = keepSign(from + ((to - from) * i) / batch)
    harness.run()
    expectWithin(name, harness, tolerances[name]!)
  }
})

test('pow', () => {
  const harness = createHarness(2, 1, 4 * batch, (f, [x, y]) => [float32Functions.pow!(f, x!, y!)])
  expect(Array.from(assemble(harness.module))).toEqual(Array.from(compile(printWat(harness.module))))
  const [base, exponent] = harness.inputs
  const sweeps: readonly ((i: number) => readonly [number, number])[] = [
    (i) => [2 ** (Math.sin(i) * 126), Math.cos(3 * i) * 2],
    (i) => [(30 * i) / batch, Math.sin(i) * 30],
    (i) => [1 + (i - batch / 2) / batch / 1000, Math.sin(i) * 1e5],
    (i) => [-(8 * i) / batch, (i % 16) - 8],
    (i) => [2 ** -140 * i, ((i % 64) - 32) / 8],
  ]
  for (const sweep of sweeps) {
    for (let i = 0; i < batch; i++) [base!.float32[i], exponent!.float32[i]] = sweep(i)
    harness.run()
    expectWithin('pow', harness, tolerances['pow']!)
  }
})
